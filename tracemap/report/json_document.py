"""The report as JSON: for scripts. Keys are a public interface (docs/reports.md#json)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracemap.model import FINDINGS, Findings, Window, iso
from tracemap.report.blocks import Page, plain
from tracemap.report.definitions import GLOSSARY
from tracemap.report.rows import rows
from tracemap.report.safe_json import dumps

SCHEMA_VERSION = 1


def document(findings: Findings, page: Page) -> str:
    """Return the JSON document: names whole, durations in ms, unknown values null."""
    return dumps(_content(findings, page), indent=1) + "\n"


def _content(findings: Findings, page: Page) -> Mapping[str, Any]:
    known = {
        name: rows(name, findings.tables[name], findings.owners)
        for name in FINDINGS
        if name in findings.tables
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "tracemap_version": page.version,
        "glossary": GLOSSARY,
        "recipe": findings.recipe,
        "title": findings.title,
        "window": _window(findings.window),
        "incident": _window(findings.incident),
        "baseline": _window(findings.baseline),
        "baseline_reason": findings.baseline_reason,
        "inputs": _inputs(findings),
        "headline": plain(page.headline),
        "summary": {"verdict": findings.verdict},
        "failed_requests": {
            "requests": findings.failed_requests.requests,
            "failed": findings.failed_requests.failed,
            "most": _window(findings.failed_requests.most),
        },
        **{name: known.get(name, []) for name in FINDINGS},
        "traces": {role: rows("trace", trace) for role, trace in sorted(findings.traces.items())},
        "owners": dict(sorted(findings.owners.items())),
        "thresholds": dict(sorted(findings.thresholds.items())),
    }


def _window(window: Window | None) -> dict[str, str] | None:
    return None if window is None else {"start": iso(window.start_ns), "end": iso(window.end_ns)}


def _inputs(findings: Findings) -> dict[str, Any]:
    """Return the ledger without the time of reading: equal inputs make equal documents."""
    ledger = findings.ledger
    files = sorted(
        rows("files", ledger.files.drop("ingested_at", strict=False)),
        key=lambda row: (row["path"], row["content_hash"]),
    )
    return {
        "spans": ledger.spans,
        "traces": ledger.traces,
        "services": sorted(ledger.services),
        "covered": _window(ledger.covered),
        "files": files,
        "rejects": rows("rejects", ledger.rejects),
        "quality": rows("quality", ledger.quality),
        "split_traces": ledger.split_traces,
        "cautions": rows("cautions", ledger.cautions),
        "skew": rows("skew", ledger.skew),
    }
