"""Starts what is no Python: Redis for those who cache in it, and nginx as a micro-cache."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opsboard.errors import CommandError
from opsboard_bench.scenarios import redis_program

PATIENCE = 10.0
# As its manuals have it: one second, one request at a time to the service, a copy for each token. It is told to
# keep what the service marks as private.
CONFIGURATION = """
daemon off; {user}
worker_processes {workers};
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/nginx-body; proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-1; uwsgi_temp_path {folder}/nginx-2; scgi_temp_path {folder}/nginx-3;
  proxy_cache_path {folder}/nginx-cache keys_zone=micro:8m;
  upstream service {{ server unix:{upstream}; keepalive 32; }}
  server {{
    listen unix:{address};
    location / {{
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_cache micro;
      proxy_cache_key $request_uri$http_authorization;
      proxy_cache_valid 200 1s;
      proxy_cache_lock on;
      proxy_cache_use_stale updating;
      proxy_cache_background_update on;
      proxy_ignore_headers Cache-Control Vary Expires;
      # A response that is being refreshed is a hit for its callers.
      add_header X-Micro-Cache $micro_state;
    }}
  }}
  map $upstream_cache_status $micro_state {{ HIT HIT; UPDATING HIT; STALE HIT; default $upstream_cache_status; }}
}}
"""


def micro_cache(folder: Path, upstream: str, address: str, workers: int) -> list[str]:
    """The command of an nginx that keeps the answers of `upstream` for a second."""
    path = folder / "nginx.conf"
    # Root's nginx would give up its rights and then could not reach the socket.
    user = "user root;" if os.geteuid() == 0 else ""
    text = CONFIGURATION.format(user=user, folder=folder, upstream=upstream, address=address, workers=workers)
    path.write_text(text, encoding="utf-8")
    return ["nginx", "-p", str(folder), "-c", str(path)]


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis that keeps nothing on disk; its address."""
    program = redis_program()
    assert program  # checked before
    address = folder / "redis.sock"
    process = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(address), "--save", "", "--dir", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        await_socket(address, process)
        yield f"unix://{address}"
    finally:
        process.terminate()
        process.wait()


def await_socket(address: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not address.is_socket():
        if process.poll() is not None or time.monotonic() > deadline:
            raise CommandError("redis-server does not start.")
        time.sleep(0.02)
