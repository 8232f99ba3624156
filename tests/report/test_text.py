from __future__ import annotations

import pytest

from tests.report import believable, week
from tests.report.shop import table
from tracemap.model import DRIFT, ORIGINS, REGRESSIONS, Findings
from tracemap.report import build


def test_a_chat_gets_the_answer_in_a_dozen_lines() -> None:
    """Who, whom, how much, what stopped it, and a trace to open."""
    text = build(believable.incident(), trace_url="https://x.example/{trace_id}").text()

    assert text.startswith("Latency postmortem (incident)\n`storefront` `POST /buy` slowed down by")
    assert "• Origin: `card-db`'s own time, +252 ms a request of the hardest hit (91 %" in text
    assert "• Slower: `storefront` `POST /buy` +276 ms a request, 2,310 requests" in text
    assert "• Absorbed by parallel slack: 179 ms of 182 ms" in text
    assert "https://x.example/5b8efff798038103d269b633813fc60c" in text
    assert len(text.splitlines()) <= 12
    assert len(text) < 2_000


def test_a_chat_names_findings_before_leads_and_charges_as_the_headline_does() -> None:
    """A lead of 1 % does not stand before a finding of 21 %; no number is left out."""
    findings = believable.incident()
    first, second = findings.tables["origins"].to_dicts()[:2]
    rows = [
        {**first, "rank": 1, "confidence": "strong"},
        {**second, "rank": 2, "confidence": "weak", "doubt": "uncertain"},
        {**first, "rank": 3, "cause": "mix", "confidence": "strong", "excess_ns": 223_000_000},
    ]
    findings.tables["origins"] = table(ORIGINS, rows)
    page = build(findings)
    told = [line.split(":")[0] for line in page.text().splitlines()]

    assert [word for word in told if word[2:] in ("Origin", "Lead", "No origin, but")] == [
        "• Origin", "• No origin, but", "• Lead",
    ]  # fmt: skip
    assert "excess +223 ms per user request" in page.text()
    assert "252 ms (91 %" in page.text().splitlines()[1]
    assert "+252 ms a request of the hardest hit (91 % of its change)" in page.text()


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        (believable.quiet(), "Nothing to report"),
        (believable.nothing(), "Too little data to judge"),
    ],
)
def test_nothing_to_report_is_three_lines(findings: Findings, said: str) -> None:
    """Said plainly."""
    text = build(findings).text()

    assert len(text.splitlines()) == 3
    assert said in text


def test_a_week_says_what_is_dearer_which_edges_changed_and_whom_to_ask() -> None:
    """A comparison of weeks has no incident."""
    text = build(week.weekly()).text()

    assert text.startswith("Weekly review (something changed)\nUsers wait 32 ms longer")
    assert (
        "• Dearer: `catalog` `List` +23 ms a request (slower since version `3.2.0`), now 33 ms; "
        "owner `team-goods`\n"
    ) in text
    assert "• Re-routed: `orders` → `pricing` (`calls moved to tariffs`) and `orders` → " in text
    assert "• Owners to ask: `team-goods`" in text
    assert 9 <= len(text.splitlines()) <= 16


def test_a_week_says_what_became_of_the_budget_and_what_the_data_is_worth() -> None:
    """Where most of it was used; what could not be judged."""
    text = build(week.weekly()).text()

    assert (
        "• Error budget: 400 % used (4 of 1,000 user requests failed), 50 % in the baseline; "
        "most began at `catalog` (300 %); of owners most: `team-goods` (300 %)\n"
    ) in text
    assert "1 of 6 edges could not be judged" in text


def test_a_week_says_what_users_gained() -> None:
    """The largest gain first."""
    found = week.weekly()
    gains = [
        week.spent(4, "edge", "faster", 9.0, 6.0),
        week.spent(5, "orders", "fewer calls", 9, 1),
    ]
    found.tables["regressions"] = table(REGRESSIONS, gains)
    lines = [line for line in build(found).text().splitlines() if "Cheaper" in line]

    assert [line.split(" a request")[0] for line in lines] == [
        "• Cheaper: `orders` `List` -8.0 ms", "• Cheaper: `edge` `List` -3.0 ms",
    ]  # fmt: skip


def test_of_many_edges_the_first_are_named_and_the_others_counted() -> None:
    """A chat is no table."""
    found = week.weekly()
    edges = [week.drifted("edge", f"shop{number}", "new") for number in range(9)]
    found.tables["drift"] = table(DRIFT, edges)

    assert ("• New: `edge` → `shop0`, `edge` → `shop1`, `edge` → `shop2` and 6 more\n") in build(
        found
    ).text()


def test_a_quiet_week_still_has_a_budget() -> None:
    """And says what its data is."""
    text = build(week.quiet()).text()

    assert "Error budget: 400 % used" in text
    assert text.splitlines()[-1].startswith("• Data: ")


def test_hostile_names_do_nothing_in_a_chat() -> None:
    """No command, no mention out of its span, no flood."""
    text = build(believable.hostile()).text()

    assert "<" not in text
    assert "\u202e" not in text
    assert len(text) < 4_000
    assert all(line.count("`") % 2 == 0 for line in text.splitlines())
