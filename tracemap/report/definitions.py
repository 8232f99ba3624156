"""What every number on a report means: the one source for the page, and checked in the docs.

The ids are the anchors of ``docs/methods.md`` and of the definitions at the end of each page.
"""

from __future__ import annotations

from dataclasses import dataclass

GLOSSARY = {
    "upstream": "the side that provides: the callee, the database, the producer of a message",
    "downstream": "the side that consumes and waits: the caller, the consumer of a message",
    "spike": "a stretch of time in which a latency left its baseline",
    "propagated": "downstream became slower because upstream did",
    "absorbed": "upstream became slower, yet downstream did not: something took it up",
}
GLOSSARY_LINE = (
    "Upstream provides: the callee, the database, the producer of a message. "
    "Downstream consumes and waits: the caller, the consumer of a message."
)


@dataclass(frozen=True)
class Definition:
    """What one number means: in a sentence or two, a formula, an example, and its limits."""

    id: str
    term: str
    meaning: str
    formula: str = ""
    example: str = ""
    limits: str = ""


_ALL = (
    Definition(
        "calls",
        "Calls",
        "How often downstream reached upstream: one for each pair of client and server span, one "
        "for a client span whose upstream recorded nothing, one for a message received.",
        limits="An attempt is a call: retries are counted each. In a sampled export these are the "
        "calls that were kept; the weighted number estimates how many there were.",
    ),
    Definition(
        "weighted-calls",
        "Weighted calls",
        "How many calls the kept ones stand for, by the sampling probability each trace carries.",
        formula="sum of 2^56 / (2^56 - threshold) over the calls kept",
        example="At a probability of 10 %, 120 calls kept stand for 1,200.",
        limits="A trace without that mark counts as one. Where slow traces were kept on purpose "
        "(tail sampling), percentiles are too high and no weight can mend that.",
    ),
    Definition(
        "failed-calls",
        "Failed calls",
        "Calls that ended with status ERROR, counted on each side on its own: what downstream saw "
        "and what upstream recorded.",
        example="12 seen downstream and 0 upstream: the calls were lost on the way or timed out.",
    ),
    Definition(
        "percentiles",
        "Percentiles",
        "p95 is the duration that 95 of 100 calls do not exceed; p50 is the median. On an edge it "
        "is what downstream waited; where there is no client span, what upstream took.",
        formula="from a histogram whose buckets are 1.1 % wide, so any percentile is within 0.55 %",
        limits="Percentiles never add up or average; each is read from its own calls.",
    ),
    Definition(
        "gap",
        "Gap",
        "What downstream waited minus what upstream took, call by call: network, TLS, connection "
        "pool and queue.",
        formula="gap = client duration - server duration",
        example="Client 48 ms, server 41 ms: the gap is 7 ms.",
        limits="Only durations go into it, so clocks that disagree cannot touch it. Unknown where "
        "one of the two spans is missing.",
    ),
    Definition(
        "evidence",
        "Evidence",
        "The rules by which an edge was seen, with how often each applied: paired client and "
        "server spans, a peer named by the client, a link between spans, and others.",
        limits="An edge that is missing was not observed, which is not proof that it is gone.",
    ),
    Definition(
        "own-time",
        "Own time",
        "The part of an operation's duration in which it waited for none of its calls.",
        formula="duration = own time + on-path time of its calls, exact to the nanosecond",
        example="100 ms long, one call from 20 to 70 ms: own time is 50 ms.",
        limits="Calls that were not recorded count as own time. Where calls run side by side, the "
        "one that returns last is on the path, then whatever had to end before it began.",
    ),
    Definition(
        "critical-path",
        "Critical path",
        "The chain of own times that adds up to a trace's duration: making any other span faster "
        "would not have made this trace faster.",
        formula="sum of critical time over all spans = duration of the root span",
    ),
    Definition(
        "baseline-window",
        "Baseline window",
        "The time with which the window is compared. The report says which was taken and why.",
        limits="If the baseline was itself unwell, changes look smaller than they are.",
    ),
    Definition(
        "spike-episode",
        "Spike episode",
        "A stretch of neighbouring cells of time in which a percentile is far above its baseline.",
        formula="two cells in a row, or one with z of 8 and more, that stand out among all units "
        "tested (Benjamini-Hochberg), 1.25 times and 5 ms above the baseline",
        limits="With too few calls in its cells a unit is not judged, rather than called good.",
    ),
    Definition(
        "robust-z",
        "Robust z",
        "How far the logarithm of a percentile lies above the median of the neighbouring cells, in "
        "units of their usual scatter and of the uncertainty of the percentile itself.",
        formula="z = (ln q - median) / sqrt(scatter^2 + sampling error^2)",
        example="z = 8 is far outside anything the baseline did; z = 2 is an ordinary bad minute.",
        limits="Cells of time are compared, never single requests: requests of one minute depend "
        "on each other, and tests on them call every drift a spike.",
    ),
    Definition(
        "rise-ratio",
        "Rise ratio",
        "p95 of the episode divided by p95 of the baseline.",
        example="From 40 ms to 200 ms is a rise of 5.",
    ),
    Definition(
        "offered",
        "Offered",
        "How much more time per downstream request was spent in calls to this upstream than in "
        "the baseline, whether or not anybody waited for it.",
        formula="offered = change of (calls per request x mean duration of a call)",
        example="Two calls per request, each 30 ms slower: 60 ms offered.",
    ),
    Definition(
        "arrived",
        "Arrived",
        "How much of what was offered made the downstream request itself longer.",
        formula="arrived = change of the time these calls spend on the request's path",
        example="60 ms offered beside a slower parallel call: 0 ms arrived.",
        limits="Means per request, not percentiles. The interval is the range in which 95 of 100 "
        "repetitions would lie, by leaving out a fiftieth of the traces at a time.",
    ),
    Definition(
        "arrived-ratio",
        "Arrived ratio",
        "Arrived divided by offered: 1 is all of it, 0 is none, above 1 downstream made it worse.",
        formula="ratio = arrived / offered",
    ),
    Definition(
        "verdict",
        "Verdict",
        "What became of the spike at this edge: propagated (at least a fifth of it arrived), "
        "amplified (more arrived than was offered, ratio 1.2 and above), absorbed (less than a "
        "fifth), no spike (upstream was not slower), too few calls (nothing can be said).",
        limits="Propagated needs at least 1 ms, 5 % of downstream's change, and an interval that "
        "excludes zero; an upstream that is slower by less than a quarter has no spike.",
    ),
    Definition(
        "mechanism",
        "Mechanism",
        "What kept the time from downstream: async (nobody waited for these calls), timeout "
        "(downstream left, upstream went on), hedge (a second call answered first), parallel slack "
        "(something slower ran beside it).",
        limits="The one that took most is named. Parallel slack is what remains when none of the "
        "others was measured.",
    ),
    Definition(
        "pattern",
        "Pattern",
        "What calls do about a slow or failing upstream, or how they are made: timeout, circuit "
        "breaker, hedge, fallback, optional call, short circuit, retry, parallel slack, async; "
        "retry storm, layered retries, deadline inversion, cache misses; fan-out, calls in a loop, "
        "calls in a row.",
        limits="Only what came into play leaves spans. Each one's rule stands in the methods.",
    ),
    Definition(
        "role",
        "Role",
        "Protects: keeps time or failures of upstream from downstream. Hurts: makes a spike "
        "larger. Advice: calls that could be made faster. Missing: nothing was seen on the edge.",
    ),
    Definition(
        "kept-away",
        "Kept away",
        "Milliseconds per downstream request that did not arrive because of the pattern, more than "
        "in the baseline.",
        formula="timeout, hedge: time upstream went on after downstream had left / requests\n"
        "breaker, short circuit: calls not made x rise of a call's duration / requests",
        example="299 of 622 calls were given up after 100 ms and upstream went on for 240 ms each: "
        "299 x 240 / 622 = 115 ms per request.",
        limits="What was not waited for is known only where upstream recorded it. Of calls that "
        "were not made it is an estimate: had they been as slow as the others.",
    ),
    Definition(
        "rescued",
        "Rescued",
        "How many calls or requests went well that would have failed: retries that went well, "
        "second calls that answered first, requests answered by a fallback or without the call.",
    ),
    Definition(
        "pattern-confidence",
        "Pattern confidence",
        "Strong: seen at least 20 times, and nothing else looks like it. Weak: seen at least 5 "
        "times, or something in the spans could be read otherwise. Of missing insulation: strong "
        "where the spike came through, weak where nothing was seen either way.",
    ),
    Definition(
        "requests-through-it",
        "Requests through it",
        "Share of users' requests that make the call, directly or through others.",
        formula="min(calls below a root operation, its requests), summed / all requests",
        limits="An operation that calls twice in some requests and never in others looks like one "
        "call in more of them.",
    ),
    Definition(
        "origin-cause",
        "Origin cause",
        "What moved at the origin: self (its own time), wire (the gaps around it: network, pool, "
        "queue), calls (it issues more calls, or more of its requests do), error (it fails, or "
        "calls to it do; its time is that of retries and fallbacks), mix (requests of another kind "
        "came: nobody is accused).",
        limits="An upstream that recorded no spans of its own cannot be looked into: the origin is "
        "at it or beyond it. A gap is charged to the end whose other edges rose too; where only "
        "one edge rose, to the edge.",
    ),
    Definition(
        "excess-failures",
        "Excess failures",
        "Share of all user requests that failed because of this origin, beyond those of the "
        "baseline. A currency of its own, never added to milliseconds.",
        formula="change of (failed requests charged to it / user requests)",
        limits="Every failed request counts once: at the last step of the chain of failed spans.",
    ),
    Definition(
        "offered-failures",
        "Offered failures",
        "How many more calls to this upstream failed, as downstream saw it, per downstream "
        "request.",
        formula="offered = change of (failed calls per request)",
    ),
    Definition(
        "edge-hardness",
        "Edge hardness",
        "How much likelier a request fails when such a call fails than when it does not: 1 is a "
        "hard dependency, 0 one that downstream can do without.",
        formula="P(request failed | a call failed) - P(request failed | it called, none failed)",
        limits="Over both windows; unknown with fewer than 20 requests that saw one fail.",
    ),
    Definition(
        "arrived-failures",
        "Arrived failures",
        "How many more downstream requests failed because of these calls: of several failed calls "
        "in a failed request, the one that ended last counts.",
        formula="arrived = change of (failures charged to these calls / requests)",
        limits="What a request survived (a retry, a fallback, a call it could do without) arrived "
        "nowhere: that is what absorbed means.",
    ),
    Definition(
        "confidence",
        "Confidence",
        "Strong: components that got at least half as slow again, with 95 % confidence, make half "
        "of the origin; or the rise is small and very certain. Weak: a lead to follow, never a "
        "finding, and listed only beside a strong origin.",
        formula="ratio of geometric means of durations, incident / baseline; lower end of its "
        "95 % interval >= 1.5",
        limits="Durations of one system depend on each other; how much is measured in the baseline "
        "only. A baseline that was not quiet makes everything less certain.",
    ),
    Definition(
        "excess",
        "Excess",
        "Time that this origin added to a user's request, on average over all user requests in "
        "the window, compared with the baseline.",
        formula="sum over what moved: rise per call x calls per request x share that arrives",
        limits="An average: some requests waited much longer, others not at all.",
    ),
    Definition(
        "excess-share",
        "Excess share",
        "This origin's part of the time all origins explain, over all user requests; not its part "
        "of the change of one operation.",
        formula="share = excess / sum of the excess of all origins",
    ),
    Definition(
        "flow-share",
        "Flow share",
        "How the change of an operation's mean latency splits over its call paths: at each hop "
        "into own time, gap, calls, and what came from below. The leaves add up to the change.",
        formula="change of mean = sum over the paths of (own time + gap + calls + virtual + small "
        "+ unresolved)",
        limits="Small and unresolved leaves are shown together as unexplained.",
    ),
    Definition(
        "flow-band",
        "Flow band",
        "How the change of the requests around a percentile splits over their call paths. The "
        "leaves add up to the change of the mean of these requests. A negative leaf is what made "
        "them slow before and no longer does: it is not taken off the others.",
        formula="band of p = requests with a duration rank from p - h to p + h; h = 0.02 at p50, "
        "0.01 at p95, 0.004 at p99",
        example="Of 20,000 requests before and 10,000 during, p95 takes those of ranks 0.94 to "
        "0.96: 400 and 200. Their mean rose by 808 ms: 880 ms from card-db, -72 ms from inventory.",
        limits="Where fewer than 100 requests lie in it a band is made up to five times as wide, "
        "not past the slowest; below that there is no row (500 requests in each window for p50, "
        "1,000 for p95, 5,000 for p99). Requests before and during are different ones, maybe of "
        "different kinds. The interval takes the percentile as known.",
    ),
    Definition(
        "flow-smoothing",
        "Smoothing",
        "By how much the change of a band differs from the change of the percentile itself, "
        "because a band is wider than one request. Always shown, never spread over the leaves.",
        formula="smoothing = change of the band's mean - change of the percentile",
        example="The band rose by 808 ms and p95 by 802 ms: smoothing 6 ms.",
        limits="Where it is as large as the change, the leaves say little about the percentile.",
    ),
    Definition(
        "unexplained",
        "Unexplained",
        "The part of the change that ended in leaves too small to follow, or in moves that cancel "
        "out inside an operation. Always shown, never spread over the rest; where it is negative, "
        "other parts got faster.",
    ),
    Definition(
        "user-visible-operation",
        "User-visible operation",
        "An operation at which a trace enters the system: its latency is what users wait.",
    ),
    Definition(
        "bottleneck-place",
        "Bottleneck place",
        "Whose time it is: an operation's own time; the network of an edge (what downstream waited "
        "minus what upstream took); or an upstream without spans, of which only the call is known.",
    ),
    Definition(
        "critical-share",
        "Critical share",
        "Exclusive time on the critical path of requests, as a share of the time of all requests. "
        "The shares of all places add up to 1.",
        formula="share = sum of critical ns there / sum of the durations of all requests",
        example="Of 200 ms a request takes, 120 ms are spent in a database that runs beside "
        "something faster: its share is 60 %, the faster one's is 0.",
        limits="What could be won there at most; once it is faster, something else is critical.",
    ),
    Definition(
        "potential-impact",
        "Potential impact",
        "Time saved in each second of traffic if this place took 10 % less.",
        formula="0.1 x critical ns there / seconds of the window",
        example="50 requests a second with 120 ms each there: 0.1 x 50 x 120 ms = 600 ms saved "
        "each second.",
        limits="Holds for small gains. `tracemap whatif` replays larger ones.",
    ),
    Definition(
        "slack",
        "Slack",
        "How much longer a call could take before anybody waited for it: of calls that were hidden "
        "behind a slower sibling, the time from their end to the end of the sibling that is next "
        "to end.",
        formula="mean over hidden calls of (end of the next sibling on the path - own end)",
        example="A call ends at 30 ms, the sibling that is waited for at 110 ms: slack 80 ms.",
        limits="Calls that nobody waits for at all have none. Little slack and many calls is "
        "fragile.",
    ),
    Definition(
        "reach",
        "Reach",
        "Share of all requests that called a node at least once, directly or through others; and "
        "share that had it on their critical path.",
        formula="requests that reached it / all requests",
        example="3,000 of 10,000 requests touched a cache, 200 waited for it: 30 % and 2 %.",
        limits="Observed: a dependency that no request used in the window has no reach.",
    ),
    Definition(
        "hardness",
        "Hardness",
        "How much likelier a request fails when a failure begins at this node. 1: every request "
        "dies with it; 0: none does. A failure begins at the deepest failed step.",
        formula="P(request failed | a failure began there) - P(request failed | none did)",
        example="40 requests in which it failed, 30 of them failed; of the others 5 %: "
        "0.75 - 0.05 = 0.7.",
        limits="Unknown with fewer than 20 such requests. Slowness that becomes a failure "
        "elsewhere (a timeout) counts where the failed span is.",
    ),
    Definition(
        "single-point",
        "Single point",
        "Whether requests die with a node: yes where at most 20 % of the requests in which it "
        "failed succeeded.",
        limits="Unknown with fewer than 20 such requests. Replicas behind one name are one node "
        "here: a yes says that nothing downstream helps, not that there is one machine.",
    ),
    Definition(
        "availability-bound",
        "Availability bound",
        "What share of requests must fail because of upstreams, if failures of different upstreams "
        "have nothing to do with each other; beside what did fail.",
        formula="bound = own x product over upstreams of (1 - requests failed by it / requests)",
        example="Of 1,000 requests 2 fail by themselves, 10 with the database, 5 with the payment "
        "provider: 0.998 x 0.99 x 0.995 = 0.9831, so 1.69 % are expected to fail.",
        limits="Each upstream counts once, where failures began. Failures that come together, or "
        "that keep later calls from being made, make the two differ.",
    ),
    Definition(
        "calls-per-minute",
        "Calls per minute",
        "Calls of an edge divided by the minutes in which any calls were observed, beside the same "
        "in the baseline.",
        formula="told where the counts differ by 3 standard deviations and 1.25 times; an edge is "
        "new or silent from 2 standard deviations on",
        limits="More calls per minute can be more users or more calls per request; the leaf "
        "'calls' of the flow holds only the second.",
    ),
    Definition(
        "exemplar-traces",
        "Exemplar traces",
        "Ids of a few recorded traces that show the finding, to open in a tracing tool or with "
        "`tracemap trace`.",
    ),
    Definition(
        "owner",
        "Owner",
        "The team that owns a service, where the spans or the recipe say so. The interface owner "
        "is upstream's team, the experience owner downstream's.",
        limits="Unknown owners are said to be unknown; none is guessed.",
    ),
    Definition(
        "edge-change",
        "Edge change",
        "What became of an edge between two long windows: new, gone, re-routed, slower, faster, "
        "more or fewer errors, more or fewer calls, changed evidence or protocol; or other mix, "
        "not observed, not observed before, too few calls, steady.",
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
        limits="From sums: a failed step passes its failures on to the failed calls below it as "
        "far as these go, and keeps the rest.",
    ),
    Definition(
        "ledger-equation",
        "Ledger equation",
        "Where every span record went: stored, known already, or rejected with a reason.",
        formula="records = spans + duplicates + rejected",
    ),
    Definition(
        "quality",
        "Quality",
        "Where each stored span went (into an edge, or why not; exactly one place each), and what "
        "is odd about some: orphans, missing ends, clocks that disagree. They stay in; the counts "
        "say how far to trust the rest.",
    ),
    Definition(
        "clock-skew",
        "Clock skew",
        "What is to be added to the clock of one host to agree with another, by the calls between "
        "them. It is measured, never applied: durations and gaps do not depend on clocks.",
        formula="at least the 99th percentile of (client start - server start), at most the 1st "
        "percentile of (client end - server end); 0 if that leaves room for it, else the end "
        "nearest to 0",
        example="A client span from 0 to 100 ms and its server span from 530 to 590 ms by the "
        "server's clock: at least -530 ms, at most -490 ms, so that clock is 490 ms ahead, "
        "uncertain by 40 ms.",
        limits="Fewer than `min_call_count` calls say nothing. Hosts that name themselves in no "
        "attribute are taken together by service. Only calls in both directions make it narrow.",
    ),
)
DEFINITIONS = {definition.id: definition for definition in _ALL}
"""Every definition by its id, in the order of the docs."""
