"""What the service says about itself; written to by every layer, imports none of them."""
