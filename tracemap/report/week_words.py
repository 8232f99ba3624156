"""What a comparison of weeks says in words: shared by its headline, sections and sheets."""

from __future__ import annotations

from collections import Counter

from tracemap.model import USER
from tracemap.report.blocks import Fact, Name, Sentence
from tracemap.report.names import shown, visible
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.words import (
    Moved,
    arrow,
    counted,
    in_ms,
    listed,
    moved,
    percent,
    signed_ms,
    span_of,
)

UNCHANGED = (
    "steady", "too few calls", "other mix", "sampled differently", "not observed",
    "not observed before",
)  # fmt: skip
"""Changes that ask nobody for anything."""
_MOVED = ("slower", "more calls")
_NO_BASELINE = "there is nothing to compare with: "
"""How the reason for no baseline begins; a sentence that says so already leaves it out."""
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
    """Return the components for which users wait longer, the costliest first."""
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

    It says so where a week was quiet, and where there was too little data to judge.
    """
    findings = story.findings
    window = span_of(findings.window)
    if findings.baseline is None:
        missing = what_is_missing(findings.baseline_reason) or "no baseline"
        return (f"Too little data to judge {window}: {missing}.",)
    looked_at = f"{counted(len(story.drift), 'edge')} compared, {window}"
    if findings.verdict == "insufficient_data":
        return (f"Too little data to judge what changed: {looked_at}.",)
    if findings.verdict == "quiet":
        unseen = sum(row["change"].startswith("not observed") for row in story.drift)
        tail = f"; {counted(unseen, 'edge')} seen on one side only prove nothing" if unseen else ""
        return (f"A quiet week: {looked_at}; nothing left its baseline{tail}.",)
    costs, edges = paid(story), changed(story)
    parts: list[str | Name] = []
    if costs:
        parts += [_net(story), ": ", *_dearest(costs[0])]
    if edges:
        parts += ["; " if parts else "", change_words(edges)]
    elif not parts:
        faster = [row for row in story.regressions if row["verdict"] in ("faster", "fewer calls")]
        gained = -sum(row["change_ms"] for row in faster)
        parts.append(f"Users wait {in_ms(gained * 1e6)} less per request, and no edge changed")
    return (*parts, f" ({window}).")


def what_is_missing(reason: str) -> str:
    """Return why there is no baseline, without the first words, which a headline already says."""
    return visible(reason.removeprefix(_NO_BASELINE))


def _net(story: Story) -> str:
    """Return how much longer users wait per request, net of what got faster."""
    users = _users(story)
    is_longer = sum(row["change_ms"] for row in story.regressions) > 0
    direction = "longer" if is_longer else "less"
    ends = arrow(users.before, users.after)
    return f"Users wait {users.change} {direction} per request ({ends})"


def _users(story: Story) -> Moved:
    """Return the mean user request before and now, of the same mix of requests."""
    before_ms = sum(row["baseline_user_ms"] for row in story.regressions)
    change_ms = sum(row["change_ms"] for row in story.regressions)
    return moved(before_ms * 1e6, (before_ms + change_ms) * 1e6)


def now_ms(row: Row) -> float:
    """Return what users would wait for a component now with the baseline's mix of requests.

    The effect of the changed mix (`mix_ms`) is left out, as it is from ``change_ms``, so that
    baseline and change add up to this.
    """
    return max(0.0, float(row["baseline_user_ms"] + row["change_ms"]))


def _dearest(row: Row) -> Sentence:
    """Return the component that costs users most."""
    by = " by more calls" if row["verdict"] == "more calls" else ""
    named = (f"{signed_ms(row['change_ms'])} is ", *component_name(row), by)
    return (*named, *since_words(row))


def since_words(row: Row) -> Sentence:
    """Return with which version a component's change began, as the end of a clause; maybe ()."""
    version = row.get("since_version")
    return () if version is None else (" since version ", Name(shown(version)))


def owner_of(story: Story, service: str) -> str | None:
    """Return the owner of a service; None where unknown, and for users."""
    return None if service == USER else story.owners.get(service)


def long_term_facts(story: Story) -> list[Fact]:
    """Return the facts that a comparison of weeks comes to; none where weeks were not compared."""
    if not story.is_long_term or not story.drift:
        return []
    edges = changed(story)
    steady = sum(row["change"] == "steady" for row in story.drift)
    facts = []
    if story.regressions:
        users, rose = _users(story), sum(row["change_ms"] for row in story.regressions) > 0
        remark = f"per user request on average, from {users.before}"
        change = f"{'+' if rose else '-'}{users.change}"
        facts.append(Fact("Users wait", (change,), (remark,), "user-time"))
    words = change_words(edges) if edges else "none"
    remark = f"{words}; {counted(steady, 'edge')} steady"
    facts.append(Fact("Edges changed", (f"{len(edges):,}",), (remark,), "edge-change"))
    if story.budget:
        used = sum(row["budget_share"] or 0.0 for row in story.budget)
        before = sum(row["baseline_budget_share"] or 0.0 for row in story.budget)
        remark = f"of the error budget; {percent(before)} in the baseline"
        facts.append(Fact("Budget used", (percent(used),), (remark,), "error-budget"))
    return facts
