"""Terms of an incident against its baseline."""

from __future__ import annotations

from tracemap.report.terms.definition import Definition

TERMS = (
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
        "fifth), within variation (slower, but not by more than it varies anyway), no spike "
        "(upstream was not slower), too few calls (nothing can be said).",
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
        "breaker, ejection, hedge, fallback, optional call, short circuit, retry, parallel slack, "
        "async; retry storm, layered retries, deadline inversion, cache misses; fan-out, calls in "
        "a loop, calls in a row.",
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
        "at it or beyond it. Where only one caller's calls of it rose, the cause is self and the "
        "edge is named: slower there, or on the way. A gap is charged to the end whose other "
        "edges rose too; where only one edge rose, to the edge.",
    ),
    Definition(
        "excess-failures",
        "Excess failures",
        "Share of all user requests that failed because of this origin, beyond those of the "
        "baseline. A unit of its own, never added to milliseconds.",
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
        "ordinary-variation",
        "Ordinary variation",
        "How much a mean changes from cell to cell of time, and with the requests that happen to "
        "come, when nothing is wrong. A change is told from it by an interval that excludes 0.",
        formula="standard error = the larger of two: leaving out one fiftieth of the traces after "
        "the other; leaving out one of up to 20 cells of time after the other",
        example="+61 ms [-12, 134]: the cells of both windows differ by as much among themselves.",
        limits="With fewer than five cells that hold calls only the traces count. Of many pairs of "
        "operations some pass by chance: a verdict on propagation allows 5 % false discoveries.",
    ),
    Definition(
        "confidence",
        "Confidence",
        "Strong: components that got at least half as slow again, with 95 % confidence, make half "
        "of the origin, or the rise is small and very certain; half of it rests on at least 20 "
        "calls before and during; and the flow of users' requests agrees. Weak: a lead to follow, "
        "never a finding.",
        formula="ratio of geometric means of durations, incident / baseline; lower end of its "
        "95 % interval >= 1.5; charged time >= a tenth of the excess",
        limits="Durations of one system depend on each other; how much is measured in the baseline "
        "only. A baseline that was not quiet makes everything less certain.",
    ),
    Definition(
        "doubt",
        "Doubt",
        "Why an origin is weak. Uncertain: a burst or another mix of requests could look the same. "
        "Few calls: fewer than 20 before or during. Not felt: it moved, but the flow of users' "
        "requests has next to nothing of it, or the other sign.",
        limits="An uncertain one is listed beside a strong one only.",
    ),
    Definition(
        "excess",
        "Excess",
        "Time that this origin added to a user's request, on average over all user requests in "
        "the window, compared with the baseline: an estimate of its own, weighed by its evidence.",
        formula="sum over what moved: rise per call x calls per request x share that arrives",
        limits="An average: some requests waited much longer, others not at all. It ranks origins; "
        "what it added to one operation is the charged time.",
    ),
    Definition(
        "charged-time",
        "Charged time",
        "What the flow of one user-visible operation charges to an origin: the leaves of its "
        "change that end at what moved there. Headline, flow, origins and blast radius all add up "
        "the same leaves.",
        formula="charged = sum of the leaves of the operation that end at a component of the "
        "origin",
        example="Of 787 ms 736 ms end in gaps around the frontend: 736 ms are charged to it.",
        limits="Per request of that operation; excess is per request of all of them, so the two "
        "differ by how many requests the other operations get.",
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
        limits="Where fewer than 40 requests lie in it a band is made up to five times as wide, "
        "not past the slowest; below that there is no row (200 requests in each window for p50, "
        "400 for p95, 2,000 for p99). Requests before and during are different ones, maybe of "
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
)
