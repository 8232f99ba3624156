from __future__ import annotations

import subprocess
import sys

import tracemap


def test_public_names_are_sorted_and_all_there() -> None:
    """What `__all__` promises can be imported, and each name has one home."""
    assert tracemap.__all__ == sorted(tracemap.__all__)
    assert all(getattr(tracemap, name) is not None for name in tracemap.__all__)
    assert sorted(tracemap._HOMES) == tracemap.__all__
    assert set(tracemap.__all__) <= set(dir(tracemap))


def test_unknown_name_is_an_attribute_error() -> None:
    """A typo fails as with any module."""
    assert not hasattr(tracemap, "runn")


def test_importing_tracemap_imports_nothing_heavy() -> None:
    """`import tracemap` costs nothing until a name is used."""
    code = "import sys, tracemap; print(*{'polars', 'duckdb', 'numba', 'typer'} & set(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert not answer.stdout.strip()
