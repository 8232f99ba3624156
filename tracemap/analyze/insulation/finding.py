"""All that was found on an edge, what it stopped in the incident, and the calls that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.call_tree import call_tree
from tracemap.analyze.insulation.breakers import breakers, short_circuits
from tracemap.analyze.insulation.ejections import ejections
from tracemap.analyze.insulation.fallbacks import fallbacks, tolerated
from tracemap.analyze.insulation.hedges import hedges
from tracemap.analyze.insulation.missing import missing
from tracemap.analyze.insulation.retries import layers, retries, storms
from tracemap.analyze.insulation.seen import SITE, Seen
from tracemap.analyze.insulation.shapes import shapes
from tracemap.analyze.insulation.timeouts import inversions, timeouts
from tracemap.analyze.thresholds import Thresholds
from tracemap.model import INSULATION, PROPAGATION, Facts, Window
from tracemap.model.ids import hex_id

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLES = {
    "timeout": "protects",
    "circuit breaker": "protects",
    "ejection": "protects",
    "hedge": "protects",
    "fallback": "protects",
    "optional call": "protects",
    "short circuit": "protects",
    "parallel slack": "protects",
    "async": "protects",
    "retry": "protects",
    "retry storm": "hurts",
    "layered retries": "hurts",
    "deadline inversion": "hurts",
    "cache misses": "hurts",
    "fan-out": "advice",
    "calls in a loop": "advice",
    "calls in a row": "advice",
    "none": "missing",
}
"""What each pattern does for, or to, downstream; in the order of a report."""
_STOPS_NO_SLOWNESS = ("retry", "ejection")
_SHOWN_BY = {
    "retry": "attempt",
    "retry storm": "attempt",
    "layered retries": "attempt",
    "timeout": "timeout",
    "deadline inversion": "timeout",
    "circuit breaker": "fast_failure",
    "hedge": "hedge",
    "ejection": "instance",
    "fallback": "after_failure",
    "optional call": "request",
    "calls in a loop": "in_a_row",
    "fan-out": "at_once",
    "calls in a row": "next",
}
_EXEMPLARS = 3
_WITHIN_OFFERED = ("timeout", "hedge")
"""What they stopped is part of what propagation calls offered."""
_LEAST_SHARE = 0.25
_SLACK = ("parallel slack", "async")
_NOTHING = pl.DataFrame(
    schema={
        **dict.fromkeys((*SITE, "pattern", "other", "shows"), pl.String),
        **dict.fromkeys(("occurrences", "opportunities", "rescued"), pl.Int64),
        **dict.fromkeys(
            ("attempts_per_call", "success", "limit_ns", "saving_ns", "stopped_ns"), pl.Float64
        ),
        "is_strong": pl.Boolean,
    }
)
"""What detectors say of an edge; each one leaves out what it does not know."""


def insulation(
    facts: Facts,
    incident: Window,
    baseline: Window | None = None,
    propagation: pl.DataFrame | None = None,
    thresholds: Thresholds | None = None,
    *,
    critical: frozenset[str] = frozenset(),
) -> pl.DataFrame:
    """Return what protects each edge, what makes things worse, and where nothing protects.

    Every detector's rule stands in its own file and in docs/methods.md#insulation. A pattern that
    was seen in the baseline only is listed too, with nothing stopped in the incident. Advice is
    taken from the baseline where it gives any, because a fault makes each call of a loop slow.
    Patterns that never came into play cannot be seen: a timeout that no call reached, a breaker
    that never opened.

    Args:
        facts: Pattern, path, edge and latency facts of both windows.
        incident: The window in question.
        baseline: What it is compared with; None: nothing, so that no change is told.
        propagation: As `model.PROPAGATION`, of the same windows; None: nothing was compared.
        thresholds: Limits; the defaults when None.
        critical: Services that are called critical: what they wait for is listed however few
            requests go through it.

    Returns:
        As `model.INSULATION`: what protects first, by what it stopped; then what hurts, advice, and
        edges with nothing: those a spike came through, then by how many requests depend on them.
    """
    limits = thresholds or Thresholds()
    if facts["path_facts"].is_empty():
        return INSULATION.empty()
    moved = PROPAGATION.empty() if propagation is None else propagation
    now = _seen(facts, incident)
    then = _seen(facts, incident if baseline is None else baseline)
    found, usual = _detected(now, then, limits), _NOTHING
    if baseline is not None:
        usual = _detected(then, then, limits)
        found = _unless_usual(found, usual)
        earlier = usual.join(found, on=[*SITE, "pattern"], how="anti").with_columns(
            shows=pl.format("in the baseline: {}", "shows"), stopped_ns=pl.lit(None, pl.Float64)
        )
        found = pl.concat([found, earlier])
    found = _stopped((found, now), (usual, then))
    slack = _slack(named_mechanisms(moved, found))
    tree = call_tree(facts["path_facts"], facts["paths"], incident, baseline or incident)
    protected = _protected(found, slack)
    bare = missing(tree, facts["edge_facts"], now, protected, limits, critical=critical)
    bare = _marked(bare, found, moved)
    rows = pl.concat([found, slack, bare], how="diagonal_relaxed")
    windows = [incident] if baseline is None else [incident, baseline]
    return _sorted(_complete(rows, facts["pattern_exemplars"], windows))


def _protected(found: pl.DataFrame, slack: pl.DataFrame) -> pl.DataFrame:
    """Return the edges on which something stops slowness: columns `SITE`."""
    protects = [name for name, role in ROLES.items() if role == "protects"]
    keeps_off = [name for name in protects if name not in _STOPS_NO_SLOWNESS]
    stopping = (each.filter(pl.col("pattern").is_in(keeps_off)) for each in (found, slack))
    return pl.concat(each.select(SITE) for each in stopping).unique()


def _marked(bare: pl.DataFrame, found: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Return the edges that nothing protects, strong where a spike came through.

    Calls to a fallback are left out: they are the protection of another edge.
    """
    fallbacks = found.filter(pl.col("pattern") == "fallback").select(
        "downstream", "downstream_operation", upstream="other"
    )
    came_through = moved.filter(pl.col("verdict").is_in(["propagated", "amplified"]))
    return (
        bare.join(fallbacks, on=fallbacks.columns, how="anti")
        .join(came_through.select(*SITE, is_strong=pl.lit(value=True)), on=SITE, how="left")
        .with_columns(pl.col("is_strong").fill_null(value=False))
    )


def _unless_usual(found: pl.DataFrame, usual: pl.DataFrame) -> pl.DataFrame:
    """Return what was found without advice that the baseline gives too.

    What a loop costs is taken from the baseline, because the fault makes each of its calls slow.
    Advice that only the incident gives says so.
    """
    advice = pl.col("pattern").is_in([name for name, role in ROLES.items() if role == "advice"])
    alone = found.filter(advice).join(usual, on=[*SITE, "pattern"], how="anti")
    alone = alone.with_columns(shows=pl.format("in the window, not in the baseline: {}", "shows"))
    return pl.concat([found.filter(~advice), alone])


def named_mechanisms(propagation: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return `propagation`, with a timeout or hedge that `found` saw in place of parallel slack.

    It is named where the time that upstream worked on after downstream had left is at least a
    quarter of what did not arrive: the abandoned calls ran beside others, so that they look like
    slack too.

    Args:
        propagation: As `model.PROPAGATION`.
        found: Columns `SITE`, ``pattern`` and ``absorbed_ns``.
    """
    largest = (
        found.filter(pl.col("pattern").is_in(_WITHIN_OFFERED))
        .sort(["absorbed_ns", "pattern"], descending=[True, False], nulls_last=True)
        .unique(SITE, keep="first", maintain_order=True)
        .select(*SITE, named="pattern", by_it="absorbed_ns")
    )
    enough = pl.col("by_it").fill_null(0) >= _LEAST_SHARE * pl.col("absorbed_ns")
    named = pl.when(pl.col("mechanism").is_not_null() & enough).then("named").otherwise("mechanism")
    joined = propagation.join(largest, on=SITE, how="left", maintain_order="left")
    return PROPAGATION.conform(joined.with_columns(mechanism=named))


def _seen(facts: Facts, window: Window) -> Seen:
    inside = window.contains(pl.col("window_start_ns"))
    return Seen.of(facts["pattern_facts"].filter(inside), facts["latency_facts"].filter(inside))


def _detected(now: Seen, then: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return what every detector says about one window."""
    retried, limited = retries(now, limits), timeouts(now, limits)
    instead = fallbacks(now, limits)
    parts = [
        retried,
        storms(now, then, retried, limits),
        layers(retried, limits),
        limited,
        inversions(limited, retried),
        breakers(now, then, limits),
        short_circuits(now, then, limits),
        hedges(now, limits),
        ejections(now, limits),
        instead,
        tolerated(now, instead, limits),
        shapes(now, limits),
    ]
    return pl.concat([_NOTHING, *parts], how="diagonal_relaxed")


def _stopped(now: tuple[pl.DataFrame, Seen], then: tuple[pl.DataFrame, Seen]) -> pl.DataFrame:
    """Return what each pattern kept away, per downstream request, beyond what it did before."""
    caller = ["downstream", "downstream_operation"]
    sides = [
        found.join(seen.operations().select(*caller, "requests"), on=caller, how="left")
        .with_columns(each_ns=pl.col("stopped_ns") / pl.col("requests"))
        .drop("requests", "stopped_ns")
        for found, seen in (now, then)
    ]
    usual = sides[1].select(*SITE, "pattern", usual_ns=pl.col("each_ns"))
    more = pl.col("each_ns") - pl.col("usual_ns").fill_null(0.0)
    return (
        sides[0]
        .join(usual, on=[*SITE, "pattern"], how="left")
        .with_columns(absorbed_ns=more.clip(lower_bound=0.0).round(0).cast(pl.Int64))
        .drop("each_ns", "usual_ns")
    )


def _slack(moved: pl.DataFrame) -> pl.DataFrame:
    """Return the edges whose spike ran beside something longer, or blocked nobody."""
    return moved.filter(pl.col("mechanism").is_in(_SLACK)).select(
        *SITE,
        "absorbed_ns",
        pattern="mechanism",
        occurrences="calls",
        is_strong=pl.col("verdict") == "absorbed",
        shows=pl.when(pl.col("mechanism") == "async")
        .then(pl.lit("downstream does not wait for these calls"))
        .otherwise(pl.lit("something else that runs beside these calls took longer")),
    )


def _complete(
    rows: pl.DataFrame, exemplars: pl.DataFrame, windows: Sequence[Window]
) -> pl.DataFrame:
    """Return `rows` with role, confidence and the calls that show them."""
    shown_by = pl.col("pattern").replace_strict(_SHOWN_BY, default=None, return_dtype=pl.String)
    role = pl.col("pattern").replace_strict(ROLES, return_dtype=pl.String)
    confidence = pl.when(pl.col("is_strong")).then(pl.lit("strong")).otherwise(pl.lit("weak"))
    inside = pl.any_horizontal([window.contains(pl.col("window_start_ns")) for window in windows])
    shown = (
        exemplars.filter(inside)
        .sort("size_ns", "trace_high", "trace_low", "rank", descending=[True, False, False, False])
        .group_by(*SITE, shown_by="pattern", maintain_order=True)
        .head(_EXEMPLARS)
        .group_by(*SITE, "shown_by", maintain_order=True)
        .agg(
            exemplars=hex_id("trace_high") + hex_id("trace_low"),
            spans=pl.when(pl.col("other_span_id") == 0)
            .then(hex_id("span_id"))
            .otherwise(hex_id("other_span_id") + pl.lit(" ") + hex_id("span_id")),
        )
    )
    return (
        rows.with_columns(role=role, confidence=confidence, shown_by=shown_by)
        .join(shown, on=[*SITE, "shown_by"], how="left")
        .with_columns(
            pl.col("exemplars", "spans").fill_null([]),
            *(pl.col(name).round(0) for name in ("limit_ns", "saving_ns")),
        )
    )


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    order = {role: place for place, role in enumerate(dict.fromkeys(ROLES.values()))}
    place = pl.col("role").replace_strict(order, return_dtype=pl.Int32)
    return INSULATION.conform(
        rows.sort(
            [
                place,
                pl.col("is_strong") & (pl.col("role") == "missing"),
                pl.col("absorbed_ns").fill_null(-1),
                pl.col("share").fill_null(0.0),
                pl.col("saving_ns").fill_null(0.0),
                pl.col("occurrences"),
                *SITE,
                "pattern",
            ],
            descending=[False, True, True, True, True, True, *[False] * 5],
        )
    )
