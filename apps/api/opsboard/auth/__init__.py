"""Who is asking: tokens, passwords, sign-in."""
