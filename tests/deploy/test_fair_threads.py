"""While all that one business asks for waits for a lock, another is answered by the same worker."""

from __future__ import annotations

import threading
from contextlib import closing

import psycopg2

from tests.clusters import FreshDatabase
from tests.deploy.conftest import people_of
from tests.deploy.servers import running_gunicorn
from tests.waiting import eventually

WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def test_slow_queries_of_one_business_do_not_keep_out_another(data: FreshDatabase) -> None:
    one, other = people_of(data)[:2]  # one of each business
    settings = {"WEB_CONCURRENCY": "1", "WEB_THREADS": "4", "REQUEST_DEADLINE": "60"}
    with (
        running_gunicorn("tests.deploy.probe_app:app()", DATABASE_URL=data.app_url, **settings) as server,
        closing(psycopg2.connect(data.superuser_url)) as holder,
        closing(psycopg2.connect(data.superuser_url)) as watcher,
    ):
        for person in (one, other):
            assert server.client(person.token).get("/api/customers").status == 200
        watcher.autocommit = True
        looking = watcher.cursor()
        holder.cursor().execute("LOCK TABLE machines IN ACCESS EXCLUSIVE MODE")
        answers: list[int] = []
        threads = [
            threading.Thread(
                # Requests for one page would share one load.
                target=lambda path: answers.append(server.client(one.token).get(path).status),
                args=(f"/api/machines?page_size={number}",),
            )
            for number in range(1, 9)
        ]
        for thread in threads:
            thread.start()

        def waiting() -> bool:
            looking.execute(WAITS)
            return bool(looking.fetchone()[0] >= 3)

        eventually("slow requests hold threads", waiting)
        for _ in range(5):
            assert server.client(other.token).get("/api/customers").status == 200
        assert answers == []
        holder.rollback()
        for thread in threads:
            thread.join(60)
        assert answers == [200] * 8
