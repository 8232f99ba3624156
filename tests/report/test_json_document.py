from __future__ import annotations

import json
from typing import Any

from tests.report import believable
from tracemap.model import Findings
from tracemap.report import build


def document(findings: Findings) -> dict[str, Any]:
    """The JSON document, read back."""
    made: dict[str, Any] = json.loads(build(findings).json())
    return made


def test_the_document_has_the_keys_that_scripts_rely_on() -> None:
    """A public interface."""
    made = document(believable.incident())

    assert made["schema_version"] == 1
    assert set(made["glossary"]) >= {"upstream", "downstream"}
    assert made["window"] == {"start": "2026-03-02T12:00:00Z", "end": "2026-03-02T12:20:00Z"}
    assert made["baseline"]["end"] == "2026-03-02T12:00:00Z"
    assert made["headline"].startswith("storefront POST /buy slowed down")
    assert made["summary"]["verdict"] == "incident"
    assert made["origins"][0]["service"] == "card-db"
    assert made["propagation"][0]["verdict"] == "propagated"
    assert [len(made[name]) for name in ("edges", "spikes", "flow")] == [13, 4, 12]


def test_inputs_are_the_ledger() -> None:
    """Records are spans, duplicates and rejects."""
    (first, _) = document(believable.incident())["inputs"]["files"]

    assert first["records"] == first["spans"] + first["duplicates"] + first["rejected"]
    assert "ingested_at" not in first


def test_unknown_is_null() -> None:
    """Not zero, not an empty text, not missing."""
    made = document(believable.nothing())

    assert made["window"] is None
    assert made["baseline"] is None
    assert made["origins"] == []
    assert made["summary"]["verdict"] == "insufficient_data"


def test_names_are_whole() -> None:
    """A script must be able to join on them."""
    made = document(believable.hostile())

    assert made["origins"][0]["service"] == believable.HOSTILE[0]
    assert believable.HOSTILE[3] in [row["root_operation"] for row in made["flow"]]
    assert "<" not in build(believable.hostile()).json()


def test_the_part_that_was_compared_is_named() -> None:
    """A batch window is longer than what flow, origins and propagation are about."""
    findings = believable.incident("batch")
    findings.incident = findings.baseline
    document = json.loads(build(findings).json())

    assert document["incident"] == document["baseline"]
    assert json.loads(build(believable.incident()).json())["incident"] is None
