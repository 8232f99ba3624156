from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.builders import reading
from tests.cli.conftest import Tracemap
from tests.derive.traces import at
from tracemap.store import Store


@pytest.fixture
def trace_id(tracemap: Tracemap, sample_database: Path) -> str:
    sql = "SELECT trace_id FROM spans GROUP BY ALL ORDER BY count(*) DESC, trace_id LIMIT 1"
    rows = json.loads(tracemap("query", sql, "--db", sample_database, "--format", "json").out)
    return str(rows[0]["trace_id"])


def test_critical_times_add_up_to_the_trace(
    tracemap: Tracemap, sample_database: Path, trace_id: str
) -> None:
    """Exclusive times on the critical path are the root's duration, to the nanosecond."""
    spans = json.loads(tracemap("trace", trace_id, "--db", sample_database, "--format=json").out)
    roots = [span for span in spans if span["parent"] is None]

    assert {"span_id", "duration_ns", "self_ns", "critical_ns", "flags"} <= set(spans[0])
    assert len(roots) == 1
    assert sum(span["critical_ns"] for span in spans) == roots[0]["duration_ns"]


def test_a_waterfall_has_a_line_a_span(
    tracemap: Tracemap, sample_database: Path, trace_id: str
) -> None:
    """Bars of the critical path are marked."""
    spans = json.loads(tracemap("trace", trace_id, "--db", sample_database, "--format=json").out)
    lines = tracemap("trace", trace_id, "--db", sample_database).out.splitlines()

    assert lines[0].startswith(f"trace {trace_id}: {len(spans)} spans")
    assert len(lines) == len(spans) + 2
    assert any("###" in line for line in lines[2:])


@pytest.mark.parametrize(("trace_id", "code"), [("f" * 32, 5), ("not-hex", 2)])
def test_a_trace_that_is_not_there(
    tracemap: Tracemap, sample_database: Path, trace_id: str, code: int
) -> None:
    """A wrong id is a message, not an empty answer."""
    answer = tracemap("trace", trace_id, "--db", sample_database)

    assert answer.code == code
    assert trace_id in answer.err


def test_query_formats(tracemap: Tracemap, sample_database: Path) -> None:
    """The same rows in each format."""
    sql = "SELECT DISTINCT service FROM services ORDER BY service"
    rows = json.loads(tracemap("query", sql, "--db", sample_database, "--format", "json").out)
    text = tracemap("query", sql, "--db", sample_database, "--format", "csv").out

    assert [row["service"] for row in csv.DictReader(io.StringIO(text))] == [
        row["service"] for row in rows
    ]
    assert (
        "postgresql catalog"
        in tracemap("query", "SELECT * FROM edge_facts", "--db", sample_database).out
    )


def test_formulas_in_csv_are_disarmed(tracemap: Tracemap, sample_database: Path) -> None:
    """A spreadsheet that opens the file runs nothing; numbers stay numbers."""
    sql = "SELECT '=1+1' AS text, -1 AS number"
    answer = tracemap("query", sql, "--db", sample_database, "--format", "csv")

    assert answer.out == "text,number\n'=1+1,-1\n"


def test_query_of_what_is_not_a_number(tracemap: Tracemap, sample_database: Path) -> None:
    """JSON has null for it."""
    sql = "SELECT 'nan'::double AS a, ['inf'::double] AS b"
    answer = tracemap("query", sql, "--db", sample_database, "--format", "json")

    assert json.loads(answer.out) == [{"a": None, "b": [None]}]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM files",
        "DROP TABLE files",
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY spans TO 'stolen.csv'",
        "ATTACH 'other.duckdb'",
        "SELECT 1; SELECT 2",
        "SELEC 1",
        "",
    ],
)
def test_a_query_can_only_read_the_database(
    tracemap: Tracemap, sample_database: Path, sql: str
) -> None:
    """Everything else is refused with exit code 2."""
    answer = tracemap("query", sql, "--db", sample_database)

    assert answer.code == 2
    assert answer.err.startswith("tracemap: ")
    assert list(Path().iterdir()) == []


def test_info_accounts_for_every_record(tracemap: Tracemap, sample_database: Path) -> None:
    """Records read = spans stored + duplicates + rejected, also in words."""
    content = json.loads(tracemap("info", "--db", sample_database, "--format", "json").out)
    text = tracemap("info", "--db", sample_database).out

    assert content["records"] == content["spans"] + content["duplicates"] + content["rejected"]
    assert content["covered"]["start"].startswith("2026-03-03T09:00:0")
    assert "catalog" in content["services"]
    assert f"stored   {content['spans']:,} spans" in text
    assert "covered    2026-03-03T09:00:0" in text


@pytest.mark.parametrize("moved_ms", [0, 1])
def test_bounds_of_clocks_that_contradict_each_other_are_explained(
    tracemap: Tracemap, tmp_path: Path, moved_ms: int
) -> None:
    """A clock that moved by 1 ms: least above most reads as a mistake unless it is said why."""
    rows = []
    for trace in range(1, 101):
        off = trace % 2 * moved_ms
        rows.append(at("A.C", 1, trace=trace))
        rows.append(at("B.S", 2, 1, (0.2 + off, 99.8 + off), trace=trace))
    with Store.open(tmp_path / "clocks.duckdb", create=True) as store:
        store.append(reading(*rows))
    out = tracemap("info", "--db", tmp_path / "clocks.duckdb").out

    assert "in step" in out
    assert ("(least above most: " in out) == bool(moved_ms)


def test_reading_needs_no_writing(tracemap: Tracemap, sample_database: Path) -> None:
    """Once facts are derived, commands leave the file as it is."""
    before = sample_database.read_bytes()
    for verb in ("edges", "spikes", "origins", "graph", "info"):
        assert tracemap(verb, "--db", sample_database).code == 0

    assert sample_database.read_bytes() == before
