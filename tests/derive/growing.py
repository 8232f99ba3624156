"""Random call trees: grown first, then written down as spans, so that the tree is the oracle."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.builders import NOON_NS, Row
from tests.derive.traces import ERROR, MS, at

SHAPES = ("call", "call", "call", "internal", "database", "message", "gave up", "folded call")
START_MS = 30 * 60_000
"""Half an hour after noon: no clock in these tests is wrong enough to leave the hour."""


@dataclass
class Grown:
    """A trace and what it must amount to.

    Attributes:
        spans: The spans.
        edges: Calls per (downstream, upstream, evidence).
        root_ns: Duration of the root.
    """

    spans: list[Row] = field(default_factory=list)
    edges: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    root_ns: int = 0


@dataclass(frozen=True)
class _Branch:
    """One draw: what grows, where, in which service, and which part of the time it takes."""

    parent: int
    shape: str
    service: str
    begin: float
    length: float
    failed: bool


_BRANCHES = st.builds(
    _Branch,
    parent=st.integers(0, 50),
    shape=st.sampled_from(SHAPES),
    service=st.sampled_from("BCDE"),
    begin=st.sampled_from([0, 0.1, 0.25, 0.5, 0.8]),
    length=st.sampled_from([0, 0.1, 0.25, 0.5, 0.9, 1.0]),
    failed=st.booleans(),
)


def traces(*, most: int = 12) -> st.SearchStrategy[Grown]:
    """Return a strategy for traces of up to `most` calls."""
    return st.lists(_BRANCHES, max_size=most).map(grow)


def many_traces() -> st.SearchStrategy[list[Grown]]:
    """Return a strategy for a few traces with ids of their own."""
    return st.lists(st.lists(_BRANCHES, max_size=8), min_size=1, max_size=4).map(
        lambda drawn: [grow(branches, trace=number + 1) for number, branches in enumerate(drawn)]
    )


def grow(branches: list[_Branch], trace: int = 1) -> Grown:
    """Return the trace that `branches` make, below a root SERVER span of service A."""
    grown = Grown(root_ns=100 * MS)
    working = [_add(grown, trace, "A.S", 0, START_MS, START_MS + 100)]
    grown.edges["user", "A", "root"] += 1
    for branch in branches:
        parent = working[branch.parent % len(working)]
        begin = _start(parent) + branch.begin * _length(parent)
        end = begin + branch.length * _length(parent)
        working.append(_branch_off(grown, trace, parent, branch, begin, end))
    return grown


def _branch_off(  # noqa: PLR0917
    grown: Grown, trace: int, parent: Row, branch: _Branch, begin: float, end: float
) -> Row:
    here, there = parent["service_name"], branch.service
    above, third = parent["span_id"], (end - begin) / 4
    if branch.shape == "internal":
        return _add(grown, trace, f"{here}.I", above, begin, end)
    if branch.shape == "database":
        peer = {"peer_kind": "database", "peer_name": "pg"}
        _add(grown, trace, f"{here}.C", above, begin, end, **peer)
        grown.edges[here, "pg", "peer"] += 1
        return parent
    if branch.shape == "message":
        queue = {"peer_kind": "queue", "peer_name": "orders"}
        sent = _add(grown, trace, f"{here}.P", above, begin, begin + third, **queue)
        grown.edges["orders", here, "parent"] += 1
        grown.edges[there, "orders", "parent"] += 1
        return _add(grown, trace, f"{there}.K", sent["span_id"], end, end + 50)
    client = _add(grown, trace, f"{here}.C", above, begin, end)
    client["status_code"] = ERROR * branch.failed
    if branch.shape == "folded call":
        client = _add(grown, trace, f"{here}.I", client["span_id"], begin, end - third / 2)
    grown.edges[here, there, "paired"] += 1
    late = 300 if branch.shape == "gave up" else 0
    return _add(grown, trace, f"{there}.S", client["span_id"], begin + third, end - third + late)


def _add(  # noqa: PLR0917
    grown: Grown, trace: int, what: str, parent: int, begin: float, end: float, **more: str
) -> Row:
    span_id = 1000 * trace + len(grown.spans) + 1
    row = at(what, span_id, parent, (begin, end), trace=trace, **more)
    row["operation"] = f"{what} {len(grown.spans) % 3}"
    grown.spans.append(row)
    return row


def _start(row: Row) -> float:
    return float((row["start_ns"] - NOON_NS) / MS)


def _length(row: Row) -> float:
    return float(row["duration_ns"] / MS)
