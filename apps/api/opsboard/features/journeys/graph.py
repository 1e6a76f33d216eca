"""Request models of a journey's nodes, validated by type and then as a graph."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from opsboard.errors import OpsboardError
from opsboard.features.journeys.proof import Edge, Node, prove
from opsboard.features.journeys.schemas import Branch
from opsboard.web.arguments import Arguments, Line, Text

# Two waits outlast the longest JOURNEY_LOOP_WINDOW: who rests on the way is never taken for a loop.
SHORTEST_WAIT = 60
LONGEST_WAIT = 366 * 86_400
MOST_NODES, MOST_EDGES = 200, 400

Name = Annotated[Text, Field(min_length=1, max_length=100)]


class UnsoundJourney(OpsboardError):
    """A journey that could be run through without rest or without end; `fields` has the way each time."""

    status = 422
    code = "unsound_journey"
    title = "The journey is not sound"
    default_detail = "The journey is not saved: its nodes and ways do not make a sound one."


class Nothing(Arguments):
    """A start and an exit need nothing."""


class MessageConfig(Arguments):
    channel: Literal["email", "phone"] = "email"
    subject: Line | None = None
    body: Annotated[Text, Field(min_length=1, max_length=10_000)]


class WaitConfig(Arguments):
    seconds: Annotated[int, Field(ge=SHORTEST_WAIT, le=LONGEST_WAIT)]


class ConditionOnCustomer(Arguments):
    field: Literal["name", "email", "phone", "address"]
    operator: Literal["is_set", "is_not_set", "equals", "begins_with"]
    value: Annotated[Text, Field(max_length=200)] = ""


class ConditionOnRound(Arguments):
    field: Literal["round"]
    operator: Literal["at_least"] = "at_least"
    value: Annotated[int, Field(ge=1, le=1000)]


class ActionConfig(Arguments):
    """Notify all users of a role."""

    role: Literal["admin", "manager", "operator"] = "manager"
    title: Line


class StartNode(Arguments):
    name: Name
    type: Literal["start"]
    config: Nothing = Nothing()


class ExitNode(Arguments):
    name: Name
    type: Literal["exit"]
    config: Nothing = Nothing()


class MessageNode(Arguments):
    name: Name
    type: Literal["message"]
    config: MessageConfig


class WaitNode(Arguments):
    name: Name
    type: Literal["wait"]
    config: WaitConfig


class ConditionNode(Arguments):
    name: Name
    type: Literal["condition"]
    config: Annotated[ConditionOnCustomer | ConditionOnRound, Field(discriminator="field")]


class ActionNode(Arguments):
    name: Name
    type: Literal["action"]
    config: ActionConfig


AnyNode = Annotated[
    StartNode | MessageNode | WaitNode | ConditionNode | ActionNode | ExitNode, Field(discriminator="type")
]


class NewEdge(Arguments):
    """An edge from one node to another, by their names; `yes` and `no` are the outcomes of a condition."""

    source: Annotated[Name, Field(alias="from")]
    target: Annotated[Name, Field(alias="to")]
    branch: Branch = "next"


Nodes = Annotated[list[AnyNode], Field(min_length=1, max_length=MOST_NODES)]
Edges = Annotated[list[NewEdge], Field(max_length=MOST_EDGES)]


def shortest_nodes() -> list[AnyNode]:
    """The nodes of a journey that is sent without any: a start and an exit."""
    return [StartNode(name="start", type="start"), ExitNode(name="exit", type="exit")]


def shortest_edges() -> list[NewEdge]:
    return [NewEdge.model_validate({"from": "start", "to": "exit"})]


def proven(nodes: list[Any], edges: list[NewEdge]) -> dict[str, str]:
    """Nodes and edges as the parameters of a write. Raises UnsoundJourney with every fault and its path."""
    faults = prove(
        [Node(node.name, node.type) for node in nodes],
        [Edge(edge.source, edge.target, edge.branch) for edge in edges],
    )
    if faults:
        raise UnsoundJourney(
            faults[0].message,
            fields=[
                {"field": "nodes", "message": fault.message, "path": list(fault.path)} for fault in faults
            ],
        )
    return {
        "nodes": json.dumps([node.model_dump() for node in nodes]),
        "edges": json.dumps([edge.model_dump() for edge in edges]),
    }
