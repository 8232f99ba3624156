from __future__ import annotations

import polars as pl

from tests.report import believable
from tracemap.model import Findings
from tracemap.report import build


def changed(**columns: object) -> Findings:
    """The incident with columns of its origins replaced."""
    findings = believable.incident()
    literals = {name: pl.lit(value) for name, value in columns.items()}
    findings.tables["origins"] = findings.tables["origins"].head(1).with_columns(**literals)
    return findings


def test_an_incident_says_who_whom_how_much_and_what_stopped_it() -> None:
    """One sentence that can be read out on a call."""
    assert build(believable.incident()).headline == (
        "storefront POST /buy slowed down by 276 ms per request on average (p95 320 → 820 ms): "
        "252 ms (91 %) is card-db's own time, which reached it over 3 hops "
        "(card-db → payment → checkout → storefront); 179 ms more was offered by recommendations "
        "to checkout but absorbed by parallel slack."
    )


def test_an_edge_is_blamed_as_an_edge() -> None:
    """Neither end is charged with the wire between them."""
    headline = build(
        changed(
            service="payment", cause="wire", edge_downstream="checkout", edge_upstream="payment"
        )
    ).headline

    assert "the way between checkout and payment (network, pool or queue)" in headline


def test_a_weak_origin_is_called_a_lead() -> None:
    """Nobody is blamed on thin evidence."""
    assert (
        "a lead, not a finding, is card-db's own time" in build(changed(confidence="weak")).headline
    )


def test_more_calls_are_not_called_slowness() -> None:
    """N+1 is a change of the caller."""
    headline = build(
        changed(
            service="checkout", cause="calls", edge_downstream="checkout", edge_upstream="inventory"
        )
    ).headline

    assert "more calls from checkout to inventory" in headline


def test_without_a_flow_the_origin_is_still_named() -> None:
    """The recipe may not ask for it."""
    findings = believable.incident()
    findings.tables["flow"] = findings.tables["flow"].clear()

    assert build(findings).headline == (
        "The likeliest origin is card-db's own time: 203 ms added to each user request on average, "
        "93 % of what is explained."
    )


def test_spikes_alone_are_reported_as_spikes() -> None:
    """Nothing was compared, so nothing is blamed."""
    findings = believable.incident("batch")
    for name in ("flow", "origins", "propagation"):
        findings.tables[name] = findings.tables[name].clear()

    assert build(findings).headline == (
        "4 latency spikes in 4 operations: the worst is card-db SELECT cards with p95 at 470 ms, "
        "7.58 times its baseline."
    )


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


def test_too_little_data_is_not_called_quiet() -> None:
    """Silence is not a verdict."""
    assert build(believable.insufficient()).headline == (
        "Nothing to report: 4 calls over 1 edge of 2 services, 2026-03-02 12:00 to 12:20 UTC; "
        "there is no baseline to compare it with."
    )


def test_no_spans_at_all() -> None:
    """The shortest report."""
    assert build(believable.nothing()).headline == "Nothing to report: the input holds no spans."
