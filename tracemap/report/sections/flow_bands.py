"""Section "Flow of percentiles": what made the typical and the slowest requests slower."""

from __future__ import annotations

from itertools import groupby

from tracemap.report.blocks import Block, Column, Section, remark
from tracemap.report.names import label, shown
from tracemap.report.rows import Row
from tracemap.report.sections.flow import leaf_words
from tracemap.report.sections.part import about_part
from tracemap.report.story import LEAST_MS, Story
from tracemap.report.tables import table
from tracemap.report.words import interval

_SMALLEST_SHARE = 0.02
_OPERATION_LENGTH = 60
_ROOT = Column("root", "User-visible operation", "name", "user-visible-operation")
_BAND = Column("band", "Requests around", "text", "flow-band")
_BANDS = (
    _ROOT,
    _BAND,
    Column("quantile_change_ms", "Percentile ms", "ms", "flow-band"),
    Column("band_change_ms", "Band ms", "ms", "flow-band"),
    Column("smoothing_ms", "Smoothing ms", "ms", "flow-smoothing"),
    Column("requests", "Requests", "count", "flow-band"),
    Column("baseline_requests", "in baseline", "count", "flow-band"),
)
_LEAVES = (
    _ROOT,
    _BAND,
    Column("what", "What changed", "name", "flow-share"),
    Column("share_ms", "ms per request", "ms", "flow-band"),
    Column("interval_ms", "95 % interval ms", "range", "flow-band"),
    Column("reading", "Reading"),
)


def flow_bands(story: Story) -> Section | None:
    """Return the bands and what they are made of; None where no flow was looked at."""
    found = story.finding("flow_bands")
    if not any(root.leaves for root in story.roots):
        return None
    blocks: list[Block] = [*about_part(story)]
    if found:
        blocks += _tables(found)
    else:
        blocks.append(remark("Too few requests around p50, p95 and p99 to say what moved them."))
    return Section(
        "flow_bands",
        "Flow of percentiles",
        tuple(blocks),
        "The change of the requests around a percentile, split as the mean is; a percentile with "
        "too few requests has no row. The slow requests of before and of now may be different "
        "ones: what is negative no longer makes the tail slow.",
    )


def _tables(found: list[Row]) -> list[Block]:
    bands, leaves = [], []
    for _, rows in groupby(found, lambda row: (*_root(row), row["band"])):
        mine = list(rows)
        bands.append({**mine[0], "root": label(*_root(mine[0]))})
        leaves += [_leaf(row) for row in _large(mine)]
    return [
        table("flow-bands", "How far the requests around each percentile moved", _BANDS, bands),
        table("flow-bands-leaves", "What the change of each band is made of", _LEAVES, leaves),
    ]


def _root(row: Row) -> tuple[str, str]:
    return row["root_service"], row["root_operation"]


def _large(leaves: list[Row]) -> list[Row]:
    """Return the leaves worth a row, the largest first."""
    least = max(LEAST_MS, _SMALLEST_SHARE * abs(leaves[0]["band_change_ms"]))
    large = [row for row in leaves if abs(row["share_ms"]) >= least]
    return sorted(large, key=lambda row: (-row["share_ms"], _what(row)))


def _leaf(row: Row) -> Row:
    return {
        **row,
        "root": label(*_root(row)),
        "what": _what(row),
        "interval_ms": interval(row["low_ms"], row["high_ms"]),
        "reading": _reading(row),
    }


def _what(row: Row) -> str:
    """Return what a part stands for; of a call the operation too, one service has many."""
    words = leaf_words(row)
    is_named = row["leaf"] in ("small", "virtual") or not row["operation"]
    return words if is_named else f"{words} ({shown(row['operation'], _OPERATION_LENGTH)})"


def _reading(row: Row) -> str:
    """Return what a part does to the requests of its band, no more than its interval allows."""
    low_ms, high_ms = row["low_ms"], row["high_ms"]
    if low_ms is not None and high_ms is not None and low_ms <= 0 <= high_ms and low_ms < high_ms:
        return "may be chance: the interval holds 0"
    which = "these requests" if row["band"] == "p50" else "the tail"
    if row["share_ms"] <= 0:
        return f"no longer what makes {which} slow"
    if row["band_change_ms"] <= 0:
        return f"takes longer, but {which} got faster"
    return f"makes {which} slower"
