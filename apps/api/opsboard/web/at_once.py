"""Lets a gunicorn worker's own thread answer what the front has ready; all other requests go to its thread pool."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from gunicorn.http import get_parser, wsgi

from opsboard.web.connections import Connections
from opsboard.web.front import AT_ONCE_ONLY
from opsboard.web.outgoing import Outgoing
from opsboard.web.server_errors import answer_with_problems
from opsboard.web.uploads import uploads_of

# A longer head goes to a thread: the token is a few hundred bytes, the line and the rest of the headers less.
LONGEST_HEAD = 16 << 10  # bytes
END_OF_HEAD = b"\r\n\r\n"
# What follows such a head, or has to be said before it, is for a thread to wait for.
OF_A_BODY = {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT"}


class AtOnce:
    """What a gthread worker does when a connection that was kept alive has something to read.

    gunicorn hands each request to a thread of the pool, and the thread hands the connection back: that costs more
    than a kept answer itself, and when all threads wait for the database nobody is left to give it. So the thread
    that waits for all connections looks at the request where it lies in the socket. A whole GET that the front
    has an answer ready for is answered there and then, without a wait: nothing on that way asks the database, the
    network or a disk. Whatever else it is stays in the socket, and a thread of the pool reads it as if nobody had
    looked.
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
        """A request without a body, left where it is; empty when it is anything else."""
        worker = self._worker
        # The last requests of a worker are gunicorn's to answer: it closes their connections.
        if not worker.alive or worker.nr + 1 >= worker.max_requests:
            return b""
        try:
            seen = client.recv(LONGEST_HEAD, socket.MSG_PEEK)
        except OSError:
            return b""
        whole = seen.startswith(b"GET ") and seen.find(END_OF_HEAD) == len(seen) - len(END_OF_HEAD)
        return seen if whole else b""

    def _answer(self, conn: Any, head: bytes) -> bytes | None:
        """The bytes of the answer; None when a thread has to find it."""
        cfg = self._worker.cfg
        reply: Any = Reply()
        try:
            request = next(get_parser(cfg, iter((head,)), conn.client))
            response, environ = wsgi.create(request, reply, conn.client, conn.server, cfg)
            if request.should_close() or not OF_A_BODY.isdisjoint(environ):
                return None
            environ["wsgi.multithread"] = environ[AT_ONCE_ONLY] = True
            found = self._worker.wsgi(environ, response.start_response)
            if found is None:
                return None
            for piece in found:
                response.write(piece)
            response.close()
        except Exception:
            # The thread that gets it will meet the same, and knows how to say it.
            return None
        return b"".join(reply.pieces)

    def _keep(self, conn: Any) -> None:
        """Await the next request; those that are awaited stand in the order in which they will be given up."""
        conn.set_timeout()
        self._worker.keepalived_conns.remove(conn)
        self._worker.keepalived_conns.append(conn)

    def _send_on(self, conn: Any, client: Outgoing) -> None:
        """The caller does not read fast enough: the rest is sent as it does."""
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
    """Stands where gunicorn expects the socket and takes what it writes, so that it can be sent in one piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.sendall = self.send = self.pieces.append


def answer_at_once(worker: Any) -> None:
    """Begin to do so in a worker that has not begun to listen.

    Not over TLS, where what lies in the socket cannot be read, nor where a proxy's own line comes before the first
    request.
    """
    answer_with_problems()
    if hasattr(worker, "on_client_socket_readable") and not (
        worker.cfg.is_ssl or worker.cfg.proxy_protocol != "off"
    ):
        connections = Connections(worker, uploads=uploads_of(worker))
        connections.take_over()
        worker.on_client_socket_readable = AtOnce(worker, connections.send_rest).on_client_socket_readable
