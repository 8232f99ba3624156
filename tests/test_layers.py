from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tracemap.cli import app

HEAVY = ("polars", "duckdb", "numba", "numpy", "pyarrow", "plotly", "jinja2", "rich")
"""Not pydantic: typer itself loads it to read options."""


def modules_after(arguments: list[str]) -> set[str]:
    """Return the modules loaded by a command in a process of its own."""
    code = (
        "import sys\nfrom tracemap.__main__ import main\n"
        f"main({arguments!r})\nprint('MODULES', *sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(answer.stdout.split("MODULES")[1].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["edges", "--help"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """Help answers at once because verbs import the library only when they run."""
    assert modules_after(arguments) & set(HEAVY) == set()


def test_stages_do_not_know_each_other() -> None:
    """The contracts of pyproject.toml hold (also run by `make layers`)."""
    root = Path(__file__).parents[1]
    answer = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout


def test_the_app_is_named_like_the_command() -> None:
    """Completion and usage lines are derived from the name."""
    assert app.info.name == "tracemap"
