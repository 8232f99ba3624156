"""What holds for every format."""

from __future__ import annotations

import re

import pytest

from tests.ingest.writers import batches, reading
from tracemap.ingest.contents import open_contents
from tracemap.ingest.formats import Format
from tracemap.ingest.registry import FORMATS

TEXTS = [each for each in FORMATS if not each.example.startswith("<")]
NAMES = [each.name for each in TEXTS]


def test_formats_are_sorted_and_described() -> None:
    """The list is shown to people: names to type, sentences without a full stop."""
    assert [each.name for each in FORMATS] == sorted({each.name for each in FORMATS})
    for each in FORMATS:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each.name)
        assert each.description
        assert not (each.description + each.loses).endswith(".")
        assert "|" not in each.description
        assert "\n" not in each.example


@pytest.mark.parametrize("known", TEXTS, ids=NAMES)
def test_the_example_is_a_file_of_its_format_and_of_no_other(known: Format) -> None:
    """What people see listed can be read, and no two formats claim one file."""
    raw = known.example.encode()
    claims = [each.name for each in FORMATS if each.sniff(open_contents(iter((raw,))))]

    assert claims == [known.name]


@pytest.mark.parametrize("known", TEXTS, ids=NAMES)
def test_the_example_is_read_without_a_loss(known: Format) -> None:
    """One span with a name, a service, a start and an end, and no reject."""
    raw = known.example.encode()
    found = [batch for batch in batches(raw) if batch.spans.height]

    assert sum(batch.spans.height for batch in found) >= 1
    for batch in found:
        assert batch.rejects.height == 0
        assert batch.spans["duration_ns"].null_count() == 0
        assert (batch.operations["name"] != "").all()
        assert (batch.resources["service_name"] != "unknown_service").all()


def test_a_reading_knows_its_format_once_it_started() -> None:
    """The ledger names it."""
    found = reading(TEXTS[0].example.encode())
    list(found.batches())

    assert found.format == TEXTS[0].name
