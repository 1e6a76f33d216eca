"""Sign in, sign out, and who am I."""
