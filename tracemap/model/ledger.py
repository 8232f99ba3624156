"""Tables shown beside the findings: files read, clocks that disagree, and cautions."""

from __future__ import annotations

import polars as pl

from tracemap.model.table import Table, column

SKEW = Table(
    "skew",
    "How far the clocks of two hosts differ, by the calls between them"
    " (docs/methods.md#clock-skew). Nothing is shifted by it: durations do not depend on clocks.",
    (
        column("host", pl.String, "", "host whose clock counts; '(service)' where none is named"),
        column("other_host", pl.String, "", "the other one"),
        column("calls", pl.Int64, "", "calls between them, in both directions"),
        column("theta_ns", pl.Int64, "ns", "to be added to the other's clock; null: too few calls"),
        column("least_ns", pl.Int64, "ns", "it is hardly less"),
        column("most_ns", pl.Int64, "ns", "it is hardly more"),
        column("uncertainty_ns", pl.Int64, "ns", "most - least, or how far they contradict"),
        column("verdict", pl.String, "", "in step, skewed, unsteady, too few calls"),
    ),
    key=("host", "other_host"),
)

CAUTIONS = Table(
    "cautions",
    "What limits how far the rest can be trusted, each in a sentence (docs/messages.md#cautions).",
    (
        column("about", pl.String, "", "sampling, sampled_differently, orphans, ..."),
        column("subject", pl.String, "", "service, edge or pair of hosts; '': all spans"),
        column("spans", pl.Int64, "", "spans or calls it is about"),
        column("text", pl.String, "", "the sentence"),
    ),
    key=("about", "subject"),
)

FILES = Table(
    "files",
    "One row per file taken in. records = spans + duplicates + rejected.",
    (
        column("path", pl.String, "", "as given"),
        column("size_bytes", pl.Int64, "bytes", "size on disk"),
        column("content_hash", pl.String, "", "hash of the bytes on disk; known files are skipped"),
        column("format", pl.String, "", "otlp-json, otlp-protobuf, ..."),
        column("records", pl.Int64, "", "span records read, bad ones included"),
        column("spans", pl.Int64, "", "spans stored"),
        column("duplicates", pl.Int64, "", "spans that were stored already"),
        column("rejected", pl.Int64, "", "records that could not be taken"),
        column("skipped", pl.Int64, "", "records of other signals (logs, metrics)"),
        column("ingested_at", pl.String, "", "when, ISO-8601 in UTC"),
    ),
    key=("content_hash",),
)
