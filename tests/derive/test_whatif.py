"""What a change to one upstream would have done, trace by trace."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import Row
from tests.derive.traces import ERROR, MS, at, bucket
from tracemap import derive
from tracemap.model import Cells, Change, Window
from tracemap.model.histogram import percentiles

EVER = Cells(windows=(Window(0, 1 << 62),))
UNKNOWN = pl.DataFrame(
    schema={
        "downstream": pl.String,
        "downstream_operation": pl.String,
        "upstream": pl.String,
        "hardness": pl.Float64,
    }
)


def replayed(spans: list[Row], change: Change, hardness: pl.DataFrame = UNKNOWN) -> pl.DataFrame:
    """Return the facts of `spans` with `change` replayed."""
    return derive.whatif_facts(bucket(*spans), EVER, change, hardness)


def after_ms(spans: list[Row], change: Change) -> dict[str, float]:
    """Return the new duration of each operation, all calls of it added up."""
    rows = replayed(spans, change).filter(measure="after")
    sums = rows.group_by("operation").agg(pl.col("sum_ns").sum())
    return {operation: sum_ns / MS for operation, sum_ns in sums.rows()}


def errors(spans: list[Row], change: Change, hardness: pl.DataFrame = UNKNOWN) -> dict[str, float]:
    """Return how many calls of each operation are expected to fail."""
    rows = replayed(spans, change, hardness).filter(measure="after")
    return dict(rows.group_by("operation").agg(pl.col("errors").sum()).rows())


CHAIN = [
    at("A.S", 1),
    at("A.C", 2, 1, (10, 60)),
    at("B.S", 3, 2, (20, 50)),
    at("B.I", 4, 3, (25, 45)),
]


def test_slower_upstream_is_waited_for() -> None:
    """Nothing else was going on: all of it arrives, hop by hop."""
    assert after_ms(CHAIN, Change("B", add_ns=200 * MS)) == {"A.S": 300, "B.S": 230}


def test_faster_upstream_scales_its_own_time_only() -> None:
    """What B waits for others is theirs: only 30 of its 30 ms, and none of the gap, get shorter."""
    below = [*CHAIN[:3], at("B.C", 5, 3, (25, 45)), at("D.S", 6, 5, (25, 45))]

    assert after_ms(CHAIN, Change("B", scale=0.5)) == {"A.S": 85, "B.S": 15}
    assert after_ms(below, Change("B", scale=0.5)) == {"A.S": 95, "B.S": 25, "D.S": 20}


def test_parallel_sibling_hides_a_rise_until_it_is_the_slower_one() -> None:
    """80 ms of slack: 50 ms more do nothing, 100 ms more arrive as 20."""
    spans = [
        at("A.S", 1, 0, (0, 120)),
        at("A.C", 2, 1, (10, 110), operation="slow"),
        at("C.S", 3, 2, (10, 110)),
        at("A.C", 4, 1, (10, 30), operation="fast"),
        at("B.S", 5, 4, (10, 30)),
    ]

    assert after_ms(spans, Change("B", add_ns=50 * MS))["A.S"] == 120
    assert after_ms(spans, Change("B", add_ns=100 * MS))["A.S"] == 140


def test_next_call_starts_as_long_after_the_last_one_as_it_did() -> None:
    """Two calls one after the other, 5 ms between them: the second moves, the gap stays."""
    spans = [
        at("A.S", 1),
        at("A.C", 2, 1, (10, 40)),
        at("B.S", 3, 2, (10, 40)),
        at("A.C", 4, 1, (45, 90), operation="second"),
        at("C.S", 5, 4, (45, 90)),
    ]

    assert after_ms(spans, Change("B", add_ns=30 * MS))["A.S"] == 130


def test_fire_and_forget_call_delays_nobody() -> None:
    """It outlives its parent, so the parent does not wait for it, however slow it gets."""
    spans = [at("A.S", 1), at("A.C", 2, 1, (20, 500)), at("B.S", 3, 2, (20, 500))]

    assert after_ms(spans, Change("B", add_ns=300 * MS))["A.S"] == 100


def test_client_that_had_given_up_gives_up_at_the_same_time() -> None:
    """Its own timeout was reached: slower changes nothing, much faster does."""
    spans = [at("A.S", 1), at("A.C", 2, 1, (10, 60)), at("B.S", 3, 2, (12, 400))]

    assert after_ms(spans, Change("B", add_ns=200 * MS))["A.S"] == 100
    assert after_ms(spans, Change("B", scale=0.05))["A.S"] == pytest.approx(100 - 50 + 19.4)


def test_database_without_spans_of_its_own() -> None:
    """The client span is all that is known of it: all of it counts as the database's time."""
    spans = [at("A.S", 1), at("A.C", 2, 1, (10, 60), peer_name="db", peer_kind="database")]

    assert after_ms(spans, Change("db", add_ns=5 * MS)) == {"A.S": 105}
    assert after_ms(spans, Change("db", scale=0.2)) == {"A.S": 60}


def test_call_that_is_cut_takes_the_timeout_and_fails() -> None:
    """Whoever calls stops waiting after 20 ms; the failure is taken to reach the request."""
    change = Change("B", timeout_ns=20 * MS)

    assert after_ms(CHAIN, change)["A.S"] == 70
    assert errors(CHAIN, change) == {"A.S": 1.0, "B.S": 0.0}


def test_failure_reaches_as_many_requests_as_failures_did() -> None:
    """One in four requests of A failed when B did: of 0.5 failures 0.125 arrive."""
    quarter = pl.DataFrame(
        {
            "downstream": ["A"],
            "downstream_operation": ["A.S"],
            "upstream": ["B"],
            "hardness": [0.25],
        }
    )
    change = Change("B", fail_share=0.5)

    assert errors(CHAIN, change, quarter) == {"A.S": 0.125, "B.S": 0.5}
    assert errors(CHAIN, change) == {"A.S": 0.5, "B.S": 0.5}
    assert not replayed(CHAIN, change).filter(measure="assumed").is_empty()
    assert replayed(CHAIN, change, quarter).filter(measure="assumed").is_empty()


def test_every_call_answered_by_a_cache() -> None:
    """The calls take no time; what A did around them stays."""
    assert after_ms(CHAIN, Change("B", cache_share=1.0))["A.S"] == 50


def test_only_one_operation_of_an_upstream_changes() -> None:
    """A call to another operation of it is left alone."""
    assert after_ms(CHAIN, Change("B", operation="other", add_ns=MS))["A.S"] == 100
    assert after_ms(CHAIN, Change("B", operation="B.S", add_ns=MS))["A.S"] == 101


def test_hardness_counts_requests_by_what_their_calls_did() -> None:
    """Of two requests that saw B fail one failed; of one that did not, none."""
    spans = []
    for number, (called, failed) in enumerate([(ERROR, ERROR), (ERROR, 0), (0, 0)]):
        base = 10 * number
        spans += [
            at("A.S", base + 1, 0, trace=number + 1, status_code=failed),
            at("A.C", base + 2, base + 1, (10, 60), trace=number + 1, status_code=called),
            at("B.S", base + 3, base + 2, (20, 50), trace=number + 1),
        ]

    row = derive.hardness_facts(bucket(*spans), EVER).row(0, named=True)

    assert (row["downstream"], row["upstream"]) == ("A", "B")
    assert (row["hit"], row["hit_failed"]) == (2, 1)
    assert (row["requests"], row["requests_failed"]) == (1, 0)


@given(add_ms=st.integers(0, 500), more_ms=st.integers(1, 500), seed=st.integers(0, 50))
def test_slower_is_never_faster(add_ms: int, more_ms: int, seed: int) -> None:
    """A larger rise of an upstream never makes anybody's operation shorter."""
    shift = seed % 40
    spans = [
        *CHAIN,
        at("A.C", 5, 1, (10 + shift, 30 + 2 * shift), operation="other"),
        at("C.S", 6, 5, (10 + shift, 30 + 2 * shift)),
    ]
    less = after_ms(spans, Change("B", add_ns=add_ms * MS))
    more = after_ms(spans, Change("B", add_ns=(add_ms + more_ms) * MS))

    assert all(more[operation] >= less[operation] for operation in less)


def test_nothing_changed_is_nothing_affected() -> None:
    """Without a call of the upstream every duration stays as it was, to the nanosecond."""
    facts = replayed(CHAIN, Change("nobody", add_ns=5 * MS))
    sides = [facts.filter(measure=side).drop("measure") for side in ("before", "after")]

    assert facts.filter(measure="affected").is_empty()
    assert sides[0].equals(sides[1])
    assert percentiles(sides[0], by=["operation"]).height == 2
