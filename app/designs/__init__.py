"""What only design problems have: an editor that knows the fields, and the self-review."""
