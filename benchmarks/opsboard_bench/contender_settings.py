"""gunicorn's settings for a contender: the service's own, as `service_settings.py` printed them."""

import json
import os
from pathlib import Path
from typing import Any

globals().update(json.loads(Path(os.environ["OPSBOARD_BENCH_SETTINGS"]).read_text(encoding="utf-8")))
bind = os.environ["BIND"]

if os.environ.get("OPSBOARD_BENCH_AT_ONCE"):

    def post_worker_init(worker: Any) -> None:
        from opsboard.web.inline_answers import answer_inline

        answer_inline(worker)
