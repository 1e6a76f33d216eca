"""Settings: how a business wants to be served."""
