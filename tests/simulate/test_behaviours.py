"""Each behaviour shows in the spans where it is, and nowhere else: by rules of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import polars as pl
import pytest

from tracemap.model import Kind, Quality, Status
from tracemap.simulate import Simulated
from tracemap.simulate.behaviours import MAKERS, Behaviour
from tracemap.simulate.bulk import otlp_json
from tracemap.simulate.sdk import sdk_otlp_json

TRACE = ["trace_high", "trace_low"]
CLIENT, SERVER, ERROR = Kind.CLIENT.value, Kind.SERVER.value, Status.ERROR.value
SECOND_MINUTE_NS = 60_000_000_000
BEHAVIOURS = {one.name: one for one in (make() for make in MAKERS)}


@cache
def _table(name: str, which: str) -> pl.DataFrame:
    """Spans of a run with what their ids stand for, and ``minute`` from the start of the run."""
    simulated: Simulated = getattr(BEHAVIOURS[name], which)
    batches = list(simulated.batches())
    (batch,) = batches
    return (
        batch.spans.join(batch.operations, on="operation_id")
        .join(batch.resources.drop("quality"), on="resource_id")
        .with_columns(
            end_ns=pl.col("start_ns") + pl.col("duration_ns"),
            minute=(pl.col("start_ns") - simulated.start_ns) // SECOND_MINUTE_NS,
        )
    )


def _clients(spans: pl.DataFrame, one: Behaviour) -> pl.DataFrame:
    is_call = (pl.col("kind") == CLIENT) & (pl.col("service_name") == one.downstream.service)
    return spans.filter(is_call & (pl.col("operation") == one.upstream.operation))


def _servers(spans: pl.DataFrame, one: Behaviour) -> pl.DataFrame:
    return spans.filter(
        (pl.col("kind") == SERVER) & (pl.col("service_name") == one.upstream.service)
    )


def _pairs(spans: pl.DataFrame, one: Behaviour) -> pl.DataFrame:
    """Client spans with each server span below them (null: none)."""
    servers = _servers(spans, one).select(
        *TRACE, pl.col("parent_id").alias("span_id"), server_end_ns="end_ns",
        server_status="status_code",
    )  # fmt: skip
    return _clients(spans, one).join(servers, on=[*TRACE, "span_id"], how="left")


def _siblings(spans: pl.DataFrame, one: Behaviour) -> pl.DataFrame:
    """Calls per parent: how many, how many failed, whether any two overlap."""
    calls = _clients(spans, one).sort(*TRACE, "parent_id", "start_ns", "end_ns")
    later = pl.col("start_ns").shift(-1) < pl.col("end_ns")
    return calls.group_by(*TRACE, "parent_id").agg(
        calls=pl.len(),
        failed=(pl.col("status_code") == ERROR).sum(),
        overlapping=later.fill_null(value=False).any(),
        together=pl.col("start_ns").n_unique() < pl.len(),
    )


def _retried(spans: pl.DataFrame, one: Behaviour) -> int:
    """Resends after a failed attempt of the same parent."""
    calls = _clients(spans, one)
    failed = calls.filter(pl.col("status_code") == ERROR).select(*TRACE, "parent_id").unique()
    resent = calls.filter(pl.col("resend_count") > 0)
    return resent.join(failed, on=[*TRACE, "parent_id"], how="semi").height


def _several_servers(spans: pl.DataFrame, one: Behaviour) -> int:
    return _pairs(spans, one).group_by(*TRACE, "span_id").len().filter(pl.col("len") > 1).height


def _storm(spans: pl.DataFrame, one: Behaviour) -> int:
    """Attempts per user's request in the second minute, where they more than double."""
    per_minute = [
        spans.filter(
            (pl.col("minute") == minute) & (pl.col("kind") == SERVER)
        )["service_name"].value_counts()
        for minute in (0, 1)
    ]  # fmt: skip
    quiet, loud = (
        counts.filter(pl.col("service_name") == one.upstream.service).item(0, "count")
        / counts.filter(pl.col("service_name") == "web").item(0, "count")
        for counts in per_minute
    )
    return int(loud > 2 * quiet)


def _left(spans: pl.DataFrame, one: Behaviour) -> int:
    gone_on = pl.col("server_end_ns") > pl.col("end_ns")
    return _pairs(spans, one).filter((pl.col("status_code") == ERROR) & gone_on).height


def _fast_failures(spans: pl.DataFrame, one: Behaviour) -> int:
    unmade = pl.col("server_end_ns").is_null() & (pl.col("duration_ns") < 1_000_000)
    return _pairs(spans, one).filter((pl.col("status_code") == ERROR) & unmade).height


def _instead(spans: pl.DataFrame, one: Behaviour) -> int:
    """Calls of the backup, if they come after failures only."""
    backup = _servers(spans, one).select(*TRACE)
    calls = _clients(spans, one)
    is_backup = calls.filter(pl.col("peer_name").str.contains("backup"))
    failed = calls.filter(pl.col("status_code") == ERROR).select(*TRACE).unique()
    without = is_backup.join(failed, on=TRACE, how="anti").height
    return 0 if without or backup.is_empty() else is_backup.height


def _hedged(spans: pl.DataFrame, one: Behaviour) -> int:
    return _siblings(spans, one).filter(pl.col("overlapping") & ~pl.col("together")).height


def _layered(spans: pl.DataFrame, one: Behaviour) -> int:
    """Resends on the edge and on the one that leads to it: the fewer of both."""
    resent = spans.filter((pl.col("kind") == CLIENT) & (pl.col("resend_count") > 0))
    services = resent["service_name"].value_counts()
    layers = ("web", one.downstream.service)
    return min(int(services.filter(service_name=name)["count"].sum()) for name in layers)


def _for_nobody(spans: pl.DataFrame, one: Behaviour) -> int:
    """Calls that failed after the call of their downstream had been left."""
    parents = spans.select(*TRACE, pl.col("span_id").alias("parent_id"), above="parent_id")
    outer = spans.select(*TRACE, pl.col("span_id").alias("above"), outer_end_ns="end_ns")
    calls = _clients(spans, one).filter(pl.col("status_code") == ERROR)
    return (
        calls.join(parents, on=[*TRACE, "parent_id"])
        .join(outer, on=[*TRACE, "above"])
        .filter(pl.col("end_ns") > pl.col("outer_end_ns"))
        .height
    )


def _left_out(spans: pl.DataFrame, one: Behaviour) -> int:
    """Whether calls per request fell by half and more."""
    quiet, loud = (
        _clients(spans.filter(pl.col("minute") == minute), one).height
        / spans.filter((pl.col("minute") == minute) & (pl.col("parent_id") == 0)).height
        for minute in (0, 1)
    )
    return int(loud < quiet / 2)


def _rate(spans: pl.DataFrame, minute: int) -> float:
    """Database queries per user's request."""
    here = spans.filter(pl.col("minute") == minute)
    queries = here.filter(pl.col("protocol") == "database").height
    return queries / here.filter(pl.col("parent_id") == 0).height


def _missed(spans: pl.DataFrame, one: Behaviour) -> int:
    del one
    return int(_rate(spans, 1) > 2 * _rate(spans, 0))


def _waiting(spans: pl.DataFrame, one: Behaviour) -> int:
    servers = _servers(spans, one)
    (quiet,), (busy,) = (
        _means(servers.filter(pl.col("minute") == minute), "service_name") for minute in (0, 1)
    )
    return int(busy > 1.3 * quiet)


def _bursts(spans: pl.DataFrame, one: Behaviour) -> int:
    """Seconds in which more than half fails."""
    shares = _servers(spans, one).group_by(pl.col("start_ns") // 1_000_000_000).agg(
        calls=pl.len(), failed=(pl.col("status_code") == ERROR).mean()
    )  # fmt: skip
    return shares.filter((pl.col("failed") > 0.5) & (pl.col("calls") >= 4)).height


def _means(spans: pl.DataFrame, by: str) -> list[int]:
    """Mean durations, sorted."""
    means = spans.group_by(by).agg(pl.col("duration_ns").sum() // pl.len())
    return sorted(means["duration_ns"].to_list())


def _slower_version(spans: pl.DataFrame, one: Behaviour) -> int:
    means = _means(_servers(spans, one), "service_version")
    return int(len(means) == 2 and means[1] > 2 * means[0])


def _outlying(spans: pl.DataFrame, one: Behaviour) -> int:
    late = _servers(spans, one).filter(pl.col("minute") == 1)
    means = _means(late, "instance")
    return int(means[-1] > 2 * means[-2])


def _left_out_for_a_while(spans: pl.DataFrame, one: Behaviour) -> int:
    """Turns in which the instance that failed got no call for ten seconds."""
    served = _servers(spans, one).filter(pl.col("minute") == 1)
    bad = served.filter(pl.col("status_code") == ERROR)
    worst = bad.group_by("instance").len().sort("len")["instance"].to_list()[-1:]
    mine = served.filter(pl.col("instance").is_in(worst)).sort("start_ns")
    return int((mine["start_ns"].diff() > 10_000_000_000).sum())


def _slow_both_ways(spans: pl.DataFrame, one: Behaviour) -> int:
    """Instances whose database queries take three times as long as others'."""
    queries = spans.filter((pl.col("protocol") == "database") & (pl.col("minute") == 1))
    means = _means(queries, "instance")
    incoming = _servers(spans, one)["instance"].n_unique()
    return int(len(means) == incoming and means[-1] > 3 * means[-2])


def _in_a_row(spans: pl.DataFrame, one: Behaviour) -> int:
    many = (pl.col("calls") >= 5) & ~pl.col("overlapping")
    return _siblings(spans, one).filter(many).height


def _at_once(spans: pl.DataFrame, one: Behaviour) -> int:
    return _siblings(spans, one).filter((pl.col("calls") >= 5) & pl.col("together")).height


def _one_by_one(spans: pl.DataFrame, one: Behaviour) -> int:
    """Parents with calls of at least three different services, none beside another."""
    ordered = spans.filter(
        (pl.col("kind") == CLIENT) & (pl.col("service_name") == one.downstream.service)
    ).sort(*TRACE, "parent_id", "start_ns")
    later = pl.col("start_ns").shift(-1) >= pl.col("end_ns")
    parents = ordered.group_by(*TRACE, "parent_id", maintain_order=True).agg(
        targets=pl.col("peer_name").n_unique(), apart=later.fill_null(value=True).all()
    )
    return parents.filter((pl.col("targets") >= 3) & pl.col("apart")).height


def _weighted(spans: pl.DataFrame, one: Behaviour) -> int:
    del one
    return spans.filter(pl.col("weight") > 1).height


def _mostly_odd(spans: pl.DataFrame, one: Behaviour) -> int:
    """Most traces are slow or failed, though none say how they were chosen."""
    del one
    odd = (pl.col("duration_ns") >= 150_000_000) | (pl.col("status_code") == ERROR)
    traces = spans.group_by(TRACE).agg(odd.any().alias("odd"))
    unknown = (spans["quality"] == int(Quality.NO_SAMPLING_INFORMATION)).all()
    return int(unknown and 2 * traces["odd"].sum() > traces.height)


def _orphans(spans: pl.DataFrame, one: Behaviour) -> int:
    del one
    known = spans.select(*TRACE, pl.col("span_id").alias("parent_id"))
    children = spans.filter(pl.col("parent_id") != 0)
    return children.join(known, on=[*TRACE, "parent_id"], how="anti").height


SHOWS: dict[str, Callable[[pl.DataFrame, Behaviour], int]] = {
    "retry-http": _retried,
    "retry-grpc": _several_servers,
    "retry-storm": _storm,
    "timeout": _left,
    "deadline-grpc": _left,
    "circuit-breaker": _fast_failures,
    "fallback": _instead,
    "hedging": _hedged,
    "layered-retries": _layered,
    "deadline-inversion": _for_nobody,
    "short-circuit": _left_out,
    "cold-cache": _missed,
    "queueing": _waiting,
    "error-burst": _bursts,
    "deploy": _slower_version,
    "slow-pod": _slow_both_ways,
    "outlier-instance": _outlying,
    "ejection": _left_out_for_a_while,
    "n-plus-one": _in_a_row,
    "fan-out": _at_once,
    "sequential-calls": _one_by_one,
    "head-sampling": _weighted,
    "tail-sampling": _mostly_odd,
    "broken-traces": _orphans,
}


def test_every_behaviour_has_a_rule_here() -> None:
    """And the other way round."""
    assert set(SHOWS) == set(BEHAVIOURS)


@pytest.mark.parametrize("name", SHOWS)
def test_the_behaviour_shows_where_it_is_and_nowhere_else(name: str) -> None:
    """Neither the near miss nor the negative has it."""
    found = {
        which: SHOWS[name](_table(name, which), BEHAVIOURS[name])
        for which in ("positive", "near_miss", "negative")
    }

    assert found["positive"] > 0
    assert (found["near_miss"], found["negative"]) == (0, 0)


@pytest.mark.parametrize("name", SHOWS)
def test_the_truth_of_a_behaviour_counts_its_spans(name: str) -> None:
    """Edges of the truth are those in the spans, unless some were not recorded."""
    one = BEHAVIOURS[name].positive
    if one.sampling is None:
        assert one.truth["spans"] == one.spans.height
        assert one.truth["traces"] == one.spans.select(pl.struct(TRACE).n_unique()).item()
    else:
        assert one.truth["spans"] > one.spans.height


@pytest.mark.parametrize("name", ["retry-http", "deadline-grpc", "circuit-breaker", "deploy"])
def test_the_bulk_writer_writes_what_the_sdk_writes(name: str) -> None:
    """New attributes and resources too, byte for byte."""
    one = BEHAVIOURS[name].positive

    assert otlp_json(one.spans, one.catalogue).tobytes() == sdk_otlp_json(one.spans, one.catalogue)


def test_no_edge_of_the_truth_goes_to_a_service_nobody_called() -> None:
    """A breaker's refusals are calls downstream made and upstream never saw."""
    truth = BEHAVIOURS["circuit-breaker"].positive.truth
    edges = {(edge["downstream"], edge["upstream"]): edge for edge in truth["edges"]}
    refused = truth["safeguards"][0]["fast_failures"]
    edge = edges["orders", "stock"]

    assert refused > 100
    assert edge["errors_downstream"] == edge["errors_upstream"] + refused
