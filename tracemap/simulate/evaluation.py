"""Play the requests of one entry: walk its call tree once, all requests at a time.

A place in the tree holds numpy arrays over the requests that reach it. Calls of a stage start
together, the stage ends with the slowest, stages follow each other. What is random comes from
`Draws` by the name of the place, so two evaluations that differ in their faults differ in nothing
else. Times are ns from the start of the run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracemap.model import Kind
from tracemap.simulate.attempts import Attempts, Site
from tracemap.simulate.blueprint import Operation, OperationKey, Service, Shop, Stage
from tracemap.simulate.calling import Calling
from tracemap.simulate.circumstances import Caller, Circumstances
from tracemap.simulate.draws import MICROSECOND_NS, Draws, Integers, Mask, scaled
from tracemap.simulate.fault import Fault, Place, Quantity
from tracemap.simulate.load import Load
from tracemap.simulate.places import Block, Execution, Sort, SpanNode, stage_ns

LAG_SIGMA = 0.6


class Evaluation:
    """The requests of one entry, played.

    Args:
        shop: The system.
        draws: Random streams, as long as there are requests.
        arrivals_ns: When each request arrives.
        faults: What goes wrong.
        load: How long requests wait in queues.

    Attributes:
        nodes: Spans by place, parents before children.
        executions: By path, in the order in which they were first reached.
        calling: Makes the calls, and counts what became of them.
    """

    def __init__(
        self,
        shop: Shop,
        draws: Draws,
        arrivals_ns: Integers,
        faults: Sequence[Fault],
        load: Load | None = None,
    ) -> None:
        self.nodes: list[SpanNode] = []
        self.executions: dict[str, Execution] = {}
        self._around = Circumstances(shop, draws, arrivals_ns, faults, load or Load())
        attempts = Attempts(self._around, self.nodes, self._answer, self._publish)
        self.calling = Calling(self._around, attempts, self.nodes, self.executions)

    def play(self, entry: OperationKey, rows: Integers | None = None) -> Execution:
        """Play requests of `entry` and what they publish.

        Args:
            entry: The operation.
            rows: Which requests; None: all.
        """
        rows = np.arange(len(self._around.arrivals_ns)) if rows is None else rows
        path = str(entry)
        return self._serve(
            path, self._around.shop.operations[entry], kind=Kind.SERVER, trace=path, parent=-1,
            linked=-1, rows=rows, start_ns=self._around.arrivals_ns[rows],
        )  # fmt: skip

    def active(self, fault: Fault, rows: Integers) -> Mask:
        """Return which of these requests arrive while the fault lasts."""
        return self._around.active(fault, rows)

    def _answer(self, site: Site, parent: int) -> Execution:
        """Play what upstream does with a call that got there, below the span at `parent`."""
        return self._serve(
            site.path, self._around.shop.operations[site.call.key], kind=Kind.SERVER,
            trace=site.caller.trace, parent=parent, linked=-1, rows=site.caller.rows,
            start_ns=site.start_ns,
        )  # fmt: skip

    def _serve(
        self,
        path: str,
        operation: Operation,
        *,
        kind: Kind,
        trace: str,
        parent: int,
        linked: int,
        rows: Integers,
        start_ns: Integers,
    ) -> Execution:
        service = self._around.shop.services[operation.service]
        replica = self._around.replica(path, operation.service, rows)
        wait_ns = self._wait_ns(path, service, rows, replica, start_ns)
        own_ns = wait_ns + self._work_ns(path, operation, rows, replica)
        node = SpanNode(
            path=path, sort=Sort(kind, operation.service, operation.key), trace=trace,
            parent=parent, linked=linked, rows=rows, start_ns=start_ns, duration_ns=own_ns,
            error=np.zeros(len(rows), dtype=np.bool_), replica=replica,
        )  # fmt: skip
        index = parent
        if service.kind == "service":
            index = len(self.nodes)
            self.nodes.append(node)
        execution = Execution(
            path, operation.key, rows, start_ns, replica, own_ns, wait_ns, own_ns, node.error
        )
        self.executions[path] = execution
        caller = Caller(path, operation.key, trace, index, rows, replica)
        execution.duration_ns = self._stages(operation, execution, caller, start_ns)
        execution.error |= self._fails(path, operation, rows, replica)
        node.duration_ns, node.error = execution.duration_ns, execution.error
        return execution

    def _wait_ns(
        self, path: str, service: Service, rows: Integers, replica: Integers, start_ns: Integers
    ) -> Integers:
        if service.slots is None:
            return np.zeros(len(rows), dtype=np.int64)
        luck = self._around.draws.exponential(f"{path}/wait", rows)
        return self._around.load.wait_ns(service.name, replica, start_ns, luck)

    def _work_ns(
        self, path: str, operation: Operation, rows: Integers, replica: Integers
    ) -> Integers:
        own_ns, place = round(operation.own_ms * 1_000_000), Place("", "", *operation.key)
        median_ns = self._around.of_operation(Quantity.OWN_NS, place, own_ns, rows, replica)
        luck = self._around.draws.log_normal(f"{path}/own", operation.sigma, rows)
        return scaled(median_ns, luck)

    def _fails(self, path: str, operation: Operation, rows: Integers, replica: Integers) -> Mask:
        own, place = round(operation.error_ratio * 1_000_000), Place("", "", *operation.key)
        ratio = self._around.of_operation(Quantity.ERROR_RATIO, place, own, rows, replica)
        return np.asarray(self._around.draws.uniform(f"{path}/error", rows) < ratio)

    def _stages(
        self, operation: Operation, execution: Execution, caller: Caller, start_ns: Integers
    ) -> Integers:
        pieces = len(operation.stages) + 1
        piece_ns = execution.own_ns // (pieces * MICROSECOND_NS) * MICROSECOND_NS
        cursor_ns = start_ns + piece_ns
        for number, stage in enumerate(operation.stages):
            alive = np.flatnonzero(~execution.error)
            blocks = self._stage(stage, number, caller, alive, cursor_ns)
            execution.stages.append(blocks)
            cursor_ns = cursor_ns + stage_ns(blocks) + piece_ns
            for block in blocks:
                if not block.call.optional:
                    execution.error |= block.failed
        return cursor_ns - start_ns + execution.own_ns - piece_ns * pieces

    def _stage(
        self, stage: Stage, number: int, caller: Caller, alive: Integers, cursor_ns: Integers
    ) -> list[Block]:
        """Return the blocks of a stage; `alive` are the executions that get this far."""
        inside = caller.of(alive)
        if stage.span:
            inside.node = len(self.nodes)
            self.nodes.append(self._internal(stage, number, caller.node, inside, cursor_ns[alive]))
        blocks = []
        for index, call in enumerate(stage.calls):
            path = f"{caller.path}/{number}.{index}"
            part = self.calling.block(call, path, inside, cursor_ns[alive])
            blocks.append(part.spread(alive, len(caller.rows)))
        if stage.span:
            self.nodes[inside.node].duration_ns = stage_ns(blocks)[alive]
        return blocks

    def _internal(
        self, stage: Stage, number: int, parent: int, caller: Caller, start_ns: Integers
    ) -> SpanNode:
        service = caller.key.service
        return SpanNode(
            path=f"{caller.path}/{number}",
            sort=Sort(Kind.INTERNAL, service, OperationKey(service, stage.span)),
            trace=caller.trace, parent=parent, linked=-1, rows=caller.rows, start_ns=start_ns,
            duration_ns=np.zeros_like(start_ns), error=np.zeros(len(start_ns), dtype=np.bool_),
            replica=caller.replica,
        )  # fmt: skip

    def _publish(self, send: OperationKey, path: str, index: int) -> None:
        """Play the consumers of what was sent, each message a trace of its own."""
        sender = self.nodes[index]
        sent = np.flatnonzero(~sender.error)
        for subscription in self._around.shop.subscriptions:
            if subscription.send != send:
                continue
            own = f"{path}>{subscription.process}"
            rows = sender.rows[sent]
            lag = self._around.draws.log_normal(f"{own}/lag", LAG_SIGMA, rows)
            start_ns = sender.start_ns[sent] + sender.duration_ns[sent]
            start_ns += scaled(np.full_like(lag, round(subscription.lag_ms * 1_000_000)), lag)
            operation = self._around.shop.operations[subscription.process]
            self._serve(
                own, operation, kind=Kind.CONSUMER, trace=own, parent=-1, linked=index,
                rows=rows, start_ns=start_ns,
            )  # fmt: skip
