"""The formats tracemap reads, in the order in which they are tried."""

from __future__ import annotations

from tracemap.ingest.contents import Contents
from tracemap.ingest.formats import Format
from tracemap.ingest.otlp_json import is_otlp_json, read_otlp_json

FORMATS: tuple[Format, ...] = (
    Format(
        "otlp-json",
        "OTLP/JSON: one object a line (Collector file exporter), whole documents, Tempo and"
        " Jaeger v3 answers",
        is_otlp_json,
        read_otlp_json,
    ),
)


def format_of(contents: Contents) -> Format | None:
    """Return the first format that recognises the file; None: none does."""
    return next((each for each in FORMATS if each.sniff(contents)), None)
