from __future__ import annotations

from typing import Any

import pytest

from bench.__main__ import NAMES, main, print_table
from bench.accuracy import tables, thresholds
from bench.accuracy.cases import Culprit, Outcome
from bench.accuracy.grid import fault_case, quiet_case
from bench.accuracy.judging import judged
from bench.accuracy.sorts import FAULTS, QUIET
from tracemap import analyze
from tracemap.model import ORIGINS


def test_a_table_is_aligned_and_numbers_are_readable(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows are dictionaries with the same keys; numbers are grouped."""
    print_table([{"what": "read", "spans": 1234567}, {"what": "all", "spans": 1.5}])

    assert capsys.readouterr().out.splitlines() == [
        "| what | spans     |",
        "| ---- | --------- |",
        "| read | 1,234,567 |",
        "| all  | 1.50      |",
    ]


def test_an_unknown_benchmark_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m bench nope` runs nothing."""
    assert main(["nope"]) == 2
    assert ", ".join(NAMES) in capsys.readouterr().err


def _origin(service: str, edge: tuple[str | None, str | None] = (None, None)) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(ORIGINS.schema)
    return row | {"service": service, "edge_downstream": edge[0], "edge_upstream": edge[1]}


def test_naming_the_edge_or_the_service_is_right() -> None:
    """A slow link has two ends; the benchmark asks for the link or the end it was put at."""
    link = Culprit("stock", edge=("shop", "stock"))

    assert link.is_named_by(_origin("stock"))
    assert link.is_named_by(_origin("shop", ("shop", "stock")))
    assert not link.is_named_by(_origin("shop"))


def test_a_simulated_fault_is_judged_by_rank_and_milliseconds() -> None:
    """The plainest one is named first and its milliseconds are right."""
    case = fault_case("plain", 4)
    assert case is not None
    outcome = judged(case)

    assert outcome.ranks == [1]
    assert abs(outcome.off[0]) < tables.WITHIN
    (row,) = tables.named([outcome])
    assert (row["culprits"], row["first"], row["Avg@5"]) == (1, 1, "1.000")
    assert tables.misses([outcome]) == []


def test_a_quiet_run_is_a_control() -> None:
    """Nobody is to be named, and no spike to be reported."""
    outcome = judged(quiet_case("quiet thin", 4))

    assert (outcome.ranks, outcome.latency_named, outcome.spikes) == ([], 0, 0)
    (row,) = tables.alarms([outcome])
    assert (row["latency origin named"], row["spike reported"]) == (0, "0/1")


def test_a_miss_and_a_false_alarm_are_listed() -> None:
    """Whoever is not named first is told, and so is who was named in a control."""
    missed = Outcome("faults", "late", ranks=[2], named=["other", "culprit"], latency_named=2)
    alarm = Outcome("controls", "wrong", named=["nobody did it"], latency_named=1)

    assert [row["case"] for row in tables.misses([missed, alarm])] == ["late", "wrong"]
    assert tables.first([missed]) == 0


def test_only_thresholds_that_were_read_are_varied() -> None:
    """What a case never looks at cannot change how it goes."""
    case = quiet_case("quiet thin", 4)
    watched = thresholds.Watched()
    analyze.origins(case.facts, case.incident, case.baseline, thresholds=watched)

    assert "component_ratio" in watched.read
    assert "drift_ratio" not in watched.read
    assert {name for (name, _), _ in thresholds.variants(watched.read)} == watched.read


def test_the_sensitivity_table_shows_thresholds_that_change_something() -> None:
    """A threshold that one case does not read counts there as it is."""
    hit, missed = Outcome("one", "one", ranks=[1]), Outcome("one", "one", ranks=[0])
    first = [(thresholds.AS_IS, hit), (("origin_z", "half"), hit), (("origin_z", "double"), missed)]
    second = [(thresholds.AS_IS, hit)]

    as_is, row, same, unread = thresholds.table([first, second])

    assert as_is["halved"] == "2/2 first, 0+0 alarms"
    assert (row["threshold"], row["doubled"]) == ("origin_z", "1/2 first, 0+0 alarms")
    assert same["threshold"] == "0 others"
    assert unread["doubled"] == "not looked at: they judge other findings"


@pytest.mark.parametrize("name", [*FAULTS, *QUIET])
def test_every_situation_can_be_drawn_again(name: str) -> None:
    """Equal seeds give equal situations."""
    make = {**FAULTS, **QUIET}[name]

    assert make(3) == make(3)
    assert bool(make(3).faults) == (name in FAULTS)
