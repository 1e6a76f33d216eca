"""Merges: duplicates of customers, contacts and leads are suggested, merged and separated again."""
