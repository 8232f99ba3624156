from __future__ import annotations

from collections.abc import Callable

import pytest

from tracemap.simulate import random_shop, run, shop
from tracemap.simulate.behaviours import MAKERS, Behaviour
from tracemap.simulate.observable import observable_edges, orphans


@pytest.mark.parametrize("seed", range(4))
def test_complete_spans_show_exactly_the_true_edges(seed: int) -> None:
    """Two ways to count, one by places of the call tree and one by joining spans, agree."""
    simulated = run(shop() if seed == 0 else random_shop(seed), minutes=1, seed=seed)
    edges = observable_edges(simulated.spans, simulated.spans, simulated.catalogue)

    assert edges == simulated.truth["edges"]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_the_same_holds_whatever_calls_do(make: Callable[[], Behaviour]) -> None:
    """Retries, refusals, hedges: the truth counts what spans can show."""
    for simulated in (make().positive, make().near_miss):
        if simulated.sampling is None:
            edges = observable_edges(simulated.spans, simulated.spans, simulated.catalogue)
            assert edges == simulated.truth["edges"]


def test_complete_spans_have_no_orphans() -> None:
    """Every parent is there."""
    assert orphans(run(shop(), minutes=1).spans).is_empty()
