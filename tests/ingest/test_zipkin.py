"""Zipkin: shared span ids, what tags mean, and its own fixtures."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.writers import attributes, batches, only_batch, only_span, wide
from tracemap.model import Kind, Quality, Status

DATA = Path(os.environ.get("TRACEMAP_REAL_DATA", "")) / "fixtures" / "zipkin"
START_US = 1_700_000_000_000_000


def span(**fields: object) -> dict[str, Any]:
    return {
        "traceId": "ab", "id": "1", "name": "get", "timestamp": START_US, "duration": 5,
        "localEndpoint": {"serviceName": "shop"}, **fields,
    }  # fmt: skip


def raw(*spans: object) -> bytes:
    return json.dumps([*spans]).encode()


def read(**fields: object) -> dict[str, Any]:
    return only_span(raw(span(**fields)))


def by_service(*spans: object) -> dict[tuple[str, int], dict[str, Any]]:
    found = wide([only_batch(raw(*spans))])
    return {(row["service_name"], row["kind"]): row for row in found.to_dicts()}


CLIENT = span(id="2", parentId="1", kind="CLIENT", localEndpoint={"serviceName": "web"})


@pytest.mark.parametrize("shared", [True, None])
def test_a_server_that_shares_its_clients_id_gets_one_of_its_own(*, shared: bool | None) -> None:
    """Its parent is the client's half; with or without the flag, which old tracers do not set."""
    server = span(id="2", parentId="1", kind="SERVER", shared=shared)
    inside = span(id="3", parentId="2")
    beside = span(id="4", parentId="2", localEndpoint={"serviceName": "web"})
    found = by_service(CLIENT, server, inside, beside)

    own = found["shop", Kind.SERVER]
    assert own["span_id"] not in (0, 1, 2, 3, 4)
    assert own["parent_id"] == 2
    assert own["quality"] & Quality.SHARED_RESOLVED
    assert found["shop", 0]["parent_id"] == own["span_id"]
    assert found["web", 0]["parent_id"] == 2
    assert found["web", Kind.CLIENT]["span_id"] == 2
    assert not found["web", Kind.CLIENT]["quality"] & Quality.SHARED_RESOLVED


def test_the_id_of_a_servers_half_is_always_the_same() -> None:
    """Else a span that is read twice would be two."""
    server = span(id="2", parentId="1", kind="SERVER", shared=True)
    alone = only_batch(raw(server)).spans["span_id"][0]

    assert by_service(CLIENT, server)["shop", Kind.SERVER]["span_id"] == alone
    other = only_batch(raw({**server, "traceId": "ac"})).spans["span_id"][0]
    assert other != alone


def test_equal_ids_on_one_side_are_left_alone() -> None:
    """Nothing says which is meant; the store takes the one that ends last."""
    batch = only_batch(raw(CLIENT, CLIENT))

    assert batch.spans["span_id"].to_list() == [2, 2]


def test_trace_ids_of_both_lengths_are_one_trace() -> None:
    """A tracer that knows 64 bits only cuts the id that it was given."""
    long = span(traceId="0af7651916cd43dd8448eb211c80319c")
    short = span(traceId="8448eb211c80319c", id="2", parentId="1")
    batch = only_batch(raw(long, short))

    assert set(batch.spans["trace_high"]) == {0x0AF7651916CD43DD}


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ({"error": "true"}, Status.ERROR),
        ({"error": ""}, Status.ERROR),
        ({"error": "timeout"}, Status.ERROR),
        ({"error": "false"}, Status.UNSET),
        ({"otel.status_code": "ERROR"}, Status.ERROR),
        ({"http.status_code": "500"}, Status.UNSET),
        ({}, Status.UNSET),
    ],
)
def test_a_span_failed_if_it_has_an_error_tag(tags: dict[str, str], status: Status) -> None:
    """Of any value but ``false``: Zipkin's own rule."""
    assert read(tags=tags)["status_code"] == status


def test_a_span_without_times_is_kept_for_the_graph() -> None:
    """It has no latency, and is marked."""
    timeless = span()
    del timeless["timestamp"], timeless["duration"]
    row = only_span(raw(timeless))

    assert row["duration_ns"] is None
    assert row["quality"] & Quality.START_INVALID
    assert read(duration=None)["quality"] & Quality.END_MISSING


def test_who_is_on_the_other_side_is_said_in_opentelemetrys_words() -> None:
    """``remoteEndpoint`` names a service, or the broker of a message."""
    remote = {"serviceName": "mysql", "ipv4": "10.0.0.1", "port": 3306}
    called = read(kind="CLIENT", remoteEndpoint=remote)
    sent = read(
        kind="PRODUCER", remoteEndpoint={"serviceName": "kafka"}, tags={"kafka.topic": "orders"}
    )

    assert (called["peer_kind"], called["peer_name"]) == ("service", "mysql")
    assert attributes(called["attributes"])["network.peer.port"] == 3306
    assert (sent["peer_kind"], sent["peer_name"]) == ("queue", "orders")
    assert sent["protocol"] == "messaging"


def test_lines_and_lists_of_traces_are_read_alike() -> None:
    """The API gives one list or a list of lists; Kafka and dumps one span a line."""
    spans = [span(id=str(number)) for number in range(1, 4)]
    lines = b"\n".join(json.dumps(each).encode() for each in spans)

    for written in (lines, raw(*spans), raw(spans), raw(spans[:1], spans[1:])):
        found = [each for batch in batches(written) for each in batch.spans["span_id"]]
        assert sorted(found) == [1, 2, 3]


@pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real traces is not there")
@pytest.mark.real_data
@pytest.mark.parametrize(
    "name", ["ascend", "envoy", "messaging-kafka", "simple-db-p6", "skew", "yelp"]
)
def test_zipkins_own_fixtures_are_read(name: str) -> None:
    """Every span is there with its service, and no id comes twice."""
    written = (DATA / f"{name}.json").read_bytes()
    wanted = json.loads(written)
    batch = only_batch(written)
    found = wide([batch])

    assert (batch.spans.height, batch.rejects.height) == (len(wanted), 0)
    keys = {(each["traceId"], each["id"]) for each in wanted}
    halves = found.filter(found["quality"] & int(Quality.SHARED_RESOLVED) != 0)
    assert halves.height == sum(1 for each in wanted if each.get("shared"))
    assert found["span_id"].n_unique() == len(keys) + sum(
        1
        for each in wanted
        if each.get("shared") and (each["traceId"], each["id"], None) in _unshared(wanted)
    )
    names = {each.get("localEndpoint", {}).get("serviceName") for each in wanted}
    assert set(found["service_name"]) == {each or "unknown_service" for each in names}


def _unshared(wanted: list[dict[str, Any]]) -> set[tuple[str, str, None]]:
    return {(each["traceId"], each["id"], None) for each in wanted if not each.get("shared")}
