"""Finding ``declarations``: dependencies that a catalog declares against those observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.model import DECLARATIONS, UNKNOWN_CALLER, USER

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENDS = ["downstream", "upstream"]


def declarations(
    edge_facts: pl.DataFrame,
    declared: pl.DataFrame,
    names: Mapping[str, str],
    owners: Mapping[str, str],
) -> pl.DataFrame:
    """Return each dependency that was declared, observed, or both.

    Services are compared by ``service.name``: the catalog knows no nodes of environments. What was
    observed and is not declared counts only for services that declare any dependency: of the
    others the catalog says nothing. An edge that was not observed is not gone: it may be called
    seldom, without spans, or in traces that were not kept.

    Args:
        edge_facts: As `model.EDGE_FACTS`, all that is to count as observed.
        declared: Columns ``downstream``, ``upstream``, ``says`` and ``is_known`` (whether anybody
            is known to be the upstream).
        names: ``service.name`` by node.
        owners: Owner by node.

    Returns:
        As `model.DECLARATIONS`, sorted by owner, status and key.
    """
    if declared.is_empty():
        return DECLARATIONS.empty()
    said = declared.group_by(_ENDS).agg(
        pl.col("says").unique().sort().str.join(", "), pl.col("is_known").all()
    )
    seen = _observed(edge_facts, names)
    rows = said.join(seen, on=_ENDS, how="full", coalesce=True).filter(
        pl.col("says").is_not_null() | pl.col("downstream").is_in(declared["downstream"].unique())
    )
    status = (
        pl.when(~pl.col("is_known")).then(pl.lit("provider unknown"))
        .when(pl.col("says").is_null()).then(pl.lit("not declared"))
        .when(pl.col("calls").is_null()).then(pl.lit("not observed"))
        .otherwise(pl.lit("as declared"))
    )  # fmt: skip
    known = {names.get(node, node): owner for node, owner in sorted(owners.items())}
    made = rows.with_columns(
        pl.col("says").fill_null(""),
        pl.col("calls").fill_null(0),
        status=status,
        owner=pl.col("downstream").replace_strict(known, default=None, return_dtype=pl.String),
    ).with_columns(reason=pl.when(status="not observed").then(_reason(seen)).otherwise(pl.lit("")))
    return DECLARATIONS.conform(made).sort("owner", "status", *_ENDS, nulls_last=True)


def _observed(edge_facts: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Return calls between services by their names, and when the last one was."""
    return (
        edge_facts.filter(~pl.col("downstream").is_in([USER, UNKNOWN_CALLER]))
        .with_columns(pl.col(end).replace(dict(names)) for end in _ENDS)
        .filter(pl.col("downstream") != pl.col("upstream"))
        .group_by(_ENDS)
        .agg(pl.col("calls").sum(), pl.col("last_ns").max())
    )


def _reason(seen: pl.DataFrame) -> pl.Expr:
    """Return what was seen of both ends of an edge that was not."""
    callers, called = seen["downstream"].unique(), seen["upstream"].unique()
    is_there = pl.col("upstream").is_in(called.append(callers).unique())
    return (
        pl.when(~pl.col("downstream").is_in(callers))
        .then(pl.lit("downstream recorded no calls at all"))
        .when(~is_there)
        .then(pl.lit("upstream was not seen at all"))
        .otherwise(pl.lit("both were seen, no call between them"))
    )
