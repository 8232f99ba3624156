"""Pauses before retries: own time of who paused, the doing of who failed."""

from __future__ import annotations

from tests.analyze.simulated import case
from tracemap import analyze
from tracemap.simulate import Failing, Shop, Slower
from tracemap.simulate.blueprint import Call, Entry, Operation, Service, Stage
from tracemap.simulate.policies import Policy, Retry

PAUSE_MS = 40.0
STOCK = ("stock", "GET /stock")


def shop() -> Shop:
    """Return a shop whose front tries a failed call again, each attempt a span of its own."""
    retry = Retry(backoff="constant", first_ms=PAUSE_MS, jitter=False)
    asks = Call(*STOCK, policy=Policy(retry=retry))
    return Shop.of(
        "retrying",
        services=(Service("web", protocol="http"), Service("stock", protocol="http")),
        operations=(
            Operation("web", "GET /", 5.0, stages=(Stage((asks,)),)),
            Operation(*STOCK, 5.0, error_ratio=0.0),
        ),
        entries=(Entry("web", "GET /", 200),),
    )


def test_pauses_before_retries_are_charged_to_who_failed() -> None:
    """The caller is slower in its own time, but it only waited: it is not accused of it."""
    failing = case(shop(), Failing(service="stock", ratio=0.3, start_minute=0, end_minute=0))
    found = analyze.origins_with_flow(failing.facts, failing.incident, failing.baseline)

    (origin,) = found.origins.to_dicts()
    assert (origin["service"], origin["cause"], origin["confidence"]) == (
        "stock",
        "error",
        "strong",
    )
    assert "pauses of web GET / before it tried calls of stock again" in origin["evidence"]
    (own,) = found.flow.filter(leaf="self", service="web").to_dicts()
    assert own["origin"] == 1
    assert own["share_ns"] > 0.2 * PAUSE_MS * 1e6


def test_own_time_beside_retries_is_still_the_service_s_own() -> None:
    """It got much slower than its pauses explain."""
    both = case(
        shop(),
        Failing(service="stock", ratio=0.05, start_minute=0, end_minute=0),
        Slower(service="web", add_ms=60, start_minute=0, end_minute=0),
    )
    first = both.origins().row(0, named=True)

    assert (first["service"], first["cause"]) == ("web", "self")
