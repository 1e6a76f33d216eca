"""Travellers: the paper that goes with a job through the shop, with codes that open its steps on the terminal."""
