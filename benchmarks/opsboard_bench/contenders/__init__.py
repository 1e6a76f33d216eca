"""The servers the service is compared with; each runs in a process without the service's code."""
