"""Sends the same bytes for each request without looking at it: what the load generator can do at most.

    PYTHONPATH=<the folder above> python -S -m load.echo SOCKET FILE

Ends when its standard input does, which is when the benchmark is gone.
"""

from __future__ import annotations

import select
import socket
import sys
from pathlib import Path


def serve(path: str, answer: bytes) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    poll = select.poll()
    connections = {}
    poll.register(listener, select.POLLIN)
    poll.register(sys.stdin, select.POLLIN)
    while True:
        for number, _ in poll.poll():
            if number == sys.stdin.fileno():
                return
            if number == listener.fileno():
                connection, _ = listener.accept()
                connections[connection.fileno()] = connection
                poll.register(connection, select.POLLIN)
            # A request is small and there is one at a time: it comes in one piece.
            elif connections[number].recv(65_536):
                connections[number].sendall(answer)
            else:
                poll.unregister(number)
                connections.pop(number).close()


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]).read_bytes())
