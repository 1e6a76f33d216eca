"""Loads a business's records from a folder of CSV files: all of them or none."""
