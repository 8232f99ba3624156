"""Spans as they were recorded, whatever the format they are to be written in."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracemap.model import Kind

Json = Any


@dataclass(frozen=True)
class Recorded:
    """One span, whatever the format."""

    trace: str
    span: str
    parent: str
    name: str
    kind: Kind
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    scope: str
    failed: bool
    links: tuple[tuple[str, str], ...]
    flags: int

    @property
    def service(self) -> str:
        return str(self.resource["service.name"])

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns


def recorded(otlp_lines: bytes) -> list[Recorded]:
    """Return the spans in lines of OTLP/JSON."""
    found = []
    for line in otlp_lines.splitlines():
        for one in json.loads(line)["resourceSpans"]:
            resource = _plain(one["resource"]["attributes"])
            for scope in one["scopeSpans"]:
                found += [_recorded(each, resource, scope["scope"]) for each in scope["spans"]]
    return found


def _recorded(span: Json, resource: Mapping[str, Any], scope: Json) -> Recorded:
    return Recorded(
        trace=span["traceId"],
        span=span["spanId"],
        parent=span.get("parentSpanId", ""),
        name=span["name"],
        kind=Kind(span["kind"]),
        start_ns=int(span["startTimeUnixNano"]),
        end_ns=int(span["endTimeUnixNano"]),
        attributes=_plain(span.get("attributes", [])),
        resource=resource,
        scope=scope.get("name", ""),
        failed=span.get("status", {}).get("code", 0) == 2,
        links=tuple((each["traceId"], each["spanId"]) for each in span.get("links", [])),
        flags=span.get("flags", 0),
    )


def _plain(attributes: Iterable[Json]) -> dict[str, Any]:
    made = {}
    for each in attributes:
        ((kind, value),) = each["value"].items()
        made[each["key"]] = int(value) if kind == "intValue" else value
    return made


def by_trace(spans: Iterable[Recorded]) -> list[list[Recorded]]:
    traces: dict[str, list[Recorded]] = defaultdict(list)
    for span in spans:
        traces[span.trace].append(span)
    return list(traces.values())


def raw_of(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def lines_of(values: Iterable[Json]) -> bytes:
    return b"".join(raw_of(value) + b"\n" for value in values)


def as_text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
