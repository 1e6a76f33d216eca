"""Reasons: why pieces are rejected, work stops, or a job is on hold."""
