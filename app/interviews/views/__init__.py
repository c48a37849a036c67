"""Pages and actions of interviews."""
