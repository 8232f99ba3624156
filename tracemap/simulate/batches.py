"""Simulated spans as `model.Batch`, as a reader would give them: no file in between."""

from __future__ import annotations

import json

import polars as pl

from tracemap.model import LINKS, OPERATIONS, RESOURCES, SPANS, Batch, Quality, Status
from tracemap.simulate.description import NUMBER, NUMBERS, SMALLEST_NUMBER, Description
from tracemap.simulate.flat import Catalogue, is_remote_parent
from tracemap.simulate.tracestate import adjusted_count

FLAG_KNOWN, FLAG_REMOTE = 0x100, 0x200


def batch(spans: pl.DataFrame, catalogue: Catalogue, *, attributes: bool = False) -> Batch:
    """Return spans (columns as `flat.FLAT`) as a batch.

    Args:
        spans: The spans.
        catalogue: What their ids stand for.
        attributes: Fill the column ``attributes`` too; it is what costs time.
    """
    described = _descriptions(catalogue.descriptions)
    joined = spans.with_columns(
        described[name].gather(spans["description_id"]).alias(name)
        for name in described.columns
        if name != "attributes"
    ).with_columns(
        flags=FLAG_KNOWN
        + FLAG_REMOTE * (pl.col("remote") & (pl.col("parent_id") != 0)).cast(pl.UInt16),
        attributes=_attributes(spans, described) if attributes else pl.lit(None),
    )
    return Batch(
        spans=SPANS.conform(joined),
        operations=_operations(catalogue.descriptions),
        resources=_resources(catalogue),
        links=_links(spans),
    )


def _descriptions(descriptions: list[Description]) -> pl.DataFrame:
    """Return what is the same for all spans of a description, one row each."""
    rows = [
        {
            "operation_id": number,
            "status_code": int(Status.ERROR if one.failed else Status.UNSET),
            "remote": is_remote_parent(one.kind),
            "http_status": one.attribute("http.response.status_code"),
            "error_type": one.attribute("error.type"),
            "resend_count": one.attribute("http.request.resend_count") or 0,
            "weight": adjusted_count(one.tracestate) or 1.0,
            "quality": 0 if one.tracestate else int(Quality.NO_SAMPLING_INFORMATION),
            "attributes": json.dumps(dict(one.attributes), separators=(",", ":")),
        }
        for number, one in enumerate(descriptions)
    ]
    schema = {
        "operation_id": pl.Int32, "status_code": pl.UInt8, "remote": pl.Boolean,
        "http_status": pl.Int16, "error_type": pl.String, "resend_count": pl.Int16,
        "weight": pl.Float64, "quality": pl.UInt32, "attributes": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _attributes(spans: pl.DataFrame, described: pl.DataFrame) -> pl.Series:
    """Return the attributes of each span as JSON, its number put in."""
    quoted = f'"{NUMBER}"'
    texts = described["attributes"].str.replace_all(quoted, NUMBER, literal=True)
    pieces = texts.str.split_exact(NUMBER, 1)
    before = pieces.struct.field("field_0").gather(spans["description_id"])
    after = pieces.struct.field("field_1").gather(spans["description_id"])
    number = (SMALLEST_NUMBER + spans["span_id"] % NUMBERS).cast(pl.String)
    filled = before + number + after
    return filled.zip_with(after.is_not_null(), before)


def _operations(descriptions: list[Description]) -> pl.DataFrame:
    rows = [
        {
            "operation_id": number,
            "kind": int(one.kind),
            "name": one.name,
            "operation": one.operation,
            "protocol": one.protocol,
            "peer_kind": one.peer_kind,
            "peer_name": one.peer_name,
            "messaging_operation": one.messaging_operation,
            "scope": one.scope,
            "peer_place": one.peer_place,
        }
        for number, one in enumerate(descriptions)
    ]
    return pl.DataFrame(rows, schema=OPERATIONS.schema)


def _resources(catalogue: Catalogue) -> pl.DataFrame:
    rows = []
    for number, attributes in enumerate(catalogue.resources):
        known = dict(attributes)
        rows.append(
            {
                "resource_id": number,
                "service_name": known["service.name"],
                "service_namespace": known["service.namespace"],
                "service_version": known["service.version"],
                "environment": known["deployment.environment.name"],
                "instance": known["service.instance.id"],
                "host": known["host.name"],
                "owner": known["service.owner"],
                "criticality": known["service.criticality"],
                "quality": 0,
                "attributes": json.dumps(known, separators=(",", ":")),
            }
        )
    return pl.DataFrame(rows, schema=RESOURCES.schema)


def _links(spans: pl.DataFrame) -> pl.DataFrame:
    linked = spans.filter(pl.col("linked_span") != 0)
    return LINKS.conform(
        linked.select(
            "trace_high",
            "trace_low",
            "span_id",
            linked_trace_high="linked_high",
            linked_trace_low="linked_low",
            linked_span_id="linked_span",
        )
    )
