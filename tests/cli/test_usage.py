from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tracemap as package
from tests.cli.conftest import Tracemap
from tracemap.cli import app

VERBS = [
    command.callback.__name__.replace("_", "-")
    for command in app.registered_commands
    if command.callback
]


def test_the_promised_verbs_are_there() -> None:
    """The command line is a public interface."""
    assert sorted(VERBS) == [
        "availability",
        "bottlenecks",
        "budget",
        "cycles",
        "declarations",
        "demo",
        "dependencies",
        "drift",
        "edges",
        "errors",
        "flow",
        "flow-bands",
        "formats",
        "graph",
        "info",
        "ingest",
        "init",
        "insulation",
        "origins",
        "propagation",
        "prune",
        "query",
        "regressions",
        "run",
        "spikes",
        "trace",
        "trend",
        "whatif",
        "why-missing",
    ]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(tracemap: Tracemap, verb: str) -> None:
    """Help ends with something to type."""
    answer = tracemap(verb, "--help")

    assert answer.code == 0
    assert f"Example: tracemap {verb}" in answer.out


def test_version(tracemap: Tracemap) -> None:
    """`--version` prints the version that the package has."""
    assert tracemap("--version") == (0, f"tracemap {package.__version__}\n", "")


def test_without_a_verb_there_is_help(tracemap: Tracemap) -> None:
    """Whoever types only the name learns the verbs."""
    answer = tracemap()

    assert answer.code == 0
    assert all(f"  {verb} " in answer.out for verb in VERBS)


USAGE = [
    (["edgs"], "No such command 'edgs'. Did you mean 'edges'?\n  hint: tracemap --help"),
    (["edges", "--fro", "x"], "No such option: --fro"),
    (["run"], "Missing argument 'recipe'\n  hint: tracemap run --help"),
    (["ingest"], "Missing argument 'INPUT...'\n  hint: tracemap ingest --help"),
    (["edges", "--format", "xml"], "for '--format': 'xml' is not one of 'table', 'json', 'csv'"),
    (["origins", "--spike", "0"], "Invalid value for '--spike'"),
    (
        ["edges", "--from", "yesterday"],
        "'yesterday' is not a time between the years 1700 and 2261\n  at:   --from\n  hint: write",
    ),
    (["edges", "--from", "9999-12-31"], "'9999-12-31' is not a time between the years"),
    (["edges", "--from", "0001-01-01"], "'0001-01-01' is not a time between the years"),
    (["origins", "--baseline-to", "2262-01-01"], "at:   --baseline-to\n  hint: write ISO-8601"),
    (
        ["edges", "--from", "2026-03-03T10:00", "--to", "2026-03-03T09:00"],
        "the window ends at 2026-03-03T09:00, which is not after its start 2026-03-03T10:00",
    ),
    (
        ["origins", "--baseline-from", "2026-03-03", "--baseline-to", "2026-03-03"],
        "at:   --baseline-from, --baseline-to",
    ),
    (["run", "postmorten"], "there is no recipe 'postmorten'"),
    (["run", "batch", "--set", "spike_ratoi=2"], "did you mean 'spike_ratio'?"),
    (["run", "batch", "--set", "spike_ratoi=2"], "recipe batch with --set, key 'thresholds'"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE)
def test_wrong_usage_is_exit_2_before_anything_is_opened(
    tracemap: Tracemap, arguments: list[str], message: str
) -> None:
    """There is no database here, and nobody complains about that first."""
    answer = tracemap(*arguments)

    assert answer.code == 2
    assert answer.err.startswith("tracemap: ")
    assert message in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["info"],
        ["edges"],
        ["graph"],
        ["origins"],
        ["query", "SELECT 1"],
        ["trace", "0af7651916cd43dd8448eb211c80319c"],
        ["run", "batch"],
    ],
)
def test_a_missing_database_is_exit_4_with_the_way_to_make_one(
    tracemap: Tracemap, arguments: list[str]
) -> None:
    """Asking does not create an empty database."""
    answer = tracemap(*arguments)

    assert answer.code == 4
    assert "hint: make one with: tracemap ingest" in answer.err
    assert not Path("tracemap.duckdb").exists()


def test_explain_prints_the_plan_and_opens_nothing(tracemap: Tracemap) -> None:
    """The plan names every threshold in force."""
    answer = tracemap("run", "postmortem", "--explain", "--set", "spike_ratio=2")

    assert answer.code == 0
    assert " * spike_ratio = 2" in answer.out
    assert list(Path().iterdir()) == []


def test_completion_knows_verbs_and_options() -> None:
    """What the shell asks is answered, with nothing but the app itself."""
    for typed, wanted in (("tracemap prop", "propagation"), ("tracemap edges --fo", "--format")):
        words = typed.split()
        answer = subprocess.run(
            [sys.executable, "-m", "tracemap"],
            env={
                "_TRACEMAP_COMPLETE": "complete_bash",
                "COMP_WORDS": typed,
                "COMP_CWORD": str(len(words) - 1),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert wanted in answer.stdout.split()


READ_BY_HEAD = [
    ["query", "SELECT * FROM spans LIMIT 20000", "--format", "csv"],
    ["query", "SELECT * FROM spans LIMIT 20000", "--format", "json"],
    ["query", "SELECT * FROM spans LIMIT 20000"],
    ["edges"],
    ["graph"],
    ["info"],
]


@pytest.mark.parametrize("arguments", READ_BY_HEAD)
def test_a_reader_that_closes_the_pipe_is_no_error(
    sample_database: Path, arguments: list[str]
) -> None:
    """`tracemap query ... | head -1` ends quietly, also when it had more to say, with exit 0."""
    reader, writer = os.pipe()
    os.close(reader)
    answer = subprocess.run(
        [sys.executable, "-m", "tracemap", *arguments, "--db", str(sample_database)],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)

    shown = [line for line in answer.stderr.splitlines() if not line.startswith("window ")]
    assert (answer.returncode, shown) == (0, [])


def test_control_characters_in_messages_are_spelled_out(tracemap: Tracemap) -> None:
    """A file name cannot steer the terminal."""
    answer = tracemap("run", "evil\x1b[2J")

    assert "\x1b" not in answer.err


def test_a_shell_completes_the_names_of_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody remembers them."""
    environment = {
        **os.environ, "_TRACEMAP_COMPLETE": "complete_bash", "COMP_WORDS": "tracemap run po",
        "COMP_CWORD": "2",
    }  # fmt: skip
    monkeypatch.delenv("_TRACEMAP_COMPLETE", raising=False)
    done = subprocess.run(
        [sys.executable, "-m", "tracemap"], env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert done.stdout.split() == ["postmortem"]
