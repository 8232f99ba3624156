"""Small exports, each with one known oddity, such as lost spans or skewed clocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from tracemap.model import SECOND_NS, USER, Kind
from tracemap.simulate.bulk import otlp_json
from tracemap.simulate.flat import Catalogue, is_remote_parent
from tracemap.simulate.observable import observable_edges, orphans
from tracemap.simulate.sdk import sdk_otlp_json
from tracemap.simulate.simulated import Simulated, run
from tracemap.simulate.web_shop import shop

_TRACE = ["trace_high", "trace_low"]
_LINKS = ["span_id", "linked_high", "linked_low", "linked_span"]


@dataclass(frozen=True)
class Situation:
    """One small export and what must be found in it.

    Attributes:
        name: Name of the file.
        meaning: One line for people.
        content: OTLP/JSON, one batch a line.
        truth: Ready for JSON.
    """

    name: str
    meaning: str
    content: bytes
    truth: dict[str, Any]


def situations() -> list[Situation]:
    """Return all situations, always the same bytes."""
    makers: list[Callable[[], Situation]] = [
        messaging_links,
        missing_client_spans,
        orphan_spans,
        clock_skew,
        duplicates,
        spans_without_kind,
    ]
    return [maker() for maker in makers]


def messaging_links() -> Situation:
    """Messages consumed in other traces; one consumer takes them in batches of up to three."""
    simulated = _run(day=10)
    spans, links = _batched(simulated.spans, simulated.catalogue, service="fulfilment", most=3)
    content = sdk_otlp_json(spans, simulated.catalogue, links)
    expected = {"links": links.filter(pl.col("linked_span") != 0).height}
    return Situation(
        "messaging-links",
        "Messages on a queue, consumed in traces of their own; fulfilment takes up to three a span",
        content,
        _truth(spans, simulated.catalogue, expected, links),
    )


def missing_client_spans() -> Situation:
    """The front door's outgoing calls are not instrumented; context still travels."""
    simulated = _run(day=11)
    spans = _without_clients(simulated.spans, simulated.catalogue, service="storefront")
    content = sdk_otlp_json(spans, simulated.catalogue)
    return Situation(
        "missing-client-spans",
        "The storefront records no client spans: its edges show by parents alone, without gaps",
        content,
        _truth(spans, simulated.catalogue, {"edges_by_parent_only_from": "storefront"}),
    )


def orphan_spans() -> Situation:
    """Spans of two instances of a service are lost, and every tenth server span of another."""
    simulated = _run(day=12)
    catalogue = simulated.catalogue
    first = catalogue.resource_id("checkout")
    lost_instances = pl.col("resource_id").is_in([first, first + 1])
    lost_some = _of_service(catalogue, "catalog") & _of_kind(catalogue, Kind.SERVER)
    spans = simulated.spans.filter(~lost_instances)
    spans = spans.filter(~(lost_some & (pl.col("span_id") % 10 == 0)))
    left = orphans(spans)
    remote = left.filter(_remote(catalogue)).height
    expected = {"orphans_remote": remote, "orphans_local": left.height - remote}
    return Situation(
        "orphan-spans",
        "Two of three instances of checkout and some server spans of catalog are lost: children"
        " lack parents",
        sdk_otlp_json(spans, catalogue),
        _truth(spans, catalogue, expected),
    )


def clock_skew() -> Situation:
    """The clocks of two hosts are seconds off; durations are true."""
    simulated = _run(day=13)
    offsets_s = {"node-2": 2.5, "node-5": -3.0}
    hosts = pl.Series([dict(one)["host.name"] for one in simulated.catalogue.resources])
    host = hosts.gather(simulated.spans["resource_id"])
    offset_ns = host.replace_strict(
        {name: round(offset * SECOND_NS) for name, offset in offsets_s.items()},
        default=0, return_dtype=pl.Int64,
    )  # fmt: skip
    spans = simulated.spans.with_columns(start_ns=pl.col("start_ns") + offset_ns)
    return Situation(
        "clock-skew",
        "The clocks of two hosts are 2.5 s fast and 3 s slow; every duration is right",
        sdk_otlp_json(spans, simulated.catalogue),
        _truth(spans, simulated.catalogue, {"clock_offset_seconds": offsets_s}),
    )


def duplicates() -> Situation:
    """Every fifth batch was exported twice, as after a timeout of the exporter."""
    simulated = _run(day=14)
    lines = sdk_otlp_json(simulated.spans, simulated.catalogue).splitlines(keepends=True)
    again = lines[::5]
    twice = sum(line.count(b'"spanId"') - line.count(b'"links"') for line in again)
    expected = {"records": simulated.spans.height + twice, "duplicates": twice}
    return Situation(
        "duplicates",
        "Every fifth batch was sent twice: each span must count once",
        b"".join([*lines, *again]),
        _truth(simulated.spans, simulated.catalogue, expected),
    )


def spans_without_kind() -> Situation:
    """No span has a kind, nor flags: only parents and services tell who called."""
    simulated = _run(day=15)
    spans = simulated.spans
    known = simulated.catalogue
    kindless = Catalogue(known.shop)
    truth = _truth(spans, known, {"kind_unspecified": spans.height})
    truth["edges"] = [edge for edge in truth["edges"] if _is_called(edge)]
    kindless.descriptions = [replace(one, kind=Kind.UNSPECIFIED) for one in known.descriptions]
    return Situation(
        "spans-without-kind",
        "No span has a kind: edges between services show by parents and services alone, those to"
        " databases by name",
        otlp_json(spans, kindless).tobytes(),
        truth,
    )


def _run(day: int) -> Simulated:
    """Return two quiet minutes of the shop; each situation on a day of its own."""
    start = datetime(2026, 3, day, 9, 0, tzinfo=UTC)
    simulated = run(shop(), minutes=2, load=0.25, seed=day, start=start)
    _ = simulated.spans  # completes the catalogue
    return simulated


def _truth(
    spans: pl.DataFrame,
    catalogue: Catalogue,
    expected: dict[str, Any],
    links: pl.DataFrame | None = None,
) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "spans": spans.height,
        "traces": spans.select(pl.struct(_TRACE).n_unique()).item(),
        "expected": expected,
        "edges": observable_edges(spans, spans if links is None else links, catalogue),
    }


def _is_called(edge: dict[str, Any]) -> bool:
    """Whether an edge shows without kinds: between services, and to databases, which are named."""
    shows = edge["connection_type"] in {"rpc", "database"}
    return bool(shows and edge["downstream"] != USER)


def _of_service(catalogue: Catalogue, service: str) -> pl.Expr:
    rows = [
        row
        for row, attributes in enumerate(catalogue.resources)
        if dict(attributes)["service.name"] == service
    ]
    return pl.col("resource_id").is_in(rows)


def _of_kind(catalogue: Catalogue, kind: Kind) -> pl.Expr:
    rows = [row for row, one in enumerate(catalogue.descriptions) if one.kind is kind]
    return pl.col("description_id").is_in(rows)


def _remote(catalogue: Catalogue) -> pl.Expr:
    rows = [row for row, one in enumerate(catalogue.descriptions) if is_remote_parent(one.kind)]
    return pl.col("description_id").is_in(rows)


def _batched(
    spans: pl.DataFrame, catalogue: Catalogue, *, service: str, most: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return spans and links where the last of `most` consumer traces takes all their messages."""
    consumers = (
        spans.filter(_of_service(catalogue, service) & _of_kind(catalogue, Kind.CONSUMER))
        .sort("start_ns", "span_id")
        .with_row_index("place")
        .with_columns(last=pl.min_horizontal(pl.col("place") // most * most + most, pl.len()) - 1)
        .with_columns(chief=pl.col("span_id").gather(pl.col("last")))
    )
    gone = consumers.filter(pl.col("chief") != pl.col("span_id"))
    links = pl.concat(
        [
            spans.join(consumers, on="span_id", how="anti").select(_LINKS),
            consumers.select(pl.col("chief").alias("span_id"), *_LINKS[1:]),
        ]
    )
    return spans.join(gone, on=_TRACE, how="anti"), links


def _without_clients(spans: pl.DataFrame, catalogue: Catalogue, *, service: str) -> pl.DataFrame:
    """Return spans without a service's client spans; their children hang on the parents."""
    lost = spans.filter(_of_service(catalogue, service) & _of_kind(catalogue, Kind.CLIENT))
    moved = lost.select(*_TRACE, parent_id="span_id", grandparent_id="parent_id")
    kept = spans.join(lost, on=[*_TRACE, "span_id"], how="anti")
    return (
        kept.join(moved, on=[*_TRACE, "parent_id"], how="left")
        .with_columns(parent_id=pl.coalesce("grandparent_id", "parent_id"))
        .drop("grandparent_id")
    )
