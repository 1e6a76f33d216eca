"""Two made-up businesses to look at, and the command that shows them."""
