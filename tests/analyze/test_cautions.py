"""What a reader is told before trusting the rest, and what is left unsaid."""

from __future__ import annotations

import polars as pl

from tests.builders import NOON_NS, Row
from tests.derive.traces import at, facts_of
from tracemap import analyze
from tracemap.analyze import Thresholds
from tracemap.model import CAUTIONS, HOUR_NS, SKEW, Facts, Quality, Window

UNKNOWN = int(Quality.NO_SAMPLING_INFORMATION)


def cautions(*spans: Row, facts: Facts | None = None) -> dict[str, list[tuple[str, int]]]:
    """Return subject and count of each caution by what it is about."""
    facts = facts or facts_of(*spans)
    skew = analyze.skew(facts["skew_facts"], Thresholds())
    quality = facts["quality_facts"].group_by("service", "reason").agg(pl.col("spans").sum())
    rows = analyze.cautions(quality, facts["edge_facts"], skew, Thresholds())
    assert rows.schema == CAUTIONS.schema
    found: dict[str, list[tuple[str, int]]] = {}
    for row in rows.iter_rows(named=True):
        assert row["text"].endswith(".")
        found.setdefault(row["about"], []).append((row["subject"], row["spans"]))
    return found


def requests(count: int, *, first: int = 1, weight: float = 1.0, quality: int = 0) -> list[Row]:
    return [
        at("A.S", n, trace=n, weight=weight, quality=quality) for n in range(first, first + count)
    ]


def test_nothing_to_say_about_sound_spans() -> None:
    """All of them say with which probability they were kept."""
    assert cautions(*requests(100)) == {}
    assert cautions() == {}


def test_no_span_says_how_it_was_sampled() -> None:
    """Then nobody can tell what the counts stand for."""
    assert cautions(*requests(100, quality=UNKNOWN)) == {"sampling": [("", 100)]}


def test_slow_traces_kept_beside_a_share_of_the_rest() -> None:
    """Some with a probability and some without: as a tail sampler leaves them."""
    mixed = [*requests(60, weight=10.0), *requests(40, first=100, quality=UNKNOWN)]

    assert cautions(*mixed) == {"sampling": [("", 40)]}


def test_services_sampled_at_different_rates() -> None:
    """A trace that crosses them may have holes."""
    others = [at("B.S", n, trace=n) for n in range(100, 150)]

    assert cautions(*requests(50, weight=10.0), *others) == {"sampling": [("B, A", 50)]}


def test_service_with_many_orphans() -> None:
    """Its edges are a lower bound; a few orphans are normal."""
    orphans = [at("A.S", n, 999, trace=n) for n in range(200, 220)]

    assert cautions(*requests(90), *orphans) == {"orphans": [("A", 20)]}
    assert cautions(*orphans[:19]) == {}
    assert cautions(*requests(90), *orphans[:3]) == {}


def test_context_that_is_lost_between_two_services() -> None:
    """A names B, B begins traces of its own, and no span of B is below A's."""
    calls = [at("A.C", n, trace=n, peer_kind="service", peer_name="B") for n in range(1, 31)]
    roots = [at("B.S", n, trace=n) for n in range(100, 125)]

    assert cautions(*calls, *roots) == {"context": [("A -> B", 30)]}


def test_no_context_is_lost_where_the_other_side_has_no_spans_or_no_roots() -> None:
    """An external system, or one that is sampled away."""
    calls = [at("A.C", n, trace=n, peer_kind="service", peer_name="B") for n in range(1, 31)]
    inner = [at("A.C", 100, trace=100), at("B.S", 101, 100, (10, 90), trace=100)]

    assert cautions(*calls) == {}
    assert cautions(*calls, *inner) == {}


def test_clocks_that_differ_are_named() -> None:
    """With direction and size; the calls are counted."""
    spans = []
    for n in range(1, 31):
        spans += [at("A.C", 2 * n, trace=n), at("B.S", 2 * n + 1, 2 * n, (530, 590), trace=n)]
    facts = facts_of(*spans)
    skew = analyze.skew(facts["skew_facts"], Thresholds())
    (text,) = analyze.cautions(facts["quality_facts"], facts["edge_facts"], skew, Thresholds())[
        "text"
    ]

    assert "clock of B is about" in text
    assert "ahead of that of A" in text
    assert cautions(facts=facts) == {"clocks": [("A, B", 30)]}


def test_span_names_with_ids() -> None:
    """More operations than anybody writes routes."""
    spans = [at("A.S", n, trace=n, operation=f"GET /{n}") for n in range(1, 503)]

    assert cautions(*spans) == {"names": [("A", 502)]}


def test_one_name_in_several_environments() -> None:
    """The store counts it, as it names the nodes."""
    quality = pl.DataFrame(
        {"service": ["A (blue)"], "reason": ["several_environments"], "spans": [7]}
    )
    rows = analyze.cautions(quality, Facts()["edge_facts"], SKEW.empty(), Thresholds())

    assert rows.select("about", "subject", "spans").rows() == [("environments", "A (blue)", 7)]


def weeks(weight: float) -> Facts:
    """Return two calls an hour apart; the later one stands for `weight`."""
    an_hour_on = 3_600_000
    late = at("A.S", 2, times=(an_hour_on, an_hour_on + 100), trace=2, weight=weight)
    return facts_of(at("A.S", 1, trace=1), late)


def test_weeks_that_were_sampled_differently() -> None:
    """Since noon one of ten is kept: said once, with both numbers."""
    noon, later = NOON_NS, NOON_NS + HOUR_NS
    windows = Window(later, later + HOUR_NS), Window(noon, later)

    def found(weight: float) -> pl.DataFrame:
        return analyze.sampled_differently(weeks(weight)["edge_facts"], *windows, Thresholds())

    assert found(1.0).equals(CAUTIONS.empty())
    assert found(1.04).equals(CAUTIONS.empty())
    assert found(10.0).select("about", "subject", "spans").rows() == [
        ("sampled_differently", "A", 1)
    ]
    assert "stands for 10 calls, for 1 in the baseline" in found(10.0)["text"].item()
