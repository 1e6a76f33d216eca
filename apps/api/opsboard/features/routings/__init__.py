"""Routings: named routes of steps, from which the steps of jobs are made."""
