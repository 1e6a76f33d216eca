"""The dashboard's numbers: right, each equal to the list behind it, cut in the business's own day."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.application import Application
from tests.seed import ROLES, Business


def json_of(
    app: Application, path: str, role: str = "admin", business: Business | None = None
) -> dict[str, Any]:
    app.services.store.clear()
    answer = app.client(role, business).get(path)
    assert answer.status_code == 200, f"{path}: {answer.get_data(as_text=True)}"
    found: dict[str, Any] = answer.json  # type: ignore[assignment]
    return found


def counted(app: Application, query: str, business: Business) -> int:
    with closing(psycopg2.connect(app.database.superuser_url)) as connection, connection.cursor() as cursor:
        cursor.execute(query, {"tenant": business.id})
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])


def test_stats_have_the_promised_members(app: Application) -> None:
    stats = json_of(app, "/api/dashboard/stats")
    assert stats["jobs"].keys() == {
        "total", "draft", "active", "on_hold", "completed", "cancelled", "overdue", "due_today", "links",
    }  # fmt: skip
    assert stats["tasks"].keys() == {"pending", "in_progress", "completed_today", "links"}
    assert stats["machines"].keys() == {"total", "active", "maintenance", "inactive", "links"}
    assert stats["users"].keys() == {
        "total",
        "active",
        "admin",
        "manager",
        "operator",
        "steps_of_inactive",
        "links",
    }
    assert (stats["jobs"]["total"], stats["jobs"]["draft"], stats["jobs"]["completed"]) == (90, 6, 47)
    assert stats["users"]["total"] == 11
    assert stats["leads"].keys() == {"total", "unprocessed", "in_progress", "new_today", "links"}
    assert stats["approvals"].keys() == {
        "pending", "changes_requested", "decided_today", "oldest_pending_at", "links",
    }  # fmt: skip
    assert stats["campaigns"].keys() == {"total", "active", "paused", "sent", "opened", "links"}
    assert stats["journeys"].keys() == {"active", "under_way", "paused", "failed", "links"}


def test_stats_of_an_operator_have_no_users(app: Application) -> None:
    assert "users" not in json_of(app, "/api/dashboard/stats", "operator")
    assert "users" in json_of(app, "/api/dashboard/stats", "manager")


@pytest.mark.parametrize("role", ROLES)
def test_each_number_is_the_total_of_the_list_behind_it(app: Application, role: str) -> None:
    compared = 0
    for business in (app.alpha, app.beta):
        client = app.client(role, business)
        for section in json_of(app, "/api/dashboard/stats", role, business).values():
            for name, link in section.get("links", {}).items() if isinstance(section, dict) else ():
                answer = client.get(link)
                assert answer.status_code == 200, link
                assert answer.json["total"] == section[name], f"{business.slug} {name} {link}"  # type: ignore[index]
                compared += section[name] > 0
    assert compared > 20


def test_no_role_has_the_number_of_a_list_it_may_not_see(app: Application) -> None:
    """A list closed to a role must have no number on that role's dashboard either."""
    views = {
        rule.rule: app.flask.view_functions[rule.endpoint]
        for rule in app.flask.url_map.iter_rules()
        if "GET" in (rule.methods or ())
    }
    for role in ROLES:
        links = links_of(json_of(app, "/api/dashboard/stats", role))
        assert len(links) >= 25
        for link in links:
            roles = getattr(views[link.partition("?")[0]], "only_for", ROLES)
            assert role in roles, f"{role} learns what {link} counts"


def links_of(stats: dict[str, Any]) -> list[str]:
    """The addresses of all lists that a number of the dashboard is of."""
    sections = [section for section in stats.values() if isinstance(section, dict)]
    return [link for section in sections for link in section["links"].values()]


def test_chart_numbers_are_the_totals_of_the_lists_behind_them(app: Application) -> None:
    client = app.client()
    for item in json_of(app, "/api/dashboard/chart/jobs-by-status")["items"]:
        assert client.get(item["link"]).json["total"] == item["count"]  # type: ignore[index]
    months = json_of(app, "/api/dashboard/chart/jobs-by-month?months=14")["items"]
    assert len(months) == 14
    for item in months:
        for name in ("created", "completed"):
            assert client.get(item["links"][name]).json["total"] == item[name], item  # type: ignore[index]
    assert sum(item["created"] for item in months) == 90


def test_jobs_by_status_has_all_five_also_when_there_is_no_job(own_app: Application) -> None:
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cur,
    ):
        cur.execute("DELETE FROM jobs WHERE tenant_id = %s", (own_app.alpha.id,))
    chart = json_of(own_app, "/api/dashboard/chart/jobs-by-status")
    assert [item["count"] for item in chart["items"]] == [0] * 5
    assert chart["total"] == 0
    months = json_of(own_app, "/api/dashboard/chart/jobs-by-month")["items"]
    assert [(item["created"], item["completed"]) for item in months] == [(0, 0)] * 12
    assert json_of(own_app, "/api/dashboard/recent-jobs")["items"] == []


def test_the_day_is_that_of_the_business(app: Application) -> None:
    """Beta lives 14 hours ahead of UTC: from 10:00 UTC on, its day is the next one."""
    for business, zone in ((app.alpha, "UTC"), (app.beta, "Pacific/Kiritimati")):
        stats = json_of(app, "/api/dashboard/stats", business=business)
        with (
            closing(psycopg2.connect(app.database.superuser_url)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT ((now() AT TIME ZONE %s)::date)::text", (zone,))
            row = cursor.fetchone()
        assert row and stats["today"] == row[0]
        expected = counted(
            app,
            f"""SELECT count(*) FROM jobs WHERE tenant_id = %(tenant)s AND status IN ('draft', 'active', 'on_hold')
                AND due_date < (now() AT TIME ZONE '{zone}')::date""",
            business,
        )
        assert stats["jobs"]["overdue"] == expected


def test_a_business_of_old_records_is_seen_as_of_its_day(own_app: Application) -> None:
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cur,
    ):
        cur.execute("UPDATE tenants SET as_of = '2012-03-31' WHERE id = %s", (own_app.alpha.id,))
        cur.execute(
            "UPDATE jobs SET due_date = '2012-03-30' WHERE tenant_id = %s AND status = 'draft'",
            (own_app.alpha.id,),
        )
    stats = json_of(own_app, "/api/dashboard/stats")
    assert (stats["today"], stats["jobs"]["overdue"]) == ("2012-03-31", 6)
    months = json_of(own_app, "/api/dashboard/chart/jobs-by-month")["items"]
    assert (months[0]["month"], months[-1]["month"]) == ("2011-04", "2012-03")


def test_months_are_cut_in_the_time_zone_of_the_business(own_app: Application) -> None:
    """One instant, two months: 20:00 on the last of January in UTC is February in Kiritimati."""
    with (
        closing(psycopg2.connect(own_app.database.superuser_url)) as connection,
        connection,
        connection.cursor() as cur,
    ):
        cur.execute("UPDATE tenants SET as_of = '2015-03-01'")
        cur.execute("UPDATE jobs SET created_at = '2015-01-31 20:00+00', completed_at = NULL")
    for business, month in ((own_app.alpha, "2015-01"), (own_app.beta, "2015-02")):
        items = json_of(own_app, "/api/dashboard/chart/jobs-by-month", business=business)["items"]
        assert {item["month"]: item["created"] for item in items if item["created"]} == {month: 90}


def test_recent_jobs_are_the_newest_in_order(app: Application) -> None:
    items = json_of(app, "/api/dashboard/recent-jobs?limit=7")["items"]
    newest = json_of(app, "/api/jobs?sort=-created_at&page_size=7")["items"]
    assert [item["id"] for item in items] == [item["id"] for item in newest]
    assert items[0]["customer"]["name"].startswith(app.alpha.canary)
