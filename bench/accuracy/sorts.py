"""All sorts of simulated cases by name: with something to be named, and without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bench.accuracy import situations, systems
from bench.accuracy.situations import Situation

Maker = Callable[[int], Situation]


def _named(*makers: Maker) -> Mapping[str, Maker]:
    return MappingProxyType({each.__name__.replace("_", " "): each for each in makers})


FAULTS = _named(
    situations.plain, situations.policies, situations.two_faults, situations.rush,
    situations.one_root, situations.deploy, situations.slow_pod, situations.cold_cache,
    situations.queueing, situations.heavy_tails, situations.thin, situations.head_sampled,
    situations.tail_sampled, situations.failing, situations.failing_retried, situations.hanging,
    systems.deep_chain, systems.wide_fan_out, systems.behind_a_queue, systems.long_tails,
    systems.few,
)  # fmt: skip
"""Situations with something to be named, by name."""
QUIET = _named(
    situations.quiet, situations.quiet_policies, situations.quiet_thin, situations.quiet_rush,
    situations.quiet_mix, situations.quiet_tails, situations.quiet_deploy,
    situations.quiet_tail_sampled, systems.quiet_chain, systems.quiet_fan_out,
    systems.quiet_consumers, systems.quiet_long_tails, systems.quiet_few, systems.quiet_waves,
    systems.quiet_resampled, systems.quiet_skewed, systems.quiet_detached,
)  # fmt: skip
"""Situations in which nobody should be named, by name."""
