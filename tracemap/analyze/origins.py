"""Finding ``origins``: where an incident began, services and edges ranked by their effect on users.

Two units that are never added: milliseconds of the mean user request, and the share of user
requests that fail. `components` and `failures` say what moved, `blame` for which service it counts.
A changed mix of requests (`mix`) is listed, but accuses nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from tracemap.analyze.blame import Blame, Row
from tracemap.analyze.call_tree import CallTree, call_tree
from tracemap.analyze.charges import charged, felt_ns
from tracemap.analyze.components import components
from tracemap.analyze.confidence import UNCERTAIN, not_felt
from tracemap.analyze.consumers import consumers
from tracemap.analyze.failures import failures
from tracemap.analyze.flow import flow_of
from tracemap.analyze.mix import RootMix, root_mixes
from tracemap.analyze.origin_places import origin_places
from tracemap.analyze.origin_rows import TIMES, one_per_edge, origin_of, together
from tracemap.analyze.origin_words import cut_short_in_words, mix_in_words
from tracemap.analyze.own_time import with_mix
from tracemap.analyze.pauses import with_pauses
from tracemap.analyze.thresholds import Thresholds
from tracemap.analyze.variation import root_halves
from tracemap.model import ORIGINS, Facts, Window
from tracemap.model.ids import trace_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

NS_PER_MS = 1e6
MOST = 10
"""Origins named at most."""
_MAYBE_TIMES = ("low_ns", "high_ns", "flow_ns")
_FAILING = ("retries", "hidden retries", "pauses", "fallback")
"""What a failing upstream makes its callers do: it counts as that upstream's failures."""


class Explained(NamedTuple):
    """The origins, and what follows from them.

    Attributes:
        origins: As `model.ORIGINS`.
        flow: As `model.FLOW`, with the rank of the origin that each leaf is charged to.
        places: What traces have to show for each to be seen, as `model.EXEMPLAR_PLACES`.
    """

    origins: pl.DataFrame
    flow: pl.DataFrame
    places: pl.DataFrame


def origins(
    facts: Facts,
    incident: Window,
    baseline: Window,
    *,
    thresholds: Thresholds | None = None,
    owners: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return the finding alone; see `origins_with_flow`."""
    return origins_with_flow(
        facts, incident, baseline, thresholds=thresholds, owners=owners
    ).origins


def origins_with_flow(
    facts: Facts,
    incident: Window,
    baseline: Window,
    *,
    thresholds: Thresholds | None = None,
    owners: Mapping[str, str] | None = None,
) -> Explained:
    """Return the services and edges that explain the rise of user-visible latency and failures.

    Each component that moved counts with its visible effect, weighed by its evidence. Own time
    counts for its service. Gaps, calls without an answer, and calls to upstreams that record no
    spans, are shared between their two ends. Nobody is named for less than
    `Thresholds.origin_excess_ms` or `Thresholds.origin_excess_share` of the mean request before (of
    failures: `Thresholds.error_rise` of all requests), nor with evidence below
    `Thresholds.origin_z`: an empty table is an answer. An origin is ``strong`` when components that
    got much slower make half of it, or when it is very certain, on more than a handful of calls
    (`confidence.doubt`), and the flow of users' requests agrees that it reached them
    (`confidence.not_felt`). Others are ``weak``: leads to look at. Those that lack only
    calls or agreement are also listed where there is no strong one, the others only beside one.

    Causes: ``self`` (own time, or that of an upstream that records no spans or did not answer: at
    or beyond it; with an edge where only this caller's calls got slower), ``wire`` (gaps: network,
    queue, pool), ``calls`` (more calls, or by more requests), ``error`` (failures, and the time
    that retries and fallbacks after them cost), ``mix`` (requests of another kind: nobody is
    accused).

    Args:
        facts: Facts of both windows, each cut into cells of time (`windows.cells`), so that bursts
            are told from shifts.
        incident: The window to explain.
        baseline: The window to compare with.
        thresholds: Limits; the defaults when None.
        owners: Owner by service, where known.

    Returns:
        Slow ones by their time, failing ones by their share, mixes last.
    """
    limits = thresholds or Thresholds()
    shared = facts["parallel_facts"]
    tree = call_tree(facts["path_facts"], facts["paths"], incident, baseline, shared)
    requests = tree.requests(consumers(facts["edge_facts"]))
    roots = _names(tree, requests)
    mixes = root_mixes(facts["request_facts"], roots, incident, baseline)
    moved = components(tree, requests, facts, incident, baseline, limits=limits)
    moved = with_mix(moved, mixes, tree, requests, limits)
    moved = with_pauses(moved, facts["pattern_facts"], incident, baseline)
    failed = failures(tree, requests, facts["path_facts"], incident, baseline, limits=limits)
    least_ns = max(
        limits.origin_excess_ms * NS_PER_MS,
        limits.origin_excess_share * _mean_request_ns(tree, requests),
    )
    by_failing = pl.col("kind").is_in(_FAILING)
    slow = _slow(moved.filter(~by_failing), least_ns, limits)
    failing = _failing(failed, moved.filter(by_failing), least_ns, limits)
    slow = _less_saved(slow, failing, moved, failed, least_ns)
    mixed = _mixed(mixes, tree, requests, least_ns, limits)
    found = [*slow, *failing, *mixed]
    varies = root_halves(facts["path_facts"], facts["paths"], incident, baseline)
    split = flow_of(tree, limits, varies)
    _compare_with_flow(found, split, tree, requests, limits)
    named = _named(found)[:MOST]
    total = sum(row["excess_ns"] or 0.0 for row in found) or 1.0
    table = _table(named, total, _exemplars(facts["exemplars"], incident), owners or {})
    return Explained(table, charged(split, tree, named), origin_places(named))


def _table(
    named: list[Row], total_ns: float, exemplars: list[str], owners: Mapping[str, str]
) -> pl.DataFrame:
    """Return origins as `model.ORIGINS`, ranked in their order; shares are of `total_ns`."""
    rows = [
        {
            **row,
            "rank": rank,
            "share": (row["excess_ns"] or 0.0) / total_ns,
            "owner": owners.get(row["service"]),
            "exemplars": exemplars,
            "typical_exemplars": None,
            "excess_ns": round(row["excess_ns"] or 0.0),
            **{name: None if row[name] is None else round(row[name]) for name in _MAYBE_TIMES},
            "confidence": "weak" if row["doubt"] else "strong",
        }
        for rank, row in enumerate(named, start=1)
    ]
    columns = [{name: row[name] for name in ORIGINS.schema} for row in rows]
    return ORIGINS.conform(pl.DataFrame(columns, schema=ORIGINS.schema))


def _compare_with_flow(
    found: list[Row],
    split: pl.DataFrame,
    tree: CallTree,
    requests: NDArray[np.int64],
    limits: Thresholds,
) -> None:
    """Write into each origin what the flow charges it with, and the doubt where that is nothing."""
    whose = charged(split, tree, found)
    felt = felt_ns(whose, tree, requests, len(found))
    for row, flow_ns in zip(found, felt, strict=True):
        row["flow_ns"] = flow_ns if row["components"] else None
        row["doubt"] = row["doubt"] or not_felt(row["excess_ns"], row["flow_ns"], limits)


def _named(found: list[Row]) -> list[Row]:
    """Return the origins to name; uncertain ones only beside a strong one in the same unit."""
    strong = {row["cause"] == "error" for row in found if row["is_named"] and not row["doubt"]}
    return [
        row
        for row in found
        if row["is_named"] and (row["doubt"] != UNCERTAIN or (row["cause"] == "error") in strong)
    ]


def _slow(moved: pl.DataFrame, least_ns: float, limits: Thresholds) -> list[Row]:
    """Return the origins of time, largest first."""
    blame = Blame(moved.filter((pl.col("weight") > 0) & (pl.col("excess") > 0)), moved)
    found = one_per_edge([origin_of(blame, name, limits) for name in blame.services()])
    for row in found:
        row["is_named"] = row["excess_ns"] >= least_ns and row["z"] >= limits.origin_z
    return sorted(found, key=lambda row: (-row["excess_ns"], row["service"]))


def _failing(
    failed: pl.DataFrame, retried: pl.DataFrame, least_ns: float, limits: Thresholds
) -> list[Row]:
    """Return the origins of failures, largest share first."""
    blame = Blame(failed.filter((pl.col("weight") > 0) & (pl.col("excess") > 0)), failed)
    again = Blame(retried.filter((pl.col("weight") > 0) & (pl.col("excess") > 0)), retried)
    found = [origin_of(blame, name, limits) for name in blame.services()] or [
        origin_of(again, name, limits) | {"excess_ns": 0.0} for name in again.services()
    ]
    rows = [
        row | {"cause": "error", "excess_errors": row["excess_ns"]} | dict.fromkeys(TIMES)
        for row in sorted(found, key=lambda row: (-row["excess_ns"], row["service"]))
    ]
    for name in again.services():
        # Whoever merely passed failures on is not blamed for the retries they cost.
        blamed = next((row for row in rows if row["service"] == name), rows[0])
        excess, half = together(again.shares(name))
        retries = origin_of(again, name, limits)
        if excess >= least_ns and retries["doubt"] is None:
            # A request that a retry saved did not fail: its time is what is certain.
            blamed["doubt"] = None
        if retries["evidence"] not in blamed["evidence"]:
            blamed["evidence"] += f"; {retries['evidence']}"
        for key, value in zip(TIMES, (excess, excess - half, excess + half), strict=True):
            blamed[key] = (blamed[key] or 0.0) + value
        blamed["components"] = [*blamed["components"], *again.shares(name)]
    for row in rows:
        fails = row["excess_errors"] >= limits.error_rise and row["z"] >= limits.origin_z
        row["is_named"] = fails or (row["excess_ns"] or 0.0) >= least_ns
    return rows


def _less_saved(
    slow: list[Row], failing: list[Row], moved: pl.DataFrame, failed: pl.DataFrame, least_ns: float
) -> list[Row]:
    """Return slow origins, less the time saved by requests that they make fail early.

    The time that all failures save is divided between the failing origins by how many requests each
    makes fail. A call that was given up though its upstream did not fail was given up for being
    slow: that part is divided between all slow origins.
    """
    saved_ns = float(_counted(moved, "cut short")["excess"].sum())
    given_up = _counted(failed, "lost")["upstream"].to_list()
    whole = sum(row["excess_errors"] for row in failing)
    for row in failing if saved_ns and whole > 0 else []:
        own = [one for one in slow if one["service"] == row["service"]]
        own = own or (slow if row["service"] in given_up else [])
        together = max(sum(one["excess_ns"] for one in own), 1.0)
        for one in own:
            part_ns = saved_ns * row["excess_errors"] / whole * one["excess_ns"] / together
            for name in TIMES:
                one[name] += part_ns
            one["is_named"] &= one["excess_ns"] >= least_ns
            one["evidence"] += f"; {cut_short_in_words(part_ns)}"
    return sorted(slow, key=lambda row: (-row["excess_ns"], row["service"]))


def _counted(components: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return the components of a kind that moved."""
    return components.filter((pl.col("kind") == kind) & (pl.col("weight") > 0))


def _mixed(
    mixes: list[RootMix],
    tree: CallTree,
    requests: NDArray[np.int64],
    least_ns: float,
    limits: Thresholds,
) -> list[Row]:
    """Return the root operations that are slower because the mix of their requests changed."""
    found: list[Row] = []
    served = tree.sums["calls"][0, :, requests].sum(axis=0)
    for one in mixes:
        asked = one.sums["requests"][0].sum(axis=1)
        if asked.min() < limits.min_call_count:
            continue
        excess, half = (value * asked[1] / served[1] for value in one.excess())
        z = excess / half * 1.96 if half else 0.0
        shifted = one.shift >= limits.steady_share + 2 * one.chance + one.failing
        certain = z >= limits.strong_z and half <= limits.strong_interval * excess
        found.append(
            {
                "service": one.service,
                "operation": one.operation,
                "cause": "mix",
                "edge_downstream": None,
                "edge_upstream": None,
                "excess_ns": excess,
                "low_ns": excess - half,
                "high_ns": excess + half,
                "excess_errors": None,
                "z": z,
                "doubt": None if certain else UNCERTAIN,
                "components": [],
                "evidence": mix_in_words(one),
                "is_named": excess >= least_ns and z >= limits.origin_z and shifted,
            }
        )
    named = [row for row in found if row["is_named"]]
    return sorted(named, key=lambda row: (-row["excess_ns"], row["service"], row["operation"]))


def _names(tree: CallTree, requests: NDArray[np.int64]) -> set[tuple[str, str]]:
    """Return the services and operations of these roots."""
    service, operation = tree.rows("service"), tree.rows("operation")
    return {(service[row], operation[row]) for row in requests.tolist()}


def _mean_request_ns(tree: CallTree, requests: NDArray[np.int64]) -> float:
    """Return the mean duration of a root request in the baseline."""
    calls = tree.sums["calls"][0, 0, requests].sum()
    return float(tree.sums["duration_ns"][0, 0, requests].sum() / calls) if calls else 0.0


def _exemplars(exemplars: pl.DataFrame, incident: Window) -> list[str]:
    """Return the ids of the three slowest traces of the incident."""
    worst = (
        exemplars.filter((pl.col("role") == "worst") & incident.contains(pl.col("window_start_ns")))
        .unique(["trace_high", "trace_low"])
        .sort("duration_ns", "trace_high", "trace_low", descending=[True, False, False])
        .head(3)
    )
    return [trace_id(*halves) for halves in worst.select("trace_high", "trace_low").rows()]
