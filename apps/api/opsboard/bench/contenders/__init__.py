"""What the service is compared with; each module is run by its own, without the service's code in its process."""
