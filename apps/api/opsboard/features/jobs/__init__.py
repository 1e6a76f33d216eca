"""Jobs: what the shop makes, for whom, until when, and how far it is."""
