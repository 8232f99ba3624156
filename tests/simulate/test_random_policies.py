from __future__ import annotations

import polars as pl
import pytest

from tracemap.simulate import random_fault, random_policies, random_shop, run
from tracemap.simulate.observable import observable_edges, orphans
from tracemap.simulate.without import safeguards

TRACE = ["trace_high", "trace_low"]


def test_the_same_seed_gives_the_same_policies() -> None:
    """And some calls get some."""
    plain = random_shop(1)

    assert random_policies(plain, 7) == random_policies(plain, 7) != plain
    assert len({one.mechanism for one in safeguards(random_policies(plain, 7))}) > 2


@pytest.mark.parametrize(("seed", "faults"), [(0, 0), (1, 0), (2, 1), (3, 0), (4, 1), (5, 0)])
def test_spans_of_any_system_with_policies_hold_together(seed: int, faults: int) -> None:
    """Span ids differ, every parent is there, and edges are those of the truth.

    Judging a fault takes some fifty plays, so not all of them have one.
    """
    shop = random_policies(random_shop(seed, services=4), seed)
    fault = random_fault(shop, seed, start_minute=0.2, end_minute=0.6)
    simulated = run(shop, minutes=0.6, seed=seed, faults=[fault] * faults)
    spans = simulated.spans

    assert spans.select(pl.struct(*TRACE, "span_id").n_unique()).item() == spans.height
    assert orphans(spans).is_empty()
    assert spans["duration_ns"].min() >= 0  # type: ignore[operator]
    edges = observable_edges(spans, spans, simulated.catalogue)
    assert edges == simulated.truth["edges"]
    for row in simulated.truth["safeguards"]:
        assert row["attempts"] == (
            row["calls"] - row["fast_failures"] + row["retries"] + row["hedges"]
        )
