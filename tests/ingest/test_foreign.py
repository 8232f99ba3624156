"""What holds for every format that is translated into OTLP."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from tests.ingest.recorded import Recorded
from tests.ingest.spellings import SPELLINGS
from tests.ingest.writers import START_NS, batches, wide
from tracemap.ingest.block import joined
from tracemap.ingest.contents import open_contents
from tracemap.ingest.registry import FORMATS
from tracemap.ingest.resources import Resources
from tracemap.model import Kind, Quality

TABLES_AND_OTLP = ("otlp", "tempo", "clickhouse")
FOREIGN = [name for name in SPELLINGS if not name.startswith(TABLES_AND_OTLP)]
BY_NAME = {each.name: each for each in FORMATS}


def spans(count: int = 6, *, name: str = "GET /x", **attributes: Any) -> list[Recorded]:  # noqa: ANN401
    """Return traces of two spans each: a SERVER and a CLIENT span of it."""
    resource = {
        "service.name": "shop", "service.version": "1", "deployment.environment.name": "prod",
        "service.instance.id": "shop-1",
    }  # fmt: skip
    made = []
    for number in range(1, count + 1):
        first = number % 2 == 1
        made.append(
            Recorded(
                trace=f"{(number + 1) // 2:032x}",
                span=f"{number:016x}",
                parent="" if first else f"{number - 1:016x}",
                name=name,
                kind=Kind.SERVER if first else Kind.CLIENT,
                start_ns=START_NS + number * 1_000_000,
                end_ns=START_NS + number * 1_000_000 + 5_000_000,
                attributes=attributes,
                resource=resource,
                scope="lib",
                failed=False,
                links=(),
                flags=0,
            )
        )
    return made


def rejected(raw: bytes, **options: Any) -> tuple[int, list[tuple[str, int]]]:  # noqa: ANN401
    """Return how many spans are read, and the reasons and records of rejects."""
    found = batches(raw, **options)
    rows = [row for batch in found for row in batch.rejects.select("reason", "records").rows()]
    return sum(batch.spans.height for batch in found), rows


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_ends_in_the_middle_keeps_what_came_before(name: str) -> None:
    """What is missing is one reject, wherever the file was cut."""
    raw = SPELLINGS[name].write(spans(8))
    whole, none = rejected(raw)
    assert (whole, none) == (8, [])
    for cut in range(len(raw) // 2, len(raw) - 3, 97):
        if len(raw[:cut].strip()) < len(raw.strip()):
            found, rows = rejected(raw[:cut])
            assert found < 8 or rows
            assert len(rows) <= 1
            assert all(reason in ("truncated_tail", "bad_json") for reason, _ in rows)


@pytest.mark.parametrize("name", FOREIGN)
def test_the_size_of_the_blocks_changes_nothing(name: str) -> None:
    """A dump of many traces in one document is cut between them."""
    raw = SPELLINGS[name].write(spans(20))
    columns = ["trace_low", "span_id", "parent_id", "kind", "service_name", "duration_ns"]
    whole = wide(batches(raw)).select(columns).sort("span_id")
    cut = batches(raw, block_bytes=700)
    if name != "zipkin, shared ids":  # there a flat list is cut between spans of one trace
        assert (
            wide(each for each in cut if each.spans.height)
            .select(columns)
            .sort("span_id")
            .equals(whole)
        )
    assert len(cut) > 1


@pytest.mark.parametrize("name", FOREIGN)
def test_bytes_that_are_no_text_cost_no_span(name: str) -> None:
    """They are replaced, and the spans marked."""
    raw = SPELLINGS[name].write(spans(2, name="caf-@@@")).replace(b"@@@", b"\xff")
    found = wide(batches(raw))

    assert found.height == 2
    if name != "xray":  # its segments are named after their service
        assert all("caf-\ufffd" in each for each in found["name"])
        assert all(each & Quality.TEXT_DAMAGED for each in found["quality"])


@pytest.mark.parametrize("name", FOREIGN)
def test_hostile_names_are_kept_as_they_are(name: str) -> None:
    """Nothing that is read is trusted, and nothing is interpreted."""
    hostile = "</script><img src=x>\u202e'; DROP TABLE spans; --\ud83d\ude00"
    raw = SPELLINGS[name].write(spans(2, name=hostile, **{"http.route": hostile}))
    found = wide(batches(raw))

    assert found.height == 2
    if name not in ("xray", "zipkin", "zipkin, shared ids"):  # these name or spell otherwise
        readable = hostile.encode("utf-16", "surrogatepass").decode("utf-16")
        assert found["name"].to_list() == [readable] * 2


@pytest.mark.parametrize("name", FOREIGN)
def test_nesting_without_end_costs_one_record(name: str) -> None:
    """A hostile record must not exhaust the stack."""
    raw = SPELLINGS[name].write(spans(2))
    deep = b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    found, rows = rejected(raw + b"\n" + deep)

    assert found == 2
    assert [reason for reason, _ in rows] in (["nested_too_deep"], [])


@pytest.mark.parametrize("name", FOREIGN)
def test_a_wrong_record_is_rejected_alone(name: str) -> None:
    """Valid JSON of no use among good records: counted, with its line."""
    good = SPELLINGS[name].write(spans(2))
    line = json.dumps(json.loads(good)).encode() if _is_one_value(good) else good.rstrip()
    raw = b"\n".join([line, b'{"unlike":"any"}', b"nonsense", line, b""])
    found, rows = rejected(raw)

    if b"\n" in raw[: 1 << 16] and "\n" not in line.decode():
        assert found == 4
        assert rows == [("not_a_span", 1), ("bad_json", 1)]


def _is_one_value(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", FOREIGN)
def test_small_files_decoded_together_are_as_decoded_alone(name: str) -> None:
    """Exports come in thousands of small files; each reject stays with its own."""
    format_ = BY_NAME[SPELLINGS[name].format]
    if format_.blocks is None:
        pytest.skip("its lines depend on those before them")
    raws = [SPELLINGS[name].write(spans(2)), b"nonsense", SPELLINGS[name].write(spans(4))]
    blocks = [
        block for raw in raws for block in format_.blocks.cut(open_contents(iter((raw,))), 1 << 20)
    ]
    batch = format_.blocks.decode(joined(blocks), Resources())

    assert batch.spans.height == 6
    assert batch.rejects["reason"].to_list() in (["bad_json"], ["truncated_tail"])
    assert batch.rejects["line"].to_list() == [1]


@pytest.mark.parametrize("name", FOREIGN)
def test_secrets_are_left_out_of_every_format(name: str) -> None:
    """Statements, headers and bodies hold people's data, whoever wrote them down."""
    secrets = {"db.query.text": "SELECT sesame", "http.request.header.cookie": "sesame"}
    raw = SPELLINGS[name].write(spans(2, **secrets))
    found = wide(batches(raw))

    assert found.height == 2
    assert not found["attributes"].fill_null("").str.contains("sesame").any()


@pytest.mark.parametrize("name", FOREIGN)
def test_times_are_exact_to_what_the_format_says(name: str) -> None:
    """Five milliseconds are five milliseconds, since the epoch to what the registry states."""
    found = wide(batches(SPELLINGS[name].write(spans(6))))
    offsets = found["start_ns"].sort() - START_NS

    allowed = max(SPELLINGS[name].precision_ns, 1)
    wanted = pl.Series([1_000_000 * number for number in range(1, 7)])
    assert ((offsets - wanted).abs() < allowed).all()
    assert ((found["duration_ns"] - 5_000_000).abs() < allowed).all()
