"""gunicorn's settings for a contender: the service's own, as `service_settings.py` printed them."""

import json
import os
from pathlib import Path

globals().update(json.loads(Path(os.environ["OPSBOARD_BENCH_SETTINGS"]).read_text(encoding="utf-8")))
bind = os.environ["BIND"]
