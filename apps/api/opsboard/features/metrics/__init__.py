"""The metrics that a Prometheus server scrapes."""
