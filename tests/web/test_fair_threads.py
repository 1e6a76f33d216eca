"""A business whose requests are slow or many leaves threads, connections and exports to the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from opsboard.db.businesses import RECENTLY, Businesses, Share
from opsboard.db.embedded import Cluster
from opsboard.web.fair_threads import NOBODY, FairThreads, business_of_request
from tests.application import Application
from tests.db.pooling import FakeClock, Server
from tests.waiting import comes_true

THREADS = 4


class Scene:
    """Threads, and requests that stay until they are let go."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(THREADS)
        self.businesses = Businesses()
        self.threads = FairThreads(self.pool, THREADS, self.businesses, lambda business: int(business))
        self.running: list[int] = []
        self.order: list[int] = []
        self.let_go = threading.Semaphore(0)

    def ask(self, business: int) -> Future[Any]:
        return self.threads.submit(self._serve, business)

    def _serve(self, business: int) -> int:
        self.running.append(business)
        self.order.append(business)
        self.let_go.acquire()
        self.running.remove(business)
        return business


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.let_go.release(1000)
    scene.pool.shutdown()


def test_slow_requests_of_one_business_leave_a_thread_to_another(scene: Scene) -> None:
    scene.businesses.seen(2)
    asked = [scene.ask(1) for _ in range(20)]
    assert comes_true(lambda: len(scene.running) == 3)
    other = scene.ask(2)
    assert comes_true(lambda: sorted(scene.running) == [1, 1, 1, 2])
    scene.let_go.release(21)
    assert [future.result(30) for future in (*asked, other)] == [1] * 20 + [2]
    assert comes_true(lambda: not scene.threads._running and not scene.threads._passed)


def test_a_request_of_another_does_not_queue_behind_the_many_of_one(scene: Scene) -> None:
    asked = [scene.ask(1) for _ in range(20)]
    assert comes_true(lambda: len(scene.running) == THREADS), "all, while it is alone"
    asked += [scene.ask(2), scene.ask(3), scene.ask(2)]
    for _ in range(len(asked)):
        scene.let_go.release()
    assert sorted(future.result(30) for future in asked) == sorted([1] * 20 + [2, 3, 2])
    assert sorted(scene.order[THREADS : THREADS + 6])[-3:] == [2, 2, 3], scene.order


def test_a_sole_business_has_all_threads_and_those_without_a_token_have_their_share(scene: Scene) -> None:
    for _ in range(6):
        scene.ask(NOBODY)
    assert comes_true(lambda: len(scene.running) == THREADS)
    scene.let_go.release(6)
    assert comes_true(lambda: not scene.running)
    scene.ask(1)
    for _ in range(6):
        scene.ask(NOBODY)
    assert comes_true(lambda: sorted(scene.running) == [NOBODY] * 3 + [1])


def test_an_exception_is_the_callers_and_frees_the_thread(scene: Scene) -> None:
    def fail(_: int) -> None:
        raise KeyError("x")

    for _ in range(3 * THREADS):
        with pytest.raises(KeyError):
            scene.threads.submit(fail, 1).result(30)
    assert not scene.threads._running


def test_a_business_that_has_not_asked_for_long_is_left_no_room() -> None:
    clock = FakeClock()
    businesses = Businesses(clock)
    businesses.seen(1)
    assert not businesses.has_other(1) and businesses.has_other(2)
    businesses.seen(2)
    share = Share(2, 1, businesses)
    assert [share.take(1), share.take(1), share.take(2), share.take(2)] == [True, False, True, False]
    share.give_back(2)
    clock.now += RECENTLY
    businesses.seen(1)
    assert [share.take(1), share.take(1)] == [True, False], "all there is"


@pytest.mark.parametrize("by", ["header", "cookie", "forged", "nothing"])
def test_the_business_is_read_from_the_token_and_cannot_be_forged(app: Application, by: str) -> None:
    token = app.token(business=app.beta)
    header, payload, signature = token.split(".")
    line = {
        "header": f"authorization: Bearer {token}",
        "cookie": f"Cookie: a=b; opsboard_token={token}; c=d",
        "forged": f"Authorization: Bearer {header}.{payload}.{signature[::-1]}",
        "nothing": "X-Other: Bearer",
    }[by]
    head = f"GET /api/jobs HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode()
    connection = SimpleNamespace(arriving=SimpleNamespace(received=bytearray(head)))
    found = business_of_request(app.services.sign_in)(connection)
    assert found == (app.beta.id if by in ("header", "cookie") else NOBODY)


def test_a_connection_that_comes_back_goes_to_the_business_with_the_fewest(cluster: Cluster) -> None:
    server = Server(cluster)
    granted: list[int] = []
    go_on = threading.Event()

    def hold(pool: Any, owner: int) -> None:
        with pool.connection(owner=owner):
            granted.append(owner)
            go_on.wait(30)

    with server.pool(0, 2, timeout=30.0) as pool:
        first = pool.connection(owner=1)
        first.__enter__()
        with pool.connection(owner=1):
            threads = []
            for waiting, owner in enumerate([1, 1, 1, 2], 1):
                threads.append(threading.Thread(target=hold, args=(pool, owner)))
                threads[-1].start()
                assert comes_true(lambda n=waiting: pool.get_stats()["requests_waiting"] == n)  # type: ignore[misc]
            first.__exit__(None, None, None)
            assert comes_true(lambda: granted == [2])
        go_on.set()
        for thread in threads:
            thread.join(30)
    assert sorted(granted) == [1, 1, 1, 2]
