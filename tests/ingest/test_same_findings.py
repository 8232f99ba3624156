"""The same spans in every format give the same findings, up to what the format loses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.recorded import Recorded, recorded
from tests.ingest.spellings import SPELLINGS, Spelling
from tracemap import ingest, pipeline, recipe
from tracemap.ingest.registry import FORMATS
from tracemap.simulate import run, shop
from tracemap.store import Store

Edge = tuple[str, str]
COUNTS = ("calls", "errors_downstream", "errors_upstream", "evidence")
PERCENTILES = ("p50_ns", "p95_ns", "p99_ns", "gap_p50_ns")
BUCKET = 0.0111
"""Two neighbouring buckets of a histogram are this far apart, as a share."""


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> list[Recorded]:
    path = tmp_path_factory.mktemp("simulated") / "spans.jsonl"
    start = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
    run(shop(), minutes=0.5, load=0.3, seed=5, start=start).write_otlp_json(path)
    return recorded(path.read_bytes())


def edges(folder: Path, raw: bytes, spans: int) -> tuple[str, dict[Edge, dict[str, Any]]]:
    """Return the format that was found and the edges, after all spans were stored."""
    path = folder / "spans"
    path.write_bytes(raw)
    with Store.open(folder / "tracemap.duckdb", create=True) as store:
        with ingest.open_source(ingest.Source(str(path))) as reading:
            appended = store.append(reading)
        assert (appended.spans, appended.duplicates, appended.rejected) == (spans, 0, 0)
        pipeline.bring_up_to_date(store)
        found = pipeline.run(recipe.single("edges"), store).tables["edges"]
    return reading.format, {
        (row["downstream"], row["upstream"]): row for row in found.iter_rows(named=True)
    }


@pytest.fixture(scope="module")
def wanted(
    spans: list[Recorded], tmp_path_factory: pytest.TempPathFactory
) -> dict[Edge, dict[str, Any]]:
    raw = SPELLINGS["otlp-json"].write(spans)
    return edges(tmp_path_factory.mktemp("otlp"), raw, len(spans))[1]


def near(found: float | None, wanted: float | None, spelling: Spelling) -> bool:
    """Return whether two percentiles are the same up to a bucket and what the format rounds."""
    if found is None or wanted is None:
        return found is wanted
    return abs(found - wanted) <= BUCKET * abs(wanted) + 2 * spelling.precision_ns


def test_every_format_has_a_spelling_here() -> None:
    """A format that is added to the registry is added here."""
    assert {each.format for each in SPELLINGS.values()} == {each.name for each in FORMATS}


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_same_spans_give_the_same_edges(
    name: str, spans: list[Recorded], wanted: dict[Edge, dict[str, Any]], tmp_path: Path
) -> None:
    """Who calls whom, how often, how it failed: exactly; how long: up to the format's precision."""
    spelling = SPELLINGS[name]
    format_found, found = edges(tmp_path, spelling.write(spans), len(spans))

    assert format_found == spelling.format
    compared = {
        key for key, row in wanted.items() if spelling.messages or row["protocol"] != "messaging"
    }
    assert len(compared) > 5
    for key in compared:
        assert key in found
        for column in COUNTS:
            assert (column, found[key][column]) == (column, wanted[key][column])
        for column in PERCENTILES:
            assert near(found[key][column], wanted[key][column], spelling), (key, column)
    if spelling.messages:
        assert set(found) == set(wanted)
