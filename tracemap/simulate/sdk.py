"""Write simulated spans with the OpenTelemetry SDK's own exporter: slow, right by definition."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping

import polars as pl
from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.trace.status import Status, StatusCode

from tracemap.simulate.description import NUMBER, NUMBERS, SMALLEST_NUMBER, Description
from tracemap.simulate.export_order import SCOPE_VERSION, Export, export_order
from tracemap.simulate.flat import Catalogue, is_remote_parent

Row = Mapping[str, int]


def sdk_otlp_json(
    spans: pl.DataFrame, catalogue: Catalogue, links: pl.DataFrame | None = None
) -> bytes:
    """Return spans (columns as `flat.FLAT`) as lines of OTLP/JSON, the same that `bulk` writes.

    Args:
        spans: The spans.
        catalogue: What their ids stand for.
        links: More links than one a span: columns ``span_id``, ``linked_high``, ``linked_low``
            and ``linked_span``; they replace those in `spans`.
    """
    export = export_order(spans, catalogue)
    links = spans if links is None else links
    by_span: dict[int, list[Row]] = {}
    for link in links.filter(pl.col("linked_span") != 0).iter_rows(named=True):
        by_span.setdefault(link["span_id"], []).append(link)
    stream = io.StringIO()
    exporter = FileSpanExporter(stream=stream)
    resources = [Resource(dict(attributes)) for attributes in catalogue.resources]
    for batch in _batches(export):
        exporter.export(
            [
                _readable(
                    row,
                    catalogue.descriptions[row["description_id"]],
                    resources[row["resource_id"]],
                    by_span.get(row["span_id"], []),
                )
                for row in batch.iter_rows(named=True)
            ]
        )
    return stream.getvalue().encode()


def _batches(export: Export) -> Iterator[pl.DataFrame]:
    starts = [group.start for group in export.groups() if group.new_batch]
    for start, end in zip(starts, [*starts[1:], export.spans.height], strict=True):
        yield export.spans[start:end]


def _readable(
    row: Row, description: Description, resource: Resource, links: list[Row]
) -> ReadableSpan:
    trace_id = row["trace_high"] << 64 | row["trace_low"]
    parent = None
    if row["parent_id"]:
        remote = is_remote_parent(description.kind)
        parent = _context(trace_id, row["parent_id"], remote=remote)
    return ReadableSpan(
        name=description.name,
        context=_context(trace_id, row["span_id"], remote=False, state=description.tracestate),
        parent=parent,
        resource=resource,
        attributes=_attributes(description, SMALLEST_NUMBER + row["span_id"] % NUMBERS),
        links=[
            Link(
                _context(
                    link["linked_high"] << 64 | link["linked_low"], link["linked_span"], remote=True
                )
            )
            for link in links
        ],
        kind=SpanKind[description.kind.name],
        status=Status(StatusCode.ERROR if description.failed else StatusCode.UNSET),
        start_time=row["start_ns"],
        end_time=row["end_ns"],
        instrumentation_scope=InstrumentationScope(description.scope, SCOPE_VERSION),
    )


def _context(trace_id: int, span_id: int, *, remote: bool, state: str = "") -> SpanContext:
    return SpanContext(
        trace_id,
        span_id,
        is_remote=remote,
        trace_flags=TraceFlags(1),
        trace_state=TraceState.from_header([state] if state else []),
    )


def _attributes(description: Description, number: int) -> dict[str, str | int]:
    return {
        key: number
        if value == NUMBER
        else value.replace(NUMBER, str(number))
        if isinstance(value, str)
        else value
        for key, value in description.attributes
    }
