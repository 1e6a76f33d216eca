"""Saved views: the filters, sort and columns of a list under a name."""
