"""Ctrl-C, SIGTERM and a closed terminal: each ends the demo in order, wherever it is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruptions:
    """Turns each of the signals into KeyboardInterrupt for as long as the block lasts."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._held = False
        self._received = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._receive) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let what must not be cut in two come to its end; then, if a signal came, interrupt."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            if self._received:
                raise KeyboardInterrupt

    def ignore(self) -> None:
        """From now on everything is being stopped; a second Ctrl-C must not hinder it, here or in pg_ctl."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received = True
        if not self._held:
            raise KeyboardInterrupt
