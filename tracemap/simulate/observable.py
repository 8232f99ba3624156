"""The edges that a set of simulated spans still shows, counted from the spans themselves."""

from __future__ import annotations

from typing import Any

import polars as pl

from tracemap.model import USER, Kind
from tracemap.simulate.flat import Catalogue
from tracemap.simulate.graph import connection_type

_TRACE = ["trace_high", "trace_low"]


def observable_edges(
    spans: pl.DataFrame, links: pl.DataFrame, catalogue: Catalogue
) -> list[dict[str, Any]]:
    """Return one row per edge with its calls and errors, sorted.

    A client span is a call of its peer. A server span whose parent is a client span is the other
    side of that call; under any other span of another service it is a call by itself; with no
    parent at all ``user`` called. A server span whose parent is missing makes no edge. A producer
    span gives a message to its peer, a queue; a consumer span takes one per link.

    Args:
        spans: Columns as `flat.FLAT`.
        links: Columns ``span_id``, ``linked_high``, ``linked_low``, ``linked_span``.
        catalogue: What their ids stand for.
    """
    named = _named(spans, catalogue)
    parts = [_outgoing(named), _incoming(named), _sent(named), _consumed(named, links)]
    edges = (
        pl.concat(parts)
        .group_by("downstream", "upstream")
        .agg(pl.all().sum())
        .filter(pl.col("calls") > 0)
        .sort("downstream", "upstream")
    )
    return [_row(edge, catalogue) for edge in edges.iter_rows(named=True)]


def orphans(spans: pl.DataFrame) -> pl.DataFrame:
    """Return the spans whose parent is not among the spans of their trace."""
    present = spans.select(*_TRACE, parent_id="span_id")
    children = spans.filter(pl.col("parent_id") != 0)
    return children.join(present, on=[*_TRACE, "parent_id"], how="anti")


def _named(spans: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Return spans with their service, kind, peer and failure in plain words."""
    services = pl.Series([dict(attributes)["service.name"] for attributes in catalogue.resources])
    kinds = pl.Series([int(one.kind) for one in catalogue.descriptions])
    peers = pl.Series([one.upstream for one in catalogue.descriptions])
    failures = pl.Series([int(one.failed) for one in catalogue.descriptions])
    return spans.with_columns(
        service=services.gather(spans["resource_id"]),
        kind=kinds.gather(spans["description_id"]),
        peer=peers.gather(spans["description_id"]),
        failed=failures.gather(spans["description_id"]),
    )


def _counts(downstream: str, upstream: str, **counts: pl.Expr | int) -> list[pl.Expr]:
    """Return the columns of a part: names of the two ends, and what to count."""
    return [
        pl.col(downstream).alias("downstream"),
        pl.col(upstream).alias("upstream"),
        *(
            (pl.lit(count) if isinstance(count, int) else count).cast(pl.Int64).alias(name)
            for name, count in counts.items()
        ),
    ]


def _outgoing(named: pl.DataFrame) -> pl.DataFrame:
    clients = named.filter(pl.col("kind") == Kind.CLIENT.value)
    failed = pl.col("failed")
    return clients.select(
        _counts("service", "peer", calls=1, errors_downstream=failed, errors_upstream=0)
    )


def _sent(named: pl.DataFrame) -> pl.DataFrame:
    producers = named.filter(pl.col("kind") == Kind.PRODUCER.value)
    failed = pl.col("failed")
    return producers.select(
        _counts("peer", "service", calls=1, errors_downstream=0, errors_upstream=failed)
    )


def _incoming(named: pl.DataFrame) -> pl.DataFrame:
    parents = named.select(
        *_TRACE, parent_id="span_id", parent_service="service", parent_kind="kind"
    )
    servers = named.filter(pl.col("kind") == Kind.SERVER.value).join(
        parents, on=[*_TRACE, "parent_id"], how="left"
    )
    is_root = pl.col("parent_id") == 0
    known = servers.filter(is_root | pl.col("parent_service").is_not_null()).with_columns(
        caller=pl.when(is_root).then(pl.lit(USER)).otherwise("parent_service"),
        unseen=is_root | (pl.col("parent_kind") != Kind.CLIENT.value),
    )
    calls, failed = pl.col("unseen"), pl.col("failed")
    return known.select(
        _counts("caller", "service", calls=calls, errors_downstream=0, errors_upstream=failed)
    )


def _consumed(named: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    messages = links.filter(pl.col("linked_span") != 0).select("span_id").join(named, on="span_id")
    failed = pl.col("failed")
    return messages.select(
        _counts("service", "peer", calls=1, errors_downstream=failed, errors_upstream=0)
    )


def _row(edge: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    shop = catalogue.shop
    upstream = shop.services[edge["upstream"]]
    return {
        "downstream": edge["downstream"],
        "upstream": edge["upstream"],
        "upstream_kind": upstream.kind,
        "connection_type": connection_type(shop, edge["downstream"], edge["upstream"]),
        "calls": edge["calls"],
        "errors_downstream": edge["errors_downstream"],
        "errors_upstream": edge["errors_upstream"],
    }
