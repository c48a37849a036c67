"""What an admin sees of authoring, one module per kind of page."""
