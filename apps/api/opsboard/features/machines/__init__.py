"""Machines: what the steps are done on."""
