"""The page, its files, and the readable documentation of the API."""
