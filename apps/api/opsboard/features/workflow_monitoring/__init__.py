"""Workflow monitoring: what runs, what ran, and the alerts that somebody must look at."""
