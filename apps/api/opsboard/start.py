"""Where the command `opsboard` begins: imports nothing until Ctrl-C is taken care of."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded ends it as later on, without a traceback."""
    try:
        from opsboard.cli import main as run
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    run()
