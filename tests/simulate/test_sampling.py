from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.simulate.test_batches import _denormalised
from tracemap.ingest import find_inputs, open_source
from tracemap.model import Quality
from tracemap.simulate import (
    Failing,
    HeadSampling,
    Sampling,
    ServiceSampling,
    Simulated,
    Slower,
    TailSampling,
    run,
    shop,
)
from tracemap.simulate.bulk import otlp_json
from tracemap.simulate.observable import orphans
from tracemap.simulate.sdk import sdk_otlp_json

FAULTS = [
    Failing(service="catalog", ratio=0.05, end_minute=1),
    Slower(service="pricing", instance=0, add_ms=500, end_minute=1),
]
TRACE = ["trace_high", "trace_low"]


def _run(sampling: Sampling | None) -> Simulated:
    return run(shop(), minutes=2, seed=4, faults=FAULTS, sampling=sampling)


def _traces(simulated: Simulated) -> int:
    return simulated.spans.select(pl.struct(TRACE).n_unique()).item()  # type: ignore[no-any-return]


def test_head_sampling_keeps_whole_traces_and_about_the_share_asked_for() -> None:
    """A quarter of them; no span lacks its parent."""
    everything, sampled = _run(None), _run(HeadSampling(0.25))

    assert abs(_traces(sampled) / _traces(everything) - 0.25) < 0.05
    assert orphans(sampled.spans).is_empty()
    assert sampled.truth == everything.truth


def test_head_sampling_says_how_many_each_span_stands_for() -> None:
    """So weighted counts are about those of everything."""
    everything, sampled = _run(None), _run(HeadSampling(0.25))
    spans = pl.concat(batch.spans for batch in sampled.batches())

    assert spans["weight"].unique().to_list() == [4.0]
    assert set(spans["quality"]) == {0}
    assert abs(4 * spans.height / everything.spans.height - 1) < 0.2


def test_a_lower_probability_keeps_a_subset() -> None:
    """Consistent: whoever keeps fewer keeps none that others drop."""
    many, few = _run(HeadSampling(0.5)).spans, _run(HeadSampling(0.1)).spans

    assert few.join(many, on=[*TRACE, "span_id"], how="anti").is_empty()


def test_tail_sampling_keeps_what_is_slow_or_failed_and_a_share_of_the_rest() -> None:
    """And says nothing of weights."""
    everything, sampled = _run(None), _run(TailSampling(slow_ms=400, share=0.1))
    kept = sampled.spans.select(TRACE).unique()
    numbers = everything.spans["description_id"]
    failed = pl.Series([one.failed for one in everything.catalogue.descriptions])
    spans = everything.spans.with_columns(failed=failed.gather(numbers))
    root = (pl.col("parent_id") == 0) & (pl.col("duration_ns") >= 400_000_000)
    notable = spans.group_by(TRACE).agg((pl.col("failed") | root).any().alias("notable"))
    missing = notable.filter("notable").join(kept, on=TRACE, how="anti")
    rest = notable.filter(~pl.col("notable"))
    batch = next(sampled.batches())

    assert missing.is_empty()
    assert 20 < notable["notable"].sum() < notable.height / 2
    assert abs(rest.join(kept, on=TRACE, how="semi").height / rest.height - 0.1) < 0.04
    assert set(batch.spans["quality"]) == {int(Quality.NO_SAMPLING_INFORMATION)}


def test_services_that_sample_by_themselves_break_traces() -> None:
    """Half of the traces lack search's spans, and the calls it made lack a parent."""
    everything, sampled = _run(None), _run(ServiceSampling({"search": 0.5}))
    names = pl.Series([dict(one)["service.name"] for one in sampled.catalogue.resources])

    def of_search(spans: pl.DataFrame) -> pl.DataFrame:
        return spans.filter(names.gather(spans["resource_id"]) == "search")

    share = of_search(sampled.spans).height / of_search(everything.spans).height
    others = everything.spans.height - of_search(everything.spans).height

    assert abs(share - 0.5) < 0.06
    assert sampled.spans.height - of_search(sampled.spans).height == others
    assert set(names.gather(orphans(sampled.spans)["resource_id"])) == {"catalog"}


@pytest.mark.parametrize("sampling", [HeadSampling(0.3), TailSampling(300, 0.2)], ids=str)
def test_the_bulk_writer_writes_trace_states_as_the_sdk_does(sampling: Sampling) -> None:
    """Byte for byte."""
    simulated = _run(sampling)
    bulk = otlp_json(simulated.spans, simulated.catalogue).tobytes()

    assert bulk == sdk_otlp_json(simulated.spans, simulated.catalogue)
    assert (b'"traceState":"ot=th:b33' in bulk) == isinstance(sampling, HeadSampling)


@pytest.mark.parametrize("suffix", ["jsonl", "binpb"])
def test_weights_are_those_a_reader_finds_in_the_file(tmp_path: Path, suffix: str) -> None:
    """In both formats."""
    simulated = _run(HeadSampling(0.3))
    path = tmp_path / f"traces.{suffix}"
    write = simulated.write_otlp_json if suffix == "jsonl" else simulated.write_otlp_protobuf
    write(path)
    (source,) = find_inputs([str(path)])
    with open_source(source) as reading:
        read = _denormalised(list(reading.batches()))
    made = _denormalised(list(simulated.batches()))

    assert read["weight"].to_list() == made["weight"].to_list()
    assert set(read["weight"].round(6)) == {3.333333}
