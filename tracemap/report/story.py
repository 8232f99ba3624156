"""The chain of events as the findings hold it: which user operation suffered most, from what.

Read once and used by the headline and by several sections, so that they never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from tracemap.model import Findings
from tracemap.report.rows import Row, rows

_MOSTLY = 0.8
"""From this ratio on, what did not arrive is rounding rather than absorption."""
_UNEXPLAINED = ("small", "unresolved")
_BY_CAUSE = {
    "self": ("self",),
    "wire": ("gap", "virtual"),
    "calls": ("calls",),
}
Step = tuple[str, str]
"""Service and operation."""


@dataclass(frozen=True)
class Leaf:
    """Where a part of a root's change ends, and the way it took from there to the root.

    Attributes:
        row: The row of the finding ``flow``.
        steps: Entries from the leaf's service to the root, upstream first; a leaf at a call
            begins with the upstream it names (operation '').
    """

    row: Row
    steps: tuple[Step, ...]

    @property
    def share_ms(self) -> float:
        """Milliseconds per root request."""
        return float(self.row["share_ms"])

    @property
    def services(self) -> list[str]:
        """Services on the way, each once in a row."""
        names = [service for service, _ in self.steps]
        return names[:1] + [after for before, after in pairwise(names) if before != after]


@dataclass(frozen=True)
class Root:
    """A user-visible operation with the leaves of its change."""

    service: str
    operation: str
    requests: int | None
    leaves: tuple[Leaf, ...]

    @property
    def change_ms(self) -> float:
        """Change of the mean latency per request: the sum of the leaves."""
        return sum(leaf.share_ms for leaf in self.leaves)

    @property
    def own_ms(self) -> float:
        """The part that is the operation's own time."""
        return sum(
            leaf.share_ms
            for leaf in self.leaves
            if leaf.row["leaf"] == "self" and len(leaf.steps) == 1
        )

    @property
    def unexplained_ms(self) -> float:
        """The part that is too small to follow or unresolved."""
        return sum(leaf.share_ms for leaf in self.leaves if leaf.row["leaf"] in _UNEXPLAINED)

    def from_origin(self, origin: Row) -> list[Leaf]:
        """Return the leaves that end at an origin, the largest first."""
        mine = [leaf for leaf in self.leaves if _ends_at(leaf.row, origin)]
        return sorted(mine, key=lambda leaf: (-leaf.share_ms, leaf.steps))


class Story:
    """Views of the findings that several parts of a report share."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def finding(self, name: str) -> list[Row]:
        """Return the rows of a finding; none where it is absent."""
        frame = self.findings.tables.get(name)
        return [] if frame is None or frame.is_empty() else rows(name, frame)

    @cached_property
    def edges(self) -> list[Row]:
        """Edges, those with most calls first."""
        return sorted(
            self.finding("edges"),
            key=lambda row: (-row["calls"], row["downstream"], row["upstream"]),
        )

    @cached_property
    def spikes(self) -> list[Row]:
        """Spikes as the analysis ranked them: worst first."""
        return self.finding("spikes")

    @cached_property
    def propagation(self) -> list[Row]:
        """Edges between operations, what arrived most first."""
        return sorted(
            self.finding("propagation"),
            key=lambda row: (
                -(row["arrived_ms"] or 0),
                -(row["offered_ms"] or 0),
                row["downstream"],
                row["downstream_operation"],
                row["upstream"],
                row["upstream_operation"],
            ),
        )

    @cached_property
    def lines(self) -> dict[tuple[str, str, str, str], list[Row]]:
        """Rows of the timeline by unit, service, operation and downstream, in order of time."""
        made: dict[tuple[str, str, str, str], list[Row]] = {}
        for row in self.finding("timeline"):
            unit = (row["unit"], row["service"], row["operation"], row["downstream"])
            made.setdefault(unit, []).append(row)
        return {
            unit: sorted(points, key=lambda row: row["window_start"])
            for unit, points in sorted(made.items())
        }

    @cached_property
    def origins(self) -> list[Row]:
        """Origins by rank."""
        return sorted(self.finding("origins"), key=lambda row: row["rank"])

    @cached_property
    def owners(self) -> dict[str, str]:
        """Owner by service, where known."""
        named = {row["service"]: row["owner"] for row in self.origins if row["owner"]}
        return {**dict(self.findings.owners), **named}

    @cached_property
    def roots(self) -> list[Root]:
        """User-visible operations, those that lost most time in all first."""
        parents, entries = self._ways()
        grouped: dict[Step, list[Leaf]] = {}
        for row in self.finding("flow"):
            grouped.setdefault((row["root_service"], row["root_operation"]), [])
            if row["leaf"]:
                grouped[(row["root_service"], row["root_operation"])].append(
                    Leaf(row, _steps(row, parents, entries))
                )
        requests = self._requests()
        made = [Root(*key, requests.get(key), tuple(leaves)) for key, leaves in grouped.items()]
        return sorted(
            made,
            key=lambda root: (
                -root.change_ms * (root.requests or 1),
                root.service,
                root.operation,
            ),
        )

    @cached_property
    def absorbed(self) -> list[Row]:
        """Rows of propagation where time was kept from downstream, the most first."""
        kept = [
            row
            for row in self.propagation
            if row["verdict"] not in ("no spike", "too few calls")
            and (row["ratio"] or 0.0) < _MOSTLY
            and (row["absorbed_ms"] or 0) > 0
        ]
        return sorted(kept, key=lambda row: -row["absorbed_ms"])

    def _requests(self) -> dict[Step, int]:
        made: dict[Step, int] = {}
        for row in self.propagation:
            key = (row["downstream"], row["downstream_operation"])
            made[key] = max(made.get(key, 0), row["downstream_requests"] or 0)
        return {key: number for key, number in made.items() if number}

    def _ways(self) -> tuple[dict[str, str], dict[str, Step]]:
        """Return parent by path, and service and operation of the paths that are entries."""
        parents: dict[str, str] = {}
        entries: dict[str, Step] = {}
        for row in self.finding("flow"):
            parents[row["path_id"]] = row["parent_path_id"]
        for row in self.finding("paths"):
            parents[row["path_id"]] = row["parent_path_id"]
            if row["step"] == "entry":
                entries[row["path_id"]] = (row["service"], row["operation"])
        return parents, entries


def _steps(row: Row, parents: dict[str, str], entries: dict[str, Step]) -> tuple[Step, ...]:
    steps: list[Step] = []
    if row["leaf"] in ("gap", "calls", "virtual") and row["upstream"]:
        steps.append((row["upstream"], ""))
    path, seen = row["path_id"], set[str]()
    while path in parents and path not in seen:
        seen.add(path)
        if path in entries:
            steps.append(entries[path])
        path = parents[path]
    root = (row["root_service"], row["root_operation"])
    own = (row["service"], row["operation"])
    if not any(path in entries for path in seen):  # paths are absent: say what the row says
        steps += [own] if own != root else []
    return tuple(steps) if steps and steps[-1] == root else (*steps, root)


def _ends_at(leaf: Row, origin: Row) -> bool:
    """Return whether a leaf of the flow is charged to an origin."""
    edge = origin["edge"]
    if edge is not None:
        ends = (leaf["service"], leaf["upstream"])
        return leaf["leaf"] in ("gap", "calls", "virtual") and ends == (
            edge["downstream"],
            edge["upstream"],
        )
    if origin["cause"] == "self" and leaf["leaf"] == "virtual":
        return bool(leaf["upstream"] == origin["service"])
    if leaf["leaf"] not in _BY_CAUSE.get(origin["cause"], (leaf["leaf"],)):
        return False
    return origin["service"] in (leaf["service"], leaf["upstream"])
