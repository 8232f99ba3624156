"""Call paths by the user request they belong to, and what the own time of a step stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection

COMPONENT = ["cause", "service", "operation", "downstream"]


def user_paths(paths: pl.DataFrame, consumed: Collection[tuple[str, str]]) -> pl.DataFrame:
    """Return the call paths below requests that somebody waits for.

    Args:
        paths: As `model.PATHS`.
        consumed: Services and operations that consume messages; their roots count only where
            there is no other root.

    Returns:
        Columns of `model.PATHS` plus ``root_id``, ``root_service`` and ``root_operation``.
    """
    parent = dict(paths.select("path_id", "parent_path_id").iter_rows())
    roots: dict[int, int] = {}
    for path in paths.sort("depth")["path_id"]:
        above = parent[path]
        roots[path] = roots.get(above, path) if above else path
    of_root = pl.DataFrame(
        {"path_id": list(roots), "root_id": list(roots.values())},
        schema={"path_id": pl.UInt64, "root_id": pl.UInt64},
    )
    names = paths.select(root_id="path_id", root_service="service", root_operation="operation")
    rooted = paths.join(of_root, on="path_id").join(names, on="root_id")
    unwaited = pl.DataFrame(
        sorted(consumed),
        schema={"root_service": pl.String, "root_operation": pl.String},
        orient="row",
    )
    waited = rooted.join(unwaited, on=["root_service", "root_operation"], how="anti")
    return (rooted if waited.is_empty() else waited).sort("path_id")


def components(rooted: pl.DataFrame) -> pl.DataFrame:
    """Return what the own time of each path is: of an operation, or of the way to an upstream.

    A call's own time is the gap between both ends (``wire``); where upstream recorded no spans, it
    is upstream's (``self``).

    Returns:
        ``path_id`` and the columns `COMPONENT`.
    """
    reached = rooted.filter(pl.col("step") == "entry").select(
        path_id="parent_path_id", reached="operation"
    ).sort("path_id", "reached").unique("path_id", keep="first", maintain_order=True)  # fmt: skip
    is_call = pl.col("step") == "call"
    is_wire = is_call & pl.col("reached").is_not_null()
    return rooted.join(reached, on="path_id", how="left").select(
        "path_id",
        cause=pl.when(is_wire).then(pl.lit("wire")).otherwise(pl.lit("self")),
        service=pl.when(is_call).then("upstream").otherwise("service"),
        operation=pl.coalesce(pl.when(is_wire).then("reached"), "operation"),
        downstream=pl.when(is_wire).then("service").otherwise(pl.lit("")),
    )
