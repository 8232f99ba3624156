"""Section "Declared dependencies": what the catalog says against what was observed, by owner."""

from __future__ import annotations

from collections import Counter

from tracemap.report.blocks import Column, Section, remark
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.tables import CALLS, DOWNSTREAM, UPSTREAM, table
from tracemap.report.words import counted

STATUSES = ("as declared", "not observed", "not declared", "provider unknown")
_OWNERS = (
    Column("owner", "Owner of downstream", "name", "owner"),
    *(Column(status, status.capitalize(), "count", "declared-dependency") for status in STATUSES),
)
_COLUMNS = (
    Column("owner", "Owner of downstream", "name", "owner"),
    Column("status", "Status", "text", "declared-dependency"),
    DOWNSTREAM,
    UPSTREAM,
    Column("says", "Declared by", "name"),
    CALLS,
    Column("last", "Last call (UTC)", "time"),
    Column("reason", "What was seen of both"),
)


def declarations(story: Story) -> Section | None:
    """Return declared dependencies against observed ones; None where no catalog declares any."""
    if not story.declarations:
        return None
    return Section(
        "declarations",
        "Declared dependencies",
        (
            remark(_summary(story.declarations)),
            table("declarations-owners-table", "By owner", _OWNERS, _by_owner(story.declarations)),
            table("declarations-table", "Each dependency", _COLUMNS, story.declarations),
        ),
        "Observed are the calls of window and baseline. Not observed is not gone: the call may be "
        "rare, leave no spans, or be sampled away. Services that declare nothing are left out.",
    )


def _summary(rows: list[Row]) -> str:
    count = Counter(row["status"] for row in rows)
    known = counted(count["as declared"], "dependency", "dependencies")
    parts = [f"{known} observed as declared"]
    for status, words in (
        ("not observed", "declared but not observed"),
        ("not declared", "observed but not declared"),
        ("provider unknown", "on an API that nobody is declared to provide"),
    ):
        if count[status]:
            parts.append(f"{count[status]:,} {words}")
    return f"{'; '.join(parts)}."


def _by_owner(rows: list[Row]) -> list[Row]:
    """Return how many of each status an owner's services have; unknown owners last."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row["owner"] or "", Counter())[row["status"]] += 1
    return [
        {"owner": owner or None, **{status: found[owner][status] for status in STATUSES}}
        for owner in sorted(found, key=lambda owner: (not owner, owner))
    ]
