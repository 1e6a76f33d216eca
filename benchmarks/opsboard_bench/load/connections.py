"""Keep-alive connections over raw sockets, and the wait for whichever is ready."""

from __future__ import annotations

import select
import socket
import time

from .answers import Answer, WrongAnswer, read_answer

Address = str | tuple[str, int]  # a path is a Unix socket

PATIENCE = 30.0  # seconds without any answer


class Connection:
    """One connection with at most one request in progress; reopened when the server closes it."""

    def __init__(self, address: Address, request: bytes, watched: Watched) -> None:
        self.address = address
        self.request = request
        self.answered = 0
        self.opened = 0
        self.sent_at = 0
        self._watched = watched
        self.open()

    def open(self) -> None:
        is_path = isinstance(self.address, str)
        self.socket = socket.socket(socket.AF_UNIX if is_path else socket.AF_INET)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(self.address if is_path else tuple(self.address))
        if not is_path:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watched.add(self)
        self.opened += 1
        self._proved = False
        self._received = b""

    def close(self) -> None:
        self._watched.remove(self)
        self.socket.close()

    def watch(self, watched: Watched) -> None:
        """Await its answers together with those of other connections."""
        self._watched.remove(self)
        self._watched = watched
        watched.add(self)

    def send(self) -> None:
        self.sent_at = time.perf_counter_ns()
        try:
            self.socket.sendall(self.request)
        except (BrokenPipeError, ConnectionResetError):
            self._repeat()

    def receive(self) -> Answer | None:
        """The answer, if what came completes it."""
        try:
            more = self.socket.recv(262_144)
        except ConnectionResetError:
            more = b""
        self._received += more
        answer = read_answer(self._received, ended=not more)
        if answer is not None:
            self.answered += 1
            self._proved = True
            self._received = b""
            if not answer.keeps:
                self.close()
                self.open()
        elif not more:
            if self._received:
                raise WrongAnswer("the connection was closed within an answer")
            self._repeat()
        return answer

    def _repeat(self) -> None:
        """Send again: a server may close an idle connection just when the next request is under way."""
        if not self._proved:
            raise WrongAnswer("the connection was closed without an answer")
        self.close()
        self.open()
        self.socket.sendall(self.request)


class Watched:
    """The connections that an answer is awaited on."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._by_number: dict[int, Connection] = {}

    def __len__(self) -> int:
        return len(self._by_number)

    def add(self, connection: Connection) -> None:
        self._by_number[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.POLLIN)

    def remove(self, connection: Connection) -> None:
        del self._by_number[connection.socket.fileno()]
        self._poll.unregister(connection.socket)

    def ready(self, wait: float | None = None) -> list[Connection]:
        """Those something came on; within `wait` milliseconds there may be none."""
        ready = self._poll.poll(PATIENCE * 1000 if wait is None else wait)
        if not ready and wait is None:
            raise WrongAnswer(f"no answer for {PATIENCE:.0f} s")
        return [self._by_number[number] for number, _ in ready]


class HttpConnection:
    """One request after the other on one connection, each answer awaited."""

    def __init__(self, address: Address) -> None:
        self.connection = Connection(address, b"", Watched())

    def __enter__(self) -> HttpConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def ask(self, request: bytes) -> Answer:
        self.connection.request = request
        self.connection.send()
        while (answer := self.connection.receive()) is None:
            pass
        return answer


def exchange(address: Address, request: bytes) -> Answer:
    """One request on a connection of its own."""
    with HttpConnection(address) as connection:
        return connection.ask(request)
