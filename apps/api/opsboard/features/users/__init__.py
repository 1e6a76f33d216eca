"""Users: who works here, in which role."""
