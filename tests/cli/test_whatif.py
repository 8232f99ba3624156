"""`tracemap whatif` on the sample hour."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tracemap


def test_prints_everybody_who_waits_before_and_after(
    tracemap: Tracemap, sample_database: Path
) -> None:
    """200 ms more of a service that checkout calls once: 200 ms more for the storefront."""
    answer = tracemap(
        *("whatif", "--db", sample_database, "--upstream", "pricing", "--add", "200ms"),
        *("--format", "json"),
    )
    rows = {row["downstream"]: row for row in json.loads(answer.out)}

    assert answer.code == 0
    assert set(rows) == {"pricing", "checkout", "storefront"}
    rise_ms = rows["storefront"]["after_mean_ms"] - rows["storefront"]["before_mean_ms"]
    assert 190 < rise_ms <= 200.5


def test_added_time_shows_in_percentiles_as_far_as_buckets_tell_and_in_means_exactly(
    tracemap: Tracemap, sample_database: Path
) -> None:
    """200 ms more are 200 ms more of the mean; percentiles are ≈, and stderr says how near."""
    asked = ("whatif", "--upstream", "pricing", "--add", "200ms", "--db", sample_database)
    rows = json.loads(tracemap(*asked, "--format", "json").out)
    (row,) = [row for row in rows if row["downstream"] == "pricing"]
    added = {name: row[f"after_{name}_ms"] - row[f"before_{name}_ms"] for name in ("mean", "p50")}
    width = 0.0055 * (row["after_p50_ms"] + row["before_p50_ms"])

    assert added["mean"] == pytest.approx(200, abs=1e-5)
    assert added["p50"] == pytest.approx(200, abs=width)
    assert "percentiles are ≈, within 0.55 %" in tracemap(*asked).err


def test_says_what_was_assumed(tracemap: Tracemap, sample_database: Path) -> None:
    """Nobody saw enough of these calls fail: the table says that each is taken to be fatal."""
    answer = tracemap("whatif", "--db", sample_database, "--upstream", "cart", "--fail", "0.1")

    assert answer.code == 0
    assert "each one is taken to fail the request" in answer.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing is to change"),
        (("--add", "200"), "is not a duration"),
        (("--add", "9999999999s"), "is not a duration"),
        (("--timeout", "-1ms"), "a timeout must be above zero"),
        (("--operation", "nope", "--add", "1ms"), "would be different"),
    ],
)
def test_impossible_changes(
    tracemap: Tracemap, sample_database: Path, arguments: tuple[str, ...], words: str
) -> None:
    """Refused in words, with a hint."""
    answer = tracemap("whatif", "--db", sample_database, "--upstream", "pricing", *arguments)

    assert answer.code != 0
    assert words in answer.err
    assert "hint:" in answer.err


def test_a_timeout_that_no_call_reaches_changes_nothing(
    tracemap: Tracemap, sample_database: Path
) -> None:
    """The upstream is known: its own name is no advice."""
    options = ("--upstream", "catalog", "--timeout", "3600s")
    answer = tracemap("whatif", "--db", sample_database, *options)

    assert answer.code == 5
    assert "none takes longer than the timeout" in answer.err
    assert "did you mean" not in answer.err


def test_unknown_upstream_gets_the_nearest_name(tracemap: Tracemap, sample_database: Path) -> None:
    """A typo is told from an upstream that nobody calls."""
    answer = tracemap("whatif", "--db", sample_database, "--upstream", "pricng", "--add", "1ms")

    assert answer.code != 0
    assert "did you mean 'pricing'?" in answer.err
