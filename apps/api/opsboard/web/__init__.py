"""The platform package that knows Flask."""
