"""Section "Summary": the facts behind the headline, side by side."""

from __future__ import annotations

import polars as pl

from tracemap.model import UNKNOWN, iso
from tracemap.report.blocks import (
    Block,
    Fact,
    FactsBlock,
    Name,
    Note,
    Section,
    Sentence,
    remark,
    warning,
)
from tracemap.report.headline import verdict_words
from tracemap.report.names import shown, visible
from tracemap.report.no_incident import is_failing
from tracemap.report.phrases import cause_words, effect_words, operation_name
from tracemap.report.roots import Root
from tracemap.report.rows import Row
from tracemap.report.sections.edges import is_sampled
from tracemap.report.story import LEAST_MS, Story
from tracemap.report.week_words import long_term_facts
from tracemap.report.words import counted, in_ms, interval, percent, signed_ms, span_of

_MANY_ORPHANS = 0.01


def summary(story: Story) -> Section:
    """Return the key facts; always present, so that every report says what it looked at."""
    facts = [
        _verdict(story),
        *long_term_facts(story),
        *_failed(story),
        *_victim(story),
        *_origin(story),
        *_absorbed(story),
        *_unexplained(story),
        *_inputs(story),
        *_compared_with(story),
    ]
    blocks: list[Block] = [FactsBlock(tuple(facts)), *_remarks(story)]
    return Section(
        "summary",
        "Summary",
        tuple(blocks),
        "Means are per request of the operation named, against the baseline. Times are UTC; every "
        "underlined term leads to its definition.",
    )


def _verdict(story: Story) -> Fact:
    findings = story.findings
    remark: Sentence = (f"window {span_of(findings.window)}",)
    return Fact("Verdict", (verdict_words(story),), remark)


def _failed(story: Story) -> list[Fact]:
    """Return how many requests of users failed, where the headline speaks of that."""
    if story.findings.verdict == "incident" or story.is_long_term or not is_failing(story):
        return []
    found = story.findings.failed_requests
    of = f"{percent(found.share)} of {counted(found.requests, 'request')} of users"
    return [Fact("Failed requests", (f"{found.failed:,}",), (of,))]


def _victim(story: Story) -> list[Fact]:
    if story.hit is None or story.findings.verdict != "incident" or story.is_held_back:
        return []
    root = story.hit
    if root.change_ms < LEAST_MS:
        return []
    return [
        Fact(
            "Hardest hit",
            (signed_ms(root.change_ms),),
            (*operation_name(*root.step), f", mean per request{_interval(root)}"),
            "ordinary-variation",
        )
    ]


def _origin(story: Story) -> list[Fact]:
    if story.origin is None:
        return []
    origin = story.origin
    share = f" ({percent(origin['share'])} of that of all origins)" if origin["share"] else ""
    is_time = origin["cause"] != "error" or not origin["excess_errors"]
    excess = f"{'excess ' if is_time else ''}{effect_words(origin, '+')}"
    return [
        Fact(
            "A lead, weak" if origin["confidence"] == "weak" else "Likeliest origin",
            (Name(shown(origin["service"])),),
            (
                *cause_words(origin),
                f": {_charged(story, origin)}{excess}{share}",
                _beyond(story, origin),
            ),
            "charged-time",
        )
    ]


def _interval(root: Root) -> str:
    """Return the interval of a change, where it is known."""
    said = interval(root.low_ms, root.high_ms)
    is_open = ": within ordinary variation" if root.is_within_variation else ""
    return f", 95 % interval {said} ms{is_open}" if said else ""


def _charged(story: Story, origin: Row) -> str:
    """Return what the hardest hit operation got of an origin, as the headline says it."""
    charged_ms = story.hit.explained_ms(origin) if story.hit and not story.is_held_back else 0.0
    return f"{signed_ms(charged_ms)} of the hardest hit; " if charged_ms > 0 else ""


def _beyond(story: Story, origin: Row) -> str:
    """Return the warning that an origin which recorded no spans cannot be looked into."""
    if origin["cause"] != "self":
        return ""
    leaves = [leaf for root in story.roots for leaf in root.from_origin(origin)]
    if not any(leaf.row["leaf"] == "virtual" for leaf in leaves):
        return ""
    if origin["service"] == UNKNOWN:
        return (
            ". It recorded no spans, and the spans of who calls it do not say what they call: "
            "server.address or peer.service on them would"
        )
    return ". It recorded no spans of its own: it began there or beyond"


def _absorbed(story: Story) -> list[Fact]:
    if not story.absorbed:
        return []
    row = story.absorbed[0]
    by = f" ({row['mechanism']})" if row["mechanism"] else ""
    return [
        Fact(
            "Most absorbed",
            (in_ms(row["absorbed_ms"] * 1e6),),
            (
                "from ",
                Name(shown(row["upstream"])),
                ", kept from ",
                *operation_name(row["downstream"], row["downstream_operation"]),
                by,
            ),
            "mechanism",
        )
    ]


def _unexplained(story: Story) -> list[Fact]:
    if story.hit is None or story.findings.verdict != "incident" or story.is_held_back:
        return []
    root = story.hit
    if root.unexplained_ms < 0:
        faster = (in_ms(-root.unexplained_ms * 1e6),)
        return [Fact("Other parts got faster", faster, ("in small parts",), "unexplained")]
    share = root.unexplained_ms / root.change_ms if root.change_ms > 0 else 0.0
    return [
        Fact(
            "Unexplained",
            (in_ms(root.unexplained_ms * 1e6),),
            (f"{percent(share)} of the change of the hardest hit",) if 0 < share <= 1 else (),
            "unexplained",
        )
    ]


def _inputs(story: Story) -> list[Fact]:
    ledger = story.findings.ledger
    if not ledger.spans:
        return []
    rejected, left_out = ledger.rejected, ledger.left_out
    lost = f"; {counted(left_out, 'file')} without spans left out" if left_out else ""
    lost += f"; {counted(rejected, 'record')} rejected" if rejected else "; nothing rejected"
    return [
        Fact(
            "Looked at",
            (counted(ledger.spans, "span"),),
            (
                f"{counted(ledger.traces, 'trace')}, ",
                f"{counted(len(ledger.services), 'service')}, ",
                f"{counted(ledger.files.height - left_out, 'file')}{lost}",
            ),
            "ledger-equation",
        )
    ]


def _compared_with(story: Story) -> list[Fact]:
    """Return the baseline with the reason for it; the reason alone where there is none."""
    findings = story.findings
    if not findings.baseline_reason and findings.baseline is None:
        return []
    reason: Sentence = (visible(findings.baseline_reason),) if findings.baseline_reason else ()
    return [Fact("Compared with", (span_of(findings.baseline),), reason)]


def _orphan_share(story: Story) -> float:
    ledger = story.findings.ledger
    if ledger.quality.is_empty() or not ledger.spans:
        return 0.0
    orphans = ledger.quality.filter(pl.col("reason") == "orphan")["spans"].sum()
    return float(orphans) / ledger.spans


def _remarks(story: Story) -> list[Note]:
    findings = story.findings
    notes = []
    most = findings.failed_requests.most
    if _failed(story) and most is not None:
        notes.append(
            warning(
                f"Most failures lie close together. --from {iso(most.start_ns)} "
                f"--to {iso(most.end_ns)} compares that time, and says where they began."
            )
        )
    if findings.verdict == "insufficient_data" and findings.baseline is None:
        notes.append(
            warning(
                "Without a baseline nothing can be called slower than before. Name one with "
                "--baseline-from and --baseline-to, or add older traces."
            )
        )
    if findings.verdict == "insufficient_data" and findings.baseline is not None:
        notes.append(
            warning(
                "Name another baseline with --baseline-from and --baseline-to, or a longer window, "
                "to compare more."
            )
        )
    if is_sampled(story):
        notes.append(
            remark(
                "These traces were sampled: calls are those that were kept, weighted calls "
                "estimate how many there were. If slow traces were kept on purpose, "
                "percentiles are too high."
            )
        )
    orphans = _orphan_share(story)
    if orphans >= _MANY_ORPHANS:
        notes.append(
            remark(
                f"{percent(orphans)} of the spans lack their parent: traces are incomplete. Calls "
                "are then lower bounds, own times upper bounds."
            )
        )
    thin = [row for row in story.propagation if row["verdict"] == "too few calls"]
    if thin:
        notes.append(
            remark(f"{counted(len(thin), 'edge')} had too few calls for a verdict on propagation.")
        )
    return notes
