from __future__ import annotations

import numpy as np

from tracemap.simulate.draws import Draws, exponential, scaled

ROWS = np.arange(20_000)


def test_streams_are_the_same_on_every_machine() -> None:
    """Sample traces must not change with numpy or the processor, so the bits are pinned."""
    draws = Draws(seed=1, part=2, size=3)

    assert draws.words("a").tolist() == [
        17126269032157212539,
        8897456352577082885,
        14598448675465714066,
    ]
    assert draws.log_normal("a", 0.5, np.arange(3)).tolist() == [2079340, 978092, 1500225]


def test_a_stream_does_not_depend_on_what_else_is_drawn() -> None:
    """Adding a call must not change the luck of another."""
    alone, together = Draws(7, 0, 5), Draws(7, 0, 5)
    together.words("first")

    assert alone.words("second").tolist() == together.words("second").tolist()


def test_another_name_seed_or_part_gives_other_luck() -> None:
    """Each of the three is part of a stream's name."""
    streams = [Draws(1, 0, 4), Draws(2, 0, 4), Draws(1, 1, 4)]
    drawn = {tuple(one.words(name).tolist()) for one in streams for name in ("a", "b")}

    assert len(drawn) == 6


def test_log_normal_factors_have_the_median_and_spread_asked_for() -> None:
    """The median is 1 and the logarithm's standard deviation is sigma."""
    factors = Draws(3, 0, 20_000).log_normal("x", 0.4, ROWS) / 1_000_000

    assert abs(np.median(factors) - 1) < 0.01
    assert abs(np.log(factors).std() - 0.4) < 0.01


def test_no_spread_gives_exactly_the_median() -> None:
    """Sigma 0 makes systems that can be checked by hand."""
    assert set(Draws(3, 0, 100).log_normal("x", 0.0, np.arange(100)).tolist()) == {1_000_000}


def test_uniform_numbers_and_choices_cover_their_range_evenly() -> None:
    """Every option is as likely as the others."""
    draws = Draws(4, 0, 20_000)
    uniform = draws.uniform("u", ROWS)
    counts = np.bincount(draws.choice("c", 4, ROWS))

    assert 0 <= uniform.min() < 1_000
    assert 999_000 < uniform.max() < 1_000_000
    assert abs(counts - 5_000).max() < 150


def test_waiting_times_have_mean_one() -> None:
    """Exponential, so arrivals are Poisson."""
    waits = exponential(5, 0, "w", 20_000) / 1_000_000

    assert abs(waits.mean() - 1) < 0.02
    assert abs(waits.std() - 1) < 0.02


def test_scaled_times_are_whole_microseconds() -> None:
    """Most SDKs time in microseconds; simulated spans look the same."""
    scaled_ns = scaled(np.array([1_234_567, 10]), np.array([1_000_000, 2_000_000]))

    assert scaled_ns.tolist() == [1_234_000, 0]


def test_ids_are_never_zero() -> None:
    """Zero means no id in OTLP."""
    assert Draws(1, 0, 1_000).ids("i").min() > 0
