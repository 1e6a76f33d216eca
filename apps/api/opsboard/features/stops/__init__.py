"""Machine stops: when a machine stood still, and why."""
