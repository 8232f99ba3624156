"""Section "Error budget": failed user requests by the owner of where they began to fail."""

from __future__ import annotations

from tracemap.report.blocks import Block, Column, Section, remark, warning
from tracemap.report.names import visible
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.tables import table
from tracemap.report.words import counted, percent

_OWNERS = (
    Column("owner", "Owner", "name", "owner"),
    Column("failed", "Failed requests", "count", "error-budget"),
    Column("budget_share", "Budget used", "share", "error-budget"),
    Column("baseline_budget_share", "Budget used, baseline", "share", "error-budget"),
    Column("services", "Services", "text"),
)
_SERVICES = (
    Column("service", "Where it began", "name"),
    Column("owner", "Owner", "name", "owner"),
    Column("failed", "Failed requests", "count", "error-budget"),
    Column("budget_share", "Budget used", "share", "error-budget"),
    Column("baseline_failed", "Failed, baseline", "count", "error-budget"),
    Column("baseline_budget_share", "Budget used, baseline", "share", "error-budget"),
)


def budget(story: Story) -> Section | None:
    """Return the error budget by owner and by service; None where no user request was seen."""
    if not story.regressions and not story.budget:
        return None
    objective = story.findings.thresholds.get("success_objective", 1.0)
    if not story.budget:
        blocks: list[Block] = [remark("No user request failed, in the window or in the baseline.")]
        return _section(blocks, objective)
    requests = story.budget[0]["requests"]
    failed = sum(row["failed"] for row in story.budget)
    used = [row["budget_share"] for row in story.budget if row["budget_share"] is not None]
    said = f"{failed:,.0f} of {counted(requests, 'user request')} failed"
    tail = f": {percent(sum(used))} of the error budget." if used else "."
    cautions = story.findings.ledger.cautions
    apart = cautions.filter(cautions["about"] == "sampled_differently")["text"]
    blocks = [
        remark(said + tail),
        *(warning(visible(text)) for text in apart),
        table("budget-owners-table", "Error budget by owner", _OWNERS, by_owner(story)),
        table("budget-table", "Error budget by service", _SERVICES, story.budget),
    ]
    return _section(blocks, objective)


def by_owner(story: Story) -> list[Row]:
    """Return the budget summed by owner, what used most first; unknown owners stay unknown."""
    grouped: dict[str, list[Row]] = {}
    for row in story.budget:
        grouped.setdefault(row["owner"] or "", []).append(row)
    made = [
        {
            "owner": owner or None,
            "services": ", ".join(row["service"] for row in rows),
            "failed": sum(row["failed"] for row in rows),
            **{
                name: sum(row[name] or 0.0 for row in rows)
                for name in ("budget_share", "baseline_budget_share")
            },
        }
        for owner, rows in grouped.items()
    ]
    return sorted(made, key=lambda row: (-row["failed"], row["owner"] or ""))


def _section(blocks: list[Block], objective: float) -> Section:
    return Section(
        "budget",
        "Error budget",
        tuple(blocks),
        f"{100 * objective:g} % of user requests must succeed; what may fail is the budget, and "
        "100 % is all of it. Each failed request counts once, where it began to fail.",
    )
