"""Section "Drift": edges that are new, gone, re-routed, slower or otherwise not what they were."""

from __future__ import annotations

from tracemap.report.blocks import Block, Column, Section, remark
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.tables import (
    CALLS,
    DOWNSTREAM,
    DOWNSTREAM_OWNER,
    UPSTREAM,
    UPSTREAM_OWNER,
    table,
)
from tracemap.report.week_words import UNCHANGED, change_words, changed
from tracemap.report.words import bounds, counted, interval

_COLUMNS = (
    DOWNSTREAM,
    UPSTREAM,
    Column("change", "Change", "text", "edge-change"),
    Column("detail", "What speaks for it", "sentence"),
    CALLS,
    Column("baseline_calls", "Calls, baseline", "count", "calls"),
    Column("p95_ms", "p95 ms", "ms", "percentiles"),
    Column("baseline_p95_ms", "p95 ms, baseline", "ms", "percentiles"),
    Column("p95_range", "p95 ratio", "range", "percentile-ratio"),
    Column("p50_range", "p50 ratio", "range", "percentile-ratio", is_extra=True),
    Column("p99_range", "p99 ratio", "range", "percentile-ratio", is_extra=True),
    Column("speed_ms", "Mean, by speed ms", "ms", "speed-and-mix", is_extra=True),
    Column("mix_ms", "Mean, by mix ms", "ms", "speed-and-mix", is_extra=True),
    Column("error_share", "Failed", "share", "failed-calls"),
    Column("baseline_error_share", "Failed, baseline", "share", "failed-calls", is_extra=True),
    Column("error_range", "Change, % points", "range", "interval-over-days", is_extra=True),
    Column("calls_per_request", "Calls per request", "number", "calls-per-request", is_extra=True),
    Column("calls_range", "Its ratio", "range", "calls-per-request", is_extra=True),
    Column("downstream_versions_shown", "Versions downstream", "text", "versions", is_extra=True),
    Column("upstream_versions_shown", "Versions upstream", "text", "versions", is_extra=True),
    Column("since", "Since version", "name", "since-version", is_extra=True),
    Column("evidence", "Evidence", "text", "evidence", is_extra=True),
    Column("baseline_evidence", "Evidence, baseline", "text", "evidence", is_extra=True),
    DOWNSTREAM_OWNER,
    UPSTREAM_OWNER,
)


def drift(story: Story) -> Section | None:
    """Return every edge with what became of it, changes first; None where nothing was compared."""
    if not story.drift:
        return None
    blocks: list[Block] = [remark(_summary(story))]
    unseen = [row for row in story.drift if row["change"].startswith("not observed")]
    if unseen:
        blocks.append(
            remark(
                f"{counted(len(unseen), 'edge')} seen on one side only: not observed is not gone. "
                "The table says why nothing can be concluded."
            )
        )
    rows = [{**row, **_more(row)} for row in story.drift]
    caption = f"{counted(len(rows), 'edge')}, those that changed first"
    blocks.append(table("drift-table", caption, _COLUMNS, rows))
    return Section(
        "drift",
        "Drift",
        tuple(blocks),
        "Ratios are window over baseline with their 95 % interval: one that holds 1 may be "
        "chance; of one that says up to or at least, too few calls tell the other end. "
        "Speed is slower operations, mix another selection of them. Gone has to be "
        "earned: downstream was there, called others, and would have called this one.",
    )


def _summary(story: Story) -> str:
    rows = changed(story)
    if not rows:
        steady = sum(row["change"] == "steady" for row in story.drift)
        other = len(story.drift) - steady
        tail = (
            f"; {counted(other, 'edge')} could not be judged or changed in mix only"
            if other
            else ""
        )
        return f"No edge changed: {counted(steady, 'edge')} held steady{tail}."
    known = sum(row["change"] not in UNCHANGED or row["change"] == "steady" for row in story.drift)
    judged = f"{len(rows):,} of {counted(known, 'edge')} that can be judged"
    return f"{judged} changed: {change_words(rows)}."


def _more(row: Row) -> Row:
    made: Row = {}
    for name in ("p50", "p95", "p99", "calls"):
        ratio, low, high = (row[f"{name}_ratio{end}"] for end in ("", "_low", "_high"))
        known = bounds(low, high)
        made[f"{name}_range"] = (
            None if ratio is None else f"{ratio:.2f}" + (f" [{known}]" if known else "")
        )
    version = row["since_version"]
    made["since"] = None if version is None else f"{row['since_service']} {version}"
    low, high = row["error_change_low"], row["error_change_high"]
    if low is not None and high is not None:
        made["error_range"] = interval(100 * low, 100 * high)
    for side in ("", "baseline_"):
        made[f"{side}error_share"] = row[f"{side}error_ratio"]
    for end in ("downstream", "upstream"):
        now, before = row[f"{end}_versions"], row[f"baseline_{end}_versions"]
        made[f"{end}_versions_shown"] = now if now == before else f"{before or '-'} → {now or '-'}"
    return made
