"""Records, metrics and logs; used by every layer, imports none of them."""
