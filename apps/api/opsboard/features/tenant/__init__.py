"""The business itself: its name and its time zone."""
