"""The numbers of the shop at a glance, each with the list behind it."""
