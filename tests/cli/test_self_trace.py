"""tracemap's own runs as traces, read by tracemap."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import SAMPLES, Tracemap

SITUATION = SAMPLES / "situations" / "messaging-links.jsonl.gz"


def query(tracemap: Tracemap, sql: str) -> list[dict[str, object]]:
    done = tracemap("query", sql, "--db", "own.duckdb", "--format", "json")
    assert done.code == 0
    rows: list[dict[str, object]] = json.loads(done.out)
    return rows


def test_stages_of_a_run_are_operations_with_durations(tracemap: Tracemap) -> None:
    """Files, buckets, findings and sections: one trace below one root."""
    assert tracemap("run", "batch", SITUATION, "--self-trace", "own.jsonl").code == 0
    assert tracemap("ingest", "own.jsonl", "--db", "own.duckdb").code == 0

    rows = query(
        tracemap,
        "SELECT operation, count(*) AS spans, min(duration_ns) AS least_ns FROM spans"
        " WHERE service = 'tracemap' GROUP BY ALL",
    )
    found = {str(row["operation"]): row for row in rows}
    assert {
        "tracemap run", "ingest parcel", "derive bucket", "store facts", "analyze spikes",
        "analyze edges", "analyze cautions", "report section", "write report",
    } <= set(found)  # fmt: skip
    assert found["tracemap run"]["spans"] == 1
    assert min(int(str(row["least_ns"])) for row in rows) > 0
    assert query(tracemap, "SELECT count(*) AS n FROM traces") == [{"n": 1}]
    orphans = query(tracemap, "SELECT count(*) AS n FROM spans WHERE parent_span_id IS NULL")
    assert orphans == [{"n": 1}]


def test_what_a_stage_worked_on_is_recorded(tracemap: Tracemap) -> None:
    """The file, its format and its spans; the bucket's size, on another thread."""
    assert tracemap("ingest", SITUATION, "--self-trace", "own.jsonl").code == 0
    assert tracemap("ingest", "own.jsonl", "--db", "own.duckdb").code == 0

    (row,) = query(
        tracemap,
        "SELECT CAST(attributes ->> 'tracemap.spans' AS INTEGER) AS spans FROM spans"
        " WHERE operation LIKE 'ingest %'",
    )
    assert int(str(row["spans"])) > 0


def test_reading_decoding_and_storing_a_file_are_told_apart(
    tracemap: Tracemap, tmp_path: Path
) -> None:
    """Threads work on one file at the same time; each stage lies below the file, and takes time."""
    large = tmp_path / "large.jsonl"
    line = b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}\n'
    start = b'"startTimeUnixNano":"1700000000000000000"'
    span = b'{"traceId":"%032x","spanId":"%016x","name":"%s",' + start + b"}"
    with large.open("wb") as file:
        for number in range(1, 400):
            file.write(line % b",".join(span % (number, at, b"x" * 999) for at in range(1, 14)))
    assert tracemap("ingest", str(large), "--self-trace", "own.jsonl").code == 0
    assert tracemap("ingest", "own.jsonl", "--db", "own.duckdb").code == 0

    rows = query(
        tracemap,
        "SELECT spans.operation, min(spans.duration_ns) AS least_ns,"
        " any_value(parents.operation) AS parent,"
        " sum(CAST(spans.attributes ->> 'tracemap.spans' AS INTEGER)) AS spans"
        " FROM spans LEFT JOIN spans AS parents ON parents.span_id = spans.parent_span_id"
        " GROUP BY ALL",
    )
    found = {str(row["operation"]): row for row in rows}
    assert {name: row["parent"] for name, row in found.items()} == {
        "tracemap ingest": None,
        "read parcel": "tracemap ingest",
        "ingest file": "tracemap ingest",
        "read block": "ingest file",
        "decode block": "ingest file",
        "store batch": "ingest file",
        "mark hours": "ingest file",
        "commit": "ingest file",
        "close database": "tracemap ingest",
    }
    for name in ("ingest file", "decode block", "store batch"):
        assert int(str(found[name]["spans"])) == 399 * 13
    assert min(int(str(row["least_ns"])) for row in rows) > 0


def test_a_second_run_replaces_the_file(tracemap: Tracemap) -> None:
    """One file, one run."""
    for _ in range(2):
        tracemap("ingest", SITUATION, "--self-trace", "own.jsonl")

    written = Path("own.jsonl").read_text(encoding="utf-8")
    assert written.count('"tracemap ingest"') == 1


def test_file_that_cannot_be_written(tracemap: Tracemap) -> None:
    """Said before anything is read."""
    done = tracemap("ingest", SITUATION, "--self-trace", "no/such/folder.jsonl")

    assert done.code == 2
    assert "--self-trace" in done.err
    assert not Path("tracemap.duckdb").exists()


def test_nothing_is_imported_where_nothing_is_recorded() -> None:
    """Recording costs nothing when it is off."""
    code = (
        "import sys; from tracemap.self_trace import stage\n"
        "with stage('x', spans=1) as work: work.note(more=2)\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
