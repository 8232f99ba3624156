"""The formats that tracemap reads. A new format is a new row here."""

from __future__ import annotations

from tracemap.ingest.contents import Contents
from tracemap.ingest.foreign.clickhouse import CLICKHOUSE_JSON
from tracemap.ingest.foreign.consoles import GO_STDOUTTRACE, PYTHON_CONSOLE
from tracemap.ingest.foreign.datadog import DATADOG
from tracemap.ingest.foreign.elastic import (
    ELASTIC_DOCUMENTS,
    is_elastic_intake,
    read_elastic_intake,
)
from tracemap.ingest.foreign.jaeger import JAEGER_ELASTICSEARCH, JAEGER_JSON
from tracemap.ingest.foreign.skywalking import SKYWALKING
from tracemap.ingest.foreign.xray import XRAY
from tracemap.ingest.foreign.zipkin import ZIPKIN
from tracemap.ingest.formats import Blocks, Format
from tracemap.ingest.otlp_json import cut_otlp_json, is_otlp_json, json_batch
from tracemap.ingest.otlp_protobuf import cut_otlp_protobuf, is_otlp_protobuf, protobuf_batch
from tracemap.ingest.tabular.clickhouse import is_clickhouse_parquet, read_clickhouse_parquet
from tracemap.ingest.tabular.delimited import is_clickhouse_text, read_clickhouse_text
from tracemap.ingest.tabular.tempo import is_tempo_parquet, read_tempo_parquet

_OTLP_JSON = Blocks(cut_otlp_json, json_batch)
_OTLP_PROTOBUF = Blocks(cut_otlp_protobuf, protobuf_batch)

FORMATS: tuple[Format, ...] = (
    Format(
        name="clickhouse-csv",
        description="ClickHouse's otel_traces as CSVWithNames or TabSeparatedWithNames, one row a"
        " span",
        example="<a line of names between commas or tabs: Timestamp, TraceId, SpanId, SpanName,"
        " Duration and others>",
        loses="types of attributes, whether the parent is remote",
        sniff=is_clickhouse_text,
        read=read_clickhouse_text,
    ),
    Format(
        name="clickhouse-json",
        description="ClickHouse's otel_traces as JSONEachRow, one row a span",
        example='{"Timestamp":"2026-03-03 09:40:00.000000000","TraceId":'
        '"0af7651916cd43dd8448eb211c80319c","SpanId":"b7ad6b7169203331","SpanName":"GET /cart",'
        '"SpanKind":"Server","ServiceName":"cart","Duration":"12000000"}',
        loses="types of attributes, whether the parent is remote",
        sniff=CLICKHOUSE_JSON.sniff,
        read=CLICKHOUSE_JSON.blocks.read,
        blocks=CLICKHOUSE_JSON.blocks,
    ),
    Format(
        name="clickhouse-parquet",
        description="Parquet of ClickHouse's otel_traces (Collector's ClickHouse exporter) or of"
        " otlp2parquet, one row a span",
        example="<50 41 52 31 (PAR1); columns Timestamp, TraceId, SpanId, SpanName, Duration>",
        loses="types of attributes (ClickHouse), whether the parent is remote",
        sniff=is_clickhouse_parquet,
        read=read_clickhouse_parquet,
    ),
    Format(
        name="datadog",
        description="Datadog: payloads of the agent (lists of traces, also one a line), and spans f"
        "rom its API",
        example='[[{"trace_id":9532127138774266268,"span_id":13235353014750950193,"parent_id":0,"serv'
        'ice":"cart","name":"web.request","resource":"GET /cart","type":"web","start":1772530'
        '800000000000,"duration":12000000,"error":0,"meta":{"env":"prod"},"metrics":{}}]]',
        loses="span kinds where no tag or type says them; scopes; spans of one process may na"
        "me several services",
        sniff=DATADOG.sniff,
        read=DATADOG.blocks.read,
        blocks=DATADOG.blocks,
    ),
    Format(
        name="elastic-documents",
        description="Elastic APM's documents in Elasticsearch, one a line or as a search answers",
        example='{"processor":{"event":"transaction"},"trace":{"id":"0af7651916cd43dd8448eb211c80319c'
        '"},"timestamp":{"us":1772530800000000},"service":{"name":"cart"},"transaction":{"id"'
        ':"b7ad6b7169203331","name":"GET /cart","type":"request","duration":{"us":12000}}}',
        loses="times below a microsecond; links; scopes; kinds that transaction and span type"
        "s do not tell apart",
        sniff=ELASTIC_DOCUMENTS.sniff,
        read=ELASTIC_DOCUMENTS.blocks.read,
        blocks=ELASTIC_DOCUMENTS.blocks,
    ),
    Format(
        name="elastic-intake",
        description="Elastic APM's intake protocol, version 2: one event a line, as agents send the"
        "m",
        example='{"transaction":{"trace_id":"0af7651916cd43dd8448eb211c80319c","id":"b7ad6b7169203331'
        '","name":"GET /cart","type":"request","timestamp":1772530800000000,"duration":12.0,"'
        'context":{"service":{"name":"cart"}}}}',
        loses="starts below a microsecond; scopes; a compressed span stands for several calls"
        " but counts as one",
        sniff=is_elastic_intake,
        read=read_elastic_intake,
    ),
    Format(
        name="go-stdouttrace",
        description="What Go's stdouttrace exporter prints, pretty or not",
        example='{"Name":"GET /cart","SpanContext":{"TraceID":"0af7651916cd43dd8448eb211c80319c",'
        '"SpanID":"b7ad6b7169203331"},"Parent":{"TraceID":"00000000000000000000000000000000","Spa'
        'nID":"0000000000000000"},"SpanKind":2,"StartTime":"2026-03-03T09:40:00Z","EndTime":"'
        '2026-03-03T09:40:00.012Z","Attributes":null,"Status":{"Code":"Unset"},"Resource":[{"'
        'Key":"service.name","Value":{"Type":"STRING","Value":"cart"}}]}',
        sniff=GO_STDOUTTRACE.sniff,
        read=GO_STDOUTTRACE.blocks.read,
        blocks=GO_STDOUTTRACE.blocks,
    ),
    Format(
        name="jaeger-elasticsearch",
        description="Jaeger's documents in Elasticsearch, one a line or as a search answers",
        example='{"traceID":"0af7651916cd43dd8448eb211c80319c","spanID":"b7ad6b7169203331","operation'
        'Name":"GET /cart","startTime":1772530800000000,"startTimeMillis":1772530800000,"dura'
        'tion":12000,"tags":[{"key":"span.kind","type":"string","value":"server"}],"process":'
        '{"serviceName":"cart"}}',
        loses="times below a microsecond; whether a parent is remote",
        sniff=JAEGER_ELASTICSEARCH.sniff,
        read=JAEGER_ELASTICSEARCH.blocks.read,
        blocks=JAEGER_ELASTICSEARCH.blocks,
    ),
    Format(
        name="jaeger-json",
        description="Jaeger JSON: downloads of the UI and answers of the API, one trace or many",
        example='{"data":[{"traceID":"0af7651916cd43dd8448eb211c80319c","spans":[{"traceID":"0af76519'
        '16cd43dd8448eb211c80319c","spanID":"b7ad6b7169203331","operationName":"GET /cart","r'
        'eferences":[],"startTime":1772530800000000,"duration":12000,"tags":[{"key":"span.kin'
        'd","type":"string","value":"server"}],"logs":[],"processID":"p1"}],"processes":{"p1"'
        ':{"serviceName":"cart","tags":[]}}}]}',
        loses="times below a microsecond; whether a parent is remote",
        sniff=JAEGER_JSON.sniff,
        read=JAEGER_JSON.blocks.read,
        blocks=JAEGER_JSON.blocks,
    ),
    Format(
        name="otlp-json",
        description="OTLP/JSON: one object a line (Collector file exporter, Java logging"
        " exporter), whole documents, answers of Tempo and of Jaeger's v3 API",
        example='{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":'
        '{"stringValue":"cart"}}]},"scopeSpans":[{"spans":[{"traceId":'
        '"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"GET /cart",'
        '"kind":2,"startTimeUnixNano":"1772530800000000000",'
        '"endTimeUnixNano":"1772530800012000000"}]}]}]}',
        sniff=is_otlp_json,
        read=_OTLP_JSON.read,
        blocks=_OTLP_JSON,
    ),
    Format(
        name="otlp-protobuf",
        description="OTLP protobuf: one bare message, or messages each with its length before it"
        " (Collector file exporter)",
        example="<0a, the length of a ResourceSpans, 0a; or four bytes of length before each>",
        sniff=is_otlp_protobuf,
        read=_OTLP_PROTOBUF.read,
        blocks=_OTLP_PROTOBUF,
    ),
    Format(
        name="python-console",
        description="What Python's ConsoleSpanExporter prints",
        example='{"name":"GET /cart","context":{"trace_id":"0x0af7651916cd43dd8448eb211c80319c",'
        '"span_id":"0xb7ad6b7169203331","trace_state":"[]"},"kind":"SpanKind.SERVER","parent_id":n'
        'ull,"start_time":"2026-03-03T09:40:00.000000Z","end_time":"2026-03-03T09:40:00.01200'
        '0Z","status":{"status_code":"UNSET"},"attributes":{},"events":[],"links":[],"resourc'
        'e":{"attributes":{"service.name":"cart"},"schema_url":""}}',
        loses="times below a microsecond; scopes; whether a parent is remote",
        sniff=PYTHON_CONSOLE.sniff,
        read=PYTHON_CONSOLE.blocks.read,
        blocks=PYTHON_CONSOLE.blocks,
    ),
    Format(
        name="skywalking",
        description="SkyWalking: spans of its GraphQL API (queryTrace)",
        example='{"data":{"trace":{"spans":[{"traceId":"2c1b1b06.41.17725308000000001","segmentId":"2'
        'c1b1b06.41.17725308000000000","spanId":0,"parentSpanId":-1,"refs":[],"serviceCode":"'
        'cart","startTime":1772530800000,"endTime":1772530800012,"endpointName":"GET:/cart","'
        'type":"Entry","peer":"","component":"Tomcat","isError":false,"layer":"Http","tags":['
        '],"logs":[]}]}}}',
        loses="times below a millisecond; ids, which become hashes of SkyWalking's own; scopes",
        sniff=SKYWALKING.sniff,
        read=SKYWALKING.blocks.read,
        blocks=SKYWALKING.blocks,
    ),
    Format(
        name="tempo-parquet",
        description="blocks of Tempo (data.parquet of vParquet4 and vParquet5, one row a trace),"
        " with the meta.json beside them",
        example="<50 41 52 31 (PAR1); columns TraceID and rs>",
        loses="whether the parent is remote",
        sniff=is_tempo_parquet,
        read=read_tempo_parquet,
    ),
    Format(
        name="xray",
        description="AWS X-Ray: answers of BatchGetTraces, segment documents, and what the daemon g"
        "ets",
        example='{"Traces":[{"Id":"1-69a6a770-16cd43dd8448eb211c80319c","Segments":[{"Id":"b7ad6b7169'
        '203331","Document":"{\\"id\\":\\"b7ad6b7169203331\\",\\"name\\":\\"cart\\",\\"trace_id\\":\\"1-'
        '69a6a770-16cd43dd8448eb211c80319c\\",\\"start_time\\":1772530800.0,\\"end_time\\":1772530'
        '800.012,\\"http\\":{\\"request\\":{\\"method\\":\\"GET\\",\\"url\\":\\"http://cart/cart\\",\\"cli'
        'ent_ip\\":\\"10.0.0.1\\"}}}"}]}]}',
        loses="times below some 0.2 microseconds (they are floating point); messaging kinds; "
        "scopes; names of routes",
        sniff=XRAY.sniff,
        read=XRAY.blocks.read,
        blocks=XRAY.blocks,
    ),
    Format(
        name="zipkin",
        description="Zipkin v2 JSON: a list of spans or of traces, or one span a line",
        example='[{"traceId":"0af7651916cd43dd8448eb211c80319c","id":"b7ad6b7169203331","kind":"SERVE'
        'R","name":"get /cart","timestamp":1772530800000000,"duration":12000,"localEndpoint":'
        '{"serviceName":"cart"},"tags":{}}]',
        loses="times below a microsecond (durations are rounded up to one); links; the kind I"
        "NTERNAL; scopes; attributes of resources",
        sniff=ZIPKIN.sniff,
        read=ZIPKIN.blocks.read,
        blocks=ZIPKIN.blocks,
    ),
)
"""Sorted by name."""


_LIKELIEST_FIRST = sorted(FORMATS, key=lambda each: not each.name.startswith("otlp-"))


def format_of(contents: Contents) -> Format | None:
    """Return the format that recognises the file; None: none does."""
    return next((each for each in _LIKELIEST_FIRST if each.sniff(contents)), None)
