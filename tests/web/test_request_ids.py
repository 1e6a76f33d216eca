"""Ids of requests differ on all threads and in all processes."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from opsboard.web.request_ids import REQUEST_ID, request_id


def test_32_threads_never_make_the_same_id() -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(32) as threads:
            ids = [
                one
                for many in threads.map(lambda _: [request_id(None) for _ in range(500)], range(64))
                for one in many
            ]
    finally:
        sys.setswitchinterval(usual)
    assert len(set(ids)) == len(ids) == 32_000
    assert all(REQUEST_ID.fullmatch(one) for one in ids)


def test_a_forked_worker_does_not_repeat_its_parents_ids() -> None:
    before = request_id(None)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, request_id(None).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        of_the_child = pipe.read()
    os.waitpid(child, 0)
    assert of_the_child[:12] != before[:12] == request_id(None)[:12]
