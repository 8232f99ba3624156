"""A file of another tool, block by block: parsed, translated, decoded as OTLP/JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pydantic_core

from tracemap.ingest.block import Block, Reject, padded
from tracemap.ingest.contents import Contents
from tracemap.ingest.cutting import are_lines, documents, elements, framed, lines
from tracemap.ingest.foreign.records import Json, NotASpanError, Translate, written
from tracemap.ingest.formats import Blocks
from tracemap.ingest.kernels.layout import Bytes, Ints
from tracemap.ingest.otlp_json import Settle, as_utf8, json_batch
from tracemap.ingest.resources import Resources
from tracemap.model import Batch

Quick: TypeAlias = Callable[[Block], tuple[Bytes, Ints]]
"""Returns OTLP/JSON, and where in it each record starts and ends; -1: its shape is unusual."""

_EXCERPT_BYTES = 200


@dataclass(frozen=True)
class Foreign:
    """A format that is translated into OTLP.

    Attributes:
        depth: Returns how many brackets stand around a record, judged by the first bytes of a
            file; None: the file is in another format.
        translate: Makes groups of spans of one record.
        settle: As of `json_batch`.
        quick: Translates the records of a block that have the usual shape; None: none.
    """

    depth: Callable[[Contents], int | None]
    translate: Translate
    settle: Settle | None = None
    quick: Quick | None = None

    def sniff(self, contents: Contents) -> bool:
        """Return whether a file is in this format."""
        return self.depth(contents) is not None

    @property
    def blocks(self) -> Blocks:
        """How files of this format are cut and decoded."""
        return Blocks(self._cut, self._decode)

    def _cut(self, contents: Contents, block_bytes: int) -> Iterator[Block]:
        return records(contents, self.depth(contents) or 0, block_bytes)

    def _decode(self, block: Block, resources: Resources) -> Batch:
        return translated_batch(block, resources, self.translate, self.settle, self.quick)


def records(contents: Contents, depth: int, block_bytes: int) -> Iterator[Block]:
    """Yield the blocks of a file whose records stand inside `depth` brackets.

    A file of lines is cut at its lines, whatever is on them, so that a broken one spoils no other.
    """
    if contents.framed:
        return framed(contents, block_bytes)
    if b"\n" in contents.head and are_lines(contents.head):
        return lines(contents, block_bytes)
    return elements(contents, depth, block_bytes) if depth else documents(contents, block_bytes)


def translated_batch(
    block: Block,
    resources: Resources,
    translate: Translate,
    settle: Settle | None = None,
    quick: Quick | None = None,
) -> Batch:
    """Translate and decode one block, or several joined.

    A record that is no JSON is rejected as ``bad_json`` (the last one of a file that was cut short
    as ``truncated_tail``), one that is JSON but no span as ``not_a_span``.
    """
    block = as_utf8(block)
    text, bounds = quick(block) if quick is not None else _nothing(block)
    parts = [replace(part, rejects=[*part.rejects]) for part in block.parts or (block,)]
    owners = block.owners()
    first_records = np.searchsorted(owners, np.arange(len(parts)))
    pieces: list[bytes] = []
    size = len(text)
    for record in np.flatnonzero(bounds[:, 0] < 0).tolist():
        start, end = block.bounds[record].tolist()
        raw = block.data[start:end].tobytes()
        piece, reason = _translated(raw, translate)
        pieces.append(piece)
        bounds[record] = size, size + len(piece)
        size += len(piece)
        if reason:
            part = parts[owners[record]]
            number = record - int(first_records[owners[record]])
            if reason == "bad_json" and part.cut_short and number + 1 == len(part.bounds):
                reason = "truncated_tail"
            part.rejects.append(Reject(part.first + number, reason, raw[:_EXCERPT_BYTES]))
    made = replace(
        parts[0], data=padded(memoryview(text.data), *pieces), bounds=bounds, mended=block.mended
    )
    if block.parts is not None:
        made = replace(made, first=0, rejects=[], cut_short=False, broken=(), parts=tuple(parts))
    return json_batch(made, resources, settle)


def _nothing(block: Block) -> tuple[Bytes, Ints]:
    return np.empty(0, np.uint8), np.full((len(block.bounds), 2), -1, np.int64)


def _translated(raw: bytes, translate: Translate) -> tuple[bytes, str]:
    """Return a record as OTLP/JSON, or nothing and why."""
    if not raw.strip():
        return b"", ""
    try:
        groups = [group for group in translate(parsed(raw)) if group.spans]
    except NotASpanError:
        return b"", "not_a_span"
    except RecursionError:
        return b"", "nested_too_deep"
    except ValueError:
        return b"", "bad_json"
    return (_text(written(groups)) if groups else b""), ""


def parsed(raw: bytes) -> Json:
    """Return a record as Python objects.

    Raises:
        ValueError: If it is no JSON.
        RecursionError: If it nests too deep.
    """
    try:
        return pydantic_core.from_json(raw)
    except ValueError as error:
        if "recursion" in str(error):
            raise RecursionError from error
        return json.loads(raw)  # which knows what to do with half a surrogate pair


def _text(document: Json) -> bytes:
    try:
        return pydantic_core.to_json(document, inf_nan_mode="strings")
    except pydantic_core.PydanticSerializationError:
        return json.dumps(document).encode()
