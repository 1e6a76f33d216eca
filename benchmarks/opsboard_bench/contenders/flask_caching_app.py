"""The same answer from Flask-Caching, in memory or in Redis: the token decoded at each request, a key per user."""

from __future__ import annotations

import json
import os
from pathlib import Path

from flask import Flask, Response, g, jsonify
from flask_caching import Cache
from token_check import check_token  # type: ignore[import-not-found]

_answer = json.loads(Path(os.environ["OPSBOARD_BENCH_ANSWER"]).read_text(encoding="utf-8"))
STATS = json.loads(_answer["body"])

app = Flask(__name__)
app.before_request(check_token)
REDIS = os.environ.get("OPSBOARD_BENCH_REDIS")
BACKEND = {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": REDIS} if REDIS else {"CACHE_TYPE": "SimpleCache"}
cache = Cache(app, config={**BACKEND, "CACHE_DEFAULT_TIMEOUT": 86_400})


def key_of_user() -> str:
    return f"stats/{g.user[0]}/{g.user[1]}"


@app.get("/api/dashboard/stats")
@cache.cached(make_cache_key=lambda *args, **kwargs: key_of_user())
def stats() -> Response:
    return jsonify(STATS)
