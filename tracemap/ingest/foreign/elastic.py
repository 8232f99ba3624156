"""Elastic APM: what agents send (intake v2, one event a line), and its documents.

A transaction is what a service does for one request; spans are what it does inside, calls to others
among them. Durations are milliseconds, starts microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from tracemap.ingest.block import Block
from tracemap.ingest.contents import Contents
from tracemap.ingest.foreign.records import (
    Attributes,
    Group,
    Json,
    NotASpanError,
    end_after,
    flattened,
    iso_nanoseconds,
    mapping,
    nanoseconds,
    sequence,
    span,
    text,
)
from tracemap.ingest.foreign.translated import Foreign, parsed, records, translated_batch
from tracemap.ingest.formats import Task
from tracemap.ingest.resources import Resources
from tracemap.model import Kind, Status

_MICROSECOND_NS, _MILLISECOND_NS = 1000, 1_000_000
_EVENTS = ("metadata", "transaction", "span")
_OTHERS = ("error", "metricset", "metrics", "log", "profile")
_METADATA = b'{"metadata"'


def is_elastic_intake(contents: Contents) -> bool:
    """Return whether these are the lines that Elastic's agents send."""
    for event in _EVENTS:
        shape = contents.first_object((event,))
        if shape is not None and not shape.depth and len(shape.keys) == 1:
            return True
    return False


def read_elastic_intake(contents: Contents, block_bytes: int) -> Iterator[Task]:
    """Yield one task for each block; what a metadata line says holds for the lines behind it."""
    known: Json = {}
    resources = Resources()
    for block in records(contents, 0, block_bytes):
        yield partial(translated_batch, block, resources, _Intake(known).translate)
        known = _last_metadata(block) or known


def _last_metadata(block: Block) -> Json:
    """Return the last metadata of a block; None: there is none."""
    data = block.data.tobytes()
    for start, end in reversed(block.bounds.tolist()):
        if data[start:end].lstrip().startswith(_METADATA):
            try:
                return mapping(parsed(data[start:end])).get("metadata")
            except (ValueError, RecursionError):
                continue
    return None


class _Intake:
    """Lines of one block, in their order.

    Args:
        metadata: What the last metadata line before the block says.
    """

    def __init__(self, metadata: Json) -> None:
        self._resource = _agent_resource(mapping(metadata))

    def translate(self, record: Json) -> Iterable[Group]:
        """Return the span of one line; none for metadata and for other signals."""
        if not isinstance(record, dict) or len(record) != 1:
            raise NotASpanError
        ((event, found),) = record.items()
        found = mapping(found)
        if event == "metadata":
            self._resource = _agent_resource(found)
        elif event in ("transaction", "span"):
            own = mapping(mapping(found.get("context")).get("service"))
            resource = {**self._resource, **_named(own)} if own else self._resource
            return [Group(resource, [_event(event, found)])]
        elif event not in _OTHERS:
            raise NotASpanError
        return []


def _agent_resource(metadata: Mapping[str, Json]) -> Attributes:
    system = mapping(metadata.get("system"))
    kubernetes = mapping(system.get("kubernetes"))
    said = {
        "host.name": system.get("configured_hostname")
        or system.get("detected_hostname")
        or system.get("hostname"),
        "k8s.namespace.name": kubernetes.get("namespace"),
        "k8s.pod.name": mapping(kubernetes.get("pod")).get("name"),
    }
    named = _named(mapping(metadata.get("service")))
    labels = mapping(metadata.get("labels"))
    return {**labels, **named, **{key: value for key, value in said.items() if value}}


def _named(service: Mapping[str, Json]) -> Attributes:
    node = mapping(service.get("node"))
    said = {
        "service.name": service.get("name"),
        "service.version": service.get("version"),
        "deployment.environment.name": service.get("environment"),
        "service.instance.id": node.get("configured_name") or node.get("name"),
    }
    return {key: value for key, value in said.items() if value}


def _event(event: str, found: Mapping[str, Json]) -> Json:
    """Return a transaction or span of an agent."""
    start = nanoseconds(found.get("timestamp"), _MICROSECOND_NS)
    dropped = mapping(found.get("span_count")).get("dropped") or 0
    return span(
        trace_id=found.get("trace_id"),
        span_id=found.get("id"),
        parent_id=found.get("parent_id"),
        name=found.get("name"),
        kind=_kind(event, found),
        start_ns=start,
        end_ns=end_after(start, nanoseconds(found.get("duration"), _MILLISECOND_NS)),
        status=Status.ERROR if found.get("outcome") == "failure" else Status.UNSET,
        attributes=_attributes(found, mapping(found.get("context"))),
        links=[
            (each.get("trace_id"), each.get("span_id"))
            for each in sequence(found.get("links"))
            if isinstance(each, dict)
        ],
        trace_state=_sampling(found.get("sample_rate")),
        dropped=dropped,
    )


def _kind(event: str, found: Mapping[str, Json]) -> int:
    """Return the kind: OpenTelemetry's own if the event came that way, else by what it is about."""
    said = text(mapping(found.get("otel")).get("span_kind")).upper()
    if said in Kind.__members__:
        return Kind[said]
    sort = text(found.get("type"))
    if event == "transaction":
        return Kind.CONSUMER if sort == "messaging" else Kind.SERVER
    context = mapping(found.get("context"))
    if sort == "messaging" or sort.startswith("messaging."):
        return Kind.PRODUCER if found.get("action") in ("send", "publish") else Kind.CLIENT
    goes_out = any(context.get(key) for key in ("destination", "db", "http"))
    return Kind.CLIENT if goes_out else Kind.INTERNAL


def _attributes(found: Mapping[str, Json], context: Mapping[str, Json]) -> Attributes:
    request, response = mapping(context.get("request")), mapping(context.get("response"))
    http, db = mapping(context.get("http")), mapping(context.get("db"))
    destination = mapping(context.get("destination"))
    peer = mapping(destination.get("service")).get("resource")
    url = mapping(request.get("url"))
    message = mapping(context.get("message"))
    said: Attributes = {
        "http.request.method": http.get("method") or request.get("method"),
        "url.full": http.get("url") or url.get("full") or url.get("raw"),
        "http.response.status_code": http.get("status_code") or response.get("status_code"),
        "db.system.name": found.get("subtype") if db else None,
        "db.namespace": db.get("instance"),
        "db.query.text": db.get("statement"),
        "server.address": destination.get("address"),
        "server.port": destination.get("port"),
        "messaging.destination.name": mapping(message.get("queue")).get("name"),
        "messaging.system": found.get("subtype") if message else None,
        "peer.service": None if db or message else peer,
        "elastic.composite.count": mapping(found.get("composite")).get("count"),
    }
    said |= mapping(mapping(found.get("otel")).get("attributes"))
    said |= mapping(context.get("tags"))
    return {key: value for key, value in said.items() if value is not None}


def _sampling(rate: Json) -> str:
    """Return a sampling rate as OpenTelemetry's trace state: the share of traces dropped."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 1:
        return ""
    threshold = min(round((1 - rate) * 2**56), 2**56 - 1)
    return f"ot=th:{f'{threshold:014x}'.rstrip('0') or '0'}"


def _depth(contents: Contents) -> int | None:
    for keys in (("trace", "timestamp", "processor"), ("trace.id", "timestamp.us")):
        shape = contents.first_object(keys)
        if shape is not None:
            return shape.depth
    return None


def elastic_documents(record: Json) -> Iterable[Group]:
    """Return the span of one document, or of all in a search answer."""
    if isinstance(record, list):
        return [group for each in record for group in elastic_documents(each)]
    if not isinstance(record, dict):
        raise NotASpanError
    for wrapper in ("_source", "hits"):
        if wrapper in record:
            return elastic_documents(record[wrapper])
    said = dict(flattened(record))
    event = text(said.get("processor.event"))
    if not event:
        event = "span" if "span.id" in said else "transaction" if "transaction.id" in said else ""
    if event in _OTHERS or event == "metric":
        return []
    if event not in ("span", "transaction"):
        raise NotASpanError
    return [Group(_document_resource(said), [_document(event, said)])]


def _document(event: str, said: Mapping[str, Json]) -> Json:
    start = nanoseconds(said.get("timestamp.us"), _MICROSECOND_NS)
    if start == 0:
        start = iso_nanoseconds(said.get("@timestamp"))
    duration = nanoseconds(said.get(f"{event}.duration.us"), _MICROSECOND_NS)
    goes_out = any(key.startswith(("span.destination.", "span.db.", "http.")) for key in said)
    sort = text(said.get(f"{event}.type"))
    if event == "transaction":
        kind = Kind.CONSUMER if sort == "messaging" else Kind.SERVER
    elif sort == "messaging":
        kind = Kind.PRODUCER if said.get("span.action") in ("send", "publish") else Kind.CLIENT
    else:
        kind = Kind.CLIENT if goes_out or sort in ("external", "db") else Kind.INTERNAL
    given = text(said.get("span.kind") or said.get("otel.span_kind")).upper()
    return span(
        trace_id=said.get("trace.id"),
        span_id=said.get(f"{event}.id"),
        parent_id=said.get("parent.id"),
        name=said.get(f"{event}.name"),
        kind=Kind[given] if given in Kind.__members__ else kind,
        start_ns=start,
        end_ns=end_after(start, duration),
        status=Status.ERROR if said.get("event.outcome") == "failure" else Status.UNSET,
        attributes=_document_attributes(said, kind),
    )


def _document_attributes(said: Mapping[str, Json], kind: int) -> Attributes:
    database = text(said.get("span.type")) == "db"
    queue = said.get("span.message.queue.name") or said.get("transaction.message.queue.name")
    made: Attributes = {
        "http.request.method": said.get("http.request.method"),
        "url.full": said.get("url.full") or said.get("url.original"),
        "http.response.status_code": said.get("http.response.status_code"),
        "db.system.name": said.get("span.subtype") if database else None,
        "db.namespace": said.get("span.db.instance"),
        "db.query.text": said.get("span.db.statement"),
        "server.address": said.get("destination.address"),
        "server.port": said.get("destination.port"),
        "messaging.destination.name": queue,
        "messaging.system": said.get("span.subtype") if queue else None,
    }
    if kind == Kind.CLIENT and not database and not queue:
        made["peer.service"] = said.get("span.destination.service.resource")
    for prefix in ("labels.", "numeric_labels."):
        made |= {key[len(prefix) :]: each for key, each in said.items() if key.startswith(prefix)}
    return {key: value for key, value in made.items() if value is not None}


def _document_resource(said: Mapping[str, Json]) -> Attributes:
    made = {
        "service.name": said.get("service.name"),
        "service.version": said.get("service.version"),
        "deployment.environment.name": said.get("service.environment"),
        "service.instance.id": said.get("service.node.name"),
        "host.name": said.get("host.name") or said.get("host.hostname"),
    }
    return {key: value for key, value in made.items() if value}


ELASTIC_DOCUMENTS = Foreign(_depth, elastic_documents)
