"""Every number a verdict depends on, in one place, each with its reason.

A recipe's ``[thresholds]`` may change any of them. None was fitted to a data set: they come from
the literature named in docs/methods.md or from what a person would call worth reporting.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Limits used by the analyze stage.

    Attributes:
        spike_ratio: A spike rises by at least this factor (statistical rigour alone would flag
            a steady 3 % that nobody can act on).
        spike_rise_ms: and by at least this much.
        spike_z: A single cell is an episode of its own from this robust z on.
        spike_false_discovery_rate: Share of false flags allowed per run (Benjamini-Hochberg).
        spike_noise_floor: Least spread assumed between quiet cells, in ln units: 3 %.
        min_baseline_cells: Fewer cells than this give no spread to compare with.
        min_calls_p50: Calls a cell needs before its median is compared (10 beyond the median
            would do; 30 keeps the interval of the median within about +-20 ranks %).
        min_calls_p95: the same for the 95th percentile: 10 calls beyond it.
        min_calls_p99: the same for the 99th percentile.
        min_band_requests: Requests a band around a percentile must hold on both sides: the interval
            of their mean comes from parts left out, and of fewer a part is a single request.
        min_call_count: Calls needed on both sides before an edge gets a verdict.
        propagated_ratio: From this share of what was offered on, a spike has propagated.
        amplified_ratio: From here on more arrived than was offered.
        arrived_rise_ms: Least rise downstream that counts as arrived.
        arrived_share: and as a share of the change of downstream's latency.
        component_ratio: A component (own time of an operation, gap of an edge) counts in full when
            its typical call got slower by at least this factor with 95 % confidence, not at all
            when it may not have got slower, and in between on a log scale.
        origin_excess_ms: Least user-visible rise for which anybody is named
        origin_excess_share: and as a share of the mean user-visible latency before.
        origin_z: Least evidence, all moved components of a service together (z of a normal
            distribution; 3 is one in 1000 by chance).
        strong_ratio: An origin is strong when components that got slower by at least this factor
            with 95 % confidence make half of its excess: no mix of requests does that by chance,
        strong_z: or when its evidence reaches this
        strong_interval: and the half-width of its interval is at most this share of the excess:
            a small rise, but a very certain one.
        felt_share: An origin must show in the flow of users' requests with at least this share of
            its excess: the two are computed in different ways, which agree within a factor of two
            or three where something really reached users.
        steady_share: Calls per request are compared only where no other call of the same
            operation is made by a share of requests that changed by more than this (and chance):
            else another mix of requests explains them.
        single_point_survival: An upstream is a single point of failure when at most this share of
            the requests in which it failed succeeded.
        skew_ms: Clocks of two hosts that differ by this much are named: waits in queues, the only
            times that compare clocks, are of this size and more.
        orphan_share: From this share of a service's spans without their parent on, its edges are
            called a lower bound.
        operations_limit: A service with more operations than this has ids in its names: people
            write tens of routes, not hundreds.
        drift_ratio: A percentile, or calls per request, drifted by at least this factor (a fifth is
            what people notice from week to week),
        drift_rise_ms: and a percentile by at least this much.
        drift_error_share: The share of failed calls drifted by at least this (half a percent).
        drift_evidence_share: An edge is seen otherwise when this share of its calls is.
        sampled_alike: Two sides are sampled alike when one recorded call of either stands for at
            most this many times as many calls as of the other: shares of failures are compared.
        min_errors: Failed calls needed on one side before a change of errors is told.
        absence_chance: An edge is gone when its silence is less likely by chance than this.
        regression_ms: Users wait longer by at least this per request before anybody is named,
        regression_share: and by this share of the mean request.
        success_objective: Share of user requests that must succeed; the rest is the error budget.
        min_occurrences: A pattern that was seen fewer times than this is not reported; from
            `min_call_count` times on it is strong.
        pattern_z: Least evidence that failed calls are followed differently from others.
        retry_lift: and by how much more often they are followed by another attempt, at least: a
            tenth is what the usual retry budgets allow.
        storm_ratio: Retries are a storm from this many times the usual attempts per call on,
        storm_errors: while at least this share of the attempts fails.
        timeout_share: Share of calls given up that waited equally long, at least.
        breaker_share: Share of calls that were not made, at least, where no error says why,
        breaker_errors: and share of calls made meanwhile that failed: else nothing had to open.
        short_circuit_z: Least evidence that the share of requests that make a call changed: high,
            because requests of one operation come in bursts of the same sort.
        short_circuit_errors: Fewer calls because more requests fail earlier are no short circuit:
            errors of the operation may rise by this share.
        hedge_spread: Standard deviation over mean of the delay of second calls, at most: a
            configured delay hardly varies.
        hedge_share: Share of calls with several servers, at most: above it each call goes to
            several, slow or not.
        fallback_lift: How much more often something is called after a failure than otherwise.
        tolerated_share: Share of requests that go well without the answer, at least.
        loop_ms: Calls of a loop, or side by side, that take less in all are not worth a change.
        min_sequences: Requests in which two calls came one after another, at least,
        sequence_share: and as a share of the requests that make both: else they depend on choice.
        sequence_gap: Time between the two as a share of downstream's duration, at most.
        sequence_saving: What could be saved as a share of downstream's duration, at least.
        waited_share: Downstream waits for an edge if this share of its time is on its path.
        depending_share: Share of users' requests that must go through an edge for it to be listed
            as missing insulation.
        tolerable_hardness: Failures that take fewer than this share of requests with them are no
            reason to list an edge.
        self_share: A service whose own time is at least this share of its excess is slow itself;
            below it, the network around it is.
        error_rise: Least rise of the share of requests that fail for which anybody is named, or an
            edge has a verdict: one in a hundred is what users notice and error budgets are made of;
            and at least `min_errors` failed more than before.
    """

    spike_ratio: float = 1.25
    spike_rise_ms: float = 5.0
    spike_z: float = 8.0
    spike_false_discovery_rate: float = 0.05
    spike_noise_floor: float = 0.03
    min_baseline_cells: int = 20
    min_calls_p50: int = 30
    min_calls_p95: int = 200
    min_calls_p99: int = 1000
    min_band_requests: int = 40
    min_call_count: int = 20
    propagated_ratio: float = 0.2
    amplified_ratio: float = 1.2
    arrived_rise_ms: float = 1.0
    arrived_share: float = 0.05
    component_ratio: float = 1.25
    origin_excess_ms: float = 1.0
    origin_excess_share: float = 0.01
    origin_z: float = 3.0
    strong_ratio: float = 1.5
    strong_z: float = 5.0
    strong_interval: float = 0.4
    felt_share: float = 0.1
    steady_share: float = 0.05
    skew_ms: float = 5.0
    orphan_share: float = 0.05
    operations_limit: int = 500
    self_share: float = 0.2
    single_point_survival: float = 0.2
    drift_ratio: float = 1.2
    drift_rise_ms: float = 2.0
    drift_error_share: float = 0.005
    drift_evidence_share: float = 0.2
    sampled_alike: float = 1.05
    min_errors: int = 5
    absence_chance: float = 0.001
    regression_ms: float = 0.5
    regression_share: float = 0.01
    success_objective: float = 0.999
    min_occurrences: int = 5
    pattern_z: float = 3.0
    retry_lift: float = 0.1
    storm_ratio: float = 2.0
    storm_errors: float = 0.2
    timeout_share: float = 0.5
    breaker_share: float = 0.1
    breaker_errors: float = 0.2
    short_circuit_z: float = 5.0
    short_circuit_errors: float = 0.02
    hedge_spread: float = 0.3
    hedge_share: float = 0.9
    fallback_lift: float = 0.5
    tolerated_share: float = 0.8
    loop_ms: float = 50.0
    min_sequences: int = 50
    sequence_share: float = 0.95
    sequence_gap: float = 0.05
    sequence_saving: float = 0.1
    waited_share: float = 0.5
    depending_share: float = 0.05
    tolerable_hardness: float = 0.2
    error_rise: float = 0.01
