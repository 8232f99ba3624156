"""Jaeger's JSON: references, tags, processes, and the two ways it is read."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.ingest.writers import attributes, batches, only_batch, only_span, wide
from tracemap import pipeline, recipe
from tracemap.ingest.block import Block, padded
from tracemap.ingest.foreign import jaeger
from tracemap.ingest.foreign.records import NotASpanError, written
from tracemap.intake import take_in
from tracemap.model import Kind, Quality, Status
from tracemap.store import Store

DATA = Path(os.environ.get("TRACEMAP_REAL_DATA", "")) / "fixtures"
REAL = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real traces is not there")
START_US = 1_700_000_000_000_000


def tag(key: str, value: object, kind: str = "string") -> dict[str, Any]:
    return {"key": key, "type": kind, "value": value}


def span(**fields: object) -> dict[str, Any]:
    return {
        "traceID": "ab", "spanID": "1", "operationName": "work", "references": [],
        "startTime": START_US, "duration": 5, "tags": [], "logs": [], "processID": "p1", **fields,
    }  # fmt: skip


def trace(*spans: dict[str, Any], **fields: object) -> bytes:
    processes = {"p1": {"serviceName": "shop", "tags": [tag("hostname", "h1")]}}
    made = {"traceID": "ab", "spans": [*spans], "processes": processes, **fields}
    return json.dumps({"data": [made]}).encode()


def read(**fields: object) -> dict[str, Any]:
    return only_span(trace(span(**fields)))


@REAL
@pytest.mark.real_data
def test_jaegers_own_fixture_is_read() -> None:
    """References across traces, values of every type, the same span id twice."""
    raw = (DATA / "jaeger" / "ui_01.json").read_bytes()
    batch = only_batch(raw)
    found = wide([batch])

    assert batch.rejects.height == 0
    assert found.height == json.loads(raw)["spans"].__len__()
    assert set(found["trace_low"]) == {1}
    by_name = {row["name"]: row for row in found.to_dicts()}
    assert by_name["reference-test"]["parent_id"] == 2
    assert by_name["reference-test"]["duration_ns"] == 5000
    assert (4, 255, 255) in batch.links.select(
        "span_id", "linked_trace_low", "linked_span_id"
    ).rows()
    said = [attributes(text) for text in found["attributes"]]
    assert {
        "temperature": 72.5,
        "javascript_limit": 9223372036854775222,
        "error": True,
    }.items() <= (next(each for each in said if "blob" in each).items())


@REAL
@pytest.mark.real_data
def test_real_applications_are_read_without_a_loss(tmp_path: Path) -> None:
    """Three applications by others, hundreds of traces: each span is there, with its service."""
    for archive in sorted((DATA / "traceweaver").glob("*.tar.gz")):
        with tarfile.open(archive) as tar:
            tar.extractall(tmp_path, filter="data")
        for path in sorted(tmp_path.rglob("*.json"))[:40]:
            raw = path.read_bytes()
            wanted = sum(len(each["spans"]) for each in json.loads(raw)["data"])
            batch = only_batch(raw)
            assert (batch.spans.height, batch.rejects.height) == (wanted, 0)
            assert (batch.resources["service_name"] != "unknown_service").all()
            assert (batch.spans["duration_ns"] >= 0).all()


@REAL
@pytest.mark.real_data
def test_the_known_topology_of_a_real_application_is_found(tmp_path: Path) -> None:
    """300 requests through a hotel shop, of which its authors say who calls whom."""
    with tarfile.open(DATA / "traceweaver" / "hotel_load25.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    with Store.open(tmp_path / "hotel.duckdb", create=True) as store:
        files = [str(path) for path in tmp_path.rglob("*.json")]
        assert all(taken.error is None for taken in take_in(store, sorted(files)))
        pipeline.bring_up_to_date(store)
        edges = pipeline.run(recipe.single("edges"), store).tables["edges"]

    assert set(edges.select("downstream", "upstream", "calls").rows()) == {
        ("frontend", "profile", 300), ("frontend", "reservation", 300), ("frontend", "search", 300),
        ("search", "geo", 300), ("search", "rate", 300),
    }  # fmt: skip


def test_the_parent_is_the_first_child_of_reference_of_the_same_trace() -> None:
    """Others are links: to other traces, to further parents, ``FOLLOWS_FROM``."""
    references = [
        {"refType": "FOLLOWS_FROM", "traceID": "ab", "spanID": "7"},
        {"refType": "CHILD_OF", "traceID": "ff", "spanID": "8"},
        {"refType": "CHILD_OF", "traceID": "00AB", "spanID": "9"},
    ]
    batch = only_batch(trace(span(references=references)))

    assert batch.spans["parent_id"].to_list() == [9]
    assert sorted(batch.links["linked_span_id"]) == [7, 8]
    followed = only_batch(trace(span(references=references[:1])))
    assert followed.spans["parent_id"].to_list() == [7]
    assert followed.links.height == 0


def test_an_explicit_parent_wins() -> None:
    """Older exports have ``parentSpanID``; a reference to it is no link."""
    own = {"refType": "CHILD_OF", "traceID": "ab", "spanID": "9"}
    other = {"refType": "CHILD_OF", "traceID": "ab", "spanID": "7"}
    batch = only_batch(trace(span(parentSpanID="9", references=[other, own])))

    assert batch.spans["parent_id"].to_list() == [9]


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ([tag("error", value=True, kind="bool")], Status.ERROR),
        ([tag("error", "true")], Status.ERROR),
        ([tag("error", value=False, kind="bool")], Status.UNSET),
        ([tag("otel.status_code", "ERROR")], Status.ERROR),
        ([tag("otel.status_code", "OK"), tag("http.status_code", 500, "int64")], Status.OK),
        ([tag("http.status_code", 404, "int64"), tag("span.kind", "server")], Status.UNSET),
        ([tag("http.status_code", 503, "int64"), tag("span.kind", "server")], Status.ERROR),
        ([tag("http.status_code", "404", "int64"), tag("span.kind", "client")], Status.ERROR),
        ([], Status.UNSET),
    ],
)
def test_a_span_failed_if_its_tags_say_so(tags: list[dict[str, Any]], status: Status) -> None:
    """``error`` first, then OpenTelemetry's status, then HTTP's: 4xx is no error of a server."""
    assert read(tags=tags)["status_code"] == status


def test_what_otlp_has_fields_for_is_no_attribute() -> None:
    """Kind, scope and trace state; the rest stays, typed."""
    tags = [
        tag("span.kind", "PRODUCER"), tag("otel.scope.name", "lib"),
        tag("w3c.tracestate", "ot=th:8"), tag("n", "5", "int64"),
        tag("x", "2.5", "float64"), tag("yes", "true", "bool"),
        tag("big", "9223372036854775222", "int64"),
    ]  # fmt: skip
    row = read(tags=tags)

    assert (row["kind"], row["scope"], row["weight"]) == (Kind.PRODUCER, "lib", 2.0)
    assert attributes(row["attributes"]) == {
        "n": 5, "x": 2.5, "yes": True, "big": 9223372036854775222,
    }  # fmt: skip


def test_a_process_that_is_missing_or_nameless_is_an_unknown_service() -> None:
    """No span is lost for it, and it is no service called ``OTLPResourceNoServiceName``."""
    unknown: tuple[object, ...] = (
        {}, None, {"p1": {}}, {"p1": {"serviceName": "OTLPResourceNoServiceName"}},
    )  # fmt: skip
    for processes in unknown:
        row = only_span(trace(span(), processes=processes))
        assert row["service_name"] == "unknown_service"
        assert row["quality_of_resource"] & Quality.SERVICE_MISSING


def test_exceptions_in_logs_give_the_type_of_error() -> None:
    """Jaeger keeps events as logs with fields."""
    fields = [tag("event", "exception"), tag("exception.type", "Boom")]
    logs = [{"timestamp": START_US, "fields": fields}]
    row = read(logs=logs, tags=[tag("error", "true")])

    assert row["error_type"] == "Boom"


def test_dots_in_keys_of_elasticsearch_are_put_back() -> None:
    """Where tags are an object, Elasticsearch would take dots for levels; hits may be wrapped."""
    document = {
        **span(tag={"http@route": "/x"}, startTimeMillis=1),
        "process": {"serviceName": "shop", "tag": {"service@version": "2"}},
    }
    row = only_span(json.dumps({"hits": {"hits": [{"_source": document}]}}).encode())

    assert attributes(row["attributes"]) == {"http.route": "/x"}
    assert (row["service_name"], row["service_version"]) == ("shop", "2")


def test_a_span_that_cannot_be_stored_is_rejected_alone() -> None:
    """Its neighbours in the same trace are good."""
    raw = trace(span(spanID="zz"), span(spanID="2"), span(spanID="3", startTime="soon"))
    batch = only_batch(raw)

    assert batch.spans["span_id"].to_list() == [2]
    assert sorted(batch.rejects["reason"]) == ["span_id_invalid", "time_invalid"]


IDS = st.sampled_from(["1", "ab", "00AB", "0000000000000001", "", "zz", 'a"b', "\ud800"])
SCALARS = (
    st.text(max_size=4) | st.integers(-(2**63), 2**63) | st.booleans() | st.none() | st.just(2.5)
)
KEYS = st.sampled_from(
    ["span.kind", "error", "otel.status_code", "otel.scope.name", "otel.library.name",
     "w3c.tracestate", "http.status_code", "http.response.status_code", "http.route", "event",
     "exception.type", "error.kind", "a", "", 'q"\n'],
)  # fmt: skip
WORDS = st.sampled_from(
    ["server", "CLIENT", "true", "ERROR", "ok", "404", "500", "exception", "x=1", "7", "1e5"]
)
TAG_LISTS = st.lists(
    st.fixed_dictionaries(
        {"key": KEYS, "value": WORDS | SCALARS},
        optional={"type": st.sampled_from(["string", "int64", "float64", "bool", "binary"])},
    ),
    max_size=5,
    unique_by=lambda each: each["key"],
) | st.none()  # fmt: skip
REFERENCES = st.lists(
    st.fixed_dictionaries(
        {
            "refType": st.sampled_from(["CHILD_OF", "FOLLOWS_FROM", "?"]),
            "traceID": IDS,
            "spanID": IDS,
        }
    ),
    max_size=3,
)
LOG_LISTS = st.lists(
    st.fixed_dictionaries({"timestamp": st.just(1), "fields": TAG_LISTS}), max_size=2
)
JAEGER_SPANS = st.fixed_dictionaries(
    {
        "spanID": IDS, "operationName": st.text(max_size=5) | st.none(),
        "startTime": st.integers(0, 2**54) | st.sampled_from(["17", "x", None, 1.5]),
        "duration": st.integers(0, 2**40), "processID": st.sampled_from(["p1", "p2", "p3"]),
    },
    optional={
        "traceID": IDS, "references": REFERENCES, "tags": TAG_LISTS, "logs": LOG_LISTS,
        "parentSpanID": IDS,
    },
)  # fmt: skip
PROCESSES = st.fixed_dictionaries(
    {"p1": st.fixed_dictionaries({"serviceName": st.sampled_from(["shop", "", "a b"])}),
     "p2": st.fixed_dictionaries({"serviceName": st.text(max_size=3), "tags": TAG_LISTS})},
)  # fmt: skip


def facts(document: Any) -> list[Any]:  # noqa: ANN401
    """Return what an OTLP document says, whatever its order."""
    found = []
    for one in document["resourceSpans"]:
        resource = sorted(map(repr, one["resource"]["attributes"]))
        for scope in one["scopeSpans"]:
            for each in scope["spans"]:
                said = {key: value for key, value in each.items() if value not in ([], "", None)}
                found.append((resource, scope["scope"]["name"], sorted(said.items(), key=repr)))
    return sorted(found, key=repr)


@given(st.lists(JAEGER_SPANS, min_size=1, max_size=4), PROCESSES, st.booleans())
@settings(max_examples=300, deadline=None)
def test_both_ways_to_read_say_the_same(
    spans: list[dict[str, Any]],
    processes: dict[str, Any],
    documents: bool,  # noqa: FBT001
) -> None:
    """The kernel knows the usual shape, Python knows all; the kernel may pass, not differ."""
    if documents:
        process = processes[spans[0].get("processID", "p1").replace("p3", "p1")]
        record: Any = {**spans[0], "process": process}
    else:
        record = {"traceID": "ab", "spans": spans, "processes": processes}
    raw = json.dumps(record).encode()
    block = Block(padded(raw), np.array([[0, len(raw)]], np.int64), 1)
    text, made = jaeger._quick(block, documents=documents)
    start, end = made[0].tolist()

    if start >= 0:
        translate = jaeger.jaeger_documents if documents else jaeger.jaeger_traces
        assert facts(json.loads(text[start:end].tobytes())) == facts(written(translate(record)))


def test_the_usual_shape_is_read_the_quick_way() -> None:
    """Else nobody would notice that the kernel passes everything."""
    raw = json.dumps(json.loads(trace(span(tags=[tag("a", "b")])))["data"][0]).encode()
    block = Block(padded(raw), np.array([[0, len(raw)]], np.int64), 1)

    assert jaeger._quick(block, documents=False)[1][0, 0] == 0


def test_what_is_no_trace_says_so() -> None:
    """It becomes a reject."""
    for record in (5, "x", {"unlike": 1}, [{"a": 1}]):
        with pytest.raises(NotASpanError):
            list(jaeger.jaeger_traces(record))


def test_an_empty_answer_of_the_api_is_no_reject() -> None:
    """A query that found nothing is a fine file with nothing in it."""
    raw = trace(span()) + b"\n" + json.dumps({"data": []}).encode()

    assert sum(batch.rejects.height for batch in batches(raw)) == 0
