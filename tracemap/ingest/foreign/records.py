"""What a translation is made of: spans in OTLP's words, and how values of others become them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tracemap.model import Kind, Status, from_iso

Json: TypeAlias = Any
Attributes: TypeAlias = dict[str, Json]

KINDS = {kind.name: int(kind) for kind in Kind}
_DECIMAL = re.compile(r"-?\d{1,30}")
_INVALID = "invalid"


class NotASpanError(Exception):
    """A record is valid JSON but nothing that its format knows."""


@dataclass
class Group:
    """Spans of one resource and one scope.

    Attributes:
        resource: Attributes of the resource.
        spans: Spans as `span` makes them.
        scope: Name of the instrumentation scope.
    """

    resource: Attributes
    spans: list[Json] = field(default_factory=list)
    scope: str = ""


Translate: TypeAlias = Callable[[Json], Iterable[Group]]
"""Makes groups of spans of one record. Raises `NotASpanError` for what is none."""


def written(groups: Iterable[Group]) -> Json:
    """Return groups as an OTLP/JSON document."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": key_values(group.resource)},
                "scopeSpans": [{"scope": {"name": group.scope}, "spans": group.spans}],
            }
            for group in groups
        ]
    }


def key_values(attributes: Mapping[str, Json]) -> list[Json]:
    """Return attributes as OTLP's list; plain values stand untagged, as the decoder takes them."""
    return [{"key": key, "value": _any_value(value)} for key, value in attributes.items()]


def _any_value(value: Json) -> Json:
    if isinstance(value, dict):
        return {"kvlistValue": {"values": key_values(value)}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any_value(each) for each in value]}}
    return value


def span(
    *,
    trace_id: Json,
    span_id: Json,
    name: Json,
    start_ns: Json,
    end_ns: Json,
    parent_id: Json = None,
    kind: int = Kind.UNSPECIFIED,
    status: int = Status.UNSET,
    attributes: Mapping[str, Json] | None = None,
    links: Iterable[tuple[Json, Json]] = (),
    exceptions: Iterable[Json] = (),
    trace_state: Json = None,
    flags: Json = 0,
    dropped: Json = 0,
) -> Json:
    """Return one span of OTLP/JSON. Ids are text as found; what is wrong with it the decoder says.

    Args:
        trace_id: Hex or base64.
        span_id: Hex or base64.
        name: Name of the span.
        start_ns: As `nanoseconds` gives it.
        end_ns: As `nanoseconds` gives it; 0: no end.
        parent_id: None or empty: a root.
        kind: As `model.Kind`.
        status: As `model.Status`.
        attributes: Of the span.
        links: Pairs of a trace id and a span id.
        exceptions: Types of the exceptions thrown in it.
        trace_state: W3C trace state.
        flags: OTLP flags.
        dropped: How many attributes, events or links are missing.
    """
    made = {
        "traceId": trace_id,
        "spanId": span_id,
        "parentSpanId": parent_id or "",
        "name": name if isinstance(name, str) else "",
        "kind": int(kind),
        "startTimeUnixNano": start_ns,
        "endTimeUnixNano": end_ns,
        "attributes": key_values(attributes or {}),
        "status": {"code": int(status)},
    }
    optional = {
        "links": [{"traceId": trace, "spanId": linked} for trace, linked in links],
        "events": [_exception(thrown) for thrown in exceptions],
        "traceState": trace_state,
        "flags": flags,
        "droppedAttributesCount": dropped,
    }
    made.update({key: value for key, value in optional.items() if value})
    return made


def _exception(thrown: Json) -> Json:
    """Return the event that OpenTelemetry records for an exception of that type."""
    of_type = {"key": "exception.type", "value": {"stringValue": text(thrown)}}
    return {"name": "exception", "attributes": [of_type]}


def nanoseconds(value: Json, unit_ns: int) -> Json:
    """Return a time as nanoseconds, from a number (or one in a string) of units.

    Fractions are rounded. None is 0, which means that it is not known. What is no time becomes
    text that the decoder rejects.
    """
    if value is None or value == "":
        return 0
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _INVALID
    if isinstance(value, int):
        return value * unit_ns
    # The fraction apart, as a double cannot hold nanoseconds since the epoch.
    if value != value or abs(value) > 1e18:  # noqa: PLR0124, PLR2004  (NaN, infinities)
        return _INVALID
    whole = int(value)
    return whole * unit_ns + round((value - whole) * unit_ns)


def end_after(start_ns: Json, duration_ns: Json) -> Json:
    """Return the end of a span; 0 (not known) unless both its start and duration are known."""
    if isinstance(start_ns, int) and isinstance(duration_ns, int):
        return start_ns + duration_ns
    return _INVALID


def iso_nanoseconds(value: Json) -> Json:
    """Return a time written as ISO-8601 in nanoseconds; None is 0; what is none is rejected."""
    if value is None or value == "":
        return 0
    try:
        return from_iso(value)
    except (ValueError, TypeError):
        return _INVALID


def text(value: Json) -> str:
    """Return a value as text; what is none is empty."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def mapping(value: Json) -> dict[str, Json]:
    """Return an object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Json) -> list[Json]:
    """Return a list; anything else is an empty one."""
    return value if isinstance(value, list) else []


def flattened(value: Mapping[str, Json], prefix: str = "") -> Iterator[tuple[str, Json]]:
    """Yield nested objects as attributes with dots in their keys, ten levels deep at most."""
    for key, each in value.items():
        if isinstance(each, dict) and prefix.count(".") < 10:  # noqa: PLR2004
            yield from flattened(each, f"{prefix}{key}.")
        else:
            yield prefix + key, each
