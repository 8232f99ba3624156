"""The cases of Zipkin's dependency linker, as far as they have a meaning here.

Each test is one case (or two that differ in one thing) of openzipkin/zipkin's
``DependencyLinkerTest``, built anew. Where tracemap answers otherwise, its docstring says why:

* a root SERVER span was called by ``user``, a CLIENT span that names nobody calls ``unknown``:
  Zipkin drops both;
* producer and consumer are joined by their parent ids even if nobody names the broker;
* errors are counted for each side.
"""

from __future__ import annotations

import polars as pl
import pytest

from tests.builders import Row
from tests.derive.traces import ERROR, at, edges, facts_of
from tracemap import derive
from tracemap.model import Facts

A, B, C, D = 10, 11, 12, 13


def zipkin(
    what: str,
    span_id: int,
    parent: int = 0,
    *,
    remote: str = "",
    error: bool = False,
    trace: int = 1,
) -> Row:
    """Return the span `what` (``app.C``) as it is read from Zipkin's JSON.

    `remote` is the name of its remote endpoint: of a broker for messages.
    """
    message = what.endswith((".P", ".K"))
    kind = "" if not remote else "queue" if message else "service"
    return at(
        what,
        span_id,
        parent,
        trace=trace,
        peer_kind=kind,
        peer_name=remote,
        status_code=ERROR if error else 0,
    )


def errors(facts: Facts) -> dict[str, tuple[int, int]]:
    """Return the errors that downstream and upstream saw, of the edges that have any."""
    counts = pl.sum("errors_downstream", "errors_upstream")
    rows = facts["edge_facts"].group_by("downstream", "upstream").agg(counts)
    return {
        f"{row['downstream']} -> {row['upstream']}": found
        for row in rows.iter_rows(named=True)
        if any(found := (row["errors_downstream"], row["errors_upstream"]))
    }


def web_app_db(trace: int = 1) -> list[Row]:
    """Return a request from web to app, which share a span id, and on to a database that fails."""
    return [
        zipkin("app.C", C, B, remote="db", error=True, trace=trace),
        zipkin("app.S", B, A, remote="web", trace=trace),
        zipkin("web.C", B, A, remote="app", trace=trace),
        zipkin("web.S", A, trace=trace),
    ]


WEB_APP_DB = {
    "app -> db (peer)": 1,
    "user -> web (root)": 1,
    "web -> app (paired)": 1,
}


def test_nothing_links_nothing() -> None:
    """No spans, no edges."""
    assert edges(facts_of()) == {}


def test_spans_are_linked() -> None:
    """web calls app under a shared span id, app calls a database and sees it fail."""
    facts = facts_of(*web_app_db())

    assert edges(facts) == WEB_APP_DB
    assert errors(facts) == {"app -> db": (1, 0)}


def test_trace_id_is_opaque() -> None:
    """It need not be the id of the root span."""
    assert edges(facts_of(*web_app_db(trace=0x123))) == WEB_APP_DB


def test_server_of_a_shared_id_misses_its_parent_id() -> None:
    """Its parent is the client with which it shares the id, whatever it says."""
    spans = [
        zipkin("link.S", B, remote="arn"),
        zipkin("arn.C", B, A, remote="link"),
        zipkin("arn.S", A),
    ]

    assert edges(facts_of(*spans)) == {"arn -> link (paired)": 1, "user -> arn (root)": 1}


def test_parent_id_of_a_shared_span_comes_late() -> None:
    """The client's side without it: the trace falls apart above, not below."""
    late = [row | {"parent_id": 0} if row["name"] == "app.S" else row for row in web_app_db()]

    assert edges(facts_of(*late)) == WEB_APP_DB


def test_client_of_a_shared_span_is_lost() -> None:
    """The server names its caller, and that makes the edge."""
    lost = [row for row in web_app_db() if row["name"] != "web.C"]
    orphaned = [row | {"parent_id": 0} if row["name"] == "app.S" else row for row in lost]

    assert edges(facts_of(*orphaned)) == {
        "app -> db (peer)": 1,
        "user -> web (root)": 1,
        "web -> app (peer)": 1,
    }


@pytest.mark.parametrize(
    ("broker_of_producer", "broker_of_consumer"),
    [("kafka", ""), ("", "kafka"), ("kafka", "kafka")],
)
def test_broker_is_named_by_either_side(broker_of_producer: str, broker_of_consumer: str) -> None:
    """Zipkin links only the side that names it; the parent id joins both to one queue."""
    facts = facts_of(
        zipkin("producer.P", A, remote=broker_of_producer),
        zipkin("consumer.K", B, A, remote=broker_of_consumer),
    )

    assert edges(facts) == {"consumer -> kafka (parent)": 1, "kafka -> producer (parent)": 1}


def test_brokers_of_both_sides_differ() -> None:
    """One message went through one queue: it is called what the producer calls it."""
    facts = facts_of(
        zipkin("producer.P", A, remote="kafka1"), zipkin("consumer.K", B, A, remote="kafka2")
    )

    assert edges(facts) == {"consumer -> kafka1 (parent)": 1, "kafka1 -> producer (parent)": 1}


def test_messages_without_a_broker() -> None:
    """Zipkin makes no link; the parent id proves that one consumed what the other produced."""
    facts = facts_of(zipkin("producer.P", A), zipkin("consumer.K", B, A))

    assert edges(facts) == {"consumer -> producer (parent)": 1}


@pytest.mark.parametrize("server", [B, A], ids=["below the producer", "shares its id"])
def test_server_of_a_producer_is_a_call(server: int) -> None:
    """What answers is a server, so it was no message."""
    facts = facts_of(zipkin("producer.P", A), zipkin("server.S", server, A if server == B else 0))

    assert edges(facts) == {"producer -> server (paired)": 1}


def test_client_above_a_consumer() -> None:
    """Older libraries send with CLIENT spans. Zipkin makes no link; the parent id makes one."""
    facts = facts_of(zipkin("client.C", A), zipkin("consumer.K", B, A))

    assert edges(facts) == {"consumer -> client (parent)": 1}


@pytest.mark.parametrize(
    ("what", "remote"), [("server.S", "client"), ("client.C", "server")], ids=["server", "client"]
)
def test_kind_tells_the_direction(what: str, remote: str) -> None:
    """One side alone makes the edge if it names the other."""
    assert edges(facts_of(zipkin(what, A, remote=remote))) == {"client -> server (peer)": 1}


def test_calls_on_one_edge_are_counted() -> None:
    """Two in one trace, one in another."""
    facts = facts_of(
        zipkin("client.S", A),
        zipkin("client.C", B, A, remote="server"),
        zipkin("client.C", C, A, remote="server"),
        zipkin("client.S", A, trace=2),
        zipkin("client.C", B, A, remote="server", trace=2),
    )

    assert edges(facts) == {"client -> server (peer)": 3, "user -> client (root)": 2}


@pytest.mark.parametrize("server", [B, A], ids=["ids of their own", "shared id"])
def test_both_sides_of_a_call_count_once(server: int) -> None:
    """One call with an error on each side, not two calls."""
    facts = facts_of(
        zipkin("client.C", A, error=True),
        zipkin("server.S", server, A if server == B else 0, error=True),
    )

    assert edges(facts) == {"client -> server (paired)": 1}
    assert errors(facts) == {"client -> server": (1, 1)}


def test_error_of_the_client_alone() -> None:
    """Zipkin adds it to the one count; here it is downstream's."""
    facts = facts_of(zipkin("web.C", A, error=True), zipkin("app.S", B, A))

    assert errors(facts) == {"web -> app": (1, 0)}


def test_name_is_taken_from_the_server() -> None:
    """What the client calls it does not matter where a server answered."""
    facts = facts_of(zipkin("client.C", A, remote="alias"), zipkin("server.S", B, A))

    assert edges(facts) == {"client -> server (paired)": 1}


def test_several_servers_below_one_client() -> None:
    """Two calls, as Zipkin counts them; the second is marked, as the client's duration is one."""
    facts = facts_of(
        zipkin("client.C", A, remote="server"),
        zipkin("server.S", B, A, remote="client", error=True),
        zipkin("server.S", C, A, remote="client"),
    )

    assert edges(facts) == {"client -> server (multi_server)": 1, "client -> server (paired)": 1}
    assert errors(facts) == {"client -> server": (0, 1)}


def test_local_span_without_a_service_between() -> None:
    """Zipkin skips it; here it stays visible as unknown_service, and nothing is lost."""
    facts = facts_of(
        zipkin("client.S", A),
        zipkin("unknown_service.U", B, A),
        zipkin("server.C", C, B),
        zipkin("server.C", D, B),
    )

    assert edges(facts) == {
        "client -> unknown_service (parent_only)": 1,
        "server -> unknown (unknown)": 2,
        "unknown_service -> server (parent_only)": 2,
        "user -> client (root)": 1,
    }


def test_local_span_between_server_and_client_of_another_service() -> None:
    """foo calls bar although bar recorded no SERVER span; bar's own calls stand below it."""
    facts = facts_of(
        zipkin("foo.S", A),
        zipkin("foo.U", B, A),
        zipkin("bar.C", C, B, remote="baz", error=True),
        zipkin("bar.C", D, B, remote="baz"),
    )

    assert edges(facts) == {
        "bar -> baz (peer)": 2,
        "foo -> bar (parent_only)": 2,
        "user -> foo (root)": 1,
    }
    assert errors(facts)["bar -> baz"] == (1, 0)


def test_client_whose_parent_is_missing() -> None:
    """It says whom it called, and that is enough."""
    facts = facts_of(zipkin("foo.C", C, B, remote="bar", error=True))

    assert edges(facts) == {"foo -> bar (peer)": 1}


@pytest.mark.parametrize("what", ["service.S", "service.C"])
def test_loopback(what: str) -> None:
    """A service that calls itself is an edge to itself."""
    facts = facts_of(zipkin(what, A, remote="service"))

    assert edges(facts) == {"service -> service (peer)": 1}


def test_spans_without_a_kind_that_name_a_peer_are_clients() -> None:
    """A chain of them is a chain of calls, the last one to what has no spans; errors stay."""
    facts = facts_of(
        zipkin("some-client.U", A, remote="web"),
        zipkin("web.U", B, A, remote="app", error=True),
        zipkin("app.U", C, B, remote="db"),
    )

    assert edges(facts) == {
        "app -> db (peer)": 1,
        "some-client -> web (paired)": 1,
        "web -> app (paired)": 1,
    }
    assert errors(facts) == {"some-client -> web": (0, 1), "web -> app": (1, 0)}


def test_span_that_knows_one_side_only() -> None:
    """Zipkin makes no link; here the other side is a user, or unknown."""
    assert edges(facts_of(zipkin("server.S", A))) == {"user -> server (root)": 1}
    assert edges(facts_of(zipkin("client.C", A))) == {"client -> unknown (unknown)": 1}


def test_siblings_below_a_missing_root_are_not_linked() -> None:
    """They have a caller in common, nothing else."""
    facts = facts_of(zipkin("service1.S", B, A), zipkin("service2.S", C, A))

    assert edges(facts) == {}


def test_spans_below_a_missing_root_are_linked() -> None:
    """What is missing above does not matter below."""
    facts = facts_of(zipkin("service1.S", B, A), zipkin("service2.S", C, B))

    assert edges(facts) == {"service1 -> service2 (parent_only)": 1}


def test_span_between_two_services_is_missing() -> None:
    """A CLIENT span of app below a SERVER span of web: web called app."""
    facts = facts_of(zipkin("web.S", A), zipkin("app.C", B, A))

    assert edges(facts) == {
        "app -> unknown (unknown)": 1,
        "user -> web (root)": 1,
        "web -> app (parent_only)": 1,
    }


def test_links_of_several_runs_are_added() -> None:
    """Counts of equal edges, and their errors, are sums."""
    one = facts_of(*web_app_db())
    two = facts_of(*web_app_db(trace=2))
    both = derive.merge(Facts.concatenate([one, two]))

    assert edges(both) == {edge: 2 * calls for edge, calls in WEB_APP_DB.items()}
    assert errors(both) == {"app -> db": (2, 0)}
