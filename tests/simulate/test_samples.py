from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tracemap.simulate.samples import sample_files, write_samples
from tracemap.simulate.situations import Situation, situations

FOLDER = Path(__file__).parents[2] / "sample_traces"
MOST_BYTES = 18_000_000


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Every sample file as the simulator makes it now, before compression."""
    return dict(sample_files())


@pytest.fixture(scope="module")
def made() -> dict[str, Situation]:
    """Every situation as the simulator makes it now."""
    return {one.name: one for one in situations()}


def test_the_committed_samples_are_those_the_simulator_makes(files: dict[str, bytes]) -> None:
    """Nobody edits a sample by hand, and nobody changes the simulator without remaking them."""
    committed = {
        path.relative_to(FOLDER).as_posix(): hashlib.sha256(_content(path)).hexdigest()
        for path in FOLDER.rglob("*")
        if path.is_file()
    }

    assert committed == {name: hashlib.sha256(made).hexdigest() for name, made in files.items()}


def test_the_samples_stay_small_enough_for_a_wheel() -> None:
    """All of them together, compressed."""
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < MOST_BYTES


def test_small_samples_are_compressed_to_the_same_bytes(tmp_path: Path, made: Any) -> None:  # noqa: ANN401
    """Neither the clock nor a file name gets into them."""
    first, second = tmp_path / "a", tmp_path / "b"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tracemap.simulate.samples.sample_files", lambda: _small(made))
        write_samples(first)
        write_samples(second)

    assert _tree(first) == _tree(second)
    assert len(_tree(first)) == 6


def test_the_hour_has_one_fault_that_users_feel_and_one_that_is_hidden(
    files: dict[str, bytes],
) -> None:
    """The two stories of the demonstration."""
    truth = json.loads(files["shop-hour.truth.json"])
    database, shipping = truth["faults"]
    hidden = [hop for hop in shipping["hops"] if hop["hop"] == 1]

    assert (database["service"], database["verdict"]) == ("postgresql catalog", "propagated")
    assert max(hop["hop"] for hop in database["hops"] if hop["verdict"] == "propagated") >= 2
    assert (shipping["service"], shipping["mechanism"]) == ("shipping", "parallel slack")
    assert all(hop["offered_ms"] > 40 and hop["ratio"] < 0.02 for hop in hidden)
    assert max(row["excess_ms"] for row in shipping["user_visible"]) < 0.5


def test_the_quiet_hour_has_nothing_to_find(files: dict[str, bytes]) -> None:
    """False alarms are counted on it."""
    assert json.loads(files["shop-quiet-hour.truth.json"])["faults"] == []


def test_traces_of_the_hour_cross_its_files(files: dict[str, bytes]) -> None:
    """As after a rotation: a reader must join across files."""
    edges = [
        ([*_traces(lines[:10])], [*_traces(lines[-10:])])
        for name, content in sorted(files.items())
        if name.startswith("shop-hour/")
        for lines in [content.splitlines()]
    ]

    assert all({*last} & {*first} for (_, last), (first, _) in pairwise(edges))


def test_consumers_in_batches_link_to_every_message(made: dict[str, Situation]) -> None:
    """Up to three links a span, one per message."""
    links = [len(span.get("links", [])) for span in _all_spans(made["messaging-links"])]

    assert set(links) == {0, 1, 3}
    assert sum(links) == made["messaging-links"].truth["expected"]["links"]


def test_without_client_spans_servers_hang_on_servers(made: dict[str, Situation]) -> None:
    """The storefront records its own server spans and nothing else."""
    situation = made["missing-client-spans"]
    kinds = {span["kind"] for span in _all_spans(situation, service="storefront")}

    assert kinds == {2}
    assert any(
        edge["downstream"] == "storefront" and edge["calls"] > 0
        for edge in situation.truth["edges"]
    )


def test_orphans_are_counted_by_where_their_parent_was(made: dict[str, Situation]) -> None:
    """Flags tell a parent in another process from one in the same."""
    situation = made["orphan-spans"]
    spans = list(_all_spans(situation))
    present = {(span["traceId"], span["spanId"]) for span in spans}
    flags = [
        span["flags"]
        for span in spans
        if "parentSpanId" in span and (span["traceId"], span["parentSpanId"]) not in present
    ]

    assert flags.count(0x300) == situation.truth["expected"]["orphans_remote"] > 0
    assert flags.count(0x100) == situation.truth["expected"]["orphans_local"] > 0


def test_skewed_clocks_change_starts_and_no_duration(made: dict[str, Situation]) -> None:
    """Children on a slow host start before their parents."""
    spans = list(_all_spans(made["clock-skew"]))
    starts = {span["spanId"]: int(span["startTimeUnixNano"]) for span in spans}
    early = [
        span
        for span in spans
        if int(span["startTimeUnixNano"]) < starts.get(span.get("parentSpanId"), 0)
    ]

    assert early
    assert all(int(one["endTimeUnixNano"]) > int(one["startTimeUnixNano"]) for one in spans)


def test_duplicates_are_whole_batches_sent_again(made: dict[str, Situation]) -> None:
    """Records, distinct spans and duplicates add up."""
    situation = made["duplicates"]
    ids = [span["spanId"] for span in _all_spans(situation)]
    expected = situation.truth["expected"]

    assert len(ids) == expected["records"]
    assert len(ids) - len(set(ids)) == expected["duplicates"] > 0
    assert len(set(ids)) == situation.truth["spans"]


def test_spans_without_kind_have_neither_kind_nor_flags(made: dict[str, Situation]) -> None:
    """As the Collector writes them: fields that are zero are left out."""
    spans = list(_all_spans(made["spans-without-kind"]))

    assert not any("kind" in span or "flags" in span for span in spans)
    assert len(spans) == made["spans-without-kind"].truth["expected"]["kind_unspecified"]


def _traces(lines: list[bytes]) -> Iterator[str]:
    return (span["traceId"] for line in lines for span in _spans(line))


def _small(made: dict[str, Situation]) -> Iterator[tuple[str, bytes]]:
    return ((f"{name}.jsonl.gz", one.content) for name, one in made.items())


def _tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def _all_spans(situation: Situation, service: str | None = None) -> Iterator[dict[str, Any]]:
    for line in situation.content.splitlines():
        yield from _spans(line, service)


def _spans(line: bytes, service: str | None = None) -> Iterator[dict[str, Any]]:
    for resource in json.loads(line)["resourceSpans"]:
        name = resource["resource"]["attributes"][0]["value"]["stringValue"]
        if service in (None, name):
            for scope in resource["scopeSpans"]:
                yield from scope["spans"]
