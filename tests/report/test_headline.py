from __future__ import annotations

from dataclasses import replace

import polars as pl

from tests.report import believable
from tests.report.shop import MS, NOON_NS, edge, table
from tests.report.small import findings, leaf, move, origin
from tracemap.model import EDGES, ERRORS, MINUTE_NS, Findings, Window
from tracemap.report import build


def changed(**columns: object) -> Findings:
    """The incident with columns of its origins replaced."""
    findings = believable.incident()
    literals = {name: pl.lit(value) for name, value in columns.items()}
    findings.tables["origins"] = findings.tables["origins"].head(1).with_columns(**literals)
    return findings


def test_an_incident_says_who_whom_how_much_and_what_stopped_it() -> None:
    """One sentence that can be read out on a call."""
    assert build(believable.incident()).headline == (
        "storefront POST /buy slowed down by 276 ms [257, 296] per request on average "
        "(p95 318 → 790 ms): "
        "252 ms (91 % of this operation's change) is card-db's own time, which reached it over "
        "3 hops (card-db → payment → checkout → storefront); 179 ms more was offered by "
        "recommendations to checkout but absorbed by parallel slack."
    )


def test_a_part_that_is_certain_of_a_change_that_is_not_is_told_alone() -> None:
    """Nothing is called slower and within ordinary variation in one breath."""
    leaves = [leaf(3, "self", 40, half_ms=5), leaf(1, "self", 10, half_ms=90)]
    made = findings(leaves, [origin(1, "cart", "self", 40, 0.9, operation="GET /cart")])
    made.tables["flow"] = made.tables["flow"].with_columns(
        low_ns=pl.when(pl.col("leaf") == "").then(-80 * MS).otherwise("low_ns"),
    )

    headline = build(made).headline

    assert headline.startswith("40 ms more per request of web GET / is cart's own time")
    assert "as a whole it changed by +50 ms [" in headline
    assert "within ordinary variation" in headline
    assert "slowed down" not in headline
    assert "(within ordinary variation)" in build(made).text()


def test_an_edge_is_blamed_as_an_edge() -> None:
    """Neither end is charged with the wire between them."""
    headline = build(
        changed(
            service="payment", cause="wire", edge_downstream="checkout", edge_upstream="payment"
        )
    ).headline

    assert "the way between checkout and payment (network, pool or queue)" in headline


def test_a_weak_origin_is_called_a_lead() -> None:
    """Nobody is blamed on thin evidence."""
    assert (
        "a lead, not a finding, is card-db's own time" in build(changed(confidence="weak")).headline
    )


def test_an_upstream_that_nobody_names_is_not_called_by_a_name() -> None:
    """`unknown` stands for whatever it is; the spans of who calls it could say more."""
    report = build(changed(service="unknown", operation="query"))

    assert "is time in an upstream without a name (called as query)" in report.headline
    assert "unknown's own time" not in report.headline
    assert "server.address or peer.service on them would" in report.markdown()


def test_more_calls_are_not_called_slowness() -> None:
    """N+1 is a change of the caller."""
    headline = build(
        changed(
            service="checkout", cause="calls", edge_downstream="checkout", edge_upstream="inventory"
        )
    ).headline

    assert "more calls from checkout to inventory" in headline


def test_without_a_flow_the_origin_is_still_named() -> None:
    """The recipe may not ask for it."""
    findings = believable.incident()
    findings.tables["flow"] = findings.tables["flow"].clear()

    assert build(findings).headline == (
        "The likeliest origin is card-db's own time: 203 ms per user request on average, "
        "93 % of the time all origins explain."
    )


def test_spikes_alone_are_reported_as_spikes() -> None:
    """Nothing was compared, so nothing is blamed."""
    findings = believable.incident("batch")
    for name in ("flow", "origins", "propagation"):
        findings.tables[name] = findings.tables[name].clear()

    assert build(findings).headline == (
        "4 latency spikes in 4 operations: the worst is card-db SELECT cards with p95 at 470 ms, "
        "7.58 times its baseline."
    )


def test_an_operation_that_got_faster_is_not_the_hardest_hit() -> None:
    """Whatever else happened."""
    made = findings([leaf(1, "self", -49)], [origin(1, "cart", "error", 0.0, 0.0)])

    assert "Hardest hit" not in build(made).markdown()


def test_the_operation_the_origin_hurt_is_named_not_the_one_with_calls() -> None:
    """A root operation that calls nobody still counts with all its requests."""
    made = findings(
        [leaf(9, "self", 499), leaf(1, "self", 0.2), leaf(3, "self", 16)],
        [origin(1, "web", "self", 250, 0.97, operation="POST /login"),
         origin(2, "cart", "self", 8, 0.03, operation="GET /cart")],
    )  # fmt: skip

    assert build(made).headline == (
        "web POST /login slowed down by 499 ms [498, 500] per request on average: "
        "499 ms (100 % of this operation's change) is web's own time."
    )


def test_the_operation_the_origin_hurt_comes_before_one_that_lost_more() -> None:
    """The sentence is about one story: the first origin and whom it reached most."""
    made = findings(
        [leaf(9, "self", 60), leaf(3, "self", 40)],
        [origin(1, "cart", "self", 40, 0.9, operation="GET /cart")],
    )

    assert build(made).headline.startswith("web GET / slowed down by 40 ms")


def test_an_origin_that_did_nothing_to_the_operation_is_not_given_a_part_of_it() -> None:
    """The largest part is said as what it is."""
    made = findings([leaf(3, "self", 40)], [origin(1, "mailer", "self", 9, 0.9)])

    assert (
        "the largest part, 40 ms (100 % of this operation's change), is cart's own time; the "
        "likeliest origin is mailer's own time, 9.0 ms per user request"
    ) in build(made).headline


def test_a_strong_origin_goes_before_a_weak_one_of_better_rank() -> None:
    """A lead is never told as the finding while there is one."""
    weak = origin(1, "web", "self", 50, 0.6, confidence="weak", operation="GET /")
    made = findings([leaf(1, "self", 50), leaf(3, "self", 30)],
                    [weak, origin(2, "cart", "self", 30, 0.4)])  # fmt: skip

    assert "30 ms (38 % of this operation's change) is cart's own time" in build(made).headline


def test_a_weak_origin_is_never_the_likeliest() -> None:
    """Not even where the flow has no leaf of it."""
    weak = origin(1, "mailer", "self", 9, 0.9, confidence="weak")
    headline = build(findings([leaf(3, "self", 40)], [weak])).headline

    assert "a lead, not a finding, is mailer's own time" in headline
    assert "likeliest" not in headline


def test_two_origins_of_a_size_are_both_named() -> None:
    """Mending one would leave the other."""
    made = findings(
        [leaf(1, "self", 50), leaf(3, "self", 40)],
        [origin(1, "web", "self", 50, 0.56), origin(2, "cart", "self", 40, 0.44)],
    )

    assert (
        "50 ms (56 % of this operation's change) is web's own time, and 40 ms (44 %) is "
        "cart's own time, which reached it over 1 hop (cart → web)"
    ) in build(made).headline


def test_a_part_larger_than_the_whole_has_no_percentage() -> None:
    """Something else got faster; that is no 100 %."""
    made = findings(
        [leaf(3, "self", 55), leaf(1, "small", -24)], [origin(1, "cart", "self", 55, 1.0)]
    )

    assert build(made).headline == (
        "web GET / slowed down by 31 ms [30.0, 32.0] per request on average: "
        "55 ms, partly made up by other "
        "parts that got faster, is cart's own time, which reached it over 1 hop (cart → web)."
    )


def test_less_than_nothing_is_not_unexplained() -> None:
    """A negative part is an improvement."""
    made = findings(
        [leaf(3, "self", 55), leaf(1, "self", 40), leaf(1, "small", -20)],
        [origin(1, "cart", "self", 55, 1.0)],
    )

    assert build(made).headline.endswith("other parts got faster by 20 ms.")


def test_own_time_nobody_is_sure_of_is_the_largest_part() -> None:
    """Instead of "no origin explains it; 100 ms is its own time"."""
    assert build(findings([leaf(1, "self", 100)])).headline == (
        "web GET / slowed down by 100 ms [99.0, 101] per request on average: "
        "the largest part, 100 ms (100 % "
        "of this operation's change), is its own time; no origin is certain enough to be named."
    )


def test_the_network_around_the_victim_has_no_way_to_it() -> None:
    """It is there already."""
    made = findings([leaf(2, "gap", 60)], [origin(1, "web", "wire", 60, 1.0)])

    assert build(made).headline.endswith("is the network around web.")


def test_the_way_below_the_victim_has_no_way_to_it_either() -> None:
    """An edge begins where the victim is."""
    wire = origin(1, "cart", "wire", 60, 1.0, edge_downstream="web", edge_upstream="cart")

    assert build(findings([leaf(2, "gap", 60)], [wire])).headline.endswith(
        "is the way between web and cart (network, pool or queue)."
    )


def test_an_improvement_is_told() -> None:
    """Nobody asks for it, everybody wants to know."""
    headline = build(findings([leaf(3, "self", -43)], verdict="quiet")).headline

    assert headline.endswith("web GET / changed by -43 ms [-44.0, -42.0] per request.")


def test_a_sentence_about_a_part_of_the_window_says_which() -> None:
    """A batch covers a day; its story is the worst spike."""
    made = believable.incident("batch")
    made.incident = Window(NOON_NS + 2 * MINUTE_NS, NOON_NS + 8 * MINUTE_NS)

    assert "(p95 318 → 790 ms) in 2026-03-02 12:02 to 12:08 UTC: 252 ms" in build(made).headline


def test_a_fault_that_reached_nobody_is_about_what_held_it_back() -> None:
    """Two milliseconds of noise in a user's operation are not the news."""
    made = findings(
        [leaf(1, "self", 2.0)],
        [],
        [
            move("web", "GET /", "cart", "GET /cart", 300, 4, "absorbed", mechanism="timeout"),
            move("web", "POST /login", "cart", "POST /cart", 20, 0, "absorbed"),
        ],
    )
    chance = {**made.tables, "flow": made.tables["flow"].with_columns(low_ns=-MS)}
    report = build(replace(made, tables=chance))

    assert "; users waited at most 2.0 ms longer, for web GET /." in build(made).headline
    assert report.headline == (
        "296 ms of 300 ms that cart GET /cart took longer was absorbed by timeout in web GET /; "
        "no user-visible operation became slower by more than ordinary variation."
    )
    assert "Hardest hit" not in report.markdown()


def test_little_that_reached_users_beyond_chance_is_told_the_same_everywhere() -> None:
    """The headline, the flow and the verdict of one fault that was held back agree."""
    made = findings(
        [leaf(1, "self", 4.0), leaf(9, "self", 6.0)],
        [],
        [move("web", "GET /", "cart", "GET /cart", 300, 4, "absorbed", mechanism="timeout")],
        sections=("summary", "flow"),
    )
    is_chance = pl.col("root_operation") == "POST /login"
    flow = made.tables["flow"].with_columns(low_ns=pl.when(is_chance).then(-MS).otherwise("low_ns"))
    report = build(replace(made, tables={**made.tables, "flow": flow}))

    assert report.headline.endswith("; users waited at most 4.0 ms longer, for web GET /.")
    assert "1 user-visible operation became slower" in report.markdown()
    assert "- Verdict: **Absorbed**" in report.markdown()
    assert "(absorbed)" in report.text()


def test_a_change_of_users_beyond_chance_is_the_news_even_if_much_was_absorbed() -> None:
    """A certain change comes first, what was absorbed second."""
    made = findings(
        [leaf(1, "self", 80.0)],
        [],
        [move("web", "GET /", "cart", "GET /cart", 300, 4, "absorbed", mechanism="timeout")],
    )

    assert build(made).headline.startswith("web GET / slowed down by 80 ms")


def test_failures_that_nobody_passed_on_are_said() -> None:
    """Half of the calls fail and users notice nothing: that is what there is to read."""
    made = findings([leaf(1, "self", 0.1)], [])
    row = {
        "downstream": "web", "downstream_operation": "GET /", "upstream": "cart",
        "upstream_operation": "GET /cart", "verdict": "absorbed", "offered_errors": 0.5,
        "arrived_errors": 0.0, "errors": 200, "calls": 400,
    }  # fmt: skip
    made.tables["errors"] = table(ERRORS, [row])

    assert build(made).headline.startswith(
        "Calls to cart GET /cart failed in 50 % more of the requests of web GET /, which went well"
        " all the same (absorbed); no user-visible operation became slower"
    )


def test_a_slow_consumer_of_messages_has_no_origin_as_no_user_waits() -> None:
    """That is the reason, not that the data leaves a doubt."""
    made = findings([leaf(3, "self", 40)], [])
    made.tables["edges"] = table(
        EDGES, [edge("web", "orders", 400, 5, connection_type="messaging")]
    )

    assert build(made).headline.endswith(
        "is cart's own time; web works on messages, for which no user waits, so no origin is named."
    )


def test_own_time_that_is_charged_to_who_failed_is_not_told_twice() -> None:
    """Pauses before retries count for the upstream, so parts still add up to the whole."""
    made = findings(
        [leaf(1, "self", 17), leaf(3, "self", 24)], [origin(1, "cart", "error", 41, 1.0)]
    )
    made.tables["flow"] = made.tables["flow"].with_columns(
        origin=pl.when(pl.col("leaf") == "self").then(1).cast(pl.Int32)
    )

    headline = build(made).headline

    assert "is failures of cart" in headline
    assert "own time" not in headline
