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
