"""Proves, before a journey is saved, that no contact can run around in it without rest or without end.

Four things are proven, in this order, because each leans on those before it:

1. Every node has exactly the ways on that its type needs, all to nodes of this journey: nobody gets stuck.
2. Every node can be reached from the start.
3. Every cycle has a wait in it: nobody comes back to a node at once.
4. From every node an exit can be reached: nobody is kept for ever.

Which way a condition will send somebody is not known when the journey is saved, so each of its ways counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

# The outgoing edges of each node type.
BRANCHES: Mapping[str, tuple[str, ...]] = {
    "start": ("next",),
    "message": ("next",),
    "wait": ("next",),
    "action": ("next",),
    "condition": ("yes", "no"),
    "exit": (),
}

Ways = dict[str, list[str]]


@dataclass(frozen=True)
class Node:
    """A node as the proof needs it: by its name, which is its own within the journey."""

    name: str
    type: str


@dataclass(frozen=True)
class Edge:
    """A way from one node to another."""

    source: str
    target: str
    branch: str


@dataclass(frozen=True)
class Fault:
    """Why a journey is refused; `path` names the nodes of the offending way in their order."""

    message: str
    path: tuple[str, ...]


def prove(nodes: Sequence[Node], edges: Sequence[Edge]) -> list[Fault]:
    """Everything that speaks against the journey; nothing when it is sound."""
    if found := [*faults_of_nodes(nodes), *faults_of_edges(nodes, edges)]:
        return found
    onward: Ways = {node.name: [] for node in nodes}
    for edge in edges:
        onward[edge.source].append(edge.target)
    (start,) = (node.name for node in nodes if node.type == "start")
    reached = reachable([start], onward)
    lost = [node.name for node in nodes if node.name not in reached]
    return [
        *(Fault(f"No way leads from the start to {name}.", (name,)) for name in lost),
        *restless(nodes, onward),
        *endless(nodes, onward),
    ]


def faults_of_nodes(nodes: Sequence[Node]) -> Iterator[Fault]:
    """Names that are not the node's own, and a start that is missing or not the only one."""
    for name, times in Counter(node.name for node in nodes).items():
        if times > 1:
            yield Fault(f"{times} nodes are named {name}.", (name,))
    starts = tuple(node.name for node in nodes if node.type == "start")
    if len(starts) != 1:
        yield Fault(f"A journey has one start; this one has {len(starts)}.", starts)


def faults_of_edges(nodes: Sequence[Node], edges: Sequence[Edge]) -> Iterator[Fault]:
    """Ways that lead out of the journey or back to its start, and nodes with a way too many or too few."""
    types = {node.name: node.type for node in nodes}
    for edge in edges:
        for end in (edge.source, edge.target):
            if end not in types:
                yield Fault(f"{end} is no node of this journey.", (edge.source, edge.target))
        if types.get(edge.target) == "start":
            yield Fault(
                f"{edge.source} leads to the start, which is entered once.", (edge.source, edge.target)
            )
    for name, type_ in types.items():
        has = Counter(edge.branch for edge in edges if edge.source == name)
        needs = Counter(BRANCHES[type_])
        if has != needs:
            yield Fault(
                f"{name} ({type_}) must have {in_words(needs)} and has {in_words(has)}.",
                (name,),
            )


def in_words(branches: Counter[str]) -> str:
    """`the ways yes, no`, `no way on`."""
    named = sorted(branches.elements(), reverse=True)
    if not named:
        return "no way on"
    return f"the way{'s' * (len(named) > 1)} {', '.join(named)}"


def restless(nodes: Sequence[Node], onward: Ways) -> Iterator[Fault]:
    """A cycle that is left when the waits are taken out."""
    kept = [node.name for node in nodes if node.type != "wait"]
    if path := find_cycle(kept, onward):
        yield Fault(f"There is no wait on the way {' > '.join(path)}: it would be run through at once.", path)


def endless(nodes: Sequence[Node], onward: Ways) -> Iterator[Fault]:
    """A cycle among the nodes from which no exit can be reached. They have ways on, so there is one."""
    backward: Ways = {node.name: [] for node in nodes}
    for source, targets in onward.items():
        for target in targets:
            backward[target].append(source)
    ending = reachable([node.name for node in nodes if node.type == "exit"], backward)
    if path := find_cycle([node.name for node in nodes if node.name not in ending], onward):
        yield Fault(f"No exit can be reached from {' > '.join(path)}: it would go on for ever.", path)


def reachable(begin: Iterable[str], ways: Ways) -> set[str]:
    """All nodes that some way leads to, with those it begins at."""
    found = set(begin)
    waiting = list(found)
    while waiting:
        for target in ways[waiting.pop()]:
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def find_cycle(names: Sequence[str], onward: Ways) -> tuple[str, ...]:
    """A cycle among these nodes, beginning and ending with the one named first; empty when there is none."""
    among = set(names)
    sorter: TopologicalSorter[str] = TopologicalSorter({name: () for name in names})
    for source in names:
        for target in onward[source]:
            if target in among:
                sorter.add(target, source)
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = error.args[1][:-1]
        first = min(range(len(cycle)), key=lambda place: names.index(cycle[place]))
        turned = cycle[first:] + cycle[:first]
        return (*turned, turned[0])
    return ()
