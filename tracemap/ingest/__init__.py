"""Ingest: any trace file becomes `SPANS` batches and a ledger of what could not be taken.

`find_inputs` (`sources`, `objects`) says what there is to read, `open_sources` reads one of it:
`opening` opens it, and `archives` takes it apart into files if it is one. A file's bytes go
through `streams` (layers of compression), `contents` (framing, first look), `registry` (which
format), `cutting` (blocks of whole records), a decoder of `kernels` and `batches`. `parcels` reads
small files together, the same way.
"""

from __future__ import annotations

from tracemap.ingest.formats import Format
from tracemap.ingest.parcels import Parcel, in_parcels
from tracemap.ingest.reading import FileReading, open_source, open_sources
from tracemap.ingest.registry import FORMATS
from tracemap.ingest.sources import Source, find_inputs

__all__ = [
    "FORMATS",
    "FileReading",
    "Format",
    "Parcel",
    "Source",
    "find_inputs",
    "in_parcels",
    "open_source",
    "open_sources",
]
