"""Small files that are taken in together are as good as those taken in one by one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from polars.testing import assert_frame_equal

from tests.ingest.writers import START_NS, framed, json_line, traces
from tracemap import ingest
from tracemap.errors import InputError
from tracemap.ingest import parcels
from tracemap.ingest.kernels.layout import REJECTS_MAX
from tracemap.intake import Taken, take_in
from tracemap.store import Store

LOGS = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]}]}]}\n'
WRITERS: dict[str, Callable[[TracesData], bytes]] = {
    "line": json_line,
    "two lines and logs": lambda data: json_line(data) + LOGS + json_line(data),
    "document": lambda data: json.dumps(json.loads(json_line(data)), indent=1).encode(),
    "gzip": lambda data: gzip.compress(json_line(data), mtime=0),
    "message": lambda data: data.SerializeToString(),
    "framed": lambda data: framed(data.SerializeToString(), data.SerializeToString()),
    "cut line": lambda data: json_line(data) + json_line(data)[:-9],
    "cut gzip": lambda data: gzip.compress(json_line(data), mtime=0)[:-9],
    "cut message": lambda data: framed(data.SerializeToString(), data.SerializeToString())[:-3],
    "broken line": lambda data: b'{"resourceSpans":[}\n' + json_line(data),
    "no text": lambda data: json_line(data).replace(b'"work', b'"\xff\xfework'),
    "replaced text": lambda data: json_line(data).replace(b'"work', '"\ufffdwork'.encode()),
    "bad ids": lambda data: (
        json_line(data) + json_line(data).replace(b'"spanId":"', b'"spanId":"x')
    ),
    "no traces": lambda _: b"# notes\n",
    "empty": lambda _: b"",
}
TABLES = (
    "SELECT * EXCLUDE (ingested_at) FROM files ORDER BY file_id",
    "SELECT * FROM rejects ORDER BY ALL",
    "SELECT * FROM spans ORDER BY ALL",
    "SELECT * FROM traces ORDER BY ALL",
    "SELECT * FROM links ORDER BY ALL",
    "SELECT * EXCLUDE (resource_id) FROM resources ORDER BY ALL",
    "SELECT * EXCLUDE (operation_id) FROM operations ORDER BY ALL",
)

spans = st.fixed_dictionaries(
    {
        "trace": st.integers(1, 3),
        "span": st.integers(1, 5),
        "start": st.integers(0, 3).map(lambda hour: START_NS + hour * 3_600_000_000_000),
        "attributes": st.sampled_from([{}, {"http.route": "/a"}, {"n": 1.5e300}, {"µ": "ü"}]),
        "name": st.sampled_from(["work", "work 12345", ""]),
    },
    optional={"links": st.just([(2, 1)]), "exceptions": st.just(["Timeout"])},
)
contents = st.builds(
    lambda write, given, service: WRITERS[write](
        traces(*given, resource={"service.name": service})
    ),
    st.sampled_from(list(WRITERS)),
    st.lists(spans, max_size=3),
    st.sampled_from(["shop", "cart"]),
)


def written(folder: Path, files: list[bytes]) -> Path:
    """Return the folder with these files in it."""
    folder.mkdir()
    for number, content in enumerate(files):
        (folder / f"{number:05}").write_bytes(content)
    return folder


def one_by_one(store: Store, folder: Path) -> None:
    for source in ingest.find_inputs([str(folder)]):
        with ingest.open_source(source) as reading:
            store.append(reading)


def together(store: Store, *inputs: Path) -> list[Taken]:
    return list(take_in(store, [str(path) for path in inputs]))


def sizes(folder: Path) -> list[int]:
    """Return how many files each parcel of a folder has; 0: it is no parcel."""
    found = ingest.in_parcels(ingest.find_inputs([str(folder)]))
    return [len(each.files) if isinstance(each, ingest.Parcel) else 0 for each in found]


def only(store: Store, sql: str) -> Any:  # noqa: ANN401
    return store.query(sql).item()


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(files=st.lists(contents, max_size=12))
def test_together_is_as_good_as_one_by_one(
    files: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Same spans, same counts of every file, same rejects with file and record."""
    base = tmp_path_factory.mktemp("parcel")
    folder = written(base / "files", [b"0", *files])
    with (
        Store.open(base / "one.duckdb", create=True, threads=1) as one,
        Store.open(base / "all.duckdb", create=True, threads=1) as all_,
    ):
        one_by_one(one, folder)
        together(all_, folder)
        for sql in TABLES:
            assert_frame_equal(one.query(sql), all_.query(sql))
        assert not (set(all_.dirty_hours()) - set(one.dirty_hours()))
        ledger = all_.ledger().files
        kept = pl.col("spans") + pl.col("duplicates") + pl.col("rejected")
        assert ledger.filter(pl.col("records") != kept).is_empty()
        assert all(taken.appended and taken.appended.known for taken in together(all_, folder))


def test_many_files_are_a_few_transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parcel is bounded by files and by bytes; what is larger is read by itself."""
    monkeypatch.setattr(parcels, "PARCEL_FILES", 3)
    folder = written(tmp_path / "files", [json_line(traces({"span": n})) for n in range(1, 8)])
    assert sizes(folder) == [3, 3, 1]

    size = (folder / "00000").stat().st_size
    monkeypatch.setattr(parcels, "PARCEL_BYTES", 2 * size)
    assert sizes(folder) == [2, 2, 2, 1]

    monkeypatch.setattr(parcels, "FILE_BYTES_MAX", size - 1)
    assert sizes(folder) == [0] * 7


def test_a_small_file_that_expands_is_read_by_itself(tmp_path: Path) -> None:
    """A parcel's memory is bounded by contents, not by what they take on disk."""
    big = json_line(traces({"attributes": {"pad": "x" * (17 << 20)}}))
    small = json_line(traces({"trace": 2}))
    folder = written(tmp_path / "files", [small, gzip.compress(big, 1), small + b"\n"])

    assert sizes(folder) == [1, 0, 1]


def test_more_rejects_than_are_listed(tmp_path: Path) -> None:
    """Behind a thousand rejects of one file only their number is kept: of that file, no other."""
    bad = b'{"resourceSpans":[}\n' * (REJECTS_MAX - 1)
    good = json_line(traces({}))
    folder = written(tmp_path / "files", [bad, good, bad + b"{}x\n" * 9])
    with Store.open(tmp_path / "t.duckdb", create=True) as store:
        together(store, folder)
        files = store.ledger().files

    assert files["rejected"].to_list() == [REJECTS_MAX - 1, 0, REJECTS_MAX + 8]
    assert files["spans"].to_list() == [0, 1, 0]


def test_an_error_of_one_file_loses_no_other(tmp_path: Path) -> None:
    """A file that was named and is no trace file is an error, in its place."""
    folder = written(tmp_path / "files", [json_line(traces({})), b"# notes", json_line(traces({}))])
    missing = folder / "missing"
    inputs = [folder / "00000", missing, folder / "00001", folder / "00002"]
    with Store.open(tmp_path / "t.duckdb", create=True) as store:
        first, second, third, fourth = together(store, *inputs)
        assert only(store, "SELECT count(*) FROM spans") == 1

    assert first.appended
    assert first.appended.spans == 1
    assert isinstance(second.error, InputError)
    assert "no trace file" in str(third.error)
    assert third.appended is None
    assert fourth.appended
    assert fourth.appended.known
    assert fourth.path == str(folder / "00002")


def test_a_file_that_was_named_and_is_rejected_whole(tmp_path: Path) -> None:
    """It is in the ledger with its rejects, and an error as well."""
    folder = written(tmp_path / "files", [b'{"resourceSpans":[}'])
    with Store.open(tmp_path / "t.duckdb", create=True) as store:
        (taken,) = together(store, folder / "00000")

    assert taken.appended
    assert taken.appended.rejected == 1
    assert "nothing in" in str(taken.error)
