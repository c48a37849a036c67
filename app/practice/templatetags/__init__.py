"""Tags and filters of the practice pages."""
