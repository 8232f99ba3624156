"""Call paths: what is one step, what is folded, what overlaps."""

from __future__ import annotations

import numpy as np
import polars as pl

from tests.derive.traces import HOURLY, MS, at, bucket, facts_of, path_table, reasons
from tracemap import derive
from tracemap.model import JACKKNIFE_BUCKETS, TraceBucket


def test_root_client_is_an_entry_and_a_call() -> None:
    """A load generator without a SERVER span: all its time is the call."""
    found = path_table(facts_of(at("A.C", 1, operation="load"), at("B.S", 2, 1, (10, 90))))

    assert {path: row["self_ns"] // MS for path, row in found.items()} == {
        "load": 0,
        "load > load": 20,
        "load > load > B.S": 80,
    }


def test_internal_spans_are_folded_into_their_entry() -> None:
    """A call below INTERNAL spans is a step of the entry; their own time is the entry's."""
    spans = [
        at("A.S", 1),
        at("A.I", 2, 1, (10, 90)),
        at("A.I", 3, 2, (20, 80)),
        at("A.C", 4, 3, (30, 60), peer_kind="database", peer_name="pg"),
    ]
    found = path_table(facts_of(*spans))

    assert {path: row["self_ns"] // MS for path, row in found.items()} == {
        "A.S": 70,
        "A.S > A.C": 30,
    }


def test_operation_that_calls_itself_is_one_step() -> None:
    """A sidecar in front of its application: its calls are still the operation's."""
    spans = [
        at("A.S", 1, operation="pay"),
        at("A.C", 2, 1, (10, 90)),
        at("A.S", 3, 2, (20, 80), operation="pay"),
        at("A.C", 4, 3, (30, 60), peer_kind="database", peer_name="pg", operation="SELECT"),
    ]
    facts = facts_of(*spans)
    found = path_table(facts)

    assert {path: (row["calls"], row["self_ns"] // MS) for path, row in found.items()} == {
        "pay": (1, 70),
        "pay > SELECT": (1, 30),
    }
    assert reasons(facts)["recursion_folded"] == 1


def test_services_that_call_each_other_for_ever() -> None:
    """Beyond 32 calls the rest is folded into the last entry; no time is lost."""
    spans, parent = [at("A.S", 1)], 1
    for hop in range(1, 50):
        spans.append(at(f"{'AB'[hop % 2 == 0]}.C", 2 * hop, parent))
        spans.append(at(f"{'AB'[hop % 2]}.S", 2 * hop + 1, 2 * hop, operation=f"hop {hop}"))
        parent = 2 * hop + 1
    facts = facts_of(*spans)

    assert facts["paths"]["depth"].max() == 64
    assert facts["path_facts"]["self_ns"].sum() == 100 * MS
    assert reasons(facts)["path_capped"] == 2 * (49 - 32)


def test_overlapping_calls_are_counted() -> None:
    """Only of one entry, and only those that block it."""
    database = {"peer_kind": "database", "peer_name": "pg"}
    spans = [
        at("A.S", 1),
        at("A.C", 2, 1, (10, 50), operation="one", **database),
        at("A.C", 3, 1, (40, 60), operation="two", **database),
        at("A.C", 4, 1, (60, 70), operation="three", **database),
        at("A.C", 5, 1, (61, 900), operation="apart", **database),
    ]
    found = path_table(facts_of(*spans))

    assert {path: row["overlap_calls"] for path, row in found.items()} == {
        "A.S": 0, "A.S > one": 1, "A.S > two": 1, "A.S > three": 0, "A.S > apart": 0,
    }  # fmt: skip
    assert found["A.S > apart"]["async_ns"] == 839 * MS


def test_calls_and_callers_differ_when_calls_repeat() -> None:
    """N+1: many calls of one path in one parent have one caller."""
    spans = [at("A.S", 1)]
    spans += [
        at("A.C", 2 + n, 1, (10 * n, 10 * n + 5), peer_kind="database", peer_name="pg")
        for n in range(4)
    ]
    call = path_table(facts_of(*spans))["A.S > A.C"]

    assert (call["calls"], call["callers"]) == (4, 1)


def test_path_ids_depend_on_texts_alone() -> None:
    """The same path in another bucket, beside other services, has the same id."""
    spans = [at("A.S", 1), at("A.C", 2, 1, (10, 90)), at("B.S", 3, 2, (20, 80))]
    alone = facts_of(*spans)["paths"]
    beside = facts_of(*spans, at("0.S", 4, trace=2), at("Z.S", 5, trace=3))["paths"]

    assert set(alone["path_id"]) < set(beside["path_id"])


def test_hash_buckets_spread_traces() -> None:
    """Consecutive trace ids end up in all of them."""
    spans = [at("A.S", n, trace=n) for n in range(1, 1001)]
    found = facts_of(*spans)["path_facts"]["hash_bucket"]

    assert sorted(found.unique()) == list(range(JACKKNIFE_BUCKETS))


def test_deep_trace() -> None:
    """100,000 spans one below the other: nothing recurses, the time is exact."""
    ids = np.arange(1, 100_001, dtype=np.uint64)
    facts = derive.facts(_big(ids, ids - np.uint64(1)), HOURLY)

    assert facts["path_facts"]["self_ns"].sum() == 100 * MS


def test_wide_trace() -> None:
    """100,000 children of one span, all at once."""
    ids = np.arange(1, 100_001, dtype=np.uint64)
    parents = np.where(ids == 1, 0, 1).astype(np.uint64)
    facts = derive.facts(_big(ids, parents), HOURLY)

    assert facts["path_facts"]["self_ns"].sum() == 100 * MS


def _big(ids: np.ndarray, parents: np.ndarray) -> TraceBucket:
    """Return a trace whose root is a SERVER span and the rest INTERNAL, each shorter by 1 ns."""
    small = bucket(at("A.S", 1), at("A.I", 2, 1))
    one = small.spans.filter(pl.col("parent_id") == 0)
    inner = int(small.spans.filter(pl.col("parent_id") != 0)["operation_id"][0])
    spans = one.select(pl.all().repeat_by(ids.size).explode()).with_columns(
        span_id=pl.lit(pl.Series(ids)),
        parent_id=pl.lit(pl.Series(parents)),
        duration_ns=pl.lit(pl.Series(100 * MS - ids.astype(np.int64) + 1)),
        operation_id=pl.lit(
            pl.Series(np.where(parents == 0, one["operation_id"][0], inner).astype(np.int32))
        ),
    )
    return TraceBucket(spans, small.operations, small.resources)
