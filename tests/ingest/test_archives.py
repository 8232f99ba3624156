"""Archives: every file in them is read, nothing of them is followed, none can do harm."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
import zstandard
from hypothesis import given, settings

from tests.ingest.writers import json_line, traces
from tracemap.ingest import Source, archives, open_sources, streams
from tracemap.ingest.streams import BrokenStreamError
from tracemap.ingest.tars import tar_members
from tracemap.ingest.zips import zip_chunks, zip_members
from tracemap.model import Batch

Member = tuple[str, bytes] | tuple[str, bytes, bytes]
Found = dict[str, tuple[int, list[str]]]


def line(number: int) -> bytes:
    return json_line(traces({"trace": number, "span": number}))


def tar(*members: Member, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return an archive; a third item of a member is its type."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as archive:
        for name, contents, *sort in members:
            info = tarfile.TarInfo(name)
            info.size = len(contents)
            info.type = sort[0] if sort else tarfile.REGTYPE
            info.linkname = "/etc/passwd" if sort else ""
            archive.addfile(info, io.BytesIO(contents))
    return raw.getvalue()


def packed(*members: Member, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", compression) as archive:
        for name, contents, *_ in members:
            archive.writestr(name, contents)
    return raw.getvalue()


def read(path: Path, *, named: bool = False) -> Found:
    """Return for each reading, by what is behind the archive's own name, its spans and reasons."""
    found = {}
    with open_sources(Source(str(path), named=named)) as readings:
        for reading in readings:
            batches: list[Batch] = list(reading.batches())
            assert reading.content_hash
            spans = sum(batch.spans.height for batch in batches)
            reasons = [reason for batch in batches for reason in batch.rejects["reason"]]
            found[reading.path.removeprefix(str(path))] = (spans, reasons)
    return found


@pytest.fixture
def archive(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(raw: bytes) -> Path:
        path = tmp_path / "archive"
        path.write_bytes(raw)
        return path

    return write


PLAIN: list[Member] = [("a.jsonl", line(1)), ("in/b.jsonl.gz", gzip.compress(line(2)))]
WRAPPED = {
    "tar": tar(*PLAIN),
    "tar as GNU writes it": tar(*PLAIN, form=tarfile.GNU_FORMAT),
    "tar of 1988": tar(*PLAIN, form=tarfile.USTAR_FORMAT),
    "tar.gz": gzip.compress(tar(*PLAIN)),
    "tar.zst": zstandard.compress(tar(*PLAIN)),
    "zip": packed(*PLAIN),
    "zip, not compressed": packed(*PLAIN, compression=zipfile.ZIP_STORED),
    "zip in gzip": gzip.compress(packed(*PLAIN)),
    "two tars behind one another": tar(PLAIN[0]) + tar(PLAIN[1]),
}


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_each_file_in_an_archive_is_read_as_if_it_lay_in_a_folder(
    archive: Callable[[bytes], Path], wrapping: str
) -> None:
    """Exports come as archives; unpacking them by hand is work and room on the disk."""
    assert read(archive(WRAPPED[wrapping])) == {"!a.jsonl": (1, []), "!in/b.jsonl.gz": (1, [])}


def test_archives_in_archives_are_read_to_a_bounded_depth(
    archive: Callable[[bytes], Path],
) -> None:
    """Three deep is more than people do; a quine of an archive has no end."""
    raw = line(1)
    for _ in range(3):
        raw = packed(("x", raw))
    assert read(archive(raw)) == {"!x!x!x": (1, [])}
    assert read(archive(tar(("deep", raw)))) == {"!deep!x!x": (0, ["nested_too_deep"])}


def test_a_large_member_is_read_as_a_stream(
    archive: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only small members are kept in memory; the result is the same."""
    monkeypatch.setattr("tracemap.ingest.stored.KEPT_BYTES_MAX", 100)
    members = [("a", line(1) * 3), ("b", line(2)), ("c", gzip.compress(line(3)))]

    for raw in (tar(*members), packed(*members)):
        assert read(archive(raw)) == {"!a": (3, []), "!b": (1, []), "!c": (1, [])}


def test_what_is_no_file_is_said_and_not_followed(archive: Callable[[bytes], Path]) -> None:
    """A link may point anywhere; a device is not data."""
    raw = tar(
        ("soft", b"", tarfile.SYMTYPE),
        ("hard", b"", tarfile.LNKTYPE),
        ("tty", b"", tarfile.CHRTYPE),
        ("pipe", b"", tarfile.FIFOTYPE),
        ("folder", b"", tarfile.DIRTYPE),
        ("good", line(1)),
    )
    reasons = ["link_in_archive"] * 2 + ["special_in_archive"] * 2

    assert read(archive(raw)) == {"!good": (1, []), "": (0, reasons)}


@pytest.mark.parametrize("make", [tar, packed])
def test_names_are_labels_and_never_paths(
    archive: Callable[[bytes], Path], make: Callable[..., bytes], tmp_path: Path
) -> None:
    """Whatever a member is called, nothing is written and nothing else is read."""
    names = ["../../up", "/etc/shadow", "C:\\con", "NUL", "a\nb", "x" * 300]
    found = read(archive(make(*((name, line(at + 1)) for at, name in enumerate(names)))))

    assert list(found.values()) == [(1, [])] * len(names)
    assert os.listdir(tmp_path) == ["archive"]  # noqa: PTH208


def test_hidden_files_in_an_archive_are_passed_over(archive: Callable[[bytes], Path]) -> None:
    """Macs put a ._file beside each file."""
    assert read(archive(tar(("./._a", b"x"), ("./a", line(1)), (".git/b", b"x")))) == {
        "!a": (1, [])
    }


def test_an_encrypted_member_costs_itself_only(archive: Callable[[bytes], Path]) -> None:
    """There is nobody to ask for the password."""
    raw = bytearray(packed(("a", line(1)), ("b", line(2))))
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(magic) + at] |= 1

    assert read(archive(bytes(raw))) == {"!b": (1, []), "": (0, ["encrypted_member"])}


def test_a_compression_we_do_not_have_costs_its_member_only(
    archive: Callable[[bytes], Path],
) -> None:
    """LZMA in a zip may expand without bound."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as made:
        made.writestr("a", line(1), zipfile.ZIP_LZMA)
        made.writestr("b", line(2), zipfile.ZIP_DEFLATED)

    assert read(archive(raw.getvalue())) == {"!b": (1, []), "": (0, ["unknown_compression"])}


def test_zstd_in_a_zip_is_read(archive: Callable[[bytes], Path]) -> None:
    """Newer tools write it; Python's own module may not know it yet."""
    raw = bytearray(packed(("a", zstandard.compress(line(1))), compression=zipfile.ZIP_STORED))
    for magic, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        raw[raw.index(magic) + at] = 93

    assert read(archive(bytes(raw))) == {"!a": (1, [])}


def test_a_damaged_member_of_a_zip_costs_itself_only(archive: Callable[[bytes], Path]) -> None:
    """Its checksum tells."""
    raw = bytearray(packed(("a", line(1)), ("b", line(2)), compression=zipfile.ZIP_STORED))
    raw[raw.index(b"startTime") + 30] ^= 1
    found = read(archive(bytes(raw)))

    assert found["!b"] == (1, [])
    assert found["!a"][1] == ["corrupt_compression"]


def test_a_damaged_header_in_a_tar_costs_its_member_only(archive: Callable[[bytes], Path]) -> None:
    """The next header is found by its sum."""
    raw = bytearray(tar(("a", line(1)), ("b", line(2)), ("c", line(3))))
    raw[1024 + 3] ^= 0xFF

    assert read(archive(bytes(raw))) == {
        "!a": (1, []),
        "!c": (1, []),
        "": (0, ["corrupt_archive"]),
    }


@pytest.mark.parametrize("kept", [600, 1100, 1600])
@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
def test_a_cut_tar_keeps_what_is_whole(
    archive: Callable[[bytes], Path], wrap: Callable[[bytes], bytes], kept: int
) -> None:
    """A download that ended early is counted once, wherever it ended."""
    whole = wrap(tar(("a", line(1)), ("b", line(2) * 3)))
    raw = tar(("a", line(1)), ("b", line(2) * 3))[:kept]
    if wrap is gzip.compress:
        raw = whole[: -len(whole) // 4]
    found = read(archive(raw))
    reasons = [reason for _, each in found.values() for reason in each]

    assert reasons == ["truncated_tail"]


def test_a_cut_zip_is_said_to_be_cut(archive: Callable[[bytes], Path]) -> None:
    """Its directory stands at its end."""
    assert read(archive(packed(*PLAIN)[:-30])) == {"": (0, ["truncated_tail"])}


def test_all_layers_and_members_of_an_archive_share_one_budget(
    archive: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousandfold in each of two layers is a millionfold, in each of many members as well."""
    monkeypatch.setattr(streams, "_BOMB_BYTES_MIN", 1 << 22)
    monkeypatch.setattr(streams, "_BOMB_RATIO", 100)
    small = gzip.compress(line(1) + b"\n" * (1 << 21), 9)
    for raw in (
        packed(*((f"{at}.gz", small) for at in range(4))),
        packed(("tar", tar(*((f"{at}.gz", small) for at in range(4))))),
        gzip.compress(tar(*((f"{at}", bytes(1 << 20)) for at in range(6)))),
    ):
        reasons = {reason for _, each in read(archive(raw)).values() for reason in each}
        assert "decompression_bomb" in reasons


def test_members_that_share_their_bytes_are_refused(archive: Callable[[bytes], Path]) -> None:
    """So one kilobyte is made to count a thousand times (Fifield, 2019)."""
    raw = packed(("a", line(1)), ("b", line(2)))
    end = raw.rindex(b"PK\x05\x06")
    directory = raw[raw.index(b"PK\x01\x02") : end]
    entry = directory[: directory.index(b"PK\x01\x02", 4)]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 50, 50, 50 * len(entry), end, 0)
    found = read(archive(raw[:end] + entry * 50 + tail))

    assert found == {"!a": (1, []), "": (0, ["overlapping_members"] * 49)}


def test_sizes_that_are_declared_are_not_believed(archive: Callable[[bytes], Path]) -> None:
    """Four gigabytes in the directory are no reason to ask for four gigabytes."""
    raw = bytearray(packed(("a", line(1))))
    at = raw.index(b"PK\x01\x02")
    raw[at + 20 : at + 28] = b"\xf0\xff\xff\xff" * 2

    assert read(archive(bytes(raw))) in (
        {"!a": (0, ["truncated_tail"])},
        {"!a": (1, ["truncated_tail"])},
        {"!a": (1, [])},
    )


def test_a_directory_that_is_absurdly_large_is_not_read(archive: Callable[[bytes], Path]) -> None:
    """Millions of entries would fill the memory before the first is looked at."""
    raw = bytearray(packed(("a", line(1))))
    at = raw.rindex(b"PK\x05\x06")
    raw[at + 12 : at + 16] = struct.pack("<L", 1 << 30)

    assert read(archive(bytes(raw))) == {"": (0, ["too_many_members"])}


def test_the_number_of_members_is_bounded(
    archive: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes before the limit is read."""
    monkeypatch.setattr(archives, "MEMBERS_MAX", 2)
    raw = tar(*((str(at), line(at + 1)) for at in range(4)))

    assert read(archive(raw)) == {"!0": (1, []), "!1": (1, []), "": (0, ["too_many_members"])}


def test_a_header_in_front_of_a_member_is_bounded() -> None:
    """An extended header that says it has a terabyte is passed over, not kept."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40

    def chunks() -> Iterator[bytes]:
        yield info.tobuf(tarfile.GNU_FORMAT)
        for _ in range(64):
            yield bytes(1 << 20)

    found = tar_members(chunks())
    assert next(found).sort == "damaged"
    with pytest.raises(BrokenStreamError, match="truncated_tail"):
        next(found)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_anywhere_in_an_archive_is_no_crash(data: st.DataObject) -> None:
    """Whatever bytes are changed, reading ends, with members or with a reason."""
    raw = bytearray(data.draw(st.sampled_from([tar(*PLAIN), packed(*PLAIN)])))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        if raw.startswith(b"PK"):
            file = io.BytesIO(bytes(raw))
            for member in zip_members(file):
                deque(zip_chunks(file, member.info), maxlen=0)
        else:
            for found in tar_members(iter([bytes(raw)])):
                b"".join(found.chunks)
    except BrokenStreamError as error:
        assert error.reason  # noqa: PT017  (either way is right)
