"""Spans as text or bytes with holes: what is the same for all spans of a description, made once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tracemap.model import Kind, Status
from tracemap.simulate.description import NUMBER, Description, Value
from tracemap.simulate.draws import Integers
from tracemap.simulate.flat import is_remote_parent

FLAG_KNOWN, FLAG_REMOTE = 0x100, 0x200


class Word(IntEnum):
    """What is filled in: a row of the kernel's ``words``."""

    TRACE_HIGH = 0
    TRACE_LOW = 1
    SPAN = 2
    PARENT = 3
    LINKED_HIGH = 4
    LINKED_LOW = 5
    LINKED_SPAN = 6
    START = 7
    END = 8
    NUMBER = 9


class Form(IntEnum):
    """How it is written."""

    HEX = 0
    DECIMAL = 1
    BIG_ENDIAN = 2
    LITTLE_ENDIAN = 3
    VARINT = 4


class Hole(NamedTuple):
    """A place in a template that differs from span to span."""

    offset: int
    word: Word
    form: Form
    width: int


Template = tuple[bytes, list[Hole]]


class Mark(NamedTuple):
    """What stands in a hole while the template is made, as long as what will be there."""

    text: bytes
    word: Word
    form: Form


JSON_MARKS = {
    Word.TRACE_HIGH: Mark(b"<trace-high---->", Word.TRACE_HIGH, Form.HEX),
    Word.TRACE_LOW: Mark(b"<trace-low----->", Word.TRACE_LOW, Form.HEX),
    Word.SPAN: Mark(b"<span---------->", Word.SPAN, Form.HEX),
    Word.PARENT: Mark(b"<parent-------->", Word.PARENT, Form.HEX),
    Word.LINKED_HIGH: Mark(b"<linked-high--->", Word.LINKED_HIGH, Form.HEX),
    Word.LINKED_LOW: Mark(b"<linked-low---->", Word.LINKED_LOW, Form.HEX),
    Word.LINKED_SPAN: Mark(b"<linked-span--->", Word.LINKED_SPAN, Form.HEX),
    Word.START: Mark(b"<start------------>", Word.START, Form.DECIMAL),
    Word.END: Mark(b"<end-------------->", Word.END, Form.DECIMAL),
    Word.NUMBER: Mark(b"<no.>", Word.NUMBER, Form.DECIMAL),
}


@dataclass(frozen=True)
class Pieces:
    """Pieces of text with holes, as arrays for the kernel.

    Attributes:
        content: All pieces, one after the other.
        start: Where each piece begins; one more than there are pieces.
        hole_start: First hole of each piece; one more than there are pieces.
        holes: Per hole: offset in its piece, word, form, width.
    """

    content: npt.NDArray[np.uint8]
    start: Integers
    hole_start: Integers
    holes: Integers

    @classmethod
    def of(cls, templates: Sequence[Template]) -> Pieces:
        """Return these templates."""
        holes = [tuple(hole) for _, found in templates for hole in found]
        return cls(
            content=np.frombuffer(b"".join(text for text, _ in templates), dtype=np.uint8),
            start=_sums([len(text) for text, _ in templates]),
            hole_start=_sums([len(found) for _, found in templates]),
            holes=np.array(holes, dtype=np.int64).reshape(-1, 4),
        )


def json_template(description: Description, parent: bool, link: bool) -> Template:  # noqa: FBT001
    """Return a span as OTLP/JSON, keys in the order in which the SDK's exporter writes them.

    Without a kind there are no flags either: whether the parent is remote is not known then.
    """
    mark = {word: mark.text.decode() for word, mark in JSON_MARKS.items()}
    span: dict[str, Any] = {
        "traceId": mark[Word.TRACE_HIGH] + mark[Word.TRACE_LOW],
        "spanId": mark[Word.SPAN],
    }
    if description.tracestate:
        span["traceState"] = description.tracestate
    if parent:
        span["parentSpanId"] = mark[Word.PARENT]
    if description.kind is not Kind.UNSPECIFIED:
        span["flags"] = span_flags(description, parent=parent)
    span["name"] = description.name
    if description.kind is not Kind.UNSPECIFIED:
        span["kind"] = int(description.kind)
    span["startTimeUnixNano"] = mark[Word.START]
    span["endTimeUnixNano"] = mark[Word.END]
    span["attributes"] = json_attributes(description.attributes, mark[Word.NUMBER])
    if link:
        span["links"] = [
            {
                "traceId": mark[Word.LINKED_HIGH] + mark[Word.LINKED_LOW],
                "spanId": mark[Word.LINKED_SPAN],
                "flags": FLAG_KNOWN | FLAG_REMOTE,
            }
        ]
    span["status"] = {"code": int(Status.ERROR)} if description.failed else {}
    return with_holes(compact(span), list(JSON_MARKS.values()))


def with_holes(text: bytes, marks: Sequence[Mark]) -> Template:
    """Return the text with a hole wherever one of the marks stands."""
    holes = [
        Hole(at, mark.word, mark.form, len(mark.text))
        for mark in marks
        for at in _places(text, mark.text)
    ]
    return text, sorted(holes)


def json_attributes(
    attributes: Sequence[tuple[str, Value]], number: str
) -> list[dict[str, object]]:
    """Return attributes as OTLP/JSON, with `number` for what varies."""
    return [{"key": key, "value": _json_value(value, number)} for key, value in attributes]


def span_flags(description: Description, *, parent: bool) -> int:
    """Return the flags of OTLP as the SDKs write them."""
    remote = parent and is_remote_parent(description.kind)
    return FLAG_KNOWN | FLAG_REMOTE if remote else FLAG_KNOWN


def compact(content: object) -> bytes:
    """Return JSON without spaces."""
    return json.dumps(content, separators=(",", ":")).encode()


def _json_value(value: Value, number: str) -> dict[str, str]:
    if isinstance(value, int):
        return {"intValue": str(value)}
    if value == NUMBER:
        return {"intValue": number}
    return {"stringValue": value.replace(NUMBER, number)}


def _places(text: bytes, mark: bytes) -> list[int]:
    places, at = [], text.find(mark)
    while at >= 0:
        places.append(at)
        at = text.find(mark, at + 1)
    return places


def _sums(sizes: Sequence[int]) -> Integers:
    return np.concatenate(([0], np.cumsum(np.array(sizes, dtype=np.int64))))
