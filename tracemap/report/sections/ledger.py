"""Section "Ledger": where every record went, what is odd, and the thresholds in force."""

from __future__ import annotations

import polars as pl

from tracemap.report.blocks import Block, Column, Fact, FactsBlock, Note, Section, remark, warning
from tracemap.report.names import visible
from tracemap.report.rows import rows
from tracemap.report.story import Story
from tracemap.report.tables import SERVICE, table
from tracemap.report.words import counted, fixed, span_of

_FILES = (
    Column("path", "File", "name"),
    Column("format", "Format"),
    Column("size_bytes", "Size", "bytes"),
    Column("records", "Records", "count", "ledger-equation"),
    Column("spans", "Spans stored", "count", "ledger-equation"),
    Column("duplicates", "Duplicates", "count", "ledger-equation"),
    Column("rejected", "Rejected", "count", "ledger-equation"),
    Column("skipped", "Other signals", "count"),
)
_REJECTS = (
    Column("reason", "Reason"),
    Column("records", "Records", "count", "ledger-equation"),
    Column("files", "Files", "count"),
    Column("first", "First seen at", "name"),
    Column("excerpt", "Excerpt", "name"),
)
_QUALITY = (
    SERVICE,
    Column("reason", "Reason", "text", "quality"),
    Column("spans", "Spans", "count"),
)
_PLACES = (
    Column("reason", "Place", "text", "quality"),
    Column("spans", "Spans", "count"),
    Column("share", "Share", "share"),
)
_SKEW = (
    Column("host", "Host", "name"),
    Column("other_host", "Other host", "name"),
    Column("calls", "Calls", "count"),
    Column("theta_ms", "Other is behind by", "ms", "clock-skew"),
    Column("uncertainty_ms", "Uncertain by", "ms", "clock-skew"),
    Column("verdict", "Verdict", "text", "clock-skew"),
)
_THRESHOLDS = (Column("threshold", "Threshold"), Column("value", "Value", "number"))


def ledger(story: Story) -> Section:
    """Return what went in and what became of it; always present."""
    book = story.findings.ledger
    blocks: list[Block] = [_totals(story), *_balance(book.files)]
    blocks += [warning(visible(text)) for text in book.cautions["text"]]
    if not book.files.is_empty():
        files = sorted(
            rows("files", book.files), key=lambda row: (row["path"], row["content_hash"])
        )
        caption = f"{counted(len(files), 'file')} taken in"
        blocks.append(table("files-table", caption, _FILES, files))
    if not book.rejects.is_empty():
        caption = "Rejected records by reason"
        blocks.append(table("rejects-table", caption, _REJECTS, _by_reason(book.rejects)))
    blocks += _quality(book.quality)
    if not book.skew.is_empty():
        caption = "How far the clocks of two hosts differ; nothing was shifted"
        blocks.append(table("skew-table", caption, _SKEW, rows("skew", book.skew), folded=True))
    if story.findings.thresholds:
        limits = [
            {"threshold": name, "value": value}
            for name, value in sorted(story.findings.thresholds.items())
        ]
        caption = "Thresholds in force"
        blocks.append(table("thresholds-table", caption, _THRESHOLDS, limits, folded=True))
    return Section(
        "ledger",
        "Ledger",
        tuple(blocks),
        "Records read are spans stored, plus duplicates, plus rejected records: nothing is dropped "
        "without being counted. Odd spans stay in; they say how far to trust the rest.",
    )


def _totals(story: Story) -> FactsBlock:
    book = story.findings.ledger
    files = book.files
    totals = {
        column: int(files[column].sum() or 0) for column in ("records", "duplicates", "rejected")
    }
    return FactsBlock(
        (
            Fact("Records read", (f"{totals['records']:,}",), (), "ledger-equation"),
            Fact("Spans stored", (f"{book.spans:,}",), (f"in {counted(book.traces, 'trace')}",)),
            *(
                [Fact("Spans pruned", (f"{book.pruned:,}",), ("their facts stay",))]
                if book.pruned
                else []
            ),
            Fact("Duplicates", (f"{totals['duplicates']:,}",)),
            Fact("Rejected", (f"{totals['rejected']:,}",)),
            Fact("Covers", (span_of(book.covered),)),
        )
    )


def _balance(files: pl.DataFrame) -> list[Note]:
    """Return a warning where the counts do not add up: that would be a bug in tracemap."""
    if files.is_empty():
        return []
    total = {
        name: int(files[name].sum() or 0) for name in ("records", "spans", "duplicates", "rejected")
    }
    missing = total["records"] - total["spans"] - total["duplicates"] - total["rejected"]
    if missing == 0:
        return []
    return [
        warning(
            f"{fixed(abs(missing), 0)} records are unaccounted for. This is a fault of "
            "tracemap, please report it."
        )
    ]


def _quality(quality: pl.DataFrame) -> list[Block]:
    """Return where the spans went (exactly one place each), and what is odd about some of them."""
    if quality.is_empty():
        return []
    went = is_disposition(pl.col("reason"))
    places = quality.filter(went).group_by("reason").agg(pl.col("spans").sum())
    places = places.sort(["spans", "reason"], descending=[True, False])
    total = places["spans"].sum()
    ways = [{**row, "share": row["spans"] / total} for row in places.to_dicts()]
    odd = quality.filter(~went).sort(
        ["spans", "service", "reason"], descending=[True, False, False]
    )
    blocks: list[Block] = []
    if ways:
        caption = "What became of the spans: part of an edge, or why not"
        blocks.append(table("places-table", caption, _PLACES, ways, folded=True))
    if odd.is_empty():
        return [*blocks, remark("Nothing is odd about the stored spans.")]
    caption = "What is odd about stored spans"
    return [*blocks, table("quality-table", caption, _QUALITY, _once(odd, int(total)))]


def _once(odd: pl.DataFrame, stored: int) -> list[dict[str, object]]:
    """Return rows of what is odd; what is true of every span has one row for all services."""
    sums = odd.group_by("reason").agg(pl.col("spans").sum())
    always = sums.filter(pl.col("spans").eq(stored)).with_columns(service=pl.lit("(every service)"))
    rest = odd.join(always, on="reason", how="anti", maintain_order="left")
    rows_of_all = always.sort("reason").select(odd.columns)
    return [*rows_of_all.to_dicts(), *rest.to_dicts()]


def is_disposition(reason: pl.Expr) -> pl.Expr:
    """Return whether a reason of quality says where a span went, rather than what is odd."""
    return reason.eq("in_edge") | reason.str.starts_with("no_edge_")


def _by_reason(rejects: pl.DataFrame) -> list[dict[str, object]]:
    ordered = rejects.sort(["reason", "path", "line"])
    grouped = ordered.group_by("reason", maintain_order=True).agg(
        pl.col("records").sum(),
        pl.col("path").n_unique().alias("files"),
        pl.format("{}:{}", pl.col("path").first(), pl.col("line").first()).alias("first"),
        pl.col("excerpt").first(),
    )
    return grouped.sort(["records", "reason"], descending=[True, False]).to_dicts()
