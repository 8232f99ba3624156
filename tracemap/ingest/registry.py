"""The formats tracemap reads. A new format is a new row here."""

from __future__ import annotations

from tracemap.ingest.contents import Contents
from tracemap.ingest.formats import Blocks, Format
from tracemap.ingest.otlp_json import cut_otlp_json, is_otlp_json, json_batch
from tracemap.ingest.otlp_protobuf import cut_otlp_protobuf, is_otlp_protobuf, protobuf_batch

_OTLP_JSON = Blocks(cut_otlp_json, json_batch)
_OTLP_PROTOBUF = Blocks(cut_otlp_protobuf, protobuf_batch)

FORMATS: tuple[Format, ...] = (
    Format(
        name="otlp-json",
        description="OTLP/JSON: one object a line (Collector file exporter, Java logging"
        " exporter), whole documents, answers of Tempo and of Jaeger's v3 API",
        example='{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":'
        '{"stringValue":"cart"}}]},"scopeSpans":[{"spans":[{"traceId":'
        '"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"GET /cart",'
        '"kind":2,"startTimeUnixNano":"1772530800000000000",'
        '"endTimeUnixNano":"1772530800012000000"}]}]}]}',
        sniff=is_otlp_json,
        read=_OTLP_JSON.read,
        blocks=_OTLP_JSON,
    ),
    Format(
        name="otlp-protobuf",
        description="OTLP protobuf: one bare message, or messages each with its length before it"
        " (Collector file exporter)",
        example="<0a, the length of a ResourceSpans, 0a; or four bytes of length before each>",
        sniff=is_otlp_protobuf,
        read=_OTLP_PROTOBUF.read,
        blocks=_OTLP_PROTOBUF,
    ),
)
"""Sorted by name."""


def format_of(contents: Contents) -> Format | None:
    """Return the format that recognises the file; None: none does."""
    return next((each for each in FORMATS if each.sniff(contents)), None)
