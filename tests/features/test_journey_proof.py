"""The proof of a journey agrees with walking every way there is, and names the way it refuses."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from opsboard.features.journeys.proof import BRANCHES, Edge, Fault, Node, prove

Graph = tuple[list[Node], list[Edge]]


def graph(*types: str, ways: str) -> Graph:
    """Nodes named by their type (`start message wait2`), and ways like `start>message condition:yes>exit`."""
    edges = []
    for way in ways.split():
        source, _, target = way.partition(">")
        name, _, branch = source.partition(":")
        edges.append(Edge(name, target, branch or "next"))
    return [Node(name, name.rstrip("0123456789")) for name in types], edges


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """One start, some exits and nodes of every type, each with the ways on it needs, to anywhere."""
    types = draw(st.lists(st.sampled_from(["message", "wait", "condition", "action", "exit"]), max_size=6))
    nodes = [Node("start", "start"), *(Node(f"{type_}{place}", type_) for place, type_ in enumerate(types))]
    targets = st.sampled_from([node.name for node in nodes[1:]] or ["start"])
    edges = [
        Edge(node.name, draw(targets), branch)
        for node in nodes
        for branch in BRANCHES[node.type]
        if nodes[1:]
    ]
    return nodes, edges


def walks(nodes: list[Node], edges: list[Edge]) -> dict[str, bool]:
    """Return everything a caller can find by following all links."""
    types = {node.name: node.type for node in nodes}
    onward: dict[str, list[str]] = {
        node.name: [e.target for e in edges if e.source == node.name] for node in nodes
    }
    # Where one can be, and for how many steps without a rest.
    seen: set[tuple[str, int]] = set()
    places = [("start", 0)]
    ran_too_far = False
    while places:
        here, unrested = places.pop()
        if (here, unrested) in seen:
            continue
        seen.add((here, unrested))
        if unrested > len(nodes):  # more steps than nodes: one came by twice
            ran_too_far = True
            continue
        for there in onward[here]:
            places.append((there, 0 if types[there] == "wait" else unrested + 1))
    visited = {here for here, _ in seen}

    def gets_out(here: str) -> bool:
        around = {here}
        for _ in nodes:
            around |= {there for place in around for there in onward[place]}
        return any(types[place] == "exit" for place in around)

    return {
        "restless": ran_too_far,
        "endless": not all(gets_out(here) for here in visited),
        "unreachable": visited != set(types),
    }


def assert_path_is_real(fault: Fault, nodes: list[Node], edges: list[Edge]) -> None:
    ways = {(edge.source, edge.target) for edge in edges}
    assert len(fault.path) > 1 and fault.path[0] == fault.path[-1]
    assert all(way in ways for way in pairwise(fault.path)), fault


@settings(max_examples=400, deadline=None)
@given(graphs())
def test_the_proof_agrees_with_walking_every_way(made: Graph) -> None:
    nodes, edges = made
    if not edges:
        assert prove(nodes, edges)
        return
    found, walked = prove(nodes, edges), walks(nodes, edges)
    event(f"sound: {not found}")
    assert bool(found) == any(walked.values()), (found, walked)
    told = " ".join(fault.message for fault in found)
    if walked["restless"]:
        assert "There is no wait on the way" in told
    if walked["endless"]:
        assert "No exit can be reached from" in told
    assert ("No way leads from the start" in told) == walked["unreachable"]
    for fault in found:
        if "the start" not in fault.message:
            assert_path_is_real(fault, nodes, edges)
        if "no wait" in fault.message:
            assert not any(name.startswith("wait") for name in fault.path)


def test_random_graphs_are_of_both_kinds() -> None:
    """Else the agreement above would say nothing."""
    kinds = set()

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(graphs())
    def look(made: Graph) -> None:
        kinds.add(bool(prove(*made)))

    look()
    assert kinds == {True, False}


@pytest.mark.parametrize(
    ("made", "message", "path"),
    [
        (
            graph("start", "message", "condition", "exit",
                  ways="start>message message>condition condition:yes>exit condition:no>message"),
            "There is no wait on the way message > condition > message: it would be run through at once.",
            ("message", "condition", "message"),
        ),
        (
            graph("start", "message", "wait", "exit", ways="start>message message>wait wait>message"),
            "No exit can be reached from message > wait > message: it would go on for ever.",
            ("message", "wait", "message"),
        ),
        (
            graph("start", "message", "exit", ways="start>message message>message"),
            "There is no wait on the way message > message: it would be run through at once.",
            ("message", "message"),
        ),
        (
            graph("start", "exit", "message", ways="start>exit message>exit"),
            "No way leads from the start to message.", ("message",),
        ),
        (
            graph("start", "exit", ways="start>stranger"),
            "stranger is no node of this journey.", ("start", "stranger"),
        ),
        (
            graph("start", "wait", "exit", ways="start>wait wait>start"),
            "wait leads to the start, which is entered once.", ("wait", "start"),
        ),
        (
            graph("start", "condition", "exit", ways="start>condition condition:yes>exit"),
            "condition (condition) must have the ways yes, no and has the way yes.", ("condition",),
        ),
        (graph("start", "exit", ways="start>exit exit>exit"),
         "exit (exit) must have no way on and has the way next.", ("exit",)),
        (graph("start", "start2", "exit", ways="start>exit start2>exit"),
         "A journey has one start; this one has 2.", ("start", "start2")),
        (graph("exit", ways=""), "A journey has one start; this one has 0.", ()),
        (graph("start", "exit", "exit", ways="start>exit"), "2 nodes are named exit.", ("exit",)),
    ],
)  # fmt: skip
def test_what_is_refused_is_named_with_its_path(made: Graph, message: str, path: tuple[str, ...]) -> None:
    assert Fault(message, path) in prove(*made)


def test_a_cycle_with_a_wait_and_a_way_out_is_sound() -> None:
    assert prove(*graph(
        "start", "message", "wait", "condition", "exit",
        ways="start>message message>wait wait>condition condition:yes>exit condition:no>message",
    )) == []  # fmt: skip


def test_a_long_journey_is_proven_without_recursion() -> None:
    names = [f"message{n}" for n in range(3000)]
    nodes = [Node("start", "start"), *(Node(name, "message") for name in names), Node("exit", "exit")]
    ways = ["start", *names, "exit"]
    assert prove(nodes, [Edge(a, b, "next") for a, b in pairwise(ways)]) == []
