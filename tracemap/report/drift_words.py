"""What a comparison of weeks says in words: shared by its headline, sections and sheets."""

from __future__ import annotations

from collections import Counter

from tracemap.model import USER
from tracemap.report.blocks import Fact, Name, Sentence
from tracemap.report.names import shown
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.words import counted, in_ms, listed, percent, signed_ms, span_of

UNCHANGED = ("steady", "too few calls", "other mix", "not observed", "not observed before")
"""Changes that ask nobody for anything."""
_MOVED = ("slower", "more calls")
_ADJECTIVES = ("new", "gone", "re-routed", "slower", "faster")


def component_name(row: Row) -> Sentence:
    """Return what a row of ``regressions`` is about, as part of a sentence."""
    service = Name(shown(row["service"]))
    if row["cause"] == "wire":
        return ("the way from ", Name(shown(row["downstream"])), " to ", service)
    return (service, " ", Name(shown(row["operation"])))


def component_label(row: Row) -> str:
    """Return the same as a short label."""
    if row["cause"] == "wire":
        return f"{row['downstream']} → {row['service']}"
    return f"{row['service']} {row['operation']}"


def edge_name(row: Row) -> Sentence:
    """Return an edge as part of a sentence."""
    return (Name(shown(row["downstream"])), " → ", Name(shown(row["upstream"])))


def changed(story: Story) -> list[Row]:
    """Return the edges that changed, what matters most first."""
    return [row for row in story.drift if row["change"] not in UNCHANGED]


def paid(story: Story) -> list[Row]:
    """Return the components for which users wait longer, the dearest first."""
    return [row for row in story.regressions if row["verdict"] in _MOVED]


def change_words(rows: list[Row]) -> str:
    """Return how many edges changed in which way: ``2 edges new, 1 slower``."""
    count = Counter(row["change"] for row in rows)
    words: list[str] = []
    for change, number in count.most_common():
        what = change if change in _ADJECTIVES else f"with {change}"
        words.append(f"{counted(number, 'edge')} {what}" if not words else f"{number} {what}")
    return listed(words)


def drift_headline(story: Story) -> Sentence:
    """Return in one sentence what drifted, what it costs users, and where most of it is.

    A quiet week is said to be quiet, too little data to be too little.
    """
    findings = story.findings
    window = span_of(findings.window)
    if findings.baseline is None:
        return (f"Nothing compared in {window}: {findings.baseline_reason}.",)
    looked_at = f"{counted(len(story.drift), 'edge')} compared, {window}"
    if findings.verdict == "insufficient_data":
        return (f"Too little data to tell what changed: {looked_at}.",)
    if findings.verdict == "quiet":
        unseen = sum(row["change"].startswith("not observed") for row in story.drift)
        tail = f"; {counted(unseen, 'edge')} seen on one side only prove nothing" if unseen else ""
        return (f"A quiet week: {looked_at}; nothing left its baseline{tail}.",)
    costs, moved = paid(story), changed(story)
    parts: list[str | Name] = []
    if costs:
        total_ms = sum(row["change_ms"] for row in story.regressions)
        added = sum(row["change_ms"] for row in costs)
        parts += [f"Users wait {in_ms(added * 1e6)} longer per request"]
        parts += [f" ({signed_ms(total_ms)} with what got faster)"] if total_ms < added else []
        parts += [": ", f"{in_ms(costs[0]['change_ms'] * 1e6)} is ", *component_name(costs[0])]
        parts.append(" by more calls" if costs[0]["verdict"] == "more calls" else "")
    if moved:
        parts += ["; " if parts else "", change_words(moved)]
    elif not parts:
        faster = [row for row in story.regressions if row["verdict"] in ("faster", "fewer calls")]
        gained = -sum(row["change_ms"] for row in faster)
        parts.append(f"Users wait {in_ms(gained * 1e6)} less per request, and no edge changed")
    return (*parts, f" ({window}).")


def owner_of(story: Story, service: str) -> str | None:
    """Return the owner of a service; None where unknown, and for users."""
    return None if service == USER else story.owners.get(service)


def long_term_facts(story: Story) -> list[Fact]:
    """Return the facts that a comparison of weeks comes to; none where weeks were not compared."""
    if not story.is_long_term or not story.drift:
        return []
    change_ms = sum(row["change_ms"] for row in story.regressions)
    before_ms = sum(row["baseline_user_ms"] for row in story.regressions)
    moved = changed(story)
    steady = sum(row["change"] == "steady" for row in story.drift)
    facts = []
    if story.regressions:
        remark = f"per user request on average, from {in_ms(before_ms * 1e6)}"
        facts.append(Fact("Users wait", (signed_ms(change_ms),), (remark,), "user-time"))
    words = change_words(moved) if moved else "none"
    remark = f"{words}; {counted(steady, 'edge')} steady"
    facts.append(Fact("Edges changed", (f"{len(moved):,}",), (remark,), "edge-change"))
    if story.budget:
        used = sum(row["budget_share"] or 0.0 for row in story.budget)
        before = sum(row["baseline_budget_share"] or 0.0 for row in story.budget)
        remark = f"of the error budget; {percent(before)} in the baseline"
        facts.append(Fact("Budget used", (percent(used),), (remark,), "error-budget"))
    return facts
