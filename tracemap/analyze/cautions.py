"""Finding ``cautions``: what limits how far the rest can be trusted, each in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from tracemap.analyze.thresholds import Thresholds
from tracemap.analyze.windows import sided
from tracemap.model import CAUTIONS, Window

_UNKNOWN, _SAMPLED = "no_sampling_information", "sampled"
_MIXED = 0.01
"""Up to this share of spans without (or with) a probability is noise, not another policy."""
_UNEVEN = 1.5
"""Ratio of the mean weights of two services from which they were not sampled together."""
_MILLION = 1_000_000


class _Caution(NamedTuple):
    about: str
    subject: str
    spans: int
    text: str


def cautions(
    quality: pl.DataFrame, edge_facts: pl.DataFrame, skew: pl.DataFrame, thresholds: Thresholds
) -> pl.DataFrame:
    """Return what a reader must know before trusting counts, percentiles and missing edges.

    Args:
        quality: Columns service, reason, spans: as `Ledger.quality`.
        edge_facts: As `model.EDGE_FACTS`; cells are summed.
        skew: As `model.SKEW`.
        thresholds: Limits.

    Returns:
        As `model.CAUTIONS`: sampling first, then orphans, context, clocks, names, environments;
        within each, the largest count first.
    """
    spans = _spans(quality)
    found = [
        *_sampling(quality, spans, edge_facts),
        *_orphans(quality, spans, thresholds),
        *_context(edge_facts, spans, thresholds),
        *_clocks(skew),
        *_names(edge_facts, spans, thresholds),
        *_environments(quality),
    ]
    order = list(dict.fromkeys(each.about for each in found))
    found.sort(key=lambda each: (order.index(each.about), -each.spans, each.subject))
    return pl.DataFrame(found, schema=CAUTIONS.schema, orient="row")


def sampled_differently(
    edge_facts: pl.DataFrame, window: Window, baseline: Window, thresholds: Thresholds
) -> pl.DataFrame:
    """Return whether calls stand for other numbers of calls in the window than in the baseline.

    Into each service, by the probabilities that spans carry; `Thresholds.sampled_alike` says from
    which ratio. Sampling that leaves no trace of itself stays unknown.

    Args:
        edge_facts: As `model.EDGE_FACTS`, of both windows.
        window: What is looked at.
        baseline: What it is compared with.
        thresholds: Limits.

    Returns:
        As `model.CAUTIONS`: one row, or none.
    """
    rows = sided(edge_facts, window, baseline)
    now, then = (_mean_weights(rows.filter(pl.col("during") == during)) for during in (True, False))
    ratios = {name: now[name] / then[name] for name in now if name in then}
    apart = {
        name: max(ratio, 1 / ratio)
        for name, ratio in ratios.items()
        if max(ratio, 1 / ratio) > thresholds.sampled_alike
    }
    if not apart:
        return CAUTIONS.empty()
    most = max(apart, key=lambda name: apart[name])
    more = len(apart) - 1
    others = f" ({more:,} more of {len(now):,} services differ, too)" if more else ""
    text = (
        f"Window and baseline were sampled differently: a recorded call into {most} stands for"
        f" {now[most]:.3g} calls, for {then[most]:.3g} in the baseline{others}. Their shares of"
        " failed calls are not compared, and percentiles are those of what each sampler kept."
    )
    calls = rows.filter(pl.col("during"), pl.col("upstream").is_in(list(apart)))["calls"].sum()
    found = [_Caution("sampled_differently", most, int(calls), text)]
    return pl.DataFrame(found, schema=CAUTIONS.schema, orient="row")


def _spans(quality: pl.DataFrame) -> dict[str, int]:
    """Return how many spans each service recorded: each has one place."""
    place = pl.col("reason").eq("in_edge") | pl.col("reason").str.starts_with("no_edge_")
    return dict(quality.filter(place).group_by("service").agg(pl.col("spans").sum()).iter_rows())


def _counted(quality: pl.DataFrame, reason: str) -> dict[str, int]:
    return dict(quality.filter(pl.col("reason") == reason).select("service", "spans").iter_rows())


def _sampling(
    quality: pl.DataFrame, spans: dict[str, int], edge_facts: pl.DataFrame
) -> Iterator[_Caution]:
    """Return what is known of sampling: nothing, two policies at once, or rates by service.

    Limits: tail sampling without any trace of itself cannot be told from no sampling.
    """
    total, unknown = sum(spans.values()), sum(_counted(quality, _UNKNOWN).values())
    if unknown and unknown >= (1 - _MIXED) * total:
        text = (
            "No span says with which probability it was kept. Counts are of recorded calls; if a"
            " tail sampler kept slow or failed traces, percentiles and error ratios are too high."
        )
        yield _Caution("sampling", "", unknown, text)
    elif unknown > _MIXED * total:
        text = (
            f"{unknown:,} of {total:,} spans do not say with which probability they were kept, the"
            " others do: as after tail sampling that keeps slow or failed traces beside a share of"
            " the rest. Percentiles and error ratios lean to the slow and failed; weighted counts"
            " are a lower bound."
        )
        yield _Caution("sampling", "", unknown, text)
    weights = _mean_weights(edge_facts)
    if weights and max(weights.values()) > _UNEVEN * min(weights.values()):
        least, most = (pick(weights, key=lambda name: weights[name]) for pick in (min, max))
        sampled = sum(_counted(quality, _SAMPLED).values())
        text = (
            f"Services were sampled at different rates: a span of {most} stands for"
            f" {weights[most]:.3g}, one of {least} for {weights[least]:.3g}. Compare their weighted"
            " counts only; traces that cross them may have holes."
        )
        yield _Caution("sampling", f"{least}, {most}", sampled, text)


def _mean_weights(edge_facts: pl.DataFrame) -> dict[str, float]:
    """Return how many calls one into each service stands for, on average."""
    into = edge_facts.filter(pl.col("upstream_kind") == "service").group_by("upstream")
    mean = into.agg(pl.col("calls_weighted").sum() / pl.col("calls").sum()).sort("upstream")
    return dict(mean.iter_rows())


def _orphans(
    quality: pl.DataFrame, spans: dict[str, int], thresholds: Thresholds
) -> Iterator[_Caution]:
    for service, orphans in _counted(quality, "orphan").items():
        share = orphans / spans.get(service, orphans)
        if share >= thresholds.orphan_share and orphans >= thresholds.min_call_count:
            text = (
                f"{share:.0%} of the spans of {service} name a parent that is not in the data:"
                f" edges into {service} are a lower bound, and its callers' own time is too high."
            )
            yield _Caution("orphans", service, orphans, text)


def _context(
    edge_facts: pl.DataFrame, spans: dict[str, int], thresholds: Thresholds
) -> Iterator[_Caution]:
    """Return pairs whose calls should have met: named on one side, roots on the other."""
    calls = edge_facts.filter(pl.col("connection_type") == "rpc")
    pairs = calls.group_by("downstream", "upstream").agg(
        named=pl.col("calls").filter(pl.col("evidence") == "peer").sum(),
        met=pl.col("calls").filter(pl.col("evidence") == "paired").sum(),
    )
    roots = dict(
        calls.filter(pl.col("evidence") == "root")
        .group_by("upstream")
        .agg(pl.col("calls").sum())
        .iter_rows()
    )
    for downstream, upstream, named, met in pairs.sort("downstream", "upstream").iter_rows():
        begun = roots.get(upstream, 0)
        records = upstream in spans and downstream in spans
        if records and begun and named >= thresholds.min_call_count:
            text = (
                f"{named:,} of {named + met:,} calls of {downstream} name {upstream}, but no span"
                f" of it is below them, and {upstream} has {begun:,} requests without a parent: the"
                " trace context is probably lost between the two."
            )
            yield _Caution("context", f"{downstream} -> {upstream}", named, text)


def _clocks(skew: pl.DataFrame) -> Iterator[_Caution]:
    wrong = skew.filter(pl.col("verdict").is_in(["skewed", "unsteady"]))
    for row in wrong.iter_rows(named=True):
        theta_ms, room_ms = row["theta_ns"] / _MILLION, row["uncertainty_ns"] / _MILLION
        unsteady = ", and changed meanwhile" if row["verdict"] == "unsteady" else ""
        text = (
            f"The clock of {row['other_host']} is about {abs(theta_ms):,.3g} ms"
            f" {'behind' if theta_ms > 0 else 'ahead of'} that of {row['host']}"
            f" (uncertain by {room_ms:,.3g} ms{unsteady}). Nothing was shifted: durations and gaps"
            " do not depend on it, waits in queues between the two do."
        )
        yield _Caution("clocks", f"{row['host']}, {row['other_host']}", row["calls"], text)


def _names(
    edge_facts: pl.DataFrame, spans: dict[str, int], thresholds: Thresholds
) -> Iterator[_Caution]:
    counted = (
        edge_facts.filter(pl.col("upstream_kind") == "service")
        .group_by("upstream")
        .agg(operations=pl.col("upstream_operation").n_unique())
        .filter(pl.col("operations") > thresholds.operations_limit)
    )
    for service, operations in counted.sort("upstream").iter_rows():
        text = (
            f"{service} has {operations:,} operations: its span names hold ids. Percentiles are of"
            " few calls each; name the spans after their route."
        )
        yield _Caution("names", service, spans.get(service, 0), text)


def _environments(quality: pl.DataFrame) -> Iterator[_Caution]:
    for service, count in _counted(quality, "several_environments").items():
        text = (
            f"{service} shares its name with a service of another environment; they are kept apart"
            " as two nodes."
        )
        yield _Caution("environments", service, count, text)
