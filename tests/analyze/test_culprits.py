"""Who is named where it is hard to tell: hangs, caches, retries, mixes. Nobody else may be."""

from __future__ import annotations

import pytest

from bench.accuracy.cases import Case
from bench.accuracy.grid import fault_case, quiet_case
from tracemap import analyze


def _named(case: Case | None) -> list[tuple[str, str]]:
    assert case is not None
    rows = analyze.origins(case.facts, case.incident, case.baseline)
    return list(rows.select("service", "cause").iter_rows())


@pytest.mark.parametrize("seed", [0, 6])
def test_a_service_that_hangs_and_records_nothing_is_named(seed: int) -> None:
    """Its callers left at their deadline: calls without an answer are evidence."""
    case = fault_case("hanging", seed)
    named = _named(case)
    assert case is not None
    (culprit,) = case.culprits

    assert named[0] == (culprit.service, "self")
    assert {service for service, _ in named} == {culprit.service}


def test_a_cold_cache_has_a_cause() -> None:
    """A larger share of requests makes the call; each is as fast as before."""
    case = fault_case("cold cache", 0)
    assert case is not None

    assert _named(case) == [(case.culprits[0].service, "calls")]


@pytest.mark.parametrize("seed", [1, 3])
def test_retries_within_one_client_span_are_blamed_on_who_failed(seed: int) -> None:
    """The pauses of a client library lie in the gap: that is no slow network."""
    case = fault_case("failing retried", seed)
    assert case is not None

    assert _named(case) == [(case.culprits[0].service, "error")]


@pytest.mark.parametrize("seed", [0, 6])
def test_another_mix_of_requests_accuses_nobody(seed: int) -> None:
    """One kind of request triples under the one name of all: slower on average, by nobody."""
    assert {cause for _, cause in _named(quiet_case("quiet mix", seed))} <= {"mix"}


def test_a_fault_is_found_in_another_mix_with_its_milliseconds() -> None:
    """The mean moves by both; the service is named for its part alone."""
    case = fault_case("one root", 4)
    assert case is not None
    rows = analyze.origins(case.facts, case.incident, case.baseline)
    (culprit,) = case.culprits

    assert rows["service"][0] == culprit.service
    assert rows["excess_ns"][0] / 1e6 == pytest.approx(culprit.excess_ms, rel=0.1)
