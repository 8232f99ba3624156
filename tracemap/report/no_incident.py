"""The headline without an incident: all quiet, or too little data to judge."""

from __future__ import annotations

from tracemap.model import Findings
from tracemap.report.blocks import Sentence
from tracemap.report.names import shown
from tracemap.report.phrases import (
    cause_words,
    effect_words,
    operation_name,
    percentile_change,
    spread_words,
)
from tracemap.report.roots import Root
from tracemap.report.rows import Row
from tracemap.report.story import LEAST_MS, Story
from tracemap.report.week_words import what_is_missing
from tracemap.report.words import counted, interval, lasting, percent, signed_ms, span_of

NO_SPIKE = "no spike was found"
"""How the reason for no baseline begins where no window was asked for either."""
_FAILING = 0.01
"""From this share on, failed requests of users are told although nobody compared anything."""
_NOT_FELT = "no user-visible operation became slower by more than ordinary variation"


def _looked_at(story: Story) -> str:
    calls = sum(row["calls"] for row in story.edges)
    ledger = story.findings.ledger
    services = len(ledger.services) or len(
        {row[side] for row in story.edges for side in ("downstream", "upstream")}
    )
    return (
        f"{counted(calls, 'call')} over {counted(len(story.edges), 'edge')} "
        f"of {counted(services, 'service')}"
    )


def quiet(story: Story) -> Sentence:
    """Return that all is quiet, what was looked at, and what moved nevertheless."""
    window = span_of(story.findings.window)
    moved = _moved(story)
    if moved:
        limits = story.findings.thresholds
        ratio, rise = limits.get("spike_ratio", 1.25), limits.get("spike_rise_ms", 5.0)
        none = f"No latency rose by more than the limits ({percent(ratio - 1)} and {rise:g} ms)"
        none = _NOT_FELT.capitalize() if story.spread else none
        said = f"{none} in {_looked_at(story)}, {window}. "
        said = f"{failing(story)}. {said}" if is_failing(story) else said
        return (said, *moved, *_handed_on(story), ".")
    stayed = "no latency left its baseline"
    if story.spread:
        stayed = _NOT_FELT
    elif story.findings.baseline is None:
        stayed = "no latency spike stands out"
    elif story.spikes:
        stayed = (
            f"{counted(len(story.spikes), 'spike')} seen, none of which reached a user's request"
        )
    said = f"Nothing to report: {_looked_at(story)}, {window}; {stayed}"
    if is_failing(story):
        said = f"{failing(story)}; {stayed} in {_looked_at(story)}, {window}"
    return (said, *_varied(story), *_handed_on(story), ".")


def is_failing(story: Story) -> bool:
    """Return whether so many requests of users failed that a report has to say so."""
    return story.findings.failed_requests.share >= _FAILING


def failing(story: Story) -> str:
    """Return how many requests of users failed, when most did, and how many do usually."""
    found, rows = story.findings.failed_requests, story.waited.values()
    said = f"{found.failed:,} of {counted(found.requests, 'request')} of users failed"
    when = f", most of them {span_of(found.most)}" if found.most else ""
    before = sum(row["baseline_requests"] for row in rows)
    if not before:
        return f"{said} ({percent(found.share)}){when}"
    usual = percent(sum(row["baseline_errors"] for row in rows) / before)
    return f"{said} ({percent(found.share)}; in the baseline {usual}){when}"


def _handed_on(story: Story) -> Sentence:
    """Return the lead of a quiet window: an origin, else what spread without reaching users."""
    spread = story.spread
    if story.origin is not None or not spread:
        return lead(story)
    return ("; a lead, not a finding: ", *spread_words(spread[0]))


def _varied(story: Story) -> Sentence:
    """Return the largest rise that users saw, where it is within ordinary variation."""
    rose = [root for root in story.roots if root.is_within_variation and root.change_ms >= LEAST_MS]
    if not rose:
        return ()
    root = max(rose, key=lambda root: root.change_ms * (root.requests or 1))
    said = f" changed by {signed_ms(root.change_ms)}{_range(root)} per request"
    return ("; ", *operation_name(*root.step), f"{said}, within ordinary variation")


def _range(root: Root) -> str:
    return f" [{interval(root.low_ms, root.high_ms, ', ')}]"


def _moved(story: Story) -> Sentence:
    """Return the operation that changed most in all, though not enough for an incident."""
    notable = [root for root in story.roots if story.is_notable(root)]
    if not notable:
        return ()
    root = max(notable, key=lambda root: abs(root.change_ms) * (root.requests or 1))
    said = f" changed by {signed_ms(root.change_ms)}{_range(root)}"
    more = f"; so did {counted(len(notable) - 1, 'other operation')}" if len(notable) > 1 else ""
    return (*operation_name(root.service, root.operation), f"{said} per request{more}")


def insufficient(story: Story) -> Sentence:
    """Return what is missing to judge, and what would be looked at first."""
    findings, begin = story.findings, "Too little data to judge"
    if findings.ledger.spans == 0 and not story.edges:
        return (f"{begin}: the input holds no spans.",)
    looked_at, asked = _looked_at(story), span_of(findings.window)
    if findings.window is None:
        return (f"{begin}: no window could be chosen from {looked_at}.",)
    if story.origin is not None and story.origin["doubt"] == "few calls":
        return _of_few_calls(f"{begin} {asked}", story.origin)
    if findings.baseline is None and findings.baseline_reason.startswith(NO_SPIKE):
        said = f"{begin} {asked}: {looked_at} {too_short(findings)}"
    elif findings.baseline is None:
        missing = what_is_missing(findings.baseline_reason)
        because = f" ({missing})" if missing else ""
        said = f"{begin} {asked}: there is no baseline{because} to compare its {looked_at} with"
    else:
        said = f"{begin} {asked}: {looked_at}, {_too_few(story)}"
    said = f"{said}; {failing(story)}" if is_failing(story) else said
    return (said, *(lead(story) or _measured(story)), ".")


def too_short(findings: Findings) -> str:
    """Return what telling a spike needs, where no window was asked for and no unit had it."""
    cells, calls = (
        findings.thresholds.get(name, least)
        for name, least in (("min_baseline_cells", 20), ("min_calls_p50", 30))
    )
    length = lasting(findings.window.duration_ns if findings.window else 0)
    return (
        f"in {length} are too few to tell a spike from what is usual: that needs an "
        f"operation with {cells} minutes of {calls} calls each, or {cells} longer cells of up to "
        "an hour (--from and --to compare a window with the rest all the same)"
    )


def _too_few(story: Story) -> str:
    """Return how many requests both windows hold, how many a verdict needs, and which has fewer."""
    rows, least = story.waited.values(), story.findings.thresholds.get("min_call_count", 20)
    sides = {"window": "requests", "baseline": "baseline_requests"}
    few = [
        side for side, key in sides.items() if max((row[key] for row in rows), default=0) < least
    ]
    which = {
        0: "no operation has both",
        1: f"the {few[0] if few else ''} has too few",
        2: "both have too few",
    }[len(few)]
    now, before = (sum(row[key] for row in rows) for key in sides.values())
    return (
        f"in {counted(now, 'request')} of users against {before:,} in the baseline "
        f"({span_of(story.findings.baseline)}); a verdict needs {least} of an operation in each: "
        f"{which}"
    )


def _of_few_calls(begin: str, origin: Row) -> Sentence:
    """Return who would be named if there were more calls, and on how many calls that rests."""
    return (
        f"{begin}: a lead, not a finding, is ",
        *cause_words(origin),
        f" ({effect_words(origin, '+')}), which rests on few calls: ",
        shown(origin["evidence"].split("; ")[0]),
        ".",
    )


def _measured(story: Story) -> Sentence:
    """Return p95 before and after, as measured, of the user-visible operation that moved most."""
    moved = [
        (abs(row["p95_ms"] - row["baseline_p95_ms"]), step)
        for step, row in story.waited.items()
        if row["p95_ms"] is not None and row["baseline_p95_ms"] is not None
    ]
    change_ms, step = max(moved, default=(0.0, ("", "")))
    if change_ms < LEAST_MS:
        return ()
    row = story.waited[step]
    said = f"{percentile_change(story, step)} in {counted(row['requests'], 'request')}"
    before = f"{row['baseline_requests']:,} before"
    return ("; a lead, not a finding: ", *operation_name(*step), f"{said}, {before}")


def lead(story: Story) -> Sentence:
    """Return the first origin as a lead; without an incident no origin is a finding."""
    origin = story.origin
    if origin is None:
        return ()
    return (
        "; a lead, not a finding: ",
        *cause_words(origin),
        f" ({effect_words(origin, '+')})",
    )
