from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    built = next(iter(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_adds_one_name(wheel: list[str]) -> None:
    """Nothing but `tracemap` lands in somebody's site-packages."""
    names = {name.split("/")[0] for name in wheel}

    assert {name for name in names if not name.endswith(".dist-info")} == {"tracemap"}


def test_the_wheel_carries_what_the_commands_read(wheel: list[str]) -> None:
    """Recipes, samples, templates, schema and the typing mark are files, not modules."""
    for wanted in (
        "tracemap/_pipelines/batch.toml",
        "tracemap/_pipelines/postmortem.toml",
        "tracemap/store/schema.sql",
        "tracemap/py.typed",
    ):
        assert wanted in wheel
    assert any(name.startswith("tracemap/_sample_traces/") for name in wheel)
    assert any(name.startswith("tracemap/report/templates/") for name in wheel)
    assert any(name.endswith("licenses/LICENSE") for name in wheel)


def test_the_wheel_carries_no_caches_and_no_tests(wheel: list[str]) -> None:
    """Only what is needed to run."""
    assert not [name for name in wheel if "__pycache__" in name or "test" in name.split("/")]


def test_constraints_pin_every_dependency_with_hashes_and_no_addresses() -> None:
    """The environment is repeatable, from wherever pip is told to fetch."""
    text = (ROOT / "constraints.txt").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    pinned = set(re.findall(r"^([a-z0-9-]+)==\S+", text, re.MULTILINE))

    assert {re.split(r"[>=<\[]", line)[0].lower() for line in wanted} <= pinned
    assert "://" not in text
    blocks = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)
    assert all("--hash=sha256:" in block for block in blocks if block.strip())


def test_every_dependency_has_a_lower_bound() -> None:
    """A resolver must not pick a version nobody ever ran."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert all(">=" in line for line in project["project"]["dependencies"])


def test_the_build_uses_what_the_constraints_bring() -> None:
    """`make` installs without build isolation, so the backend is among the pinned."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert set(project["build-system"]["requires"]) <= set(project["dependency-groups"]["dev"])
