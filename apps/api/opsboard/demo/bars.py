"""Shows how far the generator is: a bar for each stage on a terminal, a line in a log."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm


class Bars:
    """Called with a stage, what is done and the total."""

    def __init__(self) -> None:
        # Its thread only guards against rare hangs of a display, and a process with threads should not fork.
        tqdm.monitor_interval = 0
        self._bar: tqdm[Any] | None = None
        self._stage = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._close()
            self._stage = stage
            self._open(stage, total)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def _open(self, stage: str, total: int) -> None:
        if sys.stderr.isatty():
            self._bar = tqdm(
                desc=f"making demo data: {stage}", total=total, unit="", dynamic_ncols=True, delay=0.2
            )
        else:
            print(f"making demo data: {stage} ({total:,})", file=sys.stderr, flush=True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = None
