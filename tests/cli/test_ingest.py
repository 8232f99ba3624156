from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SAMPLES, Tracemap
from tracemap.store import Store

TRACE_ID = "5b8efff798038103d269b633813fc60c"


def otlp(service: str = "web", **changes: object) -> bytes:
    """Return one OTLP/JSON line with one span."""
    span = {
        "traceId": TRACE_ID,
        "spanId": "eee19b7ec3c1b174",
        "name": "GET /",
        "kind": 2,
        "startTimeUnixNano": "1772528400000000000",
        "endTimeUnixNano": "1772528400005000000",
        **changes,
    }
    name = {"key": "service.name", "value": {"stringValue": service}}
    resource = {"resource": {"attributes": [name]}, "scopeSpans": [{"spans": [span]}]}
    return json.dumps({"resourceSpans": [resource]}).encode() + b"\n"


def write(name: str, content: bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


BAD = {
    "text.json": b"dear diary\n",
    "empty.json": b"",
    "truncated.jsonl.gz": gzip.compress(otlp() * 5000)[:200],
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "zeros.pb": bytes(1000),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_file_that_is_no_trace_file_is_exit_3(tracemap: Tracemap, name: str) -> None:
    """The message names the file and says what to do."""
    write(name, BAD[name])
    answer = tracemap("ingest", name)

    assert answer.code == 3
    assert answer.err.startswith("tracemap: ")
    assert name in answer.err
    assert "hint: " in answer.err
    assert "Traceback" not in answer.err


def test_a_missing_file_is_exit_3(tracemap: Tracemap) -> None:
    """So is a glob that matches nothing."""
    for name in ("nowhere.json", "no*.json"):
        answer = tracemap("ingest", name)
        assert answer.code == 3
        assert name in answer.err


def test_a_folder_with_nothing_in_it_is_exit_3(tracemap: Tracemap) -> None:
    """An empty folder is a mistake, not a success."""
    Path("nothing").mkdir()
    answer = tracemap("ingest", "nothing")

    assert answer.code == 3
    assert "nothing" in answer.err


def test_a_folder_without_a_trace_file_is_exit_3(tracemap: Tracemap) -> None:
    """Other files in a folder are only noted, unless there is nothing else."""
    write("folder/notes.txt", b"dear diary\n")
    answer = tracemap("ingest", "folder")
    assert answer.code == 3
    assert "folder/notes.txt: no trace file, left out" in answer.err

    write("folder/good.jsonl", otlp())
    assert tracemap("ingest", "folder").code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_exit_3(tracemap: Tracemap) -> None:
    """Permissions are named as the reason."""
    write("secret.json", otlp()).chmod(0)
    answer = tracemap("ingest", "secret.json")

    assert answer.code == 3
    assert "ermission" in answer.err


def test_a_bad_file_does_not_stop_the_others(tracemap: Tracemap) -> None:
    """All are tried; the exit code remembers."""
    write("bad.json", b"dear diary\n")
    write("good.jsonl", otlp())
    answer = tracemap("ingest", "bad.json", "missing.json", "good.jsonl")

    assert answer.code == 3
    assert "good.jsonl: otlp-json, 1 span stored" in answer.err
    assert json.loads(tracemap("info", "--format", "json").out)["spans"] == 1


def test_known_contents_are_not_stored_again(tracemap: Tracemap) -> None:
    """Under another name they are still the same."""
    write("one.jsonl", otlp())
    write("two.jsonl", otlp())
    answer = tracemap("ingest", "one.jsonl", "two.jsonl")

    assert answer.code == 0
    assert "two.jsonl: known already" in answer.err


def test_the_sum_is_what_the_ledger_says(tracemap: Tracemap) -> None:
    """Twins, bad files, files of other kinds: each is counted once, as in the ledger."""
    write("in/one.jsonl", otlp() + b"{]\n")
    write("in/twin.jsonl", otlp() + b"{]\n")
    write("in/notes.txt", b"dear diary\n")
    write("in/notes-again.txt", b"dear diary\n")
    write("in/two.jsonl", otlp(spanId="eee19b7ec3c1b175"))
    last = tracemap("ingest", "in").err.splitlines()[-2]
    content = json.loads(tracemap("info", "--format", "json").out)

    assert (len(content["files"]), content["spans"], content["rejected"]) == (3, 2, 2)
    assert last == (
        "tracemap.duckdb: 3 files, 1 of them left out, 2 known already, 2 spans stored, 1 rejected"
    )
    again = tracemap("ingest", "in").err.splitlines()[-1]
    assert again == "tracemap.duckdb: 5 known already, 0 spans stored"


def test_an_archive_of_many_files_is_summed_up(tracemap: Tracemap) -> None:
    """Beyond twenty lines only those with rejects are said; the sum counts all."""
    for number in range(1, 31):
        write(f"in/{number:02}.jsonl", otlp(spanId=f"{number:016x}"))
    write("in/99.jsonl", otlp(spanId=f"{99:016x}") + b"{]\n")
    said = tracemap("ingest", "in").err.splitlines()

    assert len([line for line in said if line.endswith("1 span stored")]) == 20
    assert "in/99.jsonl: otlp-json, 1 span stored, 1 rejected" in said
    assert "... and 10 more without a reject" in said
    assert "tracemap.duckdb: 31 files, 31 spans stored, 1 rejected" in said


def test_a_file_that_was_left_out_is_no_rejected_record(tracemap: Tracemap) -> None:
    """The sum says of it what its line says, and `info` keeps it apart from records."""
    write("in/one.jsonl", otlp())
    write("in/LICENSE", b"dear diary\n")
    said = tracemap("ingest", "in").err.splitlines()

    assert said[-1] == "tracemap.duckdb: 2 files, 1 of them left out, 1 span stored"
    assert "  rejected 1, of which 1 is a file left out\n" in tracemap("info").out
    assert "rejected" not in tracemap("why-missing", "web", "shop").out


def test_a_folder_without_a_trace_file_is_exit_3_each_time(tracemap: Tracemap) -> None:
    """That its files are known by now makes them no trace files."""
    write("folder/notes.txt", b"dear diary\n")

    assert [tracemap("ingest", "folder").code for _ in range(2)] == [3, 3]


@pytest.mark.parametrize("verb", [["ingest"], ["run", "batch"]])
def test_a_failure_leaves_no_new_database_behind(tracemap: Tracemap, verb: list[str]) -> None:
    """Exit code 3, the file is named, and the folder is as it was."""
    answer = tracemap(*verb, "nosuchfile", "--db", "new.duckdb")

    assert answer.code == 3
    assert "nosuchfile" in answer.err
    assert list(Path().iterdir()) == []


def test_a_failure_leaves_an_old_database_alone(tracemap: Tracemap) -> None:
    """Also one that holds nothing: somebody made it."""
    Store.open("tracemap.duckdb", create=True).close()

    assert tracemap("ingest", "nosuchfile").code == 3
    assert Path("tracemap.duckdb").exists()


@pytest.mark.slow
def test_two_at_once_into_a_new_database(tmp_path: Path) -> None:
    """One wins, and has all of its spans; the other says "in use", or came later."""
    command = [sys.executable, "-m", "tracemap", "ingest", str(SAMPLES / "shop-quiet-hour")]
    path = tmp_path / "new.duckdb"
    both = [
        subprocess.Popen([*command, "--db", str(path)], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    codes = sorted(process.returncode for process in both)

    assert codes in ([0, 4], [0, 0])
    assert sum("in use by process" in text for text in said) == codes.count(4)
    with Store.open(path, read_only=True) as store:
        ledger = store.ledger()
    assert ledger.spans == ledger.files["spans"].sum() > 0
    names = sorted(Path(name).name for name in ledger.files["path"])
    assert names == sorted(file.name for file in (SAMPLES / "shop-quiet-hour").glob("*.gz"))


def test_records_read_are_stored_duplicate_or_rejected(tracemap: Tracemap) -> None:
    """The ledger adds up and shows an example of what was rejected."""
    lines = otlp() + otlp() + otlp(spanId="") + b'{"resourceSpans": [}\n'
    write("mixed.jsonl", lines)
    answer = tracemap("ingest", "mixed.jsonl")
    content = json.loads(tracemap("info", "--format", "json").out)

    assert answer.code == 0
    assert "what was rejected, and why: tracemap info --db tracemap.duckdb" in answer.err
    assert content["records"] == content["spans"] + content["duplicates"] + content["rejected"]
    assert (content["spans"], content["duplicates"]) == (1, 1)
    assert content["rejects"][0]["excerpt"]


def test_standard_input(tracemap: Tracemap, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads what another command writes."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(otlp())))

    assert "-: otlp-json, 1 span stored" in tracemap("ingest", "-").err


def test_results_never_go_to_stdout(tracemap: Tracemap) -> None:
    """What ingest says is for people; stdout stays free."""
    assert tracemap("ingest", SAMPLES / "shop-hour" / "traces-1.jsonl.gz").out == ""


def test_a_database_without_spans_is_exit_5(tracemap: Tracemap) -> None:
    """Nothing to report on; the hint says how to get something."""
    write("folder/notes.txt", b"dear diary\n")
    tracemap("ingest", "folder")
    answer = tracemap("edges")

    assert answer.code == 5
    assert "tracemap ingest" in answer.err


def test_a_file_that_is_no_database_is_exit_4(tracemap: Tracemap) -> None:
    """Nothing is overwritten."""
    path = write("notes.txt", b"dear diary\n" * 1000)
    for arguments in (["ingest", SAMPLES / "shop-hour"], ["info"]):
        assert tracemap(*arguments, "--db", path).code == 4
    assert path.read_bytes() == b"dear diary\n" * 1000


def test_names_cannot_steer_the_terminal(tracemap: Tracemap) -> None:
    """A service name with escape codes and markup is shown spelled out, in every table."""
    evil = "\x1b[2J[red]\u202eweb"
    write("evil.jsonl", otlp(evil))
    tracemap("ingest", "evil.jsonl")
    for arguments in (["info"], ["trace", TRACE_ID], ["query", "SELECT * FROM services"]):
        answer = tracemap(*arguments)
        assert answer.code == 0
        assert "\x1b" not in answer.out
        assert "[red]" in answer.out


def test_a_file_whose_name_is_no_text(tracemap: Tracemap) -> None:
    """Found in a folder, it is taken in under a name that can be stored; named itself, refused."""
    folder = write("in/a.jsonl", otlp()).parent
    odd = os.fsencode(folder) + b"/caf\xe9.jsonl"
    try:
        os.rename(folder / "a.jsonl", odd)  # noqa: PTH104  (a Path is text)
    except OSError:
        pytest.skip("this file system has names of text only")
    found, named = tracemap("ingest", "in"), tracemap("ingest", os.fsdecode(odd))

    assert found.code == 0
    assert "in/caf\\xe9.jsonl: otlp-json, 1 span stored" in found.err
    assert tracemap("query", "SELECT path FROM files").out.endswith("in/caf\\xe9.jsonl\n")
    assert named.code == 2
    assert "is not text" in named.err
