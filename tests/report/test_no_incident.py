from __future__ import annotations

import json

import polars as pl
import pytest

from tests.report import believable
from tests.report.shop import MS, NOON_NS, table
from tests.report.small import findings, leaf, move
from tracemap.model import MINUTE_NS, USER_OPERATIONS, FailedRequests, Findings, Window
from tracemap.report import build


def changed(**columns: object) -> Findings:
    """The incident with columns of its origins replaced."""
    findings = believable.incident()
    literals = {name: pl.lit(value) for name, value in columns.items()}
    findings.tables["origins"] = findings.tables["origins"].head(1).with_columns(**literals)
    return findings


def waited(
    operation: str, requests: int, before: int, baseline_p95_ms: int, p95_ms: int
) -> dict[str, object]:
    """What users waited for an operation of web."""
    return {
        "service": "web", "operation": operation, "requests": requests,
        "baseline_requests": before, "baseline_p95_ns": baseline_p95_ms * MS,
        "p95_ns": p95_ms * MS,
    }  # fmt: skip


def test_a_quiet_window_has_nothing_to_report() -> None:
    """And says what was looked at, so that it cannot be mistaken for a failure."""
    assert build(believable.quiet()).headline == (
        "Nothing to report: 231,964 calls over 13 edges of 7 services, "
        "2026-03-02 12:00 to 12:20 UTC; no latency left its baseline."
    )


def test_a_quiet_window_still_hands_on_its_lead() -> None:
    """Somebody who knows there was a fault wants to know where to look."""
    findings = believable.quiet()
    findings.tables["origins"] = changed(confidence="weak").tables["origins"]

    assert build(findings).headline.endswith(
        "no latency left its baseline; a lead, not a finding: card-db's own time "
        "(+203 ms per user request)."
    )


def test_what_spread_without_reaching_users_is_handed_on_as_a_lead() -> None:
    """The window is quiet for users, and does not say that no latency left its baseline."""
    spread = move("web", "GET /", "cart", "GET /cart", 89, 89, "propagated")
    by_chance, certain = (
        build(findings([leaf(1, "self", -49, half_ms=half_ms)], [], [spread], verdict="quiet"))
        for half_ms in (100, 1)
    )
    lead = (
        "; a lead, not a finding: "
        "cart GET /cart took 89 ms longer per request of web GET / (propagated)."
    )

    none = "o user-visible operation became slower by more than ordinary variation"
    assert by_chance.headline.endswith(f"; n{none}{lead}")
    assert "Incident" not in by_chance.markdown()
    assert certain.headline.startswith(f"N{none} in 400 calls over 1 edge")
    assert certain.headline.endswith(lead)


def test_too_little_data_is_not_called_quiet() -> None:
    """Silence is not a verdict."""
    assert build(believable.insufficient()).headline == (
        "Too little data to judge 2026-03-02 12:00 to 12:20 UTC: there is no baseline to compare "
        "its 4 calls over 1 edge of 2 services with."
    )


def test_without_a_baseline_the_headline_says_why() -> None:
    """Not twice that there is nothing to compare with."""
    made = believable.insufficient()
    made.baseline_reason = "there is nothing to compare with: no quiet time outside the window"

    headline = build(made).headline

    assert "there is no baseline (no quiet time outside the window) to compare" in headline
    assert "nothing to compare with" not in headline


def test_a_quiet_time_in_which_requests_fail_is_no_time_with_nothing_to_report() -> None:
    """How many failed and when comes first, then that nothing was slower; JSON has the numbers."""
    made = believable.quiet()
    minute = Window(NOON_NS + 5 * MINUTE_NS, NOON_NS + 8 * MINUTE_NS)
    made.failed_requests = FailedRequests(4_000, 120, minute)

    report = build(made)

    assert report.headline.startswith(
        "120 of 4,000 requests of users failed (3 %), most of them 2026-03-02 12:05 to 12:08 UTC; "
        "no latency"
    )
    assert "Not slower, but failing" in report.markdown()
    assert "--from 2026-03-02T12:05:00Z --to 2026-03-02T12:08:00Z compares" in report.markdown()
    assert json.loads(report.json())["failed_requests"]["failed"] == 120


def test_a_quiet_time_with_a_failed_request_in_a_thousand_has_nothing_to_report() -> None:
    """Some requests always fail."""
    made = believable.quiet()
    made.failed_requests = FailedRequests(4_000, 4)

    assert build(made).headline.startswith("Nothing to report: ")


def test_too_little_data_to_judge_still_says_that_requests_failed() -> None:
    """Counting needs no baseline."""
    made = believable.insufficient()
    made.failed_requests = FailedRequests(10, 10)

    assert "; 10 of 10 requests of users failed (100 %)" in build(made).headline


def test_a_time_too_short_for_spikes_says_how_much_is_needed() -> None:
    """Not that there is no baseline as there is no spike as there is nothing to compare."""
    made = believable.insufficient()
    made.baseline_reason = "no spike was found, so there is nothing to compare"

    assert build(made).headline == (
        "Too little data to judge 2026-03-02 12:00 to 12:20 UTC: 4 calls over 1 edge of 2 services "
        "in 20 minutes are too few to tell a spike from what is usual: that needs an operation "
        "with 20 minutes of 30 calls each, or 20 longer cells of up to an hour (--from and --to "
        "compare a window with the rest all the same)."
    )


def test_too_few_calls_still_hand_on_what_was_measured() -> None:
    """As a lead with its numbers of requests, of the operation whose p95 moved most."""
    made = findings([], verdict="insufficient_data")
    made.tables["user_operations"] = table(
        USER_OPERATIONS,
        [waited("GET /", 4, 900, 80, 200), waited("POST /login", 2, 90, 50, 40)],
    )

    assert build(made).headline == (
        "Too little data to judge 2026-03-02 12:00 to 12:20 UTC: 400 calls over 1 edge of "
        "2 services, in 6 requests of users against 990 in the baseline (2026-03-02 11:00 to 12:00 "
        "UTC); a verdict needs 20 of an operation in each: the window has too few; a lead, not a "
        "finding: web GET / (p95 80 → 200 ms) in 4 requests, 900 before."
    )


@pytest.mark.parametrize(
    ("operations", "which"),
    [
        ([("GET /", 900, 0)], "in 900 requests of users against 0 in the baseline"),
        ([("GET /", 900, 0)], "the baseline has too few"),
        ([("GET /", 4, 5)], "both have too few"),
        ([("GET /", 900, 4), ("POST /login", 4, 900)], "no operation has both"),
    ],
)
def test_too_few_calls_are_told_for_window_and_baseline(
    operations: list[tuple[str, int, int]], which: str
) -> None:
    """Who reads it knows which of the two to make longer."""
    made = findings([], verdict="insufficient_data")
    rows = [waited(name, requests, before, 1, 1) for name, requests, before in operations]
    made.tables["user_operations"] = table(USER_OPERATIONS, rows)

    assert which in build(made).headline
    assert "Name another baseline with --baseline-from and --baseline-to" in build(made).markdown()


def test_no_spans_at_all() -> None:
    """The shortest report."""
    assert build(believable.nothing()).headline == (
        "Too little data to judge: the input holds no spans."
    )


def test_a_quiet_window_says_what_moved_below_the_limits() -> None:
    """Below the limits is not the same as not at all."""
    assert build(findings([leaf(1, "self", 220, half_ms=18)], verdict="quiet")).headline == (
        "No latency rose by more than the limits (25 % and 5 ms) in 400 calls over 1 edge of 2 "
        "services, 2026-03-02 12:00 to 12:20 UTC. web GET / changed by +220 ms [202, 238] per "
        "request."
    )


def test_a_change_within_its_interval_is_nothing_to_report() -> None:
    """Chance could have done it."""
    headline = build(findings([leaf(3, "self", 0.9)], verdict="quiet")).headline

    assert headline.endswith("no latency left its baseline.")


def test_a_quiet_time_in_which_requests_fail_is_not_green() -> None:
    """Its sentence is marked as an incident's is."""
    made = believable.quiet()
    made.failed_requests = FailedRequests(100, 100)

    assert 'class="headline" data-verdict="incident"' in build(made).html()
    assert 'class="headline" data-verdict="quiet"' in build(believable.quiet()).html()
