"""Section "What changed": call counts and edges that are new, as far as the findings hold them."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import pairwise

from tracemap.model import MINUTE_NS, SECOND_NS, Window
from tracemap.report.blocks import Block, Column, Section, remark
from tracemap.report.rows import Row
from tracemap.report.sections.part import about_part
from tracemap.report.story import Story
from tracemap.report.tables import DOWNSTREAM, UPSTREAM, table
from tracemap.report.words import counted

_WORTH_SAYING = 1.25
_UNLIKELY, _VERY_UNLIKELY = 2.0, 3.0
"""Standard deviations: for an edge that comes or goes, and for one of many whose rate moves."""
_ORDER = ("new", "not observed", "called more", "called less")
_COLUMNS = (
    Column("what", "What"),
    DOWNSTREAM,
    Column("downstream_operation", "Its operation", "name"),
    UPSTREAM,
    Column("upstream_operation", "Its operation", "name"),
    Column("baseline_rate", "Calls per min, baseline", "number", "calls-per-minute"),
    Column("rate", "Calls per min, window", "number", "calls-per-minute"),
    Column("rate_ratio", "Ratio", "ratio", "calls-per-minute"),
    Column("calls_ms", "ms per user request by more calls", "ms", "flow-share"),
)


def changes(story: Story) -> Section | None:
    """Return edges that are new, silent, or called more or less often; None without a baseline."""
    window, baseline = story.compared, story.findings.baseline
    if window is None or baseline is None or not story.propagation:
        return None
    minutes = observed_minutes(story, window), observed_minutes(story, baseline)
    if not all(minutes):
        return None
    rows = [row for row in (_row(story, edge, *minutes) for edge in story.propagation) if row]
    rows.sort(
        key=lambda row: (row["order"], -abs(row["weight"]), row["upstream"], row["downstream"])
    )
    blocks: list[Block] = [*about_part(story)]
    if rows:
        caption = f"{counted(len(rows), 'edge')} between operations, new ones first"
        blocks.append(table("changes-table", caption, _COLUMNS, rows))
    else:
        blocks.append(
            remark("No edge is new, silent, or called at another rate, beyond what chance can do.")
        )
    return Section(
        "changes",
        "What changed",
        tuple(blocks),
        "Against the baseline. Not observed means no call in this window, which is not proof that "
        "the edge is gone. More calls per minute can simply be more users. Minutes without any "
        "call observed do not count.",
    )


def observed_minutes(story: Story, window: Window) -> float:
    """Return the minutes of a window in which calls were observed; 0 where that is not known.

    Read from the cells of the timeline, which lack where nothing was called, and within the time
    that the data covers. The timeline has whole cells only; the one in which the data begins counts
    from there on.
    """
    starts = {
        _since_epoch_ns(row["window_start"]) for points in story.lines.values() for row in points
    }
    step_ns = math.gcd(*(after - before for before, after in pairwise(sorted(starts)))) or MINUTE_NS
    covered = story.findings.ledger.covered or window
    first, last = max(window.start_ns, covered.start_ns), min(window.end_ns, covered.end_ns)
    if covered.start_ns + step_ns > min(starts, default=covered.end_ns):
        starts.add(covered.start_ns // step_ns * step_ns)
    observed_ns = sum(max(0, min(start + step_ns, last) - max(start, first)) for start in starts)
    return observed_ns / MINUTE_NS


def _since_epoch_ns(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp()) * SECOND_NS


def _row(story: Story, edge: Row, minutes: float, baseline_minutes: float) -> Row | None:
    calls, before = edge["calls"] or 0, edge["baseline_calls"] or 0
    rate = calls / minutes
    baseline_rate = before / baseline_minutes
    ratio = rate / baseline_rate if baseline_rate else None
    calls_ms = _calls_leaf(story, edge)
    what = _what(calls, before, minutes / baseline_minutes)
    if not what:
        return None
    return {
        **edge,
        "what": what,
        "order": _ORDER.index(what),
        "weight": abs(math.log(ratio)) if ratio else 0.0,
        "rate": rate,
        "baseline_rate": baseline_rate,
        "rate_ratio": ratio,
        "calls_ms": calls_ms,
    }


def _what(calls: int, before: int, scale: float) -> str:
    """Return what became of an edge's calls, '' where chance alone could have done it.

    Counts scatter by their square root, so few calls prove little.
    """
    expected = before * scale
    scatter = math.sqrt(calls + before * scale**2)
    distance = abs(calls - expected) / scatter if scatter else 0.0
    if before == 0 or calls == 0:
        return "" if distance < _UNLIKELY else "new" if before == 0 else "not observed"
    if distance < _VERY_UNLIKELY:
        return ""
    if calls >= _WORTH_SAYING * expected:
        return "called more"
    return "called less" if calls * _WORTH_SAYING <= expected else ""


def _calls_leaf(story: Story, edge: Row) -> float | None:
    """Return what more calls on this edge cost the hardest hit operation; None: nothing."""
    if story.hit is None:
        return None
    shares = [
        leaf.share_ms
        for leaf in story.hit.leaves
        if leaf.row["leaf"] == "calls" and leaf.passes(edge) == 0
    ]
    return sum(shares) if shares else None
