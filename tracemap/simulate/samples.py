"""Make the folder ``sample_traces/``: always the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tracemap.simulate.bulk import otlp_json
from tracemap.simulate.compression import gzipped
from tracemap.simulate.eight_weeks import DRIFT, eight_weeks
from tracemap.simulate.faults import Slower
from tracemap.simulate.simulated import Simulated, run
from tracemap.simulate.situations import situations
from tracemap.simulate.web_shop import shop

_README = """\
# Sample traces

Simulated exports of a small web shop, as the OpenTelemetry Collector's file exporter writes them
(OTLP/JSON, one batch a line, gzip). Beside each is the truth: what a report must find, computed
by playing the same requests again without the fault. `python -m tracemap.simulate sample_traces`
makes all of it, byte for byte the same.

| traces | what is in them |
|---|---|
"""
_HOUR = (
    "An hour with a slow database that users feel (minutes 20-28) and a slow service that parallel"
    " work hides (minutes 40-46)"
)
_WEEKS = (
    "Eight thin weeks of another system, of which the last drifted: an edge is new, one gone, one"
    " re-routed, one slower with a new version"
)


def shop_hour() -> Simulated:
    """Return a Tuesday's hour with two faults, of which users feel one.

    Minutes 20 to 28: queries of the catalog's database take some 45 ms longer; catalog, search and
    the pages of the storefront feel it. Minutes 40 to 46: shipping takes some 45 ms longer;
    checkout asks it while it waits for payment, which takes longer still.
    """
    return run(
        shop(),
        minutes=60,
        seed=20,
        load=0.92,
        start=datetime(2026, 3, 3, 9, 0, tzinfo=UTC),
        faults=(
            Slower(service="postgresql catalog", add_ms=45, start_minute=20, end_minute=28),
            Slower(service="shipping", add_ms=45, start_minute=40, end_minute=46),
        ),
    )


def shop_quiet_hour() -> Simulated:
    """Return a Sunday's hour with fewer requests, in which nothing is wrong."""
    start = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    return run(shop(), minutes=60, seed=21, load=0.5, start=start)


def write_samples(folder: Path) -> None:
    """Write all sample traces with their truth and a README into `folder`."""
    for name, content in sample_files():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzipped(content) if path.suffix == ".gz" else content)


def sample_files() -> Iterator[tuple[str, bytes]]:
    """Yield the path of every file and its content before compression, small ones first."""
    meanings = {}
    for situation in situations():
        file = f"situations/{situation.name}.jsonl.gz"
        meanings[file] = situation.meaning
        yield file, situation.content
        yield f"situations/{situation.name}.truth.json", _json(situation.truth)
    hours = {
        "shop-hour": (shop_hour(), _HOUR, 4),
        "shop-quiet-hour": (shop_quiet_hour(), "An hour in which nothing is wrong", 2),
        "eight-weeks": (eight_weeks(), _WEEKS, 1),
    }
    meanings = {f"{name}/": meaning for name, (_, meaning, _) in hours.items()} | meanings
    yield "README.md", (_README + _table(meanings)).encode()
    for name, (simulated, _, files) in hours.items():
        more = {"drift": DRIFT} if name == "eight-weeks" else {}
        yield f"{name}.truth.json", _json({**simulated.truth, **more})
        for number, content in enumerate(_split(simulated, files), start=1):
            yield f"{name}/traces-{number}.jsonl.gz", content


def _split(simulated: Simulated, files: int) -> Iterator[bytes]:
    """Yield the lines of a run in so many files; a trace may begin in one and end in the next."""
    lines = otlp_json(simulated.spans, simulated.catalogue).tobytes().splitlines(keepends=True)
    size = -(-len(lines) // files)
    for start in range(0, len(lines), size):
        yield b"".join(lines[start : start + size])


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()


def _table(meanings: Mapping[str, str]) -> str:
    return "".join(f"| `{name}` | {meaning} |\n" for name, meaning in meanings.items())
