"""Runs a contender on gunicorn (one is nginx), with the settings the service has in production."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from opsboard.commands.serve import gunicorn_config
from opsboard.errors import CommandError
from opsboard.settings import SETTINGS
from opsboard_bench.load.answers import WrongAnswer
from opsboard_bench.load.connections import exchange
from opsboard_bench.peers import micro_cache, redis
from opsboard_bench.processors import pin
from opsboard_bench.scenarios import Contender

HERE = Path(__file__).parent
PATIENCE = 60.0
PATIENCE_AT_THE_END = 5.0


@dataclass(frozen=True)
class Server:
    """A running server: the process that leads it, and its socket."""

    process: subprocess.Popen[bytes]
    address: str


@dataclass(frozen=True)
class Grounds:
    """The folder, settings and cores shared by all servers of a run."""

    folder: Path
    settings: Mapping[str, str]
    workers: int
    cores: list[int]


@contextmanager
def serving(
    grounds: Grounds, contenders: list[Contender], prepare: Callable[[Server], None]
) -> Iterator[dict[str, Server]]:
    """All of them at once, each ready; an idle one costs the others nothing.

    `prepare` is given the first one and leaves what the others need to start.
    """
    first, *others = contenders
    with ExitStack() as stack:
        if any(contender.redis for contender in others):
            url = stack.enter_context(redis(grounds.folder))
            grounds = replace(grounds, settings={**grounds.settings, "OPSBOARD_BENCH_REDIS_URL": url})
        servers = {first.name: stack.enter_context(started(grounds, first))}
        await_answer(grounds, first, servers[first.name])
        prepare(servers[first.name])
        store_settings(grounds, first)
        servers |= {one.name: stack.enter_context(started(grounds, one)) for one in others}
        for one in others:
            await_answer(grounds, one, servers[one.name])
        # Not sooner: they start on all cores.
        for server in servers.values():
            pin(server.process.pid, grounds.cores)
        yield servers


@contextmanager
def started(grounds: Grounds, contender: Contender) -> Iterator[Server]:
    """A server that may not be ready yet; ended with the block."""
    address = str(grounds.folder / f"{contender.name}.sock")
    command = command_of(grounds, contender, address)
    with open(log_of(grounds, contender), "wb") as log:
        process = subprocess.Popen(
            command,
            env=environment_of(grounds, contender, address),
            cwd=grounds.folder,  # where no .env is
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C ends this process, which stops the servers in order.
            start_new_session=True,
        )
    try:
        yield Server(process, address)
    finally:
        end(process)


def command_of(grounds: Grounds, contender: Contender, address: str) -> list[str]:
    if contender.behind_nginx:
        upstream = str(grounds.folder / f"{contender.behind_nginx.name}.sock")
        return micro_cache(grounds.folder, upstream, address, grounds.workers)
    gunicorn = [sys.executable, "-m", "gunicorn", "--config"]
    if contender.application is None:
        return [*gunicorn, gunicorn_config()]
    folder = str(HERE / "contenders")
    settings = str(HERE / "contender_settings.py")
    return [*gunicorn, settings, "--pythonpath", folder, f"{contender.application}:app"]


def store_settings(grounds: Grounds, service: Contender) -> None:
    """Read the service's gunicorn settings once, for all contenders."""
    done = subprocess.run(
        [sys.executable, str(HERE / "service_settings.py"), gunicorn_config()],
        env=environment_of(grounds, service, ""),
        cwd=grounds.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CommandError(f"gunicorn.conf.py cannot be read: {done.stderr.strip()}")
    (grounds.folder / "gunicorn.json").write_text(done.stdout, encoding="utf-8")


def environment_of(grounds: Grounds, contender: Contender, address: str) -> dict[str, str]:
    """Nothing of what was set for another service reaches this one."""
    names = {
        part for setting in SETTINGS for name in (setting.name, *setting.aliases) for part in name.split("+")
    }
    return {
        **{name: value for name, value in os.environ.items() if name not in names},
        **grounds.settings,
        **contender.settings,
        **({"OPSBOARD_BENCH_REDIS": grounds.settings["OPSBOARD_BENCH_REDIS_URL"]} if contender.redis else {}),
        "BIND": f"unix:{address}",
        "WEB_CONCURRENCY": str(grounds.workers),
        "OPSBOARD_BENCH_SETTINGS": str(grounds.folder / "gunicorn.json"),
        "OPSBOARD_BENCH_ANSWER": str(grounds.folder / "answer.json"),
    }


def await_answer(grounds: Grounds, contender: Contender, server: Server) -> None:
    """Wait until it answers anything at all."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            exchange(server.address, b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
            return
        except (OSError, WrongAnswer):
            gone = server.process.poll() is not None
        if gone or time.monotonic() > deadline:
            said = log_of(grounds, contender).read_text(errors="replace").strip()[-2000:]
            raise CommandError(f"The server of {contender.name} does not start: {said or 'it says nothing'}")
        time.sleep(0.05)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask gunicorn to stop; whatever it leaves of its own session is killed."""
    process.terminate()
    try:
        process.wait(PATIENCE_AT_THE_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def log_of(grounds: Grounds, contender: Contender) -> Path:
    return grounds.folder / f"{contender.name}.log"
