"""Traces for tests of derive: written down span by span, or grown at random with their truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from tests.builders import Row, link, span, span_batch
from tracemap import derive
from tracemap.model import HOUR_NS, LINKED_SPANS, Cells, Facts, Kind, TraceBucket

MS = 1_000_000
KINDS = {
    "S": Kind.SERVER, "C": Kind.CLIENT, "I": Kind.INTERNAL, "P": Kind.PRODUCER,
    "K": Kind.CONSUMER, "U": Kind.UNSPECIFIED,
}  # fmt: skip
ERROR = 2


def at(
    what: str,
    span_id: int,
    parent: int = 0,
    times: tuple[float, float] = (0, 100),
    **more: float | str | None,
) -> Row:
    """Return the span `what`, ``A.S`` for a SERVER span of service A, from and to ms after noon.

    Its operation is `what` unless said otherwise; its host is the service's name.
    """
    service, kind = what.split(".")
    start, end = times
    columns: dict[str, Any] = {
        "kind": KINDS[kind],
        "service_name": service,
        "host": service,
        "name": what,
        "operation": what,
        "offset_ns": round(start * MS),
        "duration_ns": round((end - start) * MS),
    }
    return span(span_id, parent=parent, **(columns | more))


def bucket(*spans: Row, links: Sequence[tuple[Row, Row]] = ()) -> TraceBucket:
    """Return `spans` as one bucket; `links` are (from, to), both among `spans`."""
    batch = span_batch(spans)
    resources = batch.resources.with_columns(service=pl.col("service_name"))
    by_id = dict(zip([each["span_id"] for each in spans], batch.spans.to_dicts(), strict=True))
    linked = [
        link(source, target)
        | {
            f"linked_{name}": by_id[target["span_id"]][name]
            for name in ("operation_id", "resource_id", "start_ns", "duration_ns", "status_code")
        }
        for source, target in links
    ]
    return TraceBucket(
        batch.spans.drop("attributes"),
        batch.operations,
        resources,
        pl.DataFrame(linked, schema=LINKED_SPANS.schema),
    )


HOURLY = Cells(latency_ns=HOUR_NS)


def facts_of(*spans: Row, links: Sequence[tuple[Row, Row]] = ()) -> Facts:
    """Return the facts of `spans`, all in cells of an hour."""
    return derive.facts(bucket(*spans, links=links), HOURLY)


def edges(facts: Facts) -> dict[str, int]:
    """Return the calls of each edge as ``{"A -> B (paired)": 1}``, downstream first."""
    rows = (
        facts["edge_facts"]
        .group_by("downstream", "upstream", "evidence")
        .agg(pl.col("calls").sum())
    )
    return {f"{a} -> {b} ({rule})": calls for a, b, rule, calls in rows.sort(pl.all()).rows()}


def reasons(facts: Facts) -> dict[str, int]:
    """Return the spans of each reason in QUALITY_FACTS, over all services."""
    rows = facts["quality_facts"].group_by("reason").agg(pl.col("spans").sum())
    return dict(rows.rows())


def times(spans: Iterable[Row]) -> dict[int, tuple[int, int]]:
    """Return (self, critical) in ms of each span of one trace, by span id."""
    rows = derive.waterfall(bucket(*spans))
    chosen = rows.select("span_id", "self_ns", "critical_ns").rows()
    return {int(span_id, 16): (own // MS, critical // MS) for span_id, own, critical in chosen}


def path_table(facts: Facts) -> dict[str, dict[str, int]]:
    """Return PATH_FACTS by path, each named by its operations from the root, summed over cells."""
    named = facts["paths"].sort("depth")
    names: dict[int, str] = {0: ""}
    for row in named.iter_rows(named=True):
        above = names[row["parent_path_id"]]
        names[row["path_id"]] = f"{above} > {row['operation']}" if above else row["operation"]
    sums = facts["path_facts"].drop("window_start_ns", "hash_bucket").group_by("path_id").sum()
    return {names[row.pop("path_id")]: row for row in sums.iter_rows(named=True)}
