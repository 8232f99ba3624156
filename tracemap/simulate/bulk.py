"""Write simulated spans as OTLP files, fast: templates filled by a compiled kernel.

Both formats are laid out as the Collector's file exporter writes them: one JSON object a line, or
protobuf messages each after its length (four bytes, big-endian).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from tracemap.simulate.description import NUMBERS, SMALLEST_NUMBER
from tracemap.simulate.draws import Integers
from tracemap.simulate.export_order import Export, export_order
from tracemap.simulate.flat import Catalogue
from tracemap.simulate.kernel import fill
from tracemap.simulate.templates import Pieces, Template, compact, json_attributes, json_template

SCOPE_VERSION = "0.66.0"
_PARENT, _LINK = 2, 1

Bytes = npt.NDArray[np.uint8]
Encoder = Callable[[pl.DataFrame, Catalogue], Bytes]


def otlp_json(spans: pl.DataFrame, catalogue: Catalogue) -> Bytes:
    """Return spans (columns as `flat.FLAT`) as lines of OTLP/JSON."""
    if spans.is_empty():
        return np.zeros(0, dtype=np.uint8)
    export = export_order(spans, catalogue)
    shapes, template = _shapes(export.spans)
    templates = [
        json_template(catalogue.descriptions[number], parent=parent, link=link)
        for number, parent, link in shapes
    ]
    prefixes, last = _json_prefixes(export, catalogue)
    return filled(export, templates, template, (b",", prefixes, last))


def filled(
    export: Export,
    templates: Sequence[Template],
    template: Integers,
    between: tuple[bytes, Sequence[bytes], bytes],
) -> Bytes:
    """Return all spans of an export, one after the other.

    Args:
        export: The spans, in order.
        templates: Templates in use.
        template: Which one each span is.
        between: What is before a span within a group; what is before each group; what is last.
    """
    separator, prefixes, last = between
    constants: list[Template] = [(text, []) for text in (separator, *prefixes)]
    pieces = Pieces.of([*templates, *constants])
    prefix = np.full(export.spans.height, len(templates), dtype=np.int64)
    prefix[export.group_start] = len(templates) + 1 + np.arange(len(prefixes))
    piece_size = np.diff(pieces.start)
    row_end = np.cumsum(piece_size[prefix] + piece_size[template])
    size = int(row_end[-1])
    out = np.empty(size + len(last), dtype=np.uint8)
    row_start = np.concatenate(([0], row_end[:-1]))
    arrays = (pieces.content, pieces.start, pieces.hole_start, pieces.holes)
    fill(out, row_start, prefix, template, arrays, _words(export.spans))
    out[size:] = np.frombuffer(last, dtype=np.uint8)
    return out


def _shapes(spans: pl.DataFrame) -> tuple[list[tuple[int, bool, bool]], Integers]:
    """Return the distinct (description, has a parent, has a link), and which one each span is."""
    codes = spans.select(
        pl.col("description_id").cast(pl.Int64) * 4
        + (pl.col("parent_id") != 0).cast(pl.Int64) * _PARENT
        + (pl.col("linked_span") != 0).cast(pl.Int64) * _LINK
    ).to_series()
    distinct, template = np.unique(codes.to_numpy(), return_inverse=True)
    shapes = [(int(c) // 4, bool(c & _PARENT), bool(c & _LINK)) for c in distinct]
    return shapes, template.astype(np.int64)


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
        b'{"resource":' + compact({"attributes": json_attributes(attributes, "")})
        + b',"scopeSpans":['
        for attributes in catalogue.resources
    ]  # fmt: skip
    scopes = [
        b'{"scope":' + compact({"name": name, "version": SCOPE_VERSION}) + b',"spans":['
        for name in export.scopes
    ]
    line, end_scope, end_resource, end_line = b'{"resourceSpans":[', b"]}", b"]}", b"]}\n"
    firsts = export.spans[export.group_start].select("resource_id", "scope_id").rows()
    prefixes = []
    for (resource, scope), batch, another in zip(
        firsts, export.new_batch, export.new_resource, strict=True
    ):
        if batch:
            before = end_scope + end_resource + end_line + line + resources[resource]
        elif another:
            before = end_scope + end_resource + b"," + resources[resource]
        else:
            before = end_scope + b","
        prefixes.append(before + scopes[scope])
    ending = end_scope + end_resource + end_line
    prefixes[0] = prefixes[0].removeprefix(ending)
    return prefixes, ending
