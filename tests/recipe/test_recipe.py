from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tracemap import recipe
from tracemap.errors import PipelineError

GOOD = 'title = "Mine"\nfindings = ["edges"]\nsections = ["summary"]\n'


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", recipe.names())
def test_shipped_recipes_load_and_stay_small(name: str) -> None:
    """A recipe fits on a screen and names only what exists."""
    assert recipe.load(name).name == name
    assert len((recipe.shipped() / f"{name}.toml").read_text().splitlines()) <= 40


def test_shipped_recipes_are_batch_postmortem_and_weekly() -> None:
    """The names that the docs and the command line promise."""
    assert recipe.names() == ["batch", "postmortem", "weekly"]


def test_a_file_names_its_recipe(tmp_path: Path) -> None:
    """`mine.toml` is the recipe `mine`, and its report `mine.html`."""
    assert recipe.load(written(tmp_path, GOOD)).name == "mine"


def test_unknown_finding_gets_the_nearest_word(tmp_path: Path) -> None:
    """The message is the one the docs show."""
    path = written(tmp_path, GOOD.replace("edges", "propagtion"))

    with pytest.raises(PipelineError) as raised:
        recipe.load(path)

    assert raised.value.what == "unknown finding 'propagtion'"
    assert raised.value.where == f"{path}, key 'findings'"
    assert raised.value.hint == "did you mean 'propagation'?"


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    """Nobody has to run a recipe five times to learn of five mistakes."""
    text = (
        'titel = "Mine"\nwindow = "7d"\nfindings = ["edges", "spike"]\nsections = ["sumary"]\n'
        '[thresholds]\nspike_ratoi = 2\nspike_rise_ms = "many"\n'
    )

    with pytest.raises(PipelineError) as raised:
        recipe.load(written(tmp_path, text))

    message = str(raised.value)
    assert message.startswith("7 mistakes in the recipe")
    for part in (
        "the key 'title' is missing",
        "unknown key 'titel' (did you mean 'title'?)",
        "'7d' is not allowed (write 'all', 'worst spike' or 'last week')",
        "unknown finding 'spike' (did you mean 'spikes'?)",
        "unknown section 'sumary' (did you mean 'summary'?)",
        "unknown threshold 'spike_ratoi' (did you mean 'spike_ratio'?)",
        "key 'thresholds.spike_rise_ms': 'many'",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("reference", "what", "hint"),
    [
        ("postmorten", "there is no recipe 'postmorten'", "did you mean 'postmortem'?"),
        (
            "zzz",
            "there is no recipe 'zzz'",
            "take one of batch, postmortem, weekly, or the path of",
        ),
        ("missing.toml", "the recipe cannot be read: No such file", "shipped recipes go by name"),
    ],
)
def test_missing_recipe_says_what_there_is(reference: str, what: str, hint: str) -> None:
    """The hint is the next thing to type."""
    with pytest.raises(PipelineError) as raised:
        recipe.load(reference)

    assert raised.value.what.startswith(what)
    assert raised.value.hint.startswith(hint)


@pytest.mark.parametrize("text", ["title = ", "\x00"])
def test_broken_toml_says_where(tmp_path: Path, text: str) -> None:
    """The parser's own line and column are passed on."""
    with pytest.raises(PipelineError, match=r"not valid TOML: .* \(at "):
        recipe.load(written(tmp_path, text))


def test_text_that_is_not_utf8_is_a_message(tmp_path: Path) -> None:
    """A binary file named .toml is not a traceback."""
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(PipelineError, match="not UTF-8"):
        recipe.load(str(path))


def test_settings_win_over_the_file() -> None:
    """Numbers are thresholds, the recipe's own keys are keys, text needs no quotes."""
    loaded = recipe.load("batch", ["spike_ratio=2", "title=Friday", 'sections=["summary"]'])

    assert loaded.thresholds == {"spike_ratio": 2}
    assert loaded.title == "Friday"
    assert loaded.sections == ["summary"]


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("spike_ratio", "'spike_ratio' is not key=value"),
        ("=2", "'=2' is not key=value"),
        ("spike_ratoi=2", "unknown threshold 'spike_ratoi'"),
        ("spike_ratio=big", "'big': input should be a valid number"),
        ("name=other", "unknown threshold 'name'"),
    ],
)
def test_wrong_settings_are_refused(setting: str, what: str) -> None:
    """`--set` is checked like the file."""
    with pytest.raises(PipelineError) as raised:
        recipe.load("batch", [setting])

    assert what in str(raised.value)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-0.5", "1e13", "1e400"])
@pytest.mark.parametrize("key", ["spike_ratio", "min_calls_p50"])
def test_values_that_can_be_no_limit_are_mistakes(tmp_path: Path, key: str, value: str) -> None:
    """In a setting as in a file; otherwise they would break or silence the analysis."""
    path = written(tmp_path, f"{GOOD}[thresholds]\n{key} = {value}\n")

    for reference, settings in (("batch", [f"{key}={value}"]), (path, [])):
        with pytest.raises(PipelineError, match="is not a number from 0 to") as raised:
            recipe.load(reference, settings)
        assert f"key 'thresholds.{key}'" in raised.value.where
        assert raised.value.hint.startswith("the default is ")


def test_counts_are_whole_numbers() -> None:
    """Two and a half calls are a mistake; 2.0 is two."""
    with pytest.raises(PipelineError, match=r"2\.5 is not a whole number"):
        recipe.load("batch", ["min_calls_p50=2.5"])

    assert recipe.limits(recipe.load("batch", ["min_calls_p50=2.0"])).min_calls_p50 == 2


def test_factors_are_above_zero() -> None:
    """Their logarithm is taken."""
    with pytest.raises(PipelineError, match="0 is not a factor"):
        recipe.load("batch", ["spike_ratio=0"])


@pytest.mark.parametrize("load", [partial(recipe.load, "batch"), partial(recipe.single, "origins")])
def test_all_wrong_settings_are_reported_at_once(load: Callable[[list[str]], object]) -> None:
    """Those that are no key=value, unknown, of the wrong type and impossible, together."""
    settings = ["spike_z", "spike_ratoi=2", "spike_ratio=nan", "min_calls_p50=2.5", "spike_z=big"]

    with pytest.raises(PipelineError) as raised:
        load(settings)

    message = str(raised.value)
    assert message.startswith("5 mistakes in the recipe")
    for part in (
        "'spike_z' is not key=value (such as --set",
        "unknown threshold 'spike_ratoi' (did you mean 'spike_ratio'?)",
        "key 'thresholds.spike_ratio': nan is not a number from 0",
        "key 'thresholds.min_calls_p50': 2.5 is not a whole number",
        "key 'thresholds.spike_z': 'big'",
    ):
        assert part in message


def test_thresholds_that_are_no_table_are_a_mistake(tmp_path: Path) -> None:
    """Wrong types are mistakes, with and without a setting on top."""
    path = written(tmp_path, GOOD + "thresholds = 3\n")

    for settings in ([], ["spike_ratio=2"]):
        with pytest.raises(PipelineError, match="3"):
            recipe.load(path, settings)


def test_explain_lists_every_threshold_and_marks_what_was_set() -> None:
    """The plan shows the limits in force, not only those of the file."""
    plan = recipe.explain(recipe.load("postmortem", ["spike_ratio=3"]))

    assert " * spike_ratio = 3" in plan
    for name in recipe.threshold_defaults():
        assert f" {name} = " in plan
