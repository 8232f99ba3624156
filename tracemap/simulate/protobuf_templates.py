"""Spans as OTLP protobuf with holes, and the messages around them.

The library of the OpenTelemetry project serializes each description once; what varies is of fixed
width on the wire, so lengths never change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tracemap.model import Status as StatusCode
from tracemap.simulate.description import NUMBER, Description, Value
from tracemap.simulate.draws import Integers
from tracemap.simulate.export_order import SCOPE_VERSION, Export, Group
from tracemap.simulate.flat import Catalogue
from tracemap.simulate.templates import (
    FLAG_KNOWN,
    FLAG_REMOTE,
    Form,
    Mark,
    Template,
    Word,
    span_flags,
    with_holes,
)

_NUMBER_TEXT = "<no.>"
_NUMBER_INTEGER = 98_765
"""Stands for the number where it is a varint; its three bytes appear nowhere else."""
_MARKS = {
    Word.TRACE_HIGH: b"<trace-h",
    Word.TRACE_LOW: b"<trace-l",
    Word.SPAN: b"<span-->",
    Word.PARENT: b"<parent>",
    Word.LINKED_HIGH: b"<link-h>",
    Word.LINKED_LOW: b"<link-l>",
    Word.LINKED_SPAN: b"<link-s>",
    Word.START: b"<start->",
    Word.END: b"<end--->",
}
_LENGTH_DELIMITED = 2


def protobuf_template(description: Description, parent: bool, link: bool) -> Template:  # noqa: FBT001
    """Return a span as a field of ``ScopeSpans``: tag, length, message."""
    span = Span(
        trace_id=_MARKS[Word.TRACE_HIGH] + _MARKS[Word.TRACE_LOW],
        span_id=_MARKS[Word.SPAN],
        trace_state=description.tracestate,
        parent_span_id=_MARKS[Word.PARENT] if parent else b"",
        flags=span_flags(description, parent=parent),
        name=description.name,
        kind=int(description.kind),  # type: ignore[arg-type]
        start_time_unix_nano=int.from_bytes(_MARKS[Word.START], "little"),
        end_time_unix_nano=int.from_bytes(_MARKS[Word.END], "little"),
        attributes=_attributes(description.attributes),
        status=Status(code=int(StatusCode.ERROR)) if description.failed else Status(),  # type: ignore[arg-type]
    )
    if link:
        span.links.add(
            trace_id=_MARKS[Word.LINKED_HIGH] + _MARKS[Word.LINKED_LOW],
            span_id=_MARKS[Word.LINKED_SPAN],
            flags=FLAG_KNOWN | FLAG_REMOTE,
        )
    return with_holes(_field(2, span.SerializeToString(deterministic=True)), _marks())


def protobuf_prefixes(export: Export, catalogue: Catalogue, group_size: Integers) -> list[bytes]:
    """Return what is before the first span of each group: lengths, resource and scope.

    Args:
        export: The spans, in order.
        catalogue: What their ids stand for.
        group_size: Bytes of the spans of each group.
    """
    resources = [
        _field(1, Resource(attributes=_attributes(one)).SerializeToString())
        for one in catalogue.resources
    ]
    scopes = [
        _field(1, InstrumentationScope(name=name, version=SCOPE_VERSION).SerializeToString())
        for name in export.scopes
    ]
    prefixes: list[bytes] = []
    for batch in _runs(list(zip(export.groups(), group_size.tolist(), strict=True)), "new_batch"):
        message: list[bytes] = []
        message_size = 0
        for resource in _runs(batch, "new_resource"):
            parts = [
                _head(2, len(scopes[group.scope_id]) + size) + scopes[group.scope_id]
                for group, size in resource
            ]
            inner = resources[resource[0][0].resource_id]
            body = len(inner) + sum(map(len, parts)) + sum(size for _, size in resource)
            parts[0] = _head(1, body) + inner + parts[0]
            message_size += body + len(_head(1, body))
            message += parts
        message[0] = message_size.to_bytes(4, "big") + message[0]
        prefixes += message
    return prefixes


def _runs(
    groups: Sequence[tuple[Group, int]], begins: str
) -> Iterator[Sequence[tuple[Group, int]]]:
    """Yield consecutive groups; each run begins where the named attribute is true."""
    starts = [place for place, (group, _) in enumerate(groups) if getattr(group, begins)]
    for start, end in zip(starts, [*starts[1:], len(groups)], strict=True):
        yield groups[start:end]


def _marks() -> list[Mark]:
    forms = {Word.START: Form.LITTLE_ENDIAN, Word.END: Form.LITTLE_ENDIAN}
    return [
        *(Mark(text, word, forms.get(word, Form.BIG_ENDIAN)) for word, text in _MARKS.items()),
        Mark(_NUMBER_TEXT.encode(), Word.NUMBER, Form.DECIMAL),
        Mark(_varint(_NUMBER_INTEGER), Word.NUMBER, Form.VARINT),
    ]


def _attributes(attributes: Iterable[tuple[str, Value]]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any_value(value)) for key, value in attributes]


def _any_value(value: Value) -> AnyValue:
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if value == NUMBER:
        return AnyValue(int_value=_NUMBER_INTEGER)
    return AnyValue(string_value=value.replace(NUMBER, _NUMBER_TEXT))


def _field(number: int, content: bytes) -> bytes:
    return _head(number, len(content)) + content


def _head(number: int, size: int) -> bytes:
    """Return the tag and the length of a field that is a message."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(size)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 (seven bits a byte)
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
