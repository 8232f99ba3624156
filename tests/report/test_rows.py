from __future__ import annotations

import math

import polars as pl
import pytest

from tests.report import believable, week
from tracemap.model import FINDINGS
from tracemap.report import rows

FIXED_KEYS = {
    "origins": "rank service operation cause edge excess_ms share owner",
    "propagation": "downstream downstream_operation upstream upstream_operation offered_ms"
    " arrived_ms ratio verdict mechanism calls",
    "edges": "downstream upstream protocol evidence calls errors_downstream errors_upstream p50_ms"
    " p95_ms p99_ms gap_p50_ms",
    "spikes": "unit service operation edge start end baseline_p95_ms p95_ms ratio z",
}


@pytest.mark.parametrize("name", FIXED_KEYS)
def test_the_keys_that_scripts_rely_on_are_there(name: str) -> None:
    """These keys are a public interface."""
    made = rows(name, believable.incident().tables[name])

    assert set(FIXED_KEYS[name].split()) <= set(made[0])


@pytest.mark.parametrize("name", FINDINGS)
def test_no_row_speaks_of_nanoseconds(name: str) -> None:
    """Milliseconds and ISO-8601 outside, nanoseconds inside."""
    tables = {**week.weekly().tables, **believable.incident().tables}
    made = rows(name, tables[name])

    assert made
    assert not [key for key in made[0] if key.endswith("_ns")]


@pytest.mark.parametrize("name", FINDINGS)
def test_an_empty_finding_has_no_rows(name: str) -> None:
    """Not one row of nulls."""
    assert rows(name, FINDINGS[name].empty()) == []


def test_an_origin_at_a_service_has_no_edge() -> None:
    """The edge is named only where nothing but that edge rose."""
    first, second = rows("origins", believable.incident().tables["origins"])

    assert first["edge"] is None
    assert second["edge"] == {"downstream": "checkout", "upstream": "payment"}
    assert first["excess_ms"] == 203.1


def test_a_spike_of_a_callers_wait_names_its_edge() -> None:
    """A server spike belongs to a service, a client spike to an edge."""
    made = rows("spikes", believable.incident().tables["spikes"])

    assert made[0]["edge"] == {"downstream": "payment", "upstream": "card-db"}
    assert made[1]["edge"] is None
    assert made[0]["start"] == "2026-03-02T12:00:00Z"


def test_what_is_not_a_number_is_unknown() -> None:
    """JSON has neither NaN nor infinity."""
    frame = pl.DataFrame({"ratio": [math.nan, math.inf, 1.5]})

    assert [row["ratio"] for row in rows("anything", frame)] == [None, None, 1.5]


def test_path_ids_survive_a_script_language() -> None:
    """64-bit integers do not fit JavaScript's numbers; hex text does."""
    made = rows("flow", believable.incident().tables["flow"])

    assert made[0]["path_id"] == "0000000000000001"
