"""API tokens: of users and service accounts, for programs."""
