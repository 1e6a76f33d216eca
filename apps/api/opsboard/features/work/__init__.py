"""Work records: who worked on which step, from when to when, and the pieces that came of it."""
