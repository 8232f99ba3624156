from __future__ import annotations

import pytest

from tests.report import believable, week
from tracemap.model import Findings
from tracemap.report import build


def test_a_chat_gets_the_answer_in_a_dozen_lines() -> None:
    """Who, whom, how much, what stopped it, and a trace to open."""
    text = build(believable.incident(), trace_url="https://x.example/{trace_id}").text()

    assert text.startswith("Latency postmortem (incident)\n`storefront` `POST /buy` slowed down by")
    assert "• Origin 1: `card-db`'s own time, +203 ms a request, 93 % of what is explained" in text
    assert "• Slower: `storefront` `POST /buy` +276 ms a request, 2,310 requests" in text
    assert "• Absorbed by parallel slack: 179 ms of 182 ms" in text
    assert "https://x.example/5b8efff798038103d269b633813fc60c" in text
    assert len(text.splitlines()) <= 12
    assert len(text) < 2_000


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
    assert "• Dearer: `catalog` `List` +23 ms a request (slower), now 33 ms; owner" in text
    assert "• Edge `orders` → `pricing`: re-routed (`calls moved to tariffs`)" in text
    assert "• Owners to ask: `team-goods`" in text
    assert 7 <= len(text.splitlines()) <= 12


def test_hostile_names_do_nothing_in_a_chat() -> None:
    """No command, no mention out of its span, no flood."""
    text = build(believable.hostile()).text()

    assert "<" not in text
    assert "\u202e" not in text
    assert len(text) < 4_000
    assert all(line.count("`") % 2 == 0 for line in text.splitlines())
