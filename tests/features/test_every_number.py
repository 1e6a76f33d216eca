"""Whatever any role writes, every number on its board is the number of rows of the list behind it."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any, ClassVar

import psycopg2
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from opsboard.web.arguments import Patch
from tests.application import Application
from tests.contract.routes import Route, query_for, routes
from tests.contract.samples import argument_names, body_model, sample, schema_of
from tests.contract.tables import TABLES
from tests.seed import ROLES

# Ways to sign in and out, files, and what is not of one business.
LEFT_OUT = ("auth.", "health.", "root_health.", "imports.")
FIRST_OR_LAST = re.compile(r"\b(?:min|max)\(((?:\w+\.)?id)\)(?: \+ 1)?")
ONE_OF = re.compile(r"SELECT id( FROM .*?) ORDER BY .* LIMIT 1")
CLOCK = ("00:00", "06:00", "14:00", "22:00")
MOST = 10  # of a number that has bounds
SECTIONS = 7


class Actions(RuleBasedStateMachine):
    """One write of the API after another, by all roles, on rows that exist, with the values that the models list."""

    app: ClassVar[Application]
    writes: ClassVar[dict[str, list[Route]]]  # area -> its writes
    done: ClassVar[dict[str, int]]  # endpoint -> how often it changed something
    tried: ClassVar[int] = 0

    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        # First the area: some have many writes, and each is to be tried.
        area = data.draw(st.sampled_from(sorted(self.writes)), label="area")
        route = data.draw(st.sampled_from(self.writes[area]), label="write")
        role = data.draw(st.sampled_from(ROLES), label="role")
        path = route.rule.replace("<token>", "none")
        for argument in argument_names(route.rule):
            path = path.replace(f"<id:{argument}>", str(self.draw_id(data, argument)))
        body = self.draw_body(data, route)
        answer = self.app.client(role).open(path, method=route.method, json=body)
        assert answer.status_code < 500, (role, route, path, body, answer.get_data(as_text=True))
        if route.roles is not None and role not in route.roles:
            assert answer.status_code == 403, (role, route)
        type(self).tried += 1
        if answer.status_code < 300:
            self.done[route.endpoint] = self.done.get(route.endpoint, 0) + 1
        self.compare(role, f"{role} {route.method} {path} {body} -> {answer.status_code}")

    def draw_id(self, data: st.DataObject, argument: str) -> int:
        """The id of a row of the business."""
        query = ONE_OF.sub(r"SELECT min(id)\1", query_for(argument))
        query = FIRST_OR_LAST.sub(r"coalesce(array_agg(\1 ORDER BY \1), '{}')", query)
        with closing(psycopg2.connect(self.app.database.superuser_url)) as connection:
            cursor = connection.cursor()
            cursor.execute(query, (self.app.alpha.id,))
            (found,) = cursor.fetchone() or ([],)
        # A query that takes one row, not the first or last, gives its id alone.
        found = found if isinstance(found, list) else [found]
        # Drawn whatever rows there are: what is drawn must not depend on what was done before.
        place = data.draw(st.integers(0, 10**6), label=argument)
        return int(found[place % len(found)]) if found else 1

    def draw_body(self, data: st.DataObject, route: Route) -> Any:
        model = body_model(self.app.flask.view_functions[route.endpoint])
        if model is None or route.body is None:
            return route.body
        schema = schema_of(model)
        definitions = schema.get("$defs", {})
        body = dict(route.body)
        further = sorted(schema["properties"].keys() - body.keys())
        if issubclass(model, Patch):
            name = data.draw(st.sampled_from(sorted(schema["properties"])), label="member")
            body = {name: sample(schema["properties"][name], definitions)}
        elif further and data.draw(st.booleans(), label="more"):
            name = data.draw(st.sampled_from(further), label="member")
            body[name] = sample(schema["properties"][name], definitions)
        for name in body:
            body[name] = self.draw_value(
                data, route, name, body[name], schema["properties"].get(name, {}), definitions
            )
        return body

    def draw_value(
        self,
        data: st.DataObject,
        route: Route,
        name: str,
        value: Any,
        schema: dict[str, Any],
        definitions: Any,
    ) -> Any:
        """A value of a member of a body: one of those the model lists, a row that exists, or a new name."""
        if values := choices(schema, definitions):
            return data.draw(st.sampled_from(values), label=name)
        if name == "ids":
            argument = next(
                (a for a in ("job_id", "step_id", "machine_id") if a[:-3] in route.rule), "job_id"
            )
            return sorted({self.draw_id(data, argument) for _ in range(3)})
        if name in ("kept_id", "merged_id"):
            return self.draw_id(data, f"{route.rule.rpartition('/')[2].removesuffix('s')}_id")
        if name == "step_id" or (name.endswith("_id") and f"{name[:-3]}s" in TABLES):
            return self.draw_id(data, name)
        if name == "name" and isinstance(value, str):
            return f"{value} {data.draw(st.integers(1, 1000), label=name)}"
        if name in ("starts_at", "ends_at") and "pattern" in schema:
            return data.draw(st.sampled_from(CLOCK), label=name)
        if schema.get("type") == "integer" and {"minimum", "maximum"} <= schema.keys():
            least = schema["minimum"]
            return data.draw(st.integers(least, min(schema["maximum"], least + MOST)), label=name)
        return value

    def compare(self, role: str, action: str) -> None:
        client = self.app.client(role)
        stats: Any = client.get("/api/dashboard/stats").json
        sections = [one for one in stats.values() if isinstance(one, dict)]
        assert len(sections) >= SECTIONS
        for section in sections:
            for name, link in section["links"].items():
                rows = walk(client, link)
                assert section[name] == rows, (
                    f"{name} is {section[name]}, {link} has {rows} rows, after {action}"
                )


def choices(schema: dict[str, Any], definitions: dict[str, Any]) -> list[Any]:
    """The values that a member can have, where the schema lists them."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    for each in schema.get("anyOf", ()):
        if found := choices(each, definitions):
            return found
    return [True, False] if schema.get("type") == "boolean" else schema.get("enum", [])


def walk(client: Any, link: str) -> int:
    """The rows of a list, counted page by page through cursors, which know no totals."""
    rows, cursor = 0, ""
    while cursor is not None:
        page = client.get(f"{link}{'&' if '?' in link else '?'}page_size=100&cursor={cursor}").json
        assert "total" not in page
        rows, cursor = rows + len(page["items"]), page["next_cursor"]
    return rows


def act_at_random(app: Application, examples: int, steps: int) -> type[Actions]:
    Actions.app, Actions.done, Actions.tried = app, {}, 0
    Actions.writes = {}
    for route in routes(app):
        if route.method != "GET" and not route.open_to_all and not route.endpoint.startswith(LEFT_OUT):
            Actions.writes.setdefault(route.endpoint.partition(".")[0], []).append(route)
    run_state_machine_as_test(
        Actions,
        settings=settings(
            max_examples=examples + 1,  # the first one is the simplest: a single action
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    health: Any = app.client().get("/api/health/rollups").json
    assert health["status"] == "ok", health
    return Actions


def test_every_number_is_right_after_each_of_forty_actions(own_app: Application) -> None:
    done = act_at_random(own_app, 1, 40)
    assert done.tried >= 30 and len(done.done) >= 8, (done.tried, done.done)


@pytest.mark.slow
def test_every_number_is_right_after_each_of_a_thousand_actions(own_app: Application) -> None:
    done = act_at_random(own_app, 26, 40)
    assert done.tried >= 1000 and len(done.done) >= 40, (done.tried, done.done)
    areas = {endpoint.partition(".")[0] for endpoint in done.done}
    # Only an admin renames the business, with a time zone that the model cannot list.
    assert areas >= done.writes.keys() - {"tenant"}, done.writes.keys() - areas
