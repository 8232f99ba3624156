"""Terms of weeks and cohorts compared."""

from __future__ import annotations

from tracemap.report.terms.definition import Definition

TERMS = (
    Definition(
        "edge-change",
        "Edge change",
        "What became of an edge between two long windows: new, gone, re-routed, slower, faster, "
        "more or fewer errors, more or fewer calls, changed evidence or protocol; or other mix, "
        "sampled differently, not observed, not observed before, too few calls, steady.",
        formula="gone: 0 calls, >= 20 expected from its callers, who called others; silent by "
        "chance in less than 1 of 1000 weeks",
        limits="All tests of a report together keep the rate of false alarms at 5 %. Not observed "
        "says nothing about whether the edge is there.",
    ),
    Definition(
        "percentile-ratio",
        "Percentile ratio",
        "A percentile in the window divided by the same in the baseline, with its 95 % interval.",
        formula="slower: >= 1.2 times and >= 2 ms more, certain among all tests, and not made by "
        "another mix of operations",
        limits="p50 needs 30 calls on both sides, p95 200, p99 1000; else there is no ratio.",
    ),
    Definition(
        "interval-over-days",
        "Interval over days",
        "The range in which 95 of 100 repetitions would lie if days were drawn anew: requests of "
        "one day depend on each other, so days, not requests, are counted. Shorter windows are "
        "cut into shorter cells.",
        formula="share below the percentile +- t x its standard error from day to day, and the "
        "percentiles at both ends",
        limits="With a single day or cell there is no interval, and nothing is called changed.",
    ),
    Definition(
        "speed-and-mix",
        "Speed and mix",
        "The change of an edge's mean, split: speed is the same operations taking longer, mix is "
        "another selection of operations.",
        formula="change = sum of mean share x change of each operation + sum of change of share x "
        "its mean",
        example="If only the report that always took 2 s is called more often, all of it is mix.",
    ),
    Definition(
        "calls-per-request",
        "Calls per request",
        "Calls on the edge per request of those operations of downstream that make them; its "
        "ratio lets each of these operations weigh the same on both sides.",
        limits="Calls made outside of any operation have no such rate.",
    ),
    Definition(
        "versions",
        "Versions",
        "Versions of the service that recorded spans, the first seen first; baseline and window, "
        "where they differ.",
        limits="A dash: the spans name none.",
    ),
    Definition(
        "partial-week",
        "Partial week",
        "Seven days that hold data on fewer: the first, where the data begins within it, or one in "
        "which an export stood still. Its calls are not those of a week.",
        formula="calls a day = calls / days that hold data",
        limits="A day with any call counts as a whole one, but for the first and the last that are "
        "covered: these count by the hour.",
    ),
    Definition(
        "since-version",
        "Since version",
        "The new version of a service with which a change began: it ran in the window, not in the "
        "baseline, and makes most spans since.",
        formula="before its first day less than half of the change, on its first whole day half of "
        "it or more",
        limits="That both came at once does not prove that one made the other.",
    ),
    Definition(
        "declared-dependency",
        "Declared dependency",
        "Whether a dependency in the catalog was observed, or one observed is in the catalog.",
        limits="Not observed is not gone: the call may be rare, leave no spans, or be sampled "
        "away; the reason says whether both ends were seen at all. Not declared counts only for "
        "services that declare any dependency.",
    ),
    Definition(
        "user-time",
        "User time",
        "What users wait for: exclusive time on the critical path of their requests, by own time "
        "of an operation or by the way between two services, per request.",
        formula="sum over all rows = mean duration of a user request",
        limits="Told where it is certain, at least 0.5 ms and 1 % of the mean request. Each "
        "operation of users weighs the same on both sides; another mix of them is told apart.",
    ),
    Definition(
        "slower-or-more",
        "Slower or more",
        "The change of user time, split into the same calls taking longer and more calls per "
        "request.",
        formula="change of (n x t) = mean n x change of t + mean t x change of n",
    ),
    Definition(
        "cost-to-users",
        "Cost to users",
        "Change of user time times the requests of the window: what users waited longer, in all.",
    ),
    Definition(
        "share-of-waiting",
        "Share of waiting",
        "Part of all time users wait that is spent there; the largest is the bottleneck, rank 1.",
        limits="Making it faster by a tenth makes requests faster by a tenth of this share.",
    ),
    Definition(
        "error-budget",
        "Error budget",
        "User requests that may fail: 1 in 1000, unless the recipe says otherwise. A failed "
        "request is charged to the service at which it began to fail.",
        formula="used = failed / (requests x (1 - objective))",
        limits="Only failures that reached the user's request count. Recorded requests count as "
        "those they stand for; what a sampler hides that says nothing of itself stays hidden.",
    ),
)
