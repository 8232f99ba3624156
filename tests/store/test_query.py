"""SQL that a user wrote reads this database and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import NOON_NS, link, reading, span
from tracemap.errors import PipelineError
from tracemap.model import Quality
from tracemap.store import Store


def test_span_as_people_see_it(store: Store) -> None:
    """Ids are hex, codes are words, and what the ids point to stands in the row."""
    row = span(
        0xAB,
        trace=0xCD,
        parent=1,
        trace_high=0xEF << 56,
        name="GET /cart/7",
        operation="GET /cart/{id}",
        kind=3,
        status_code=2,
        http_status=503,
        attributes='{"http.route": "/cart/{id}"}',
        environment="prod",
        quality=int(Quality.NAME_EMPTY),
    )
    store.append(reading(row, span(1, trace=0xCD, trace_high=0xEF << 56), name="x.json"))

    (seen,) = store.query("SELECT * FROM spans WHERE kind = 'CLIENT'").iter_rows(named=True)
    assert seen["trace_id"] == "ef000000000000000000000000" + "0000cd"
    assert (seen["span_id"], seen["parent_span_id"]) == ("00000000000000ab", "0000000000000001")
    assert (seen["service"], seen["environment"]) == ("web", "prod")
    assert (seen["name"], seen["operation"]) == ("GET /cart/7", "GET /cart/{id}")
    assert (seen["status_code"], seen["http_status"]) == ("ERROR", 503)
    assert seen["start_time_unix_nano"] == NOON_NS
    assert seen["start_time"].timestamp() * 1e9 == NOON_NS
    assert (seen["duration_ns"], seen["file"]) == (1_000_000, "x.json")
    route = store.query("SELECT attributes ->> 'http.route' AS r FROM spans WHERE r IS NOT NULL")
    assert route["r"].to_list() == ["/cart/{id}"]


def test_root_has_no_parent(store: Store) -> None:
    """A parent id of zeros is none."""
    store.append(reading(span(1)))

    assert store.query("SELECT parent_span_id FROM spans")["parent_span_id"].to_list() == [None]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS one",
        "FROM traces",
        "WITH x AS (SELECT 1) FROM x",
        "VALUES (1)",
        "SHOW TABLES",
        "DESCRIBE spans",
        "SUMMARIZE spans",
        "EXPLAIN SELECT * FROM spans",
        "SELECT sum(duration_ns) FROM spans -- a comment; with a semicolon",
    ],
)
def test_statement_that_reads(store: Store, sql: str) -> None:
    """Everything that only reads is possible."""
    store.append(reading(span(1)))

    assert store.query(sql).height >= 1


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "DELETE FROM stored_spans",
        "INSERT INTO dirty_hours VALUES (1)",
        "CREATE TABLE mine AS SELECT 1",
        "CREATE TEMP TABLE mine AS SELECT 1",
        "DROP VIEW spans",
        "SELECT 1; DELETE FROM stored_spans",
        "EXPLAIN ANALYZE DELETE FROM stored_spans",
        "COMMIT",
        "CHECKPOINT",
        "SET threads = 1",
        "SET enable_external_access = true",
        "PRAGMA enable_profiling",
        "INSTALL httpfs",
        "LOAD httpfs",
    ],
)
def test_statement_that_does_anything_else(store: Store, sql: str) -> None:
    """Nothing is changed, and the database goes on working."""
    store.append(reading(span(1)))

    with pytest.raises(PipelineError) as caught:
        store.query(sql)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert store.query("SELECT count(*) FROM spans").item() == 1
    assert not store.append(reading(span(2), name="next")).known


def test_files_are_out_of_reach(store: Store, tmp_path: Path) -> None:
    """Neither reading nor writing any file, not even through functions of DuckDB."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nb\n")
    for sql in [
        f"SELECT * FROM read_csv('{secret}')",
        f"SELECT * FROM read_text('{secret}')",
        f"SELECT * FROM '{secret}'",
        f"SELECT * FROM glob('{tmp_path}/*')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        f"EXPORT DATABASE '{tmp_path}/out'",
        f"ATTACH '{tmp_path}/other.duckdb' AS other",
        f"SELECT * FROM sqlite_scan('{secret}', 'a')",
    ]:
        with pytest.raises(PipelineError):
            store.query(sql)
    assert sorted(path.name for path in tmp_path.iterdir() if "duckdb" not in path.name) == [
        "secret.csv"
    ]


def test_variables_of_the_program_are_out_of_reach(store: Store) -> None:
    """DuckDB would resolve unknown tables to Python variables; here it does not."""
    secret = store.query("SELECT 42 AS answer")

    with pytest.raises(PipelineError, match="does not exist"):
        store.query("SELECT * FROM secret")
    assert secret.item() == 42


def test_mistake_in_the_statement(store: Store) -> None:
    """DuckDB's message is passed on: it says what it did not understand, and what may be meant."""
    with pytest.raises(PipelineError, match="duration_ns"):
        store.query("SELECT duratoin_ns FROM spans")


def test_type_that_has_no_place_in_a_table(store: Store) -> None:
    """Intervals cannot be shown; the hint says what to do."""
    with pytest.raises(PipelineError) as caught:
        store.query("SELECT INTERVAL 3 DAY")
    assert "CAST" in caught.value.hint


def test_reading_only(store: Store, tmp_path: Path) -> None:
    """All that reads works on a database opened for reading."""
    one, two = span(1), span(1, trace=2)
    store.append(reading(one, two, links=[link(one, two)]))
    store.close()
    with Store.open(tmp_path / "t.duckdb", read_only=True) as reader:
        assert reader.query("SELECT count(*) FROM spans").item() == 2
        assert reader.ledger().spans == 2
        assert len(list(reader.buckets(max_spans=1))) == 2
        assert reader.trace(f"{2:032x}").spans.height == 1
        assert len(reader.dirty_hours()) == 1


def test_two_stores_on_one_database(store: Store, tmp_path: Path) -> None:
    """One process may open a database twice; both see what is committed."""
    with Store.open(tmp_path / "t.duckdb", threads=1) as second:
        store.append(reading(span(1)))
        assert second.ledger().spans == 1
