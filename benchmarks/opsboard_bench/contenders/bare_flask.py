"""The same answer as the one route of a Flask application: no token, no cache, no database."""

from __future__ import annotations

import json
import os
from pathlib import Path

from flask import Flask, Response, jsonify

_answer = json.loads(Path(os.environ["OPSBOARD_BENCH_ANSWER"]).read_text(encoding="utf-8"))
STATS = json.loads(_answer["body"])

app = Flask(__name__)


@app.get("/api/dashboard/stats")
def stats() -> Response:
    return jsonify(STATS)
