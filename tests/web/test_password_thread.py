"""Password hashes are computed one after the other, in a thread of low priority, and never without a bound."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from opsboard.auth.password_thread import NICENESS, PasswordThread
from opsboard.auth.passwords import hash_password, passwords_fit
from opsboard.errors import TooManySignIns
from tests.waiting import eventually


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no priority for each thread")
def test_hashes_have_one_thread_and_a_low_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    from opsboard.auth import passwords

    seen: set[tuple[int, int]] = set()

    class Noting:
        def hash(self, password: str) -> str:
            seen.add((threading.get_native_id(), niceness()))
            return password

        def verify(self, stored: str, password: str) -> bool:
            return self.hash(password) == stored

    monkeypatch.setattr(passwords, "_hasher", Noting())
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(hash_password, ["a password"] * 4))
        list(threads.map(lambda _: passwords_fit(["stored", None], "a password"), range(4)))
    ((thread, priority),) = seen
    assert thread != threading.get_native_id()
    assert priority == max(niceness(), NICENESS)
    assert niceness() < NICENESS, "requests keep their priority"


def test_a_call_is_refused_when_too_many_wait_and_its_place_is_free_again_afterwards() -> None:
    one = PasswordThread(most=2)
    go_on = threading.Event()
    with ThreadPoolExecutor(2) as callers:
        waiting = [callers.submit(one.run, partial(go_on.wait, 60)) for _ in range(2)]
        eventually("all places are taken", lambda: one._places._value == 0)  # type: ignore[attr-defined]
        try:
            with pytest.raises(TooManySignIns):
                one.run(go_on.wait)
        finally:
            go_on.set()
        assert [each.result() for each in waiting] == [True, True]
    eventually("the places are free", lambda: one._places._value == 2)  # type: ignore[attr-defined]
    assert one.run(lambda: 5) == 5


def test_a_call_whose_turn_does_not_come_is_refused_and_never_runs() -> None:
    one = PasswordThread(most=3, patience=0.2)
    began, go_on, ran = threading.Event(), threading.Event(), []

    def hold() -> bool:
        began.set()
        return go_on.wait(60)

    with ThreadPoolExecutor(1) as callers:
        first = callers.submit(one.run, hold)
        assert began.wait(60)
        with pytest.raises(TooManySignIns):
            one.run(lambda: ran.append(1))
        go_on.set()
        assert first.result() is True, "what has begun is waited for"
    assert one.run(lambda: len(ran)) == 0


def test_an_error_is_the_caller_s() -> None:
    one = PasswordThread()
    with pytest.raises(ZeroDivisionError):
        one.run(lambda: 1 // 0)
    assert one.run(lambda: 2) == 2


def test_a_forked_process_has_a_thread_of_its_own() -> None:
    program = """
import os
from opsboard.auth.passwords import hash_password
hash_password("in the parent")
if os.fork() == 0:
    os._exit(0 if hash_password("in the child").startswith("$argon2id$") else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
