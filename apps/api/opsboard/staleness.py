"""How long a worker may go without reading the changes of the others."""

from __future__ import annotations

# After this long without a successful read of the change feed, what a worker keeps counts as stale: cached bodies are
# loaded again, and the database is asked about each token.
STALE_AFTER = 2.0  # seconds
