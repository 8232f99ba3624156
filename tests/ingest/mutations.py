"""Files of every format, damaged in every way; as a program it damages them until told to stop.

By hand, with every index of the kernels checked (which compiles for minutes):

    NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(mktemp -d) python -m tests.ingest.mutations SECONDS [SEED]
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from functools import cache
from random import Random

import zstandard

from tests.ingest.tables import (
    clickhouse_csv,
    clickhouse_parquet,
    clickhouse_tsv,
    otlp2parquet,
    tempo,
)
from tests.ingest.writers import as_json, batches, check_columns, framed, json_line, traces
from tracemap.ingest.registry import FORMATS
from tracemap.model import Batch

_SAID = {
    "http.request.method": "GET",
    "url.full": "https://user:secret@shop.example:8443/cart/12345?q=1#top",
    "http.response.status_code": 503,
    "db.statement": "SELECT 1",
    "http.request.header.cookie": "x",
    "ratio": 0.1,
    "huge": 1.5e300,
    "list": ["a", 1, 2.5, None, {"deep": [True, b"bytes"]}],
    "text": 'quotes " and \\ and \n and µ',
}
_SPAN = {
    "trace": 1 << 100,
    "parent": 7,
    "name": "GET /cart/{id}",
    "kind": 3,
    "status": 2,
    "state": "ot=th:8,vendor=x",
    "links": [(3, 4)],
    "exceptions": ["java.net.SocketTimeoutException"],
    "attributes": _SAID,
}
_TOKENS = (
    b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u", b"\\ud800", b",", b":", b"null", b"-", b"1e999",
    b"9" * 25, b"0x", b"\0", b"\xff", b"\xc3", b"\n", b"[" * 600, b'{"a":' * 70, b"=", b"@",
    b"://", b"\xff" * 9 + b"\x01", b"\x80", b"\x0a\x00", b"\x12\x7f", b"\x7f\xff\xff\xff",
)  # fmt: skip


@cache
def seeds() -> dict[str, tuple[bytes, ...]]:
    """Return whole files of each format, the first with one record; else the example it shows."""
    data = traces(
        _SPAN, {**_SPAN, "span": 9, "links": []}, {}, resource={"service.name": "s", **_SAID}
    )
    line, message = json_line(data), data.SerializeToString()
    written = {
        "otlp-json": (
            line,
            line * 2,
            json.dumps([as_json(data)] * 2, indent=1).encode(),
            gzip.compress(line, mtime=0),
            framed(line.strip(), zstandard.compress(line)),
        ),
        "otlp-protobuf": (
            message,
            framed(message, message),
            zstandard.compress(framed(message)) + zstandard.compress(framed(message)),
        ),
    }
    said = {key: value for key, value in _SAID.items() if key != "list"}
    tables = traces({**_SPAN, "links": [], "attributes": said})
    written |= {
        "tempo-parquet": (tempo(tables), tempo(tables, version=5)),
        "clickhouse-parquet": (clickhouse_parquet(tables), otlp2parquet(tables)),
        "clickhouse-csv": (clickhouse_csv(tables), clickhouse_tsv(tables)),
    }
    for each in FORMATS:
        if not each.example.startswith("<"):
            shown = each.example.encode()
            written.setdefault(
                each.name, (shown, shown + b"\n" + shown, gzip.compress(shown, mtime=0))
            )
    return written


def damaged(raw: bytes, random: Random) -> bytes:
    """Return a file with one to four places of it changed."""
    data = bytearray(raw)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data) + 1)
        size = min(random.choice((1, 1, 2, 8, 40, 300)), len(data) - at)
        match random.randrange(8):
            case 0:
                del data[at : at + size]
            case 1:
                data[at:at] = data[at : at + size]
            case 2:
                data[at:at] = random.choice(_TOKENS)
            case 3:
                data[at : at + size] = random.choice(_TOKENS)
            case 4:
                data[at : at + size] = random.randbytes(size)
            case 5:
                other = random.randrange(len(data) + 1)
                data[at : at + size] = data[other : other + size]
            case 6 if size:
                data[at] ^= 1 << random.randrange(8)
            case _:
                if random.random() < 0.3:
                    del data[at:]
    return bytes(data)


def check(raw: bytes, block_bytes: int) -> list[Batch]:
    """Read a file, whatever it is, and return its batches: as they must be for the store."""
    found = batches(raw, block_bytes=block_bytes)
    for batch in found:
        check_columns(batch)
        assert batch.spans["operation_id"].is_in(batch.operations["operation_id"].implode()).all()
        assert batch.spans["resource_id"].is_in(batch.resources["resource_id"].implode()).all()
        assert batch.spans["span_id"].min() != 0
        assert (batch.rejects["records"] > 0).all()
        for text in batch.spans["attributes"].drop_nulls():
            assert isinstance(json.loads(text), dict)
    return found


def main(seconds: float, seed: int) -> None:
    """Damage files for so long and say how many; what is wrong is raised, with the file kept."""
    random = Random(seed)  # noqa: S311  (damage, not secrets)
    stop = time.monotonic() + seconds
    done = 0
    while time.monotonic() < stop:
        for name, files in seeds().items():
            raw = damaged(random.choice(files), random)
            try:
                check(raw, random.choice((64, 1000, 1 << 24)))
            except BaseException:
                sys.stdout.write(f"{name}, number {done}: {raw!r}\n")
                raise
            done += 1
    sys.stdout.write(f"{done:,} files\n")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 1)
