"""Which user request each call path belongs to, and whose time the own time of a step is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.consumers import waited

if TYPE_CHECKING:
    from collections.abc import Collection

    from tracemap.analyze.consumers import Operation

COMPONENT = ["cause", "service", "operation", "downstream"]


def rooted(paths: pl.DataFrame) -> pl.DataFrame:
    """Return the root of each call path.

    Args:
        paths: As `model.PATHS`, each once; one whose parent is not among them is its own root.

    Returns:
        ``path_id`` and ``root_id``.
    """
    roots: dict[int, int] = {}
    for path, parent in paths.sort("depth").select("path_id", "parent_path_id").iter_rows():
        roots[path] = roots.get(parent, path)
    return pl.DataFrame(
        {"path_id": list(roots), "root_id": list(roots.values())},
        schema={"path_id": pl.UInt64, "root_id": pl.UInt64},
    )


def user_paths(paths: pl.DataFrame, consumed: Collection[Operation]) -> pl.DataFrame:
    """Return the call paths of requests that somebody waits for (`consumers.waited`).

    Args:
        paths: As `model.PATHS`, each once.
        consumed: As `consumers.consumers` returns them.

    Returns:
        Columns of `model.PATHS` plus ``root_id``, ``root_service`` and ``root_operation``.
    """
    roots = paths.filter(pl.col("parent_path_id") == 0).select(
        root_id="path_id", root_service="service", root_operation="operation"
    )
    names = roots.select("root_service", "root_operation").iter_rows()
    chosen = roots.filter(pl.Series(waited(names, consumed)))
    return paths.join(rooted(paths), on="path_id").join(chosen, on="root_id").sort("path_id")


def components(paths: pl.DataFrame) -> pl.DataFrame:
    """Return what the own time of each path is: of an operation, or of the way to an upstream.

    A call's own time is the gap between both ends (``wire``); where upstream recorded no spans, it
    is upstream's (``self``).

    Returns:
        ``path_id`` and the columns `COMPONENT`.
    """
    reached = paths.filter(pl.col("step") == "entry").select(
        path_id="parent_path_id", reached="operation"
    ).sort("path_id", "reached").unique("path_id", keep="first", maintain_order=True)  # fmt: skip
    is_call = pl.col("step") == "call"
    is_wire = is_call & pl.col("reached").is_not_null()
    return paths.join(reached, on="path_id", how="left").select(
        "path_id",
        cause=pl.when(is_wire).then(pl.lit("wire")).otherwise(pl.lit("self")),
        service=pl.when(is_call).then("upstream").otherwise("service"),
        operation=pl.coalesce(pl.when(is_wire).then("reached"), "operation"),
        downstream=pl.when(is_wire).then("service").otherwise(pl.lit("")),
    )
