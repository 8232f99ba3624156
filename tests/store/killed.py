"""Take files in, in a process that is there to be killed; made by a server that has all loaded."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.ingest.writers import START_NS, framed, json_line, traces
from tracemap.ingest import parcels
from tracemap.intake import take_in
from tracemap.store import Store

HOUR_NS = 3_600_000_000_000
PARCEL_FILES = 8
SMALL_FILES = 32
LARGE_FILES = 3


def write_files(folder: Path) -> None:
    """Write small files, which make several parcels, and larger ones, of several blocks each."""
    folder.mkdir()
    for number in range(SMALL_FILES):
        data = traces(*(_span(number * 5 + each) for each in range(6)))
        content = json_line(data) if number % 2 else data.SerializeToString()
        (folder / f"small-{number:03}").write_bytes(content)
    for number in range(LARGE_FILES):
        first = SMALL_FILES * 5 + number * 990
        message = traces(*(_span(first + each) for each in range(1000))).SerializeToString()
        (folder / f"large-{number}").write_bytes(framed(*[message] * 9))


def _span(number: int) -> dict[str, object]:
    return {
        "trace": 1 + number // 4,
        "span": 1 + number,
        "name": f"work {chr(97 + number % 7)}",
        "start": START_NS + number % 5 * HOUR_NS,
        "attributes": {"n": number, "pad": "x" * 60},
        "links": [(1 + number // 8, 1)] if number % 9 == 0 else [],
    }


def take_files_in(folder: str, database: str, ready: Connection | None = None) -> None:
    """Take the files of `folder` in, in parcels of few files; say when it begins."""
    parcels.PARCEL_FILES = PARCEL_FILES
    with Store.open(database, create=True, threads=1) as store:
        if ready is not None:
            ready.send("open")
        for taken in take_in(store, [folder]):
            assert taken.error is None


def start(folder: Path, database: Path) -> BaseProcess:
    """Start taking the files in, and return the process when it begins."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.store.killed"])
    ours, theirs = context.Pipe()
    process = context.Process(target=take_files_in, args=(str(folder), str(database), theirs))
    process.start()
    theirs.close()
    ours.recv()
    return process
