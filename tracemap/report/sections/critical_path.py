"""Section "Critical path": which steps the time of users' requests is spent in."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracemap.report.blocks import Column, Section, TableBlock
from tracemap.report.figures.icicle import Tile, icicle
from tracemap.report.names import label, shown
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.tables import CALLS, table
from tracemap.report.words import counted, in_ms, percent

_LEAST_SHARE = 0.005
"""Steps with less of all time, those below them included, are drawn as one."""
_TOP = "all"
_COLUMNS = (
    Column("what", "Step", "name"),
    Column("root", "User-visible operation", "name", "user-visible-operation"),
    Column("each_ms", "ms per its request", "ms", "critical-path"),
    Column("share", "Share of all", "share", "critical-path"),
    CALLS,
)


@dataclass
class _Step:
    """One call path with what lies below it; ms are sums over all requests."""

    id: str
    name: str
    own_ms: float
    below: list[_Step] = field(default_factory=list)

    @property
    def whole_ms(self) -> float:
        return self.own_ms + sum(step.whole_ms for step in self.below)


def critical_path(story: Story) -> Section | None:
    """Return the icicle with its numbers; None where nothing is known of any path."""
    rows = story.finding("critical_path")
    whole_ms = sum(row["critical_ms"] for row in rows)
    if not whole_ms:
        return None
    requests = sum(row["requests"] for row in rows if row["depth"] == 0)
    tiles = _tiles(_grown(rows), requests, whole_ms)
    widest = max(rows, key=lambda row: (row["critical_ms"], row["path_id"]))
    summary = (
        f"{counted(requests, 'request')} of users took {in_ms(whole_ms / requests * 1e6)} each on "
        f"average. Most of that, {percent(widest['critical_ms'] / whole_ms)}, is {_what(widest)} "
        f"within {label(widest['root_service'], widest['root_operation'])}."
    )
    figure = icicle(
        "critical-path-figure",
        "Where users' time goes",
        summary,
        tiles,
        table=_table(rows, whole_ms),
    )
    return Section(
        "critical_path",
        "Critical path",
        (figure,),
        "The top is all requests of users; below each step stands what it waited for, as wide as "
        "the time. What nobody waited for is not there. Strongly coloured steps spend the time "
        "themselves: to make one faster makes requests faster.",
    )


def _what(row: Row) -> str:
    """Return what the exclusive time of a path is spent with."""
    if row["step"] == "entry":
        return label(row["service"], row["operation"])
    return f"{shown(row['service'], 40)} → {label(row['upstream'], row['operation'])}"


def _grown(rows: list[Row]) -> _Step:
    """Return the tree of steps; what a call passes on hangs on its caller, its gap beside it."""
    top = _Step(_TOP, "all requests", 0.0)
    steps: dict[str, _Step] = {}
    called = {row["parent_path_id"] for row in rows}
    for row in sorted(rows, key=lambda row: (row["depth"], -row["critical_ms"], row["path_id"])):
        above = steps.get(row["parent_path_id"], top)
        step = _Step(row["path_id"], _what(row), row["critical_ms"])
        if row["step"] == "call" and row["path_id"] in called:
            step.name = f"{step.name}: gap"
            steps[row["path_id"]] = above
        else:
            steps[row["path_id"]] = step
        above.below.append(step)
    return top


def _tiles(top: _Step, requests: int, whole_ms: float) -> list[Tile]:
    """Return the tiles, widest first below each other; what is too small to see becomes one."""
    made: list[Tile] = []
    pending = [(top, "", 0)]
    while pending:
        step, above, depth = pending.pop()
        mine = (step.own_ms / requests, step.whole_ms / requests)
        made.append(Tile(step.id, above, step.name, *mine, depth))
        below = sorted(step.below, key=lambda each: (-each.whole_ms, each.id))
        large = [each for each in below if each.whole_ms >= _LEAST_SHARE * whole_ms]
        rest_ms = sum(each.whole_ms for each in below) - sum(each.whole_ms for each in large)
        if rest_ms > _LEAST_SHARE * whole_ms / 10:
            rest = rest_ms / requests
            name = f"{counted(len(below) - len(large), 'smaller step')}"
            made.append(Tile(f"{step.id}-rest", step.id, name, rest, rest, depth + 1))
        pending += [(each, step.id, depth + 1) for each in reversed(large)]
    return made


def _table(rows: list[Row], whole_ms: float) -> TableBlock:
    listed = [
        {
            "what": _what(row) if row["step"] == "entry" else f"{_what(row)} (call)",
            "root": label(row["root_service"], row["root_operation"]),
            "each_ms": row["critical_ms"] / row["requests"] if row["requests"] else None,
            "share": row["critical_ms"] / whole_ms,
            "calls": row["calls"],
        }
        for row in sorted(rows, key=lambda row: (-row["critical_ms"], row["path_id"]))
        if row["critical_ms"]
    ]
    caption = "Steps by the time users waited for them alone, most first"
    return table("critical-path-table", caption, _COLUMNS, listed, folded=True)
