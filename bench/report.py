"""How long a report over a large graph takes, and how large it is: 500 services, 5,000 edges."""

from __future__ import annotations

import time

from tests.report import believable
from tracemap.report import build


def run() -> list[dict[str, object]]:
    """Return a row for each way out: seconds, MB, and what is promised."""
    findings = believable.large()
    build(findings)  # what a process does once
    begun = time.perf_counter()
    report = build(findings)
    built_s = time.perf_counter() - begun
    rows: list[dict[str, object]] = []
    for name, promised in (("html", "5 s, 8 MB"), ("markdown", ""), ("json", "")):
        begun = time.perf_counter()
        written = getattr(report, name)()
        took_s = built_s + time.perf_counter() - begun
        size_mb = len(written.encode()) / 1e6
        rows.append({"report as": name, "s": took_s, "MB": size_mb, "promised": promised})
    return rows
