"""The chain of events as the findings hold it: which user operation suffered most, from what.

Read once and used by the headline and by several sections, so that they never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import itemgetter

from tracemap.model import Findings, Window, iso
from tracemap.report.rows import Row, rows

LEAST_MS = 1.0
"""A mean that changed by less is no headline."""
LEAST_SHARE = 0.05
"""Changes below this share of what is usual, and parts below it of a change, go unsaid."""
_ALSO_NAMED = 0.2
"""A second strong origin is named from this share of the change on."""
_NO_PATH = f"{0:016x}"
_MOSTLY = 0.8
"""From this ratio on, what did not arrive is rounding rather than absorption."""
_UNEXPLAINED = ("small", "unresolved")
_BY_CAUSE = {
    "self": ("self",),
    "wire": ("gap", "virtual"),
    "calls": ("calls",),
    "error": (),
    "mix": (),
}
_pair = itemgetter("downstream", "downstream_operation", "upstream", "upstream_operation")
_AT_CALL = ("gap", "calls", "virtual")
Step = tuple[str, str]
"""Service and operation."""


@dataclass(frozen=True)
class Leaf:
    """Where a part of a root's change ends, and the way it took from there to the root.

    Attributes:
        row: The row of the finding ``flow``.
        steps: Entries from the leaf's service to the root, upstream first; a leaf at a call
            begins with the upstream it names (operation '').
        called: Operations of that upstream which the call reaches, where it recorded any.
    """

    row: Row
    steps: tuple[Step, ...]
    called: frozenset[str] = frozenset()

    @property
    def share_ms(self) -> float:
        """Milliseconds per root request."""
        return float(self.row["share_ms"])

    @property
    def is_own(self) -> bool:
        """Whether it is the root operation's own time."""
        return self.row["leaf"] == "self" and len(self.steps) == 1

    def passes(self, edge: Row) -> int | None:
        """Return how far below a pair of operations the leaf ends: 0 right there; None: elsewhere.

        Args:
            edge: A row of the finding ``propagation``.
        """
        downstream = (edge["downstream"], edge["downstream_operation"])
        upstream = (edge["upstream"], edge["upstream_operation"])
        for place, (below, above) in enumerate(pairwise(self.steps)):
            if above != downstream or below[0] != upstream[0]:
                continue
            at_call = place == 0 and not below[1]
            if below == upstream or (at_call and (not self.called or upstream[1] in self.called)):
                return place
        return None

    @property
    def services(self) -> list[str]:
        """Services on the way, each once in a row."""
        names = [service for service, _ in self.steps]
        return names[:1] + [after for before, after in pairwise(names) if before != after]


@dataclass(frozen=True)
class Root:
    """A user-visible operation with the leaves of its change.

    Attributes:
        service: Its service.
        operation: Its name.
        requests: How many there were in the incident; None: not known.
        leaves: Where its change ends.
        low_ms: Lower end of the 95 % interval of the change; None: not known.
        high_ms: Upper end.
    """

    service: str
    operation: str
    requests: int | None
    leaves: tuple[Leaf, ...]
    low_ms: float | None = None
    high_ms: float | None = None

    @property
    def step(self) -> Step:
        """Service and operation."""
        return self.service, self.operation

    @property
    def is_certain(self) -> bool:
        """Whether the interval of the change is known and leaves out 0."""
        if self.low_ms is None or self.high_ms is None or self.low_ms == self.high_ms:
            return False
        return self.low_ms > 0 or self.high_ms < 0

    @property
    def change_ms(self) -> float:
        """Change of the mean latency per request: the sum of the leaves."""
        return sum(leaf.share_ms for leaf in self.leaves)

    @property
    def own_ms(self) -> float:
        """The part that is the operation's own time."""
        return sum(leaf.share_ms for leaf in self.leaves if leaf.is_own)

    @property
    def unexplained_ms(self) -> float:
        """The part that is too small to follow or unresolved."""
        return sum(leaf.share_ms for leaf in self.leaves if leaf.row["leaf"] in _UNEXPLAINED)

    def from_origin(self, origin: Row) -> list[Leaf]:
        """Return the leaves that end at an origin, the largest first."""
        mine = [leaf for leaf in self.leaves if _ends_at(leaf, origin)]
        return sorted(mine, key=lambda leaf: (-leaf.share_ms, leaf.steps))

    def explained_ms(self, origin: Row) -> float:
        """Return the part of the change that ends at an origin."""
        return sum(leaf.share_ms for leaf in self.from_origin(origin))


class Story:
    """Views of the findings that several parts of a report share."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def finding(self, name: str, owners: Mapping[str, str] | None = None) -> list[Row]:
        """Return the rows of a finding, as `rows` makes them; none where it is absent."""
        frame = self.findings.tables.get(name)
        return [] if frame is None or frame.is_empty() else rows(name, frame, owners)

    @property
    def compared(self) -> Window | None:
        """The window that was compared with the baseline: the incident."""
        return self.findings.incident or self.findings.window

    @property
    def part(self) -> Window | None:
        """The incident, where it is only a part of the window; else None."""
        return None if self.compared == self.findings.window else self.compared

    @cached_property
    def edges(self) -> list[Row]:
        """Edges with the owners of both ends, those with most calls first."""
        return sorted(
            self.finding("edges", self.owners),
            key=lambda row: (-row["calls"], row["downstream"], row["upstream"]),
        )

    @cached_property
    def spikes(self) -> list[Row]:
        """Spikes as the analysis ranked them: worst first."""
        return self.finding("spikes")

    @cached_property
    def insulation(self) -> list[Row]:
        """What was seen on edges: what protects, what hurts, advice, and where nothing is."""
        return self.finding("insulation")

    @cached_property
    def propagation(self) -> list[Row]:
        """Edges between operations, what arrived most first."""
        return sorted(
            self.finding("propagation"),
            key=lambda row: (-(row["arrived_ms"] or 0), -(row["offered_ms"] or 0), *_pair(row)),
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
    def drift(self) -> list[Row]:
        """Edges of two long windows with the owners of both ends, what changed most first."""
        return self.finding("drift", self.owners)

    @cached_property
    def regressions(self) -> list[Row]:
        """What users wait for, what costs them most first."""
        return self.finding("regressions")

    @cached_property
    def budget(self) -> list[Row]:
        """Failed user requests by service, the most first."""
        return self.finding("budget")

    @cached_property
    def trend(self) -> list[Row]:
        """Edges week by week."""
        return self.finding("trend")

    @cached_property
    def declarations(self) -> list[Row]:
        """Declared dependencies against observed ones, owner by owner."""
        return self.finding("declarations")

    @property
    def is_long_term(self) -> bool:
        """Whether weeks were compared, rather than an incident."""
        return bool({"drift", "regressions"} & set(self.findings.sections))

    @cached_property
    def owners(self) -> dict[str, str]:
        """Owner by service, where known."""
        named = {row["service"]: row["owner"] for row in self.origins if row["owner"]}
        return {**dict(self.findings.owners), **named}

    @cached_property
    def origin(self) -> Row | None:
        """The origin a report speaks of: the first strong one, else the first lead."""
        return next(iter(self.strong), self.origins[0] if self.origins else None)

    @cached_property
    def strong(self) -> list[Row]:
        """Origins that are findings rather than leads, by rank."""
        return [row for row in self.origins if row["confidence"] != "weak"]

    @cached_property
    def also(self) -> Row | None:
        """A second strong origin, where it explains about as much as the first."""
        for row in self.strong[1:]:
            part = self.hit.explained_ms(row) / self.hit.change_ms if self.hit else 0.0
            if part >= _ALSO_NAMED or (row["share"] or 0.0) >= _ALSO_NAMED:
                return row
        return None

    @cached_property
    def hit(self) -> Root | None:
        """The operation a report speaks of.

        The one to which the first strong origin did most in all; where it did nothing to any that
        became slower, the one that lost most time in all. None: there is no flow.
        """
        slower = [root for root in self.roots if root.change_ms >= LEAST_MS]
        if self.strong and slower:
            first = self.strong[0]
            worst = max(slower, key=lambda root: root.explained_ms(first) * (root.requests or 1))
            if worst.explained_ms(first) > 0:
                return worst
        return self.roots[0] if self.roots else None

    @cached_property
    def roots(self) -> list[Root]:
        """User-visible operations, those that lost most time in all first."""
        ways = _Ways(self.finding("flow"), self.finding("paths"))
        grouped: dict[Step, list[Row]] = {}
        for row in self.finding("flow"):
            grouped.setdefault((row["root_service"], row["root_operation"]), []).append(row)
        return sorted(
            (_root(key, mine, ways) for key, mine in grouped.items()),
            key=lambda root: (-root.change_ms * (root.requests or 1), *root.step),
        )

    @cached_property
    def waited(self) -> dict[Step, Row]:
        """What users waited before and during, by operation."""
        return {(row["service"], row["operation"]): row for row in self.finding("user_operations")}

    def usual_ms(self, step: Step) -> float | None:
        """Return about how long an operation took in the baseline: the middle of its medians."""
        baseline = self.findings.baseline
        if baseline is None:
            return None
        start, end = iso(baseline.start_ns), iso(baseline.end_ns)
        medians = sorted(
            row["p50_ms"]
            for row in self.lines.get(("server", *step, ""), [])
            if start <= row["window_start"] < end and row["p50_ms"] is not None
        )
        return medians[len(medians) // 2] if medians else None

    def is_notable(self, root: Root) -> bool:
        """Return whether an operation changed by more than chance and by enough to be told."""
        least_ms = max(LEAST_MS, LEAST_SHARE * (self.usual_ms(root.step) or 0.0))
        return root.is_certain and abs(root.change_ms) >= least_ms

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

    @cached_property
    def is_held_back(self) -> bool:
        """Whether a fault was absorbed, and users saw next to nothing of it, or only chance."""
        if self.strong or not self.absorbed:
            return False
        root, kept_ms = self.hit, self.absorbed[0]["absorbed_ms"]
        if root is None or root.change_ms < LEAST_MS or not self.is_notable(root):
            return True
        return root.change_ms < LEAST_SHARE * float(kept_ms)

    @cached_property
    def slower(self) -> list[Root]:
        """Operations that became slower; where a fault was held back, by more than chance."""
        told = [root for root in self.roots if root.is_certain or not self.is_held_back]
        return [root for root in told if root.change_ms >= LEAST_MS]


class _Ways:
    """The call paths of a flow: what lies above and below each step."""

    def __init__(self, flow: list[Row], paths: list[Row]) -> None:
        self._parents: dict[str, str] = {}
        self._entries: dict[str, Step] = {}
        self._called: dict[str, set[str]] = {}
        for row in flow:
            self._parents[row["path_id"]] = row["parent_path_id"]
        for row in paths:
            self._parents[row["path_id"]] = row["parent_path_id"]
            if row["step"] == "entry":
                self._entries[row["path_id"]] = (row["service"], row["operation"])
                self._called.setdefault(row["parent_path_id"], set()).add(row["operation"])

    def leaf(self, row: Row) -> Leaf:
        """Return a row of the flow with its way to the root."""
        return Leaf(row, self._steps(row), frozenset(self._called.get(row["path_id"], ())))

    def _steps(self, row: Row) -> tuple[Step, ...]:
        steps: list[Step] = []
        if row["leaf"] in _AT_CALL and row["upstream"]:
            steps.append((row["upstream"], ""))
        path, seen = row["path_id"], set[str]()
        while path in self._parents and path not in seen:
            seen.add(path)
            if path in self._entries:
                steps.append(self._entries[path])
            path = self._parents[path]
        root = (row["root_service"], row["root_operation"])
        own = (row["service"], row["operation"])
        if not any(path in self._entries for path in seen):  # no paths: say what the row says
            steps += [own] if own != root else []
        return tuple(steps) if steps and steps[-1] == root else (*steps, root)


def _root(step: Step, flow: list[Row], ways: _Ways) -> Root:
    """Return a user-visible operation from its rows of the flow."""
    leaves = tuple(ways.leaf(row) for row in flow if row["leaf"])
    whole = next((row for row in flow if row["parent_path_id"] == _NO_PATH), flow[0])
    return Root(*step, whole["requests"], leaves, whole["low_ms"], whole["high_ms"])


def _ends_at(leaf: Leaf, origin: Row) -> bool:
    """Return whether a leaf of the flow is charged to an origin."""
    row, edge, cause = leaf.row, origin["edge"], origin["cause"]
    if edge is not None:
        kinds = ("calls",) if cause == "calls" else ("gap", "virtual")
        ends = (row["service"], row["upstream"])
        return row["leaf"] in kinds and ends == (edge["downstream"], edge["upstream"])
    operation = origin["operation"]
    if cause == "self" and row["leaf"] == "virtual":
        return bool(row["upstream"] == origin["service"])
    if row["leaf"] not in _BY_CAUSE.get(cause, (row["leaf"],)):
        return False
    if cause == "self":
        return row["service"] == origin["service"] and operation in (None, row["operation"])
    if cause == "calls":
        is_called = operation is None or not leaf.called or operation in leaf.called
        return row["service"] == origin["service"] and is_called
    return origin["service"] in (row["service"], row["upstream"])
