from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tracemap
from tracemap.cli.no_rows import accuses_nobody

KEYS = {
    "edges": (
        *("downstream", "upstream", "protocol", "evidence", "calls", "errors_downstream"),
        *("errors_upstream", "p50_ms", "p95_ms", "p99_ms", "gap_p50_ms"),
    ),
    "spikes": (
        *("unit", "service", "operation", "edge", "start", "end", "baseline_p95_ms", "p95_ms"),
        *("ratio", "z"),
    ),
    "propagation": (
        *("downstream", "downstream_operation", "upstream", "upstream_operation", "offered_ms"),
        *("arrived_ms", "ratio", "verdict", "mechanism", "calls"),
    ),
    "flow": (
        *(
            "root_service",
            "root_operation",
            "requests",
            "path_id",
            "parent_path_id",
            "hops",
            "leaf",
        ),
        *("service", "operation", "upstream", "share_ms", "low_ms", "high_ms", "origin"),
    ),
    "flow-bands": (
        *("band", "root_service", "root_operation", "requests", "baseline_requests", "leaf"),
        *("share_ms", "band_change_ms", "quantile_change_ms", "smoothing_ms"),
    ),
    "insulation": (
        *("downstream", "downstream_operation", "upstream", "upstream_operation", "pattern"),
        *("role", "shows", "absorbed_ms", "confidence", "exemplars", "spans"),
    ),
    "origins": (*("rank", "service", "operation", "cause", "edge", "excess_ms", "share", "owner"),),
}


@pytest.mark.parametrize("verb", sorted(KEYS))
def test_json_has_the_fixed_keys(tracemap: Tracemap, sample_database: Path, verb: str) -> None:
    """Scripts rely on these keys."""
    answer = tracemap(verb, "--db", sample_database, "--format", "json")
    rows = json.loads(answer.out)

    assert answer.code == 0
    assert rows
    assert set(KEYS[verb]) <= set(rows[0])


@pytest.mark.parametrize("verb", sorted(KEYS))
def test_csv_has_the_same_rows(tracemap: Tracemap, sample_database: Path, verb: str) -> None:
    """The same keys as columns, also where there is no row."""
    rows = json.loads(tracemap(verb, "--db", sample_database, "--format", "json").out)
    written = list(
        csv.DictReader(io.StringIO(tracemap(verb, "--db", sample_database, "--format", "csv").out))
    )

    assert len(written) == len(rows)
    assert list(written[0]) == list(rows[0])


@pytest.mark.parametrize("verb", sorted(KEYS))
def test_a_table_is_never_cut(tracemap: Tracemap, sample_database: Path, verb: str) -> None:
    """Away from a terminal a table is as wide as it needs to be; the window is said on stderr."""
    answer = tracemap(verb, "--db", sample_database)

    assert answer.code == 0
    assert "…" not in answer.out
    assert answer.err.startswith("window 2026-03-03T09:")


def test_the_fault_of_the_sample_hour_is_found(tracemap: Tracemap, sample_database: Path) -> None:
    """The database was slow in minutes 20 to 28; the simulator made it so."""
    rows = json.loads(tracemap("origins", "--db", sample_database, "--format", "json").out)

    assert rows[0]["service"] == "postgresql catalog"
    assert rows[0]["cause"] == "self"


def test_the_second_spike_is_another_window(tracemap: Tracemap, sample_database: Path) -> None:
    """`--spike` counts the rows that `tracemap spikes` prints."""
    spikes = json.loads(tracemap("spikes", "--db", sample_database, "--format", "json").out)
    answer = tracemap("propagation", "--db", sample_database, "--spike", 2)

    assert f"window {spikes[1]['start']} .. {spikes[1]['end']}\n" in answer.err
    assert "; the window is that of spike 2)" in answer.err


def test_a_window_narrows_every_finding(tracemap: Tracemap, sample_database: Path) -> None:
    """Ten minutes hold fewer calls than the hour."""

    def calls(*window: str) -> int:
        rows = json.loads(tracemap("edges", "--db", sample_database, *window, "--format=json").out)
        return sum(row["calls"] for row in rows)

    assert 0 < calls("--from", "2026-03-03T09:10", "--to", "2026-03-03T09:20") < calls() / 4


def test_a_quiet_window_has_no_origin(tracemap: Tracemap, sample_database: Path) -> None:
    """An empty answer is an answer, in each format."""
    quiet = [
        *("--from", "2026-03-03T09:12", "--to", "2026-03-03T09:16"),
        *("--baseline-from", "2026-03-03T09:02", "--baseline-to", "2026-03-03T09:10"),
    ]
    arguments = ["origins", "--db", sample_database, *quiet]

    assert json.loads(tracemap(*arguments, "--format", "json").out) == []
    assert tracemap(*arguments, "--format", "csv").out.startswith("rank,service,")
    assert tracemap(*arguments).code == 0


def test_a_table_of_origins_says_what_the_headline_charges_and_of_what_a_share_is(
    tracemap: Tracemap, sample_database: Path
) -> None:
    """Two times stand side by side: each column says which it is; programs keep their key."""
    head, _, first, *_ = tracemap("origins", "--db", sample_database).out.splitlines()
    (row, *_) = json.loads(tracemap("origins", "--db", sample_database, "--format=json").out)

    assert head.split()[5:8] == ["flow_ms", "excess_ms", "excess_share"]
    assert f"{row['flow_ms']:,.2f}" in first.split()
    assert "share" in row
    assert "excess_share" not in row


@pytest.mark.parametrize("verb", ["edges", "spikes", "propagation", "origins", "graph"])
def test_a_window_without_data_is_exit_5(
    tracemap: Tracemap, sample_database: Path, verb: str
) -> None:
    """The message says what the database covers."""
    answer = tracemap(verb, "--db", sample_database, "--from", "2026-04-01", "--to", "2026-04-02")

    assert answer.code == 5
    assert "the database covers 2026-03-03T09:00:0" in answer.err


def test_a_baseline_without_data_is_exit_5(tracemap: Tracemap, sample_database: Path) -> None:
    """The option that is to blame is named."""
    answer = tracemap("origins", "--db", sample_database, "--baseline-to", "2026-03-02")

    assert answer.code == 5
    assert "--baseline-from, --baseline-to" in answer.err


def test_a_spike_that_is_not_there_is_exit_2(tracemap: Tracemap, sample_database: Path) -> None:
    """The message says how many there are."""
    answer = tracemap("origins", "--db", sample_database, "--spike", 999)

    assert answer.code == 2
    assert "there is no spike 999, only " in answer.err


def test_thresholds_can_be_set(tracemap: Tracemap, sample_database: Path) -> None:
    """A ratio that nothing reaches leaves no spike."""
    arguments = ["spikes", "--db", sample_database, "--set", "spike_ratio=1000"]

    assert json.loads(tracemap(*arguments, "--format", "json").out) == []


def test_asking_twice_gives_the_same_bytes(tracemap: Tracemap, sample_database: Path) -> None:
    """Same database, same answer."""
    arguments = ["origins", "--db", sample_database, "--format", "json"]

    assert tracemap(*arguments) == tracemap(*arguments)


@pytest.mark.parametrize(
    ("shape", "start"),
    [
        ("mermaid", "flowchart"),
        ("dot", "digraph"),
        ("graphml", "<?xml"),
        ("json", "{"),
        ("csv", "downstream,"),
    ],
)
def test_the_graph_in_every_language(
    tracemap: Tracemap, sample_database: Path, shape: str, start: str
) -> None:
    """Other tools draw it; arrows go from downstream to upstream."""
    answer = tracemap("graph", "--db", sample_database, "--format", shape)

    assert answer.code == 0
    assert start in answer.out[:200]
    assert "postgresql catalog" in answer.out
    assert answer.out.endswith("\n")


def test_another_mix_of_requests_accuses_nobody_though_it_has_rank_1() -> None:
    """The table says so where nothing else is in it."""
    assert accuses_nobody([{"cause": "mix"}, {"cause": "mix"}])
    assert not accuses_nobody([{"cause": "mix"}, {"cause": "self"}])
    assert not accuses_nobody([])
