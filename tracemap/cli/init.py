"""`tracemap init`: a shipped recipe as text, to be changed."""

from __future__ import annotations

from typing import Annotated

import typer


def init(
    recipe: Annotated[str, typer.Argument(help="batch, postmortem or weekly.")],
) -> None:
    """Print a shipped recipe.

    Save it under another name and change it.

    Example: tracemap init weekly > mine.toml
    """
    from tracemap import recipe as recipes

    typer.echo(recipes.text(recipe), nl=False)
