"""The application with some more addresses, which tell what a test cannot see from outside."""

from __future__ import annotations

import gc
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from apiflask import APIFlask
from flask import Response, jsonify, request

import opsboard
from opsboard.db.queries import Query
from opsboard.web.access import open_to_all

ASK = Query("probe.ask", "SELECT pg_sleep(0.1)", "Uses a connection.", reads=frozenset({"none"}))


def app() -> APIFlask:
    """The application as create_app makes it, and the probes."""
    made = opsboard.create_app()

    @made.get("/probe")
    @open_to_all
    def probe() -> Response:
        return jsonify(
            remote_addr=request.remote_addr, scheme=request.scheme, host=request.host, worker=os.getpid()
        )

    @made.get("/probe/sleep/<float:seconds>")
    @open_to_all
    def sleep(seconds: float) -> Response:
        print(f"worker {os.getpid()} sleeps", file=sys.stderr, flush=True)
        time.sleep(seconds)
        return jsonify(worker=os.getpid())

    @made.get("/probe/hold/<path:held>")
    @open_to_all
    def hold(held: str) -> Response:
        print(f"worker {os.getpid()} sleeps", file=sys.stderr, flush=True)
        while Path("/", held).exists():
            time.sleep(0.01)
        return jsonify(worker=os.getpid())

    @made.get("/probe/connections/<path:held>")
    @open_to_all
    def hold_connections(held: str) -> Response:
        pool = made.extensions["opsboard"].database.pool
        with ExitStack() as stack:
            for _ in range(pool.maxconn):
                stack.enter_context(pool.connection())
            print(f"worker {os.getpid()} sleeps", file=sys.stderr, flush=True)
            while Path("/", held).exists():
                time.sleep(0.01)
        return jsonify(worker=os.getpid())

    @made.get("/probe/collected")
    @open_to_all
    def collected() -> Response:
        return jsonify(walked=len(gc.get_objects()), frozen=gc.get_freeze_count())

    return made


def used_before_the_fork() -> APIFlask:
    """The same after its pool has opened all its connections: for --preload, where the master makes it."""
    made = app()
    database = made.extensions["opsboard"].database
    most = database.pool.maxconn
    with ThreadPoolExecutor(most) as threads:
        list(threads.map(lambda _: database.fetch_unbound(ASK), range(most)))
    assert database.pool.get_stats()["pool_size"] == most
    return made
