"""Findings as a believable run would give them, for the tests of the report."""

from __future__ import annotations

import polars as pl

from tests.report.shop import (
    AVAILABILITY_ROWS,
    BAND_ROWS,
    BASELINE,
    BOTTLENECK_ROWS,
    CRITICAL_ROWS,
    CYCLE_ROWS,
    DEPENDENCY_ROWS,
    ERROR_ROWS,
    FLOW_ROWS,
    INSULATION_ROWS,
    MOVES,
    NOON_NS,
    ORIGIN_ROWS,
    PATH_ROWS,
    SHOP_EDGES,
    SPIKE_ROWS,
    TIMELINE_ROWS,
    USER_ROWS,
    WINDOW,
    edge,
    move,
    table,
    trace,
)
from tracemap.model import (
    AVAILABILITY,
    BOTTLENECKS,
    CRITICAL_PATH,
    CYCLES,
    DEPENDENCIES,
    EDGES,
    ERRORS,
    FILES,
    FINDINGS,
    FLOW,
    FLOW_BANDS,
    INSULATION,
    MINUTE_NS,
    ORIGINS,
    PATHS,
    PROPAGATION,
    SPIKES,
    TIMELINE,
    USER_OPERATIONS,
    Findings,
    Ledger,
    Window,
)

__all__ = ["edge", "hostile", "incident", "insufficient", "large", "ledger", "nothing", "quiet"]

BATCH_SECTIONS = (
    "summary", "graph", "edges", "spikes", "propagation", "insulation", "origins", "bottlenecks",
    "critical_path", "dependencies", "ledger",
)  # fmt: skip
POSTMORTEM_SECTIONS = (
    "summary", "timeline", "flow", "flow_bands", "propagation", "insulation", "errors",
    "origins", "blast_radius", "changes", "exemplars", "critical_path", "handoff", "ledger",
)  # fmt: skip
HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    '=HYPERLINK("http://evil.example","click")',
    "pay\u202ement\u2028\u0000\n```\n|x|",
    "x" * 10_000,
)


def ledger() -> Ledger:
    return Ledger(
        files=table(
            FILES,
            [
                {
                    "path": "exports/traces-01.jsonl.gz",
                    "size_bytes": 48_211_034,
                    "content_hash": "a" * 32,
                    "format": "otlp-json",
                    "records": 252_318,
                    "spans": 251_900,
                    "duplicates": 402,
                    "rejected": 16,
                    "skipped": 1_204,
                    "ingested_at": "2026-03-02T14:00:00Z",
                },
                {
                    "path": "exports/traces-02.jsonl.gz",
                    "size_bytes": 31_004,
                    "content_hash": "b" * 32,
                    "format": "otlp-json",
                    "records": 180,
                    "spans": 180,
                    "duplicates": 0,
                    "rejected": 0,
                    "skipped": 0,
                    "ingested_at": "2026-03-02T14:00:01Z",
                },
            ],
        ),
        rejects=pl.DataFrame(
            {
                "path": ["exports/traces-01.jsonl.gz"] * 2,
                "line": [17, 901],
                "reason": ["not_json", "bad_span_id"],
                "records": [1, 15],
                "excerpt": ['{"resourceSpans":[{"resou', '{"spanId":""}'],
            }
        ),
        quality=pl.DataFrame(
            {
                "service": ["checkout", "payment", "payment", "checkout"],
                "reason": ["orphan", "end_missing", "in_edge", "no_edge_internal"],
                "spans": [214, 3, 240_000, 12_080],
            }
        ),
        spans=252_080,
        traces=24_000,
        services=("catalog", "checkout", "inventory", "mailer", "orders", "payment", "search"),
        covered=Window(BASELINE.start_ns, NOON_NS + 40 * MINUTE_NS),
    )


def incident(recipe: str = "postmortem") -> Findings:
    """card-db became slow; payment, checkout and storefront waited; the rest was absorbed."""
    return Findings(
        recipe=recipe,
        title={"postmortem": "Latency postmortem", "batch": "Batch review"}[recipe],
        sections=POSTMORTEM_SECTIONS if recipe == "postmortem" else BATCH_SECTIONS,
        window=WINDOW,
        baseline=BASELINE,
        baseline_reason="the quiet hour before the window",
        verdict="incident",
        tables={
            "edges": table(EDGES, SHOP_EDGES),
            "spikes": table(SPIKES, SPIKE_ROWS),
            "flow": table(FLOW, FLOW_ROWS),
            "flow_bands": table(FLOW_BANDS, BAND_ROWS),
            "propagation": table(PROPAGATION, MOVES),
            "insulation": table(INSULATION, INSULATION_ROWS),
            "errors": table(ERRORS, ERROR_ROWS),
            "origins": table(ORIGINS, ORIGIN_ROWS),
            "user_operations": table(USER_OPERATIONS, USER_ROWS),
            "critical_path": table(CRITICAL_PATH, CRITICAL_ROWS),
            "bottlenecks": table(BOTTLENECKS, BOTTLENECK_ROWS),
            "dependencies": table(DEPENDENCIES, DEPENDENCY_ROWS),
            "availability": table(AVAILABILITY, AVAILABILITY_ROWS),
            "cycles": table(CYCLES, CYCLE_ROWS),
            "timeline": table(TIMELINE, TIMELINE_ROWS),
            "paths": pl.DataFrame(PATH_ROWS, schema=PATHS.schema, orient="row"),
        },
        traces={"typical": trace(44), "worst": trace(612)},
        ledger=ledger(),
        thresholds={"p95_increase_ratio": 1.25, "min_call_count": 20},
        owners={"checkout": "shop-team", "storefront": "shop-team", "payment": "payments-team"},
    )


def quiet() -> Findings:
    """The same shop on a quiet day."""
    made = incident("batch")
    empty = {name: FINDINGS[name].empty() for name in FINDINGS}
    made.tables = {**empty, "edges": made.tables["edges"]}
    made.verdict = "quiet"
    made.traces = {}
    return made


def insufficient() -> Findings:
    """Four traces and nothing to compare them with."""
    return Findings(
        recipe="postmortem",
        title="Latency postmortem",
        sections=POSTMORTEM_SECTIONS,
        window=WINDOW,
        tables={
            **{name: FINDINGS[name].empty() for name in FINDINGS},
            "edges": table(EDGES, [edge("web", "cart", 4, 12.5, errors_upstream=0)]),
        },
        ledger=Ledger(spans=8, traces=4, services=("cart", "web"), covered=WINDOW),
    )


def nothing() -> Findings:
    """No span at all."""
    return Findings(recipe="batch", title="Batch review", sections=BATCH_SECTIONS)


def hostile() -> Findings:
    """The incident, with names that try to break out of every format."""
    made = incident()
    swap = dict(zip(("card-db", "payment", "checkout", "POST /buy"), HOSTILE, strict=True))
    texts = pl.col(pl.String)
    made.tables = {
        name: frame.with_columns(texts.replace(swap)) for name, frame in made.tables.items()
    }
    made.traces = {
        role: frame.with_columns(texts.replace(swap)) for role, frame in made.traces.items()
    }
    made.ledger.files = made.ledger.files.with_columns(path=pl.lit(HOSTILE[0]))
    made.ledger.rejects = made.ledger.rejects.with_columns(excerpt=pl.lit(HOSTILE[0]))
    made.ledger.quality = made.ledger.quality.with_columns(service=pl.lit(HOSTILE[2]))
    made.owners = {HOSTILE[1]: HOSTILE[0]}
    made.title = HOSTILE[0]
    made.baseline_reason = HOSTILE[2]
    made.sections = (*POSTMORTEM_SECTIONS, "graph", "edges", "spikes")
    return made


def large() -> Findings:
    """500 services, 5,000 edges."""
    made = incident("batch")
    names = [f"service-{number:03d}" for number in range(500)]
    edges = [
        edge(names[number % 500], names[(number * 7 + number // 500 * 13 + 1) % 500],
             20 + (number * 31) % 9_000, 2 + (number * 17) % 800)
        for number in range(5_000)
    ]  # fmt: skip
    moves = [
        move(names[number % 500], "GET /a", names[(number * 7 + 1) % 500], "GET /b",
             10 + number % 90, 5 + number % 70, "propagated")
        for number in range(500)
    ]  # fmt: skip
    unique = {(row["downstream"], row["upstream"]): row for row in edges}
    made.tables["edges"] = table(EDGES, [*SHOP_EDGES, *unique.values()])
    made.tables["propagation"] = table(PROPAGATION, [*MOVES, *moves])
    return made
