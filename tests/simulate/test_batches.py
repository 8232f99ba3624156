from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from tracemap.ingest import find_inputs, open_source
from tracemap.model import LINKS, OPERATIONS, RESOURCES, SPANS, Batch, Kind
from tracemap.simulate import Failing, run, shop

FAULTS = [Failing(service="catalog", ratio=0.2, start_minute=0, end_minute=1)]


def test_batches_have_the_tables_a_reader_gives() -> None:
    """Columns and types as the contract says."""
    batch = next(run(shop(), minutes=1).batches())

    assert batch.spans.schema == SPANS.schema
    assert batch.operations.schema == OPERATIONS.schema
    assert batch.resources.schema == RESOURCES.schema
    assert batch.links.schema == LINKS.schema
    assert batch.spans["attributes"].null_count() == batch.spans.height


def test_batches_are_what_a_reader_makes_of_the_file(tmp_path: Path) -> None:
    """The short cut past the file changes nothing, so what holds for one holds for the other."""
    simulated = run(shop(), minutes=1, seed=3, faults=FAULTS)
    path = tmp_path / "traces.jsonl"
    simulated.write_otlp_json(path)
    (source,) = find_inputs([str(path)])
    with open_source(source) as reading:
        read = _denormalised(list(reading.batches()))

    assert_frame_equal(read, _denormalised(list(simulated.batches(attributes=True))))


def test_batches_hold_every_span_once() -> None:
    """A run of several parts gives several batches, together all spans."""
    simulated = run(shop(), minutes=2, load=20)
    batches = list(simulated.batches())

    assert len(batches) > 1
    assert sum(batch.spans.height for batch in batches) == simulated.truth["spans"]


def test_failed_spans_say_so_in_every_column() -> None:
    """Status, error type and HTTP status agree."""
    batch = next(run(shop(), minutes=1, faults=FAULTS).batches())
    failed = batch.spans.filter(pl.col("status_code") == 2)

    assert failed.height > 10
    assert set(failed["http_status"].drop_nulls()) <= {500, 503}
    assert failed["error_type"].null_count() == 0
    assert batch.spans.filter(pl.col("status_code") == 0)["error_type"].null_count() > 0


def test_attributes_are_json_with_the_number_filled_in() -> None:
    """The number is an integer where it stands alone, and text within other text."""
    batch = next(run(shop(), minutes=1).batches(attributes=True))
    parsed = [json.loads(text) for text in batch.spans["attributes"]]
    paths = {one["url.path"] for one in parsed if one.get("http.route") == "/products/{id}"}
    offsets = {one["messaging.kafka.offset"] for one in parsed if "messaging.kafka.offset" in one}

    assert all(path.removeprefix("/products/").isdigit() for path in paths)
    assert all(isinstance(offset, int) and 20_000 <= offset < 100_000 for offset in offsets)


def test_only_server_spans_with_a_parent_have_a_remote_one() -> None:
    """As the SDKs flag it: bit 8 known, bit 9 remote."""
    batch = next(run(shop(), minutes=1).batches())
    kinds = batch.operations["kind"].gather(batch.spans["operation_id"])
    remote = batch.spans.with_columns(kind=kinds).filter(pl.col("flags") == 0x300)

    assert set(remote["kind"]) == {Kind.SERVER.value}
    assert set(batch.spans["flags"]) == {0x100, 0x300}


def test_links_lead_to_spans_of_other_traces() -> None:
    """From a consumer to the span that sent its message."""
    batch = next(run(shop(), minutes=1).batches())
    senders = batch.spans.select(
        linked_span_id="span_id", linked_trace_low="trace_low", sender_operation="operation_id"
    )
    found = batch.links.join(senders, on=["linked_span_id", "linked_trace_low"])
    kinds = set(batch.operations["kind"].gather(found["sender_operation"]))

    assert found.height == batch.links.height > 0
    assert kinds == {Kind.PRODUCER.value}


def _denormalised(batches: Sequence[Batch]) -> pl.DataFrame:
    """Return spans with what their ids stand for, in an order that does not depend on the ids."""
    return (
        pl.concat(
            batch.spans.join(batch.operations, on="operation_id").join(
                batch.resources, on="resource_id", suffix="_of_resource"
            )
            for batch in batches
        )
        .drop("operation_id", "resource_id")
        .sort("trace_low", "span_id")
    )
