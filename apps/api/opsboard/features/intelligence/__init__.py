"""Intelligence: what is known of customers from leads and calls."""
