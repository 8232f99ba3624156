"""A database of an earlier version gets what it lacks, and keeps what it has."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.builders import NOON_NS, reading, span
from tracemap import engine, pipeline
from tracemap.model import HOUR_NS, Window
from tracemap.store import SCHEMA_VERSION, OutdatedError, Store
from tracemap.store.schema import schema_tables

LAST = {table.name: table.columns[-1].name for table in schema_tables()}
SHORTENED = ("quality_facts", "origins")
"""Tables that lack their last column of today: new columns come last."""
NOON = Window(NOON_NS, NOON_NS + HOUR_NS)


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A database with derived facts, without one table, two columns and one view of today's."""
    path = tmp_path / "earlier.duckdb"
    with Store.open(path, create=True) as store:
        store.append(reading(span(1), span(2, trace=2)))
        engine.update(store)
    with duckdb.connect(str(path)) as connection:
        for statement in (
            "DROP TABLE exemplars",
            "DROP VIEW traces",
            *(f"ALTER TABLE {name} DROP COLUMN {LAST[name]}" for name in SHORTENED),
            "UPDATE meta SET schema_version = 0, created_by = 'early'",
        ):
            connection.execute(statement)
    return path


def columns(path: Path) -> list[tuple[object, ...]]:
    with Store.open(path, read_only=True) as store:
        return store.query(
            """
            SELECT table_name, column_name, data_type, ordinal_position
            FROM information_schema.columns ORDER BY table_name, ordinal_position
            """
        ).rows()


def test_writing_makes_it_like_a_new_one(earlier: Path, tmp_path: Path) -> None:
    """Tables, columns, their order and types are those of a database made today."""
    Store.open(earlier).close()
    Store.open(tmp_path / "new.duckdb", create=True).close()

    assert columns(earlier) == columns(tmp_path / "new.duckdb")


def test_spans_and_findings_stay_and_facts_are_derived_again(earlier: Path) -> None:
    """Nothing is lost; the hours of all spans are marked, once each."""
    with Store.open(earlier) as store:
        assert store.ledger().spans == 2
        assert store.dirty_hours() == [NOON]
        engine.update(store)
        assert store.facts("exemplars").height > 0
        assert store.facts("quality_facts")["spans"].null_count() == 0
        assert store.query("SELECT schema_version FROM meta").item() == SCHEMA_VERSION


def test_reading_says_what_to_do(earlier: Path) -> None:
    """Whoever only reads it is told how it is brought up to date; the file is not touched."""
    before = earlier.read_bytes()

    with pytest.raises(OutdatedError, match="earlier tracemap: schema 0") as caught:
        Store.open(earlier, read_only=True)

    assert f"tracemap info --db {earlier}" in caught.value.hint
    assert earlier.read_bytes() == before


def test_commands_that_need_facts_bring_it_up_to_date(earlier: Path) -> None:
    """Reading with fresh facts opens it for writing once, as where spans are new."""
    with pipeline.up_to_date(earlier) as store:
        assert store.read_only
        assert store.dirty_hours() == []


def test_interrupted_upgrade_leaves_the_database_as_it_was(
    earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one transaction: half an upgrade is none, and the next one starts afresh."""

    def fails(_connection: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tracemap.store.upgrade._mark_all_hours", fails)
    with pytest.raises(KeyboardInterrupt):
        Store.open(earlier)
    monkeypatch.undo()

    with pytest.raises(OutdatedError):
        Store.open(earlier, read_only=True)
    Store.open(earlier).close()
    Store.open(earlier, read_only=True).close()
