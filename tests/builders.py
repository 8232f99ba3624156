"""Small inputs for tests: spans written down as dictionaries, batches and files made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from tracemap.model import (
    HOUR_NS,
    LINKS,
    OPERATIONS,
    REJECTS,
    RESOURCES,
    SPANS,
    Batch,
    Kind,
    Table,
)

NOON_NS = 1_700_000_000_000_000_000 // HOUR_NS * HOUR_NS
"""A full hour in 2023: where spans start that do not say otherwise."""

Row = dict[str, Any]
_TEXT_OF_OPERATION = [name for name in OPERATIONS.schema if name != "operation_id"]
_TEXT_OF_RESOURCE = [name for name in RESOURCES.schema if name != "resource_id"]
_RESOURCE_COLUMNS = {"quality": "resource_quality", "attributes": "resource_attributes"}


def span(span_id: int, *, trace: int = 1, parent: int = 0, **columns: Any) -> Row:  # noqa: ANN401
    """Return one span with its operation and resource in one row.

    `columns` are any columns of `SPANS`, `OPERATIONS` and `RESOURCES` (the resource's own
    ``quality`` and ``attributes`` as ``resource_quality`` and ``resource_attributes``), plus
    ``offset_ns``: its start after `NOON_NS`. ``service_name`` defaults to ``web``, ``kind`` to
    SERVER, ``operation`` to ``name``, durations to 1 ms.
    """
    name = columns.get("name", "GET /")
    row: Row = {
        "trace_high": 0,
        "trace_low": trace,
        "span_id": span_id,
        "parent_id": parent,
        "start_ns": NOON_NS + columns.pop("offset_ns", 0),
        "duration_ns": 1_000_000,
        "kind": Kind.SERVER,
        "name": name,
        "operation": name,
        "service_name": "web",
        "resource_attributes": "{}",
    }
    return row | columns


def span_batch(
    spans: Iterable[Row],
    *,
    links: Sequence[Row] = (),
    rejects: Sequence[Row] = (),
    skipped: Mapping[str, int] | None = None,
) -> Batch:
    """Return a batch of `spans` (see `span`), their operations and resources numbered from 0."""
    operations: dict[tuple[Any, ...], int] = {}
    resources: dict[tuple[Any, ...], int] = {}
    rows = []
    for each in spans:
        operation = tuple(_value(OPERATIONS, name, each) for name in _TEXT_OF_OPERATION)
        resource = tuple(_value(RESOURCES, name, each) for name in _TEXT_OF_RESOURCE)
        ids = {
            "operation_id": operations.setdefault(operation, len(operations)),
            "resource_id": resources.setdefault(resource, len(resources)),
        }
        row = _DEFAULTS["spans"] | each | ids
        rows.append({name: row[name] for name in _DEFAULTS["spans"]})
    return Batch(
        spans=pl.DataFrame(rows, schema=SPANS.schema),
        operations=_numbered(OPERATIONS, operations),
        resources=_numbered(RESOURCES, resources),
        links=pl.DataFrame(list(links), schema=LINKS.schema),
        rejects=pl.DataFrame(list(rejects), schema=REJECTS.schema),
        skipped=skipped or {},
    )


def link(source: Row, target: Row) -> Row:
    """Return the link from span `source` to span `target`, as a row of `LINKS`."""
    key = ("trace_high", "trace_low", "span_id")
    return {name: source[name] for name in key} | {f"linked_{name}": target[name] for name in key}


def reject(line: int, reason: str = "not json", *, records: int = 1, excerpt: str = "") -> Row:
    """Return a row of `REJECTS`."""
    return {"line": line, "reason": reason, "records": records, "excerpt": excerpt}


@dataclass
class BatchReading:
    """A `Reading` of batches that are already there."""

    listed: Sequence[Batch]
    path: str = "spans.json"
    content_hash: str | None = None
    size_bytes: int = 1
    format: str = "test"
    hash_at_end: str | None = field(default=None)

    def identify(self) -> None:
        """Do nothing: what has no hash yet can be read once only."""

    def batches(self) -> Iterator[Batch]:
        """Yield the batches; `hash_at_end` becomes the hash after the last one."""
        yield from self.listed
        self.content_hash = self.content_hash or self.hash_at_end


def reading(*spans: Row, name: str = "spans.json", **parts: Any) -> BatchReading:  # noqa: ANN401
    """Return a file called `name` with one batch of `spans`; its hash is its name."""
    return BatchReading([span_batch(spans, **parts)], path=name, content_hash=name)


def _numbered(table: Table, known: Mapping[tuple[Any, ...], int]) -> pl.DataFrame:
    return pl.DataFrame(
        [(number, *text) for text, number in known.items()], schema=table.schema, orient="row"
    )


def _value(table: Table, name: str, row: Row) -> Any:  # noqa: ANN401
    if table is RESOURCES and name in _RESOURCE_COLUMNS:
        return row.get(_RESOURCE_COLUMNS[name], 0 if name == "quality" else "{}")
    return row.get(name, _DEFAULTS[table.name][name])


def _default(name: str, dtype: pl.DataType) -> Any:  # noqa: ANN401
    if name in ("duration_ns", "http_status", "error_type", "attributes"):
        return None
    if name == "weight":
        return 1.0
    return "" if dtype == pl.String else 0


_DEFAULTS = {
    table.name: {name: _default(name, dtype) for name, dtype in table.schema.items()}
    for table in (SPANS, OPERATIONS, RESOURCES)
}
