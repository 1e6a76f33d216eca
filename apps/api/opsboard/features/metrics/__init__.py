"""What a Prometheus server scrapes."""
