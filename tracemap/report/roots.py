"""User-visible operations, and where the change of each one's mean latency ends."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tracemap.report.rows import Row

_NO_PATH = f"{0:016x}"
_UNEXPLAINED = ("small", "unresolved")
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
    def is_within_variation(self) -> bool:
        """Whether the interval of the change is known and holds 0."""
        is_known = self.low_ms is not None and self.low_ms != self.high_ms
        return is_known and not self.is_certain

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
        """Return the leaves that are charged to an origin, the largest first."""
        mine = [leaf for leaf in self.leaves if leaf.row["origin"] == origin["rank"]]
        return sorted(mine, key=lambda leaf: (-leaf.share_ms, leaf.steps))

    def explained_ms(self, origin: Row) -> float:
        """Return the part of the change that ends at an origin."""
        return sum(leaf.share_ms for leaf in self.from_origin(origin))


def roots_of(flow: list[Row], paths: list[Row]) -> list[Root]:
    """Return user-visible operations, those that lost most time in all first.

    Args:
        flow: Rows of the finding ``flow``.
        paths: Rows of ``paths``; without them a way is known by its ends only.
    """
    ways = _Ways(flow, paths)
    grouped: dict[Step, list[Row]] = {}
    for row in flow:
        grouped.setdefault((row["root_service"], row["root_operation"]), []).append(row)
    return sorted(
        (_root(key, mine, ways) for key, mine in grouped.items()),
        key=lambda root: (-root.change_ms * (root.requests or 1), *root.step),
    )


class _Ways:
    """The call paths of a flow: the steps above and below each step."""

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
