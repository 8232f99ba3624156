"""Section "Regressions": what users wait for, what of it changed, and what that cost them."""

from __future__ import annotations

from tracemap.report.blocks import Block, Column, Section, remark
from tracemap.report.figures.dumbbell import Dumbbell, dumbbells
from tracemap.report.figures.slope import Slope, slope
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.tables import OPERATION, SERVICE, table
from tracemap.report.week_words import component_label, now_ms
from tracemap.report.words import counted, in_ms, interval, listed, moved

_LINES, _PLACES = 10, 8
_STILL = ("steady", "too few calls")
_SHARES = (
    Column("component", "What users wait for", "name"),
    Column("baseline_share", "Baseline", "share", "share-of-waiting"),
    Column("share", "Window", "share", "share-of-waiting"),
    Column("baseline_share_rank", "Rank before", "count", "share-of-waiting"),
    Column("share_rank", "Rank", "count", "share-of-waiting"),
)
_COLUMNS = (
    SERVICE,
    OPERATION,
    Column("downstream", "Way from", "name"),
    Column("verdict", "Verdict", "verdict", "user-time"),
    Column("change_ms", "Change ms", "ms", "user-time"),
    Column("range", "95 % interval ms", "range", "interval-over-days"),
    Column("baseline_user_ms", "Baseline ms", "ms", "user-time"),
    Column("now_ms", "Now, same mix ms", "ms", "user-time"),
    Column("user_ms", "Now ms", "ms", "user-time"),
    Column("slower_ms", "By slower calls ms", "ms", "slower-or-more"),
    Column("calls_ms", "By more calls ms", "ms", "slower-or-more"),
    Column("total_hours", "Cost users, hours", "number", "cost-to-users"),
    Column("share", "Share of waiting", "share", "share-of-waiting"),
    Column("share_rank", "Rank", "count", "share-of-waiting"),
    Column("baseline_share_rank", "Rank before", "count", "share-of-waiting"),
    Column("owner", "Owner", "name", "owner"),
    Column("since_version", "Since version", "name", "since-version"),
)


def regressions(story: Story) -> Section | None:
    """Return components by what they cost users, as a figure and a table; None without any."""
    if not story.regressions:
        return None
    rows = [{**row, **_more(row)} for row in story.regressions]
    changed = [row for row in rows if row["verdict"] not in _STILL]
    drawn = sorted(changed or rows, key=lambda row: -abs(row["change_ms"]))[:_LINES]
    drawn.sort(key=lambda row: -row["change_ms"])
    lines = [Dumbbell(component_label(row), row["baseline_user_ms"], now_ms(row)) for row in drawn]
    caption = "Time users wait, by where it is spent, what costs them most first"
    behind = table("regressions-table", caption, _COLUMNS, rows)
    title = "What users wait for: baseline (hollow) and window (full)"
    figure = dumbbells("regressions-figure", title, _words(rows, changed), lines, behind)
    blocks: list[Block] = [figure, *_mix(rows), *_moves(rows)]
    return Section(
        "regressions",
        "Regressions",
        tuple(blocks),
        "Milliseconds on the critical path per user request: what users really wait for. Changes "
        "and the figure are of the same mix of requests on both sides; Now without it is of what "
        "users really asked for. Changes of all rows add up to that of the mean request of the "
        "same mix. Cost is change times requests.",
    )


def _more(row: Row) -> Row:
    return {
        "range": interval(row["low_ms"], row["high_ms"]),
        "now_ms": now_ms(row),
        "total_hours": row["total_ms"] / 3_600_000,
        "downstream": row["downstream"] or None,
    }


def _words(rows: list[Row], changed: list[Row]) -> str:
    if not changed:
        return f"None of {counted(len(rows), 'component')} changed by more than chance and limits."
    said = []
    for row in changed[:3]:
        user = moved(row["baseline_user_ms"] * 1e6, now_ms(row) * 1e6)
        said.append(f"{component_label(row)} from {user.before} to {user.after}")
    return f"{counted(len(changed), 'component')} of {len(rows):,} changed: {listed(said)}."


def _mix(rows: list[Row]) -> list[Block]:
    """Return the effect of a changed mix of user requests on the mean, which is no regression."""
    mix_ms = sum(row["mix_ms"] for row in rows)
    change_ms = sum(row["change_ms"] for row in rows)
    before_ms = sum(row["baseline_user_ms"] for row in rows)
    if abs(mix_ms) < 0.01 * before_ms:
        return []
    return [
        remark(
            f"The mean user request changed by {in_ms((mix_ms + change_ms) * 1e6)}: "
            f"{in_ms(change_ms * 1e6)} as listed, {in_ms(mix_ms * 1e6)} because users asked for "
            "other things than before."
        )
    ]


def _moves(rows: list[Row]) -> list[Block]:
    """Return how the largest shares of waiting changed places; one share alone has no place."""
    top = sorted(rows, key=lambda row: row["share_rank"])[:_PLACES]
    said = []
    for row in top[:3]:
        before = row["baseline_share_rank"]
        was = "was not there" if before is None else f"was {before}"
        place = "" if before == row["share_rank"] else f" ({was})"
        said.append(f"{row['share_rank']}. {component_label(row)}{place}")
    summary = f"Where most waiting is spent: {'; '.join(said)}."
    if len(top) < 2:  # noqa: PLR2004
        return [remark(summary)]
    lines = [
        Slope(component_label(row), 100 * (row["baseline_share"] or 0.0), 100 * row["share"])
        for row in top
    ]
    named = [{**row, "component": component_label(row)} for row in top]
    caption = "Shares of waiting, the largest first"
    return [
        slope(
            "shares-figure",
            "Where users' waiting is spent",
            summary,
            lines,
            unit="%",
            ends=("baseline", "window"),
            table=table("shares-table", caption, _SHARES, named, folded=True),
        )
    ]
