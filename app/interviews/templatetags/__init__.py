"""Template filters of interviews."""
