"""Answers cached requests in the gunicorn worker's own thread; all others go to its thread pool."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from gunicorn.http import get_parser, wsgi

from opsboard.web.connections import Connections
from opsboard.web.fast_path import INLINE_ONLY
from opsboard.web.outgoing import Outgoing
from opsboard.web.server_errors import answer_with_problems
from opsboard.web.uploads import uploads_of

# A longer head goes to a thread. A usual head is below 2 kB.
LONGEST_HEAD = 16 << 10  # bytes
END_OF_HEAD = b"\r\n\r\n"
# A request with one of these has a body or needs an interim answer: a thread has to wait for it.
OF_A_BODY = {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT"}


class InlineAnswers:
    """Answers a readable kept-alive connection of a gthread worker without a thread, if the fast path can.

    gunicorn hands each request to a pool thread, which hands the connection back. That costs more than a cached answer,
    and no thread is left while all wait for the database. So the thread that polls all connections peeks at the
    request in the socket. A complete GET that the fast path can answer is answered at once; nothing on that path waits
    for the database, the network or a disk. Any other request stays in the socket for a pool thread.
    """

    def __init__(self, worker: Any, send_rest: Callable[[Any, Callable[[], None]], None]) -> None:
        self._worker = worker
        self._hand_over = worker.on_client_socket_readable
        self._send_rest = send_rest

    def on_client_socket_readable(self, conn: Any, client: Outgoing) -> None:
        """Takes the place of the method of `gunicorn.workers.gthread.ThreadWorker`, in the same thread."""
        head = self._whole_head(client)
        answer = head and self._answer(conn, head)
        if not answer:
            self._hand_over(conn, client)
            return
        client.recv(len(head))
        self._worker.nr += 1
        try:
            client.sendall(answer)
        except OSError:
            self._give_up(conn, client)
            return
        if client.has_unsent:
            self._send_on(conn, client)
        else:
            self._keep(conn)

    def _whole_head(self, client: Outgoing) -> bytes:
        """Peek at a request without a body; returns empty bytes for anything else."""
        worker = self._worker
        # Leaves a worker's last requests to gunicorn, which closes their connections.
        if not worker.alive or worker.nr + 1 >= worker.max_requests:
            return b""
        try:
            seen = client.recv(LONGEST_HEAD, socket.MSG_PEEK)
        except OSError:
            return b""
        whole = seen.startswith(b"GET ") and seen.find(END_OF_HEAD) == len(seen) - len(END_OF_HEAD)
        return seen if whole else b""

    def _answer(self, conn: Any, head: bytes) -> bytes | None:
        """Return the bytes of the answer, or None if a thread has to compute it."""
        cfg = self._worker.cfg
        reply: Any = Reply()
        try:
            request = next(get_parser(cfg, iter((head,)), conn.client))
            response, environ = wsgi.create(request, reply, conn.client, conn.server, cfg)
            if request.should_close() or not OF_A_BODY.isdisjoint(environ):
                return None
            environ["wsgi.multithread"] = environ[INLINE_ONLY] = True
            found = self._worker.wsgi(environ, response.start_response)
            if found is None:
                return None
            for piece in found:
                response.write(piece)
            response.close()
        except Exception:
            # The pool thread meets the same error and reports it.
            return None
        return b"".join(reply.pieces)

    def _keep(self, conn: Any) -> None:
        """Await the next request. The list of connections is ordered by the time they are closed."""
        conn.set_timeout()
        self._worker.keepalived_conns.remove(conn)
        self._worker.keepalived_conns.append(conn)

    def _send_on(self, conn: Any, client: Outgoing) -> None:
        """Send the rest as fast as the client reads."""
        worker = self._worker
        worker.poller.unregister(client)
        worker.keepalived_conns.remove(conn)
        answered: Future[bool] = Future()
        answered.set_result(True)
        self._send_rest(conn, lambda: worker.finish_request(conn, answered))

    def _give_up(self, conn: Any, client: Outgoing) -> None:
        worker = self._worker
        worker.poller.unregister(client)
        worker.keepalived_conns.remove(conn)
        worker.nr_conns -= 1
        conn.close()


class Reply:
    """Takes the place of the socket and collects what gunicorn writes, to send it in one piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.sendall = self.send = self.pieces.append


def answer_inline(worker: Any) -> None:
    """Install this in a worker that does not listen yet.

    Not with TLS, where the bytes in the socket are encrypted, nor with the PROXY protocol, whose line comes before the
    first request.
    """
    answer_with_problems()
    if hasattr(worker, "on_client_socket_readable") and not (
        worker.cfg.is_ssl or worker.cfg.proxy_protocol != "off"
    ):
        connections = Connections(worker, uploads=uploads_of(worker))
        connections.take_over()
        worker.on_client_socket_readable = InlineAnswers(
            worker, connections.send_rest
        ).on_client_socket_readable
