"""Files that others wrote, where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.ingest.writers import wide
from tracemap.ingest import Source, open_source, open_sources
from tracemap.model import Batch

DATA = Path(os.environ.get("TRACEMAP_REAL_DATA", "../shared/data"))
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real traces is not there"),
]
TRACE = ("trace_high", "trace_low")


def read(name: str) -> list[Batch]:
    with open_source(Source(str(DATA / name), named=False)) as reading:
        return list(reading.batches())


def counts(found: list[Batch]) -> tuple[int, int, int]:
    """Return spans, traces and rejected records."""
    ids = pl.concat(batch.spans.select(TRACE) for batch in found)
    rejected = sum(int(batch.rejects["records"].sum()) for batch in found)
    return ids.height, ids.n_unique(), rejected


def test_the_demo_mixes_three_signals_in_one_file() -> None:
    """Written by a Collector with one file exporter for everything."""
    found = read("fixtures/otel-demo/collector-file-exporter.jsonl.gz")

    assert counts(found) == (547, 141, 0)
    assert found[0].skipped == {"logs": 23, "metrics": 2650}


def test_the_same_spans_in_two_encodings_by_another_writer() -> None:
    """One with base64 ids and names for numbers, one in protobuf."""
    folder = "fixtures/otlp2parquet/testdata"
    text, binary = read(f"{folder}/traces.jsonl"), read(f"{folder}/traces.pb")

    assert counts(text) == counts(binary) == (19, 19, 0)
    one, other = wide(text), wide(binary)
    assert one["service_name"].n_unique() == 8
    columns = [*TRACE, "span_id", "parent_id", "start_ns", "duration_ns", "operation", "kind"]
    assert_frame_equal(one.select(columns), other.select(columns), check_row_order=False)


def test_the_same_spans_in_a_table_by_another_writer() -> None:
    """Its Parquet leaves out resource attributes; all that spans say is there."""
    folder = "fixtures/otlp2parquet/testdata"
    text, table = read(f"{folder}/traces.jsonl"), read(f"{folder}/parquet/traces.parquet")

    assert counts(table) == (19, 19, 0)
    one, other = wide(text), wide(table)
    columns = [*TRACE, "span_id", "parent_id", "start_ns", "duration_ns", "operation", "kind"]
    columns += ["name", "status_code", "error_type", "peer_name", "service_name", "scope"]
    assert_frame_equal(one.select(columns), other.select(columns), check_row_order=False)


def test_an_archive_of_research_traces_is_read_member_by_member() -> None:
    """Every member is a trace file or noted as none; the archive as a whole is never refused."""
    for path in sorted((DATA / "fixtures/traceweaver").glob("*.tar.gz")):
        with open_sources(Source(str(path), named=False)) as readings:
            found = [(each.path, list(each.batches())) for each in readings]
        assert found
        assert all(name.startswith(f"{path}!") for name, _ in found)


@pytest.mark.parametrize(
    ("name", "spans", "reasons"),
    [
        ("duckdb-otlp/malformed.jsonl", 1, ["not_otlp", "bad_json", "bad_json"]),
        ("duckdb-otlp/multifile_malformed_traces.jsonl", 0, ["bad_json"]),
        ("duckdb-otlp/empty.jsonl", 0, ["empty_file"]),
        ("duckdb-otlp/whitespace.jsonl", 0, ["empty_file"]),
        ("duckdb-otlp/traces_nulls.jsonl", 3, []),
        ("duckdb-otlp/traces_deep_nesting.jsonl", 1, []),
        ("duckdb-otlp/traces_large_attrs.jsonl", 1, []),
        ("duckdb-otlp/traces_simple.jsonl", 3, []),
        ("duckdb-otlp/otlp_traces.pb", 1, []),
        ("otel-proto/trace.json", 1, []),
        ("otlp2parquet/testdata/logs.pb", 0, []),
        ("otlp2parquet/testdata/metrics_mixed.pb", 0, []),
        ("otlp2parquet/testdata/invalid/malformed.json", 0, ["truncated_tail"]),
        ("otlp2parquet/testdata/invalid/trace_invalid_base64.json", 0, ["trace_id_invalid"]),
        ("otlp2parquet/testdata/invalid/trace_mixed_encoding.json", 0, ["trace_id_invalid"]),
        ("otlp2parquet/testdata/invalid/trace_invalid_kind.json", 1, []),
        ("otlp2parquet/testdata/parquet/logs.parquet", 0, ["not_a_trace_file"]),
        ("otlp2parquet/testdata/README.md", 0, ["not_a_trace_file"]),
    ],
)
def test_the_fixtures_of_other_readers(name: str, spans: int, reasons: list[str]) -> None:
    """What they call invalid is rejected with a reason; what they read, we read."""
    found = read(f"fixtures/{name}")

    assert sum(batch.spans.height for batch in found) == spans
    assert pl.concat(batch.rejects for batch in found)["reason"].to_list() == reasons


def test_a_day_of_a_shop_is_read_without_a_single_reject() -> None:
    """Five files, twenty thousand traces."""
    total, traces = 0, []
    for path in sorted((DATA / "online-boutique-2022-08-22").glob("*.gz")):
        found = read(f"online-boutique-2022-08-22/{path.name}")
        spans, _, rejected = counts(found)
        total += spans
        traces += [batch.spans.select(TRACE).unique() for batch in found]
        assert rejected == 0

    assert total == 846_632
    assert pl.concat(traces).n_unique() == 19_107
