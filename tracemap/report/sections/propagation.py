"""Section "Propagation": edge by edge, what a slower upstream offered and what arrived."""

from __future__ import annotations

from collections.abc import Sequence

from tracemap.report.blocks import Block, Column, FigureBlock, Section, remark
from tracemap.report.figures.matrix import Axes, Cell, matrix
from tracemap.report.figures.style import text
from tracemap.report.names import label, shown
from tracemap.report.rows import Row
from tracemap.report.sections.part import about_part
from tracemap.report.story import SILENT, Story
from tracemap.report.tables import DOWNSTREAM, UPSTREAM, table
from tracemap.report.words import counted, in_ms, interval

_SIDE = 25
_COLUMNS = (
    UPSTREAM,
    DOWNSTREAM,
    Column("verdict", "Verdict", "verdict", "verdict"),
    Column("offered_ms", "Offered ms", "ms", "offered"),
    Column("arrived_ms", "Arrived ms", "ms", "arrived"),
    Column("ratio", "Ratio", "ratio", "arrived-ratio"),
    Column("mechanism", "Absorbed by", "text", "mechanism"),
    Column("upstream_operation", "Upstream's operation", "name"),
    Column("downstream_operation", "Downstream's operation", "name"),
    Column("interval_ms", "95 % interval ms", "range", "arrived"),
    Column("absorbed_ms", "Absorbed ms", "ms", "mechanism", is_extra=True),
    Column("calls", "Calls", "count", "calls", is_extra=True),
    Column("baseline_calls", "Calls in baseline", "count", "calls", is_extra=True),
)


def propagation(story: Story) -> Section | None:
    """Return heat map and table; None where nothing was compared."""
    if not story.propagation:
        return None
    blocks: list[Block] = [*about_part(story)]
    moved = [row for row in story.propagation if row["verdict"] not in SILENT]
    figure = heat_map(moved)
    if figure is not None:
        blocks.append(figure)
    elif not moved:
        blocks.append(remark("No upstream offered its downstream more time than in the baseline."))
    rows = [
        {**row, "interval_ms": interval(row["arrived_low_ms"], row["arrived_high_ms"])}
        for row in story.propagation
    ]
    caption = f"{counted(len(rows), 'edge')} between operations, what arrived most first"
    blocks.append(table("propagation-table", caption, _COLUMNS, rows))
    return Section(
        "propagation",
        "Propagation",
        tuple(blocks),
        "All in milliseconds per downstream request, against the baseline. Offered is how much "
        "slower the calls were, arrived how much of it made downstream slower.",
    )


def heat_map(moved: Sequence[Row]) -> FigureBlock | None:
    """Return upstream against downstream, the worst pair of operations in each cell.

    None where fewer than two pairs moved: one cell is no map.
    """
    worst: dict[tuple[str, str], Row] = {}
    for row in moved:
        worst.setdefault((row["upstream"], row["downstream"]), row)
    if len(worst) < 2:  # noqa: PLR2004
        return None
    upstreams = list(dict.fromkeys(upstream for upstream, _ in worst))[:_SIDE]
    downstreams = list(dict.fromkeys(downstream for _, downstream in worst))[:_SIDE]
    cells = {pair: _cell(row) for pair, row in worst.items()}
    first = next(iter(worst.values()))
    summary = (
        f"{counted(len(worst), 'pair')} of services where upstream became slower. Most arrived "
        f"from {shown(first['upstream'], 60)} at {shown(first['downstream'], 60)}: "
        f"{in_ms((first['arrived_ms'] or 0) * 1e6)} of {in_ms((first['offered_ms'] or 0) * 1e6)} "
        f"offered ({first['verdict']}). A cell shows what arrived and the verdict."
    )
    axes = Axes(upstreams, downstreams, "upstream (provides)", "downstream (waits)")
    return matrix("propagation-figure", "What arrived where", summary, axes, cells)


def _cell(row: Row) -> Cell:
    arrived = row["arrived_ms"] or 0.0
    is_absorbed = row["verdict"] == "absorbed"
    mark = f"{in_ms(arrived * 1e6)}<br>{text(row['verdict'])}"
    by = f" by {row['mechanism']}" if row["mechanism"] else ""
    words = (
        f"{text(label(row['upstream'], row['upstream_operation']))} →<br>"
        f"{text(label(row['downstream'], row['downstream_operation']))}<br>"
        f"offered {in_ms((row['offered_ms'] or 0) * 1e6)}, arrived {in_ms(arrived * 1e6)}<br>"
        f"<b>{text(row['verdict'])}{text(by)}</b>"
    )
    return Cell(1.0 if is_absorbed else max(arrived, 1.0), mark, words)
