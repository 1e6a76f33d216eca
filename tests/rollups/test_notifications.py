"""Notifications are counted of each user, and nothing is left of one who is gone."""

from __future__ import annotations

from tests.rollups.conftest import Books

MORE = """
INSERT INTO notifications (tenant_id, user_id, kind, title)
SELECT tenant_id, id, 'job', 'more' FROM users, generate_series(1, %s) WHERE id = %s
"""


def test_the_counts_of_who_is_gone_are_gone(books: Books) -> None:
    books.fold()
    kept = "SELECT count(*) FROM rollups WHERE metric = 'notifications' AND {}"
    ((users,),) = books.run("SELECT count(DISTINCT user_id) FROM notifications WHERE tenant_id = 1")
    assert books.run(kept.format("tenant_id = 1")) == [(2 * users,)], "one for what is read, one for the rest"
    ((user,),) = books.run(
        "INSERT INTO users (tenant_id, email, full_name) VALUES (1, 'goes@alpha.example', 'g') RETURNING id"
    )
    books.run(MORE, 3, user)
    books.run("UPDATE notifications SET read_at = now() WHERE user_id = %s AND id %% 2 = 0", user)
    books.fold()
    assert books.run(kept.format(f"subject = {user}")) == [(2,)]
    books.run("DELETE FROM users WHERE id = %s", user)
    books.fold()
    assert books.run(kept.format(f"subject = {user}")) == [(0,)]
    books.run("DELETE FROM tenants WHERE id = 2")
    books.fold()
    assert books.run("SELECT count(*) FROM rollups WHERE tenant_id = 2") == [(0,)]
    assert books.differences() == []
