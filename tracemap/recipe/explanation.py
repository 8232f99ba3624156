"""What running a recipe will do, in words: ``tracemap run --explain``."""

from __future__ import annotations

from dataclasses import asdict

from tracemap.recipe.recipe import Recipe, limits


def explain(recipe: Recipe) -> str:
    """Return in words what running `recipe` will do, one step a line."""
    looked_at = {
        "all": "everything the database covers, or --from/--to",
        "worst spike": "the worst spike (--spike N: the N-th), or --from/--to",
        "last week": "the last seven days covered, or --from/--to",
    }[recipe.window]
    compared = {
        "auto": "the same hours of an earlier week, else quiet time nearby, or --baseline-from/-to",
        "none": "nothing",
        "weeks before": "up to four whole weeks before the window, or --baseline-from/-to",
    }[recipe.baseline]
    lines = [
        f"{recipe.name}: {recipe.title}",
        "1. ingest    the inputs given; known files are skipped",
        "2. derive    facts of the hours that changed",
        f"3. window    {looked_at}",
        f"   baseline  {compared}",
        f"4. findings  {', '.join(recipe.findings)}",
        f"5. report    {', '.join(recipe.sections)}",
        "thresholds (* set by this recipe)",
    ]
    for key, value in asdict(limits(recipe)).items():
        mark = "*" if key in recipe.thresholds else " "
        lines.append(f" {mark} {key} = {value:g}")
    return "\n".join(lines)
