"""gunicorn needs no arguments: its settings, from Opsboard's."""

import json
import logging
import os
import signal
import subprocess
import sys
import time

import gunicorn
from gunicorn.errors import HaltServer


def read_settings():
    """Read and check the settings in a process of their own; a fault ends gunicorn before it listens.

    The master loads none of the application, so that after a HUP every worker runs the code that is installed
    then. At a HUP with wrong settings the service goes on with those from before.
    """
    done = subprocess.run(
        [sys.executable, "-m", "opsboard.commands.preflight"], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode == 0:
        gunicorn.opsboard_settings = json.loads(done.stdout)
    elif hasattr(gunicorn, "opsboard_settings"):
        line = "opsboard: the settings are wrong; going on with those from before"
        is_json = gunicorn.opsboard_settings["environment"]["LOG_FORMAT"] == "json"
        print(json.dumps({"event": line, "level": "error"}) if is_json else line, file=sys.stderr)
    else:
        sys.exit(done.returncode)
    return gunicorn.opsboard_settings


_settings = read_settings()

wsgi_app = "opsboard:create_app()"
bind = _settings["bind"]
worker_class = "gthread"
workers = _settings["workers"]
threads = _settings["threads"]
max_requests = _settings["max_requests"]
max_requests_jitter = _settings["max_requests_jitter"]
graceful_timeout = _settings["graceful_timeout"]
loglevel = _settings["loglevel"]
# A worker that is stopped or starved for this long is replaced. Requests have a deadline of their own.
timeout = 30
# Longer than nginx keeps an idle connection (60 s): so it is nginx that closes, and never sends into a closed one.
keepalive = 75
# The worker's own thread sends the rest of an answer to a slow client (`web/outgoing.py`); sendfile would block.
sendfile = False
# The application writes the log line of a request.
accesslog = None


class JsonLines(logging.Formatter):
    """gunicorn's own lines as the service writes its own with LOG_FORMAT=json."""

    def format(self, record):
        line = {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
        line |= {"pid": record.process, "timestamp": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}Z"}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)

    converter = time.gmtime


if _settings["environment"]["LOG_FORMAT"] == "json":
    logconfig_dict = {
        "formatters": {"generic": {"()": JsonLines}},
        # The application adds its own handler.
        "root": {"level": "WARNING", "handlers": []},
        "loggers": {
            name: {"level": loglevel.upper(), "handlers": [handler], "propagate": False}
            for name, handler in (("gunicorn.error", "error_console"), ("gunicorn.access", "console"))
        },
    }
# Signals are enough, and a socket in a home directory is not for a service.
control_socket_disable = True
# The heartbeat's file: on a disk, a slow write would look like a dead worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
# Whom forwarded headers are believed from is for TRUSTED_PROXIES to say, in one place.
forwarded_allow_ips = ""
secure_scheme_headers = {}
forwarder_headers = ""


class ReloadFailedError(Exception):
    """A new worker ended before it could answer."""


def on_starting(server):
    """Make a reload start one new worker after the other, and end old ones only when all new ones answer.

    gunicorn starts all at once and ends the old ones in the same moment, so that nobody answers while the new ones load
    the application. The master does nothing else meanwhile: another HUP waits until this one is done.
    """
    spawn, reload = server.spawn_worker, server.reload

    def spawn_and_wait():
        pid = spawn()
        worker = server.WORKERS[pid]
        while not has_booted(worker):
            time.sleep(0.02)
            try:
                server.reap_workers()
                server.murder_workers()
            except HaltServer as error:
                raise ReloadFailedError from error
            if pid not in server.WORKERS:
                raise ReloadFailedError
        return pid

    def reload_and_keep_answering():
        newest, number = server.worker_age, server.num_workers
        server.spawn_worker = spawn_and_wait
        try:
            reload()
        except ReloadFailedError:
            server.log.error("A new worker could not start; going on with the workers from before")
            server.num_workers = number
            for pid, worker in list(server.WORKERS.items()):
                if worker.age > newest:
                    server.kill_worker(pid, signal.SIGTERM)
        finally:
            server.spawn_worker = spawn

    server.reload = reload_and_keep_answering


def has_booted(worker):
    """Return True if the worker has said so by a byte in the file that it shares with the master for its heartbeat."""
    try:
        return os.fstat(worker.tmp.fileno()).st_size > 0
    except (OSError, ValueError):  # it has ended, and its file is closed
        return False


def pre_fork(server, worker):
    # The lowest number that is free: what is counted of this worker goes on in the series of the one it replaces.
    taken = {getattr(other, "slot", None) for other in server.WORKERS.values()}
    worker.slot = next(slot for slot in range(len(taken) + 1) if slot not in taken)


def post_fork(server, worker):
    # A worker replaced at night, too, gets the settings that were checked, not a file somebody is editing.
    os.environ.update(_settings["environment"])


def post_worker_init(worker):
    from opsboard.web.fair_threads import lend_threads_fairly
    from opsboard.web.inline_answers import answer_inline
    from opsboard.web.reserved import reserve_threads
    from opsboard.web.worker import begin_worker

    begin_worker(worker.wsgi, worker.ppid, worker.slot)
    lend_threads_fairly(worker, worker.wsgi.extensions["opsboard"])
    reserve_threads(worker, worker.wsgi.extensions["opsboard"].threads)
    answer_inline(worker)
    os.write(worker.tmp.fileno(), b"1")  # see has_booted


def worker_exit(server, worker):
    # The master calls this too, for a worker that was gone before it could be stopped.
    if worker.pid == os.getpid() and worker.booted:
        from opsboard.web.worker import end_worker

        end_worker(worker.wsgi)
