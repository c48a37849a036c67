"""What a person sees of practice, one module per kind of page."""
