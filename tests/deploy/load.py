"""Many clients at once that each check every answer they get."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.deploy.conftest import Person
from tests.deploy.http_client import Client

# Says who asks, is made by the database each time, and has no other tenant's or user's word in it.
WHO_AM_I = "/api/auth/me"


@dataclass
class Tally:
    """Counts of answers. `wrong`: a 200 with another user's content; `failed`: anything but a correct 200."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{self.right} right, {len(self.wrong)} wrong {self.wrong[:2]}, failed {dict(self.failed)}"


class Crowd:
    """A thread for each person; each asks who it is, again and again, over its own connection."""

    def __init__(self, people: Sequence[Person], connect: Callable[[str], Client], kept: bool = True) -> None:
        self._people = people
        self._connect = connect
        self._kept = kept
        self._enough = threading.Event()
        self._wanted: int | None = None
        self._lock = threading.Lock()
        self.tally = Tally()

    @contextmanager
    def asking(self) -> Iterator[Tally]:
        """Ask for as long as the block lasts."""
        threads = [threading.Thread(target=self._ask, args=(person,)) for person in self._people]
        for thread in threads:
            thread.start()
        try:
            yield self.tally
        finally:
            self._enough.set()
            for thread in threads:
                thread.join()

    def ask(self, requests: int) -> Tally:
        """Ask this many times, all together, or until an answer is not right."""
        self._wanted = requests
        with self.asking():
            while not self._enough.wait(0.02):
                pass
        return self.tally

    def _ask(self, person: Person) -> None:
        client = self._connect(person.token)
        while not self._enough.is_set():
            try:
                answer = client.get(WHO_AM_I)
            except (OSError, http.client.HTTPException) as error:
                self._note(failure=type(error).__name__)
                continue
            if not self._kept:
                client.close()
            text = answer.body.decode()
            if answer.status != 200:
                self._note(failure=f"{answer.status} {text[:200]}")
            else:
                self._note(
                    wrong=text if f'"{person.email}"' not in text or self._foreign(person, text) else ""
                )
        client.close()

    def _foreign(self, person: Person, text: str) -> bool:
        others = {other.canary for other in self._people} - {person.canary}
        return person.canary not in text or any(canary in text for canary in others)

    def _note(self, failure: str = "", wrong: str = "") -> None:
        with self._lock:
            if failure:
                self.tally.failed[failure] += 1
            elif wrong:
                self.tally.wrong.append(wrong)
            else:
                self.tally.right += 1
            # One answer that is not right is enough to know.
            if self._wanted and (failure or wrong or self.tally.right >= self._wanted):
                self._enough.set()
