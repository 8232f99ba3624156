"""The formats tracemap reads, in the order in which they are tried."""

from __future__ import annotations

from tracemap.ingest.contents import Contents
from tracemap.ingest.formats import Format
from tracemap.ingest.otlp_json import is_otlp_json, read_otlp_json
from tracemap.ingest.otlp_protobuf import is_otlp_protobuf, read_otlp_protobuf

FORMATS: tuple[Format, ...] = (
    Format(
        "otlp-json",
        "OTLP/JSON: one object a line (Collector file exporter), whole documents, Tempo and"
        " Jaeger v3 answers",
        is_otlp_json,
        read_otlp_json,
    ),
    Format(
        "otlp-protobuf",
        "OTLP protobuf: one bare message, or messages with their length before each (Collector"
        " file exporter)",
        is_otlp_protobuf,
        read_otlp_protobuf,
    ),
)


def format_of(contents: Contents) -> Format | None:
    """Return the first format that recognises the file; None: none does."""
    return next((each for each in FORMATS if each.sniff(contents)), None)
