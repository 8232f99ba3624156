from __future__ import annotations

from typing import Any

import pytest

from tests.simulate.small import call, system
from tracemap.simulate import (
    Breaker,
    ColdCache,
    Failing,
    Fault,
    Hedge,
    OperationKey,
    Policy,
    Retry,
    Shop,
    Slower,
    run,
)
from tracemap.simulate.without import Safeguard, safeguards, without

WEB, H = OperationKey("web", "GET /"), OperationKey("h", "work")
FAILING = Failing(service="h", ratio=0.5, start_minute=1, end_minute=2)
SLOW = Slower(service="h", add_ms=100, start_minute=1, end_minute=2)


def _truth(shop: Shop, *faults: Fault) -> dict[str, Any]:
    return run(shop, minutes=2, seed=5, faults=faults).truth


def _absorbed(truth: dict[str, Any]) -> dict[str, tuple[float, int]]:
    return {
        row["mechanism"]: (row["absorbed_ms"], row["absorbed_errors"])
        for row in truth["faults"][0]["absorbed"]
    }


def _visible(truth: dict[str, Any]) -> dict[str, Any]:
    visible: dict[str, Any] = truth["faults"][0]["user_visible"][0]
    return visible


def test_retries_absorb_errors_and_cost_time() -> None:
    """What they absorbed is what users do not see; each retry takes another 10 ms."""
    policy = Policy(retry=Retry(attempts=3, backoff="immediate"))
    plain, retried = (
        _truth(system((call("h", **options),)), FAILING) for options in ({}, {"policy": policy})
    )
    absorbed_ms, absorbed = _absorbed(retried)["retry"]

    assert absorbed == _visible(plain)["more_errors"] - _visible(retried)["more_errors"] > 100
    assert absorbed_ms == pytest.approx(-_visible(retried)["excess_ms"])
    assert _absorbed(plain) == {}


def test_the_tally_says_how_often_was_retried() -> None:
    """Amplification is attempts by calls, over the whole run."""
    policy = Policy(retry=Retry(attempts=3, backoff="immediate"))
    (row,) = _truth(system((call("h", policy=policy),)), FAILING)["safeguards"]

    assert row["mechanisms"] == ["retry"]
    assert row["attempts"] == row["calls"] + row["retries"]
    assert row["recovered"] + row["failed_attempts"] - row["retries"] < row["calls"]
    assert 1.3 < row["amplification"] < 1.5  # 1.75 in one of two minutes


def test_a_timeout_absorbs_time_and_makes_errors() -> None:
    """100 ms more are offered, 20 arrive, every call fails."""
    truth = _truth(system((call("h", policy=Policy(timeout_ms=30)),)), SLOW)
    absorbed_ms, absorbed = _absorbed(truth)["timeout"]
    (hop,) = truth["faults"][0]["hops"]

    assert (absorbed_ms, hop["offered_ms"], hop["arrived_ms"]) == (80, 100, 20)
    assert absorbed == -_visible(truth)["more_errors"] < -500
    assert (hop["verdict"], hop["mechanism"]) == ("partial", "timeout")
    assert hop["offered_errors"] == hop["arrived_errors"] == -absorbed
    assert truth["safeguards"][0]["abandoned_ms"] == 80 * -absorbed


def test_a_hedge_absorbs_what_a_slow_instance_adds() -> None:
    """Half of the slow requests are saved by the other instance."""
    shop = system((call("h", policy=Policy(hedge=Hedge(after_ms=20))),))
    slow = Slower(service="h", instance=0, add_ms=200, start_minute=1, end_minute=2)
    truth = _truth(shop, slow)
    absorbed_ms, absorbed = _absorbed(truth)["hedge"]
    (row,) = truth["safeguards"]

    assert absorbed == 0
    assert absorbed_ms + _visible(truth)["excess_ms"] == pytest.approx(100, abs=8)
    assert 0.4 < row["hedges_won"] / row["hedges"] < 0.6


def test_an_open_breaker_absorbs_the_wait_for_a_slow_upstream() -> None:
    """Slow calls open it; what it refuses fails, at once."""
    breaker = Breaker(slow_ms=50, open_seconds=60, window_seconds=20)
    truth = _truth(system((call("h", policy=Policy(breaker=breaker)),)), SLOW)
    absorbed_ms, absorbed = _absorbed(truth)["breaker"]

    assert 80 < absorbed_ms < 110
    assert absorbed == -_visible(truth)["more_errors"] < -400


def test_a_cache_absorbs_nine_tenths_of_a_slow_upstream() -> None:
    """Without it every request would have waited."""
    truth = _truth(system((call("h", policy=Policy(hit_ratio=0.9)),)), SLOW)
    absorbed_ms, _ = _absorbed(truth)["cache"]

    assert absorbed_ms == pytest.approx(90, abs=4)
    assert absorbed_ms + _visible(truth)["excess_ms"] == pytest.approx(100)


def test_a_fallback_absorbs_all_errors() -> None:
    """At the price of its own time; the fault is absorbed, though users wait a little."""
    truth = _truth(system((call("h", fallback=call("b")),)), FAILING)
    fault = truth["faults"][0]
    absorbed_ms, absorbed = _absorbed(truth)["fallback"]

    assert absorbed == fault["hops"][0]["offered_errors"] > 200
    assert fault["hops"][0]["arrived_errors"] == 0
    assert absorbed_ms == pytest.approx(-_visible(truth)["excess_ms"])
    assert (fault["verdict"], fault["mechanism"]) == ("absorbed", "fallback")


def test_errors_of_an_optional_call_are_absorbed_for_it_is_optional() -> None:
    """Nobody retries, nothing is called instead: downstream goes on without."""
    truth = _truth(system((call("h", optional=True),)), FAILING)

    assert _absorbed(truth)["optional"][1] > 200
    assert truth["faults"][0]["mechanism"] == "optional"


def test_errors_that_users_see_are_a_fault_that_propagated() -> None:
    """Though nothing takes longer."""
    truth = _truth(system((call("h"),)), FAILING)

    assert truth["faults"][0]["verdict"] == "propagated"
    assert _visible(truth)["excess_ms"] == 0


def test_parallel_slack_is_given_in_time_as_well() -> None:
    """30 ms of 100 arrive beside a call that takes 80."""
    truth = _truth(system((call("h"), call("b")), b=80), SLOW)

    assert _absorbed(truth)["parallel slack"] == (70, 0)
    assert _visible(truth)["excess_ms"] == 30


def test_two_faults_at_once_are_each_judged_with_the_mechanisms_in_place() -> None:
    """A cold cache behind which the database is slow."""
    shop = system((call("db", policy=Policy(hit_ratio=0.8, timeout_ms=500)),))
    cold = ColdCache(downstream="web", upstream="db", probability=1.0, start_minute=1, end_minute=2)
    slow = Slower(service="db", add_ms=50, start_minute=1, end_minute=2)
    first, second = _truth(shop, cold, slow)["faults"]

    assert first["user_visible"][0]["excess_ms"] == pytest.approx(0.8 * 60, abs=3)
    assert second["user_visible"][0]["excess_ms"] == pytest.approx(50, abs=0.1)


def test_every_mechanism_can_be_taken_away_alone() -> None:
    """Until nothing is left but the call."""
    policy = Policy(
        timeout_ms=9, retry=Retry(), breaker=Breaker(), hedge=Hedge(after_ms=5), hit_ratio=0.1
    )
    shop = system((call("h", policy=policy, fallback=call("b")),))
    found = safeguards(shop)
    for number, safeguard in enumerate(found, start=1):
        shop = without(shop, safeguard)
        assert safeguards(shop) == found[number:]

    assert [one.mechanism for one in found] == [
        "breaker", "cache", "fallback", "hedge", "retry", "timeout",
    ]  # fmt: skip
    assert shop == system((call("h"),))


def test_a_safeguard_is_of_one_call_only() -> None:
    """Taking it away leaves those of other calls."""
    policy = Policy(retry=Retry())
    shop = system((call("h", policy=policy), call("a", policy=policy)))
    left = safeguards(without(shop, Safeguard(WEB, H, "retry")))

    assert [one.upstream.service for one in left] == ["a"]
