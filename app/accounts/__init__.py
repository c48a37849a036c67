"""Who a person is: sign in, sign out, the owner's one-time link."""
