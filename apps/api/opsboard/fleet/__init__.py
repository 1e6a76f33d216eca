"""Communication between the workers: the change feed, heartbeats and maintenance of shared tables."""
