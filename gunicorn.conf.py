"""gunicorn needs no arguments: its settings, from Opsboard's."""

from opsboard.config import load_config

_config = load_config()

wsgi_app = "opsboard:create_app()"
bind = _config.bind or f"{_config.host}:{_config.port}"
worker_class = "gthread"
workers = _config.web_concurrency
threads = _config.web_threads
