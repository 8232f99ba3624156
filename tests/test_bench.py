from __future__ import annotations

import pytest

from bench.__main__ import NAMES, _print_table, main


def test_a_table_is_aligned_and_numbers_are_readable(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows are dictionaries with the same keys; numbers are grouped."""
    _print_table([{"what": "read", "spans": 1234567}, {"what": "all", "spans": 1.5}])

    assert capsys.readouterr().out.splitlines() == [
        "what  spans",
        "read  1,234,567",
        "all   1.50",
    ]


def test_an_unknown_benchmark_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m bench nope` runs nothing."""
    assert main(["nope"]) == 2
    assert ", ".join(NAMES) in capsys.readouterr().err
