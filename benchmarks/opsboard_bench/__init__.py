"""Measures the service on real gunicorn, beside what it could be written in instead."""
