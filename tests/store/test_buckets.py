"""Buckets are whole traces by the time of their start, in bounded size."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.builders import NOON_NS, BatchReading, Row, link, reading, span, span_batch
from tracemap.model import HOUR_NS, LINKED_SPANS, OPERATIONS, SPANS, TraceBucket, Window
from tracemap.store import Store


def traces(bucket: TraceBucket) -> list[int]:
    return sorted(set(bucket.spans["trace_low"]))


def test_columns_of_a_bucket(store: Store) -> None:
    """A bucket has the columns that derive expects; attributes stay where they are."""
    store.append(reading(span(1, attributes='{"a": 1}')))
    (bucket,) = store.buckets()

    wanted = {name: dtype for name, dtype in SPANS.schema.items() if name != "attributes"}
    assert dict(bucket.spans.schema) == wanted
    assert bucket.operations.schema == OPERATIONS.schema
    assert bucket.resources["service"].to_list() == ["web"]
    assert bucket.linked_spans.schema == LINKED_SPANS.schema


def test_no_spans_no_buckets(store: Store) -> None:
    """An empty database has no buckets, with or without a window."""
    assert list(store.buckets()) == []
    assert list(store.buckets(Window(0, NOON_NS))) == []


def test_small_traces_share_a_bucket_up_to_its_size(store: Store) -> None:
    """Traces come in the order of their start, as many as fit."""
    rows = [span(n, trace=trace, offset_ns=10 - trace) for trace in (1, 2, 3) for n in (1, 2)]
    store.append(reading(*rows))

    assert [traces(bucket) for bucket in store.buckets(max_spans=4)] == [[2, 3], [1]]


def test_huge_trace_is_a_bucket_of_its_own(store: Store) -> None:
    """A trace is never cut, however large."""
    rows = [span(n, trace=2, offset_ns=5) for n in range(1, 8)]
    store.append(reading(span(1, trace=1), *rows, span(1, trace=3, offset_ns=9)))

    assert [traces(bucket) for bucket in store.buckets(max_spans=3)] == [[1], [2], [3]]


def test_trace_that_came_in_several_files_is_whole(store: Store) -> None:
    """The parts of a trace are put together, and its start is the earliest of them."""
    hour = HOUR_NS
    store.append(reading(span(2, trace=1, parent=1, offset_ns=hour), name="b"))
    store.append(reading(span(1, trace=1, offset_ns=hour - 1), name="a"))

    assert list(store.buckets(Window(NOON_NS + hour, NOON_NS + 2 * hour))) == []
    (bucket,) = store.buckets(Window(NOON_NS, NOON_NS + hour))
    assert sorted(bucket.spans["span_id"]) == [1, 2]


def test_windows_that_overlap_give_each_trace_once(store: Store) -> None:
    """Baseline and incident may overlap; a trace in both is read once."""
    store.append(reading(*(span(1, trace=n, offset_ns=n * HOUR_NS) for n in range(1, 7))))
    windows = [
        Window(NOON_NS + start * HOUR_NS, NOON_NS + end * HOUR_NS)
        for start, end in [(1, 3), (2, 4), (6, 7)]
    ]

    assert [n for bucket in store.buckets(windows) for n in traces(bucket)] == [1, 2, 3, 6]
    assert store.spans_in(windows) == 4


def test_one_name_in_two_environments_is_two_services(store: Store) -> None:
    """`cart` of staging must not be mistaken for `cart` of production."""
    store.append(
        reading(
            span(1, service_name="cart", environment="staging"),
            span(2, service_name="cart", environment="production"),
            span(3, service_name="web", environment="production"),
        )
    )
    (bucket,) = store.buckets()

    assert bucket.resources["service"].to_list() == ["cart (staging)", "cart (production)", "web"]


@pytest.mark.parametrize(
    ("places", "services"),
    [
        ([("", ""), ("", "prod")], ["cart", "cart"]),
        ([("", ""), ("", "prod"), ("", "test")], ["cart", "cart (prod)", "cart (test)"]),
        ([("a", "prod"), ("b", "prod")], ["cart (a)", "cart (b)"]),
        ([("a", "prod"), ("b", "test")], ["cart (a/prod)", "cart (b/test)"]),
        (
            [("a", ""), ("b", "prod"), ("", "test")],
            ["cart (a/-)", "cart (b/prod)", "cart (-/test)"],
        ),
    ],
)
def test_name_of_a_service(
    store: Store, places: list[tuple[str, str]], services: list[str]
) -> None:
    """Only what differs is added to the name; not saying is no further place."""
    rows = [
        span(n, service_name="cart", service_namespace=namespace, environment=environment)
        for n, (namespace, environment) in enumerate(places, start=1)
    ]
    store.append(reading(*rows))
    (bucket,) = store.buckets()

    named = bucket.spans.join(bucket.resources, on="resource_id").sort("span_id")
    assert named["service"].to_list() == services


def test_link_to_a_span_of_another_trace(store: Store) -> None:
    """The bucket of the trace that links has both ends, wherever the target is stored."""
    sent = span(1, trace=1, name="send", duration_ns=None, status_code=2)
    received = span(1, trace=2, name="receive", offset_ns=3 * HOUR_NS)
    nowhere = span(9, trace=9)
    store.append(reading(sent, received, links=[link(received, sent), link(received, nowhere)]))
    first, second = store.buckets(max_spans=1)

    assert first.linked_spans.is_empty()
    (row,) = second.linked_spans.iter_rows(named=True)
    assert (row["trace_low"], row["linked_trace_low"], row["linked_span_id"]) == (2, 1, 1)
    assert (row["linked_start_ns"], row["linked_duration_ns"]) == (NOON_NS, None)
    assert row["linked_status_code"] == 2
    linked = second.operations.filter(pl.col("operation_id") == row["linked_operation_id"])
    assert linked["name"].to_list() == ["send"]


def test_buckets_see_the_spans_of_when_they_began(store: Store) -> None:
    """Facts may be stored while the walk goes on; the walk is not disturbed."""
    store.append(reading(*(span(1, trace=n, offset_ns=n) for n in range(3)), name="a"))
    walk = store.buckets(max_spans=1)
    next(walk)
    store.append(reading(*(span(1, trace=n, offset_ns=n) for n in range(10, 14)), name="b"))

    assert [traces(bucket) for bucket in walk] == [[1], [2]]
    assert len(list(store.buckets(max_spans=1))) == 7


rows = st.builds(
    span,
    st.integers(1, 4),
    trace=st.integers(1, 6),
    offset_ns=st.integers(0, 4).map(lambda half: half * HOUR_NS // 2),
)


@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    files=st.lists(st.lists(rows, max_size=12), min_size=1, max_size=3),
    window=st.tuples(st.integers(0, 4), st.integers(1, 3)),
    max_spans=st.integers(1, 9),
)
def test_every_trace_once_and_whole(
    files: list[list[Row]],
    window: tuple[int, int],
    max_spans: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """What the buckets of a window hold is what a plain filter of all spans would find."""
    start_ns = NOON_NS + window[0] * HOUR_NS // 2
    wanted = Window(start_ns, start_ns + window[1] * HOUR_NS // 2)
    path = tmp_path_factory.mktemp("buckets") / "t.duckdb"
    with Store.open(path, create=True, threads=1) as store:
        for number, listed in enumerate(files):
            store.append(BatchReading([span_batch(listed)], content_hash=f"{number}"))
        everything = store.query("SELECT trace_low, span_id, start_ns FROM stored_spans")
        buckets = list(store.buckets(wanted, max_spans=max_spans))
        expected = everything.filter(
            wanted.contains(pl.col("start_ns").min().over("trace_low"))
        ).sort(pl.all())
        assert store.spans_in(wanted) == expected.height
    found = [bucket.spans.select(expected.columns) for bucket in buckets]

    assert pl.concat([expected.clear(), *found]).sort(pl.all()).equals(expected)
    assert all(bucket.spans.height <= max_spans or len(traces(bucket)) == 1 for bucket in buckets)
    assert len({n for bucket in buckets for n in traces(bucket)}) == sum(
        len(traces(bucket)) for bucket in buckets
    )
