"""Job status: what a customer with a link sees of a job, without signing in."""
