"""Write simulated spans as OTLP, fast: templates filled by a compiled kernel.

Both formats are laid out as the Collector's file exporter writes them: one JSON object a line, or
protobuf messages each after its length (four bytes, big-endian).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tracemap.simulate import protobuf_templates
from tracemap.simulate.description import NUMBERS, SMALLEST_NUMBER, Description
from tracemap.simulate.draws import Integers
from tracemap.simulate.export_order import SCOPE_VERSION, Export, export_order
from tracemap.simulate.flat import Catalogue
from tracemap.simulate.kernel import fill
from tracemap.simulate.templates import Pieces, Template, compact, json_attributes, json_template

_PARENT, _LINK = 2, 1

Bytes = npt.NDArray[np.uint8]
Encoder = Callable[[pl.DataFrame, Catalogue], Bytes]
MakeTemplate = Callable[[Description, bool, bool], Template]


def otlp_json(spans: pl.DataFrame, catalogue: Catalogue) -> Bytes:
    """Return spans (columns as `flat.FLAT`) as lines of OTLP/JSON."""
    if spans.is_empty():
        return np.zeros(0, dtype=np.uint8)
    export = export_order(spans, catalogue)
    filling = _filling(export, catalogue, json_template)
    prefixes, last = _json_prefixes(export, catalogue)
    return _filled(filling, b",", prefixes, last)


def otlp_protobuf(spans: pl.DataFrame, catalogue: Catalogue) -> Bytes:
    """Return spans (columns as `flat.FLAT`) as length-prefixed OTLP protobuf messages."""
    if spans.is_empty():
        return np.zeros(0, dtype=np.uint8)
    export = export_order(spans, catalogue)
    filling = _filling(export, catalogue, protobuf_templates.protobuf_template)
    sizes = np.array([len(text) for text, _ in filling.templates], dtype=np.int64)
    group_size = np.add.reduceat(sizes[filling.template], export.group_start)
    prefixes = protobuf_templates.protobuf_prefixes(export, catalogue, group_size)
    return _filled(filling, b"", prefixes, b"")


@dataclass(frozen=True)
class _Filling:
    """Spans in order, the templates in use, and which one each span is."""

    export: Export
    templates: Sequence[Template]
    template: Integers


def _filling(export: Export, catalogue: Catalogue, make: MakeTemplate) -> _Filling:
    shape = export.spans.select(
        pl.col("description_id").cast(pl.Int64) * 4
        + (pl.col("parent_id") != 0).cast(pl.Int64) * _PARENT
        + (pl.col("linked_span") != 0).cast(pl.Int64) * _LINK
    )
    codes = shape.to_series().to_numpy()
    distinct = np.flatnonzero(np.bincount(codes))
    number = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    number[distinct] = np.arange(len(distinct))
    templates = [
        make(catalogue.descriptions[int(code) // 4], bool(code & _PARENT), bool(code & _LINK))
        for code in distinct
    ]
    return _Filling(export, templates, number[codes])


def _filled(filling: _Filling, separator: bytes, prefixes: Sequence[bytes], last: bytes) -> Bytes:
    """Return all spans one after the other.

    Args:
        filling: The spans.
        separator: What is before a span within its group.
        prefixes: What is before the first span of each group.
        last: What is after the last span.
    """
    export, known = filling.export, len(filling.templates)
    constants: list[Template] = [(text, []) for text in (separator, *prefixes)]
    pieces = Pieces.of([*filling.templates, *constants])
    prefix = np.full(export.spans.height, known, dtype=np.int64)
    prefix[export.group_start] = known + 1 + np.arange(len(prefixes))
    piece_size = np.diff(pieces.start)
    row_end = np.cumsum(piece_size[prefix] + piece_size[filling.template])
    row_start = np.concatenate(([0], row_end[:-1]))
    size = int(row_end[-1])
    out = np.empty(size + len(last), dtype=np.uint8)
    arrays = (pieces.content, pieces.start, pieces.hole_start, pieces.holes)
    fill(out, row_start, prefix, filling.template, arrays, _words(export.spans))
    out[size:] = np.frombuffer(last, dtype=np.uint8)
    return out


def _words(spans: pl.DataFrame) -> npt.NDArray[np.uint64]:
    """Return what fills the holes, one row a `Word`."""
    unsigned = spans.select(
        "trace_high",
        "trace_low",
        "span_id",
        "parent_id",
        "linked_high",
        "linked_low",
        "linked_span",
        pl.col("start_ns").cast(pl.UInt64),
        pl.col("end_ns").cast(pl.UInt64),
        number=SMALLEST_NUMBER + pl.col("span_id") % NUMBERS,
    )
    return np.stack([column.to_numpy() for column in unsigned])


def _json_prefixes(export: Export, catalogue: Catalogue) -> tuple[list[bytes], bytes]:
    """Return what is before the first span of each group, and what is after the last."""
    resources = [
        b'{"resource":'
        + compact({"attributes": json_attributes(attributes, "")})
        + b',"scopeSpans":['
        for attributes in catalogue.resources
    ]
    scopes = [
        b'{"scope":' + compact({"name": name, "version": SCOPE_VERSION}) + b',"spans":['
        for name in export.scopes
    ]
    line, end_scope, end_resource, end_line = b'{"resourceSpans":[', b"]}", b"]}", b"]}\n"
    prefixes = []
    for group in export.groups():
        if group.new_batch:
            before = end_scope + end_resource + end_line + line + resources[group.resource_id]
        elif group.new_resource:
            before = end_scope + end_resource + b"," + resources[group.resource_id]
        else:
            before = end_scope + b","
        prefixes.append(before + scopes[group.scope_id])
    ending = end_scope + end_resource + end_line
    prefixes[0] = prefixes[0].removeprefix(ending)
    return prefixes, ending
