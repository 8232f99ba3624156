"""tracemap's own run as a trace: which stage took how long (``--self-trace FILE``).

Stages are spans of one trace with the service name ``tracemap``, written as OTLP/JSON lines by the
OpenTelemetry SDK, so that tracemap reads them like any other file. Where nothing is recorded,
`stage` does nothing, and OpenTelemetry is not even imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from tracemap.errors import PipelineError

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

Given = ParamSpec("Given")
Found = TypeVar("Found")
Attribute = str | int | float | bool
_SERVICE = "tracemap"
_PREFIX = "tracemap."


class Stage:
    """A stage that is being worked on; `note` says what is known only at its end."""

    def __init__(self, span: Span | None) -> None:
        self._span = span

    def note(self, **attributes: Attribute) -> None:
        """Add attributes, named ``tracemap.<name>``."""
        if self._span is not None:
            self._span.set_attributes({_PREFIX + key: value for key, value in attributes.items()})


class _Recording:
    """Where stages are recorded; None: nowhere."""

    tracer: Tracer | None = None


@contextmanager
def stage(name: str, **attributes: Attribute) -> Iterator[Stage]:
    """Record what is done inside as one span.

    Args:
        name: Operation, such as ``ingest file``: the same for each file.
        attributes: Recorded as ``tracemap.<name>``.
    """
    tracer = _Recording.tracer
    if tracer is None:
        yield Stage(None)
        return
    with tracer.start_as_current_span(name) as span:
        made = Stage(span)
        made.note(**attributes)
        yield made


def analyzed(finding: Callable[Given, Found]) -> Callable[Given, Found]:
    """Return `finding` as a stage called ``analyze <its name>``."""

    def recorded(*args: Given.args, **kwargs: Given.kwargs) -> Found:
        with stage(f"analyze {finding.__name__}"):
            return finding(*args, **kwargs)

    return recorded


@contextmanager
def recording(file: Path | None, name: str, version: str) -> Iterator[None]:
    """Record the stages of what is done inside into `file`, below one span called `name`.

    Args:
        file: Replaced if it is there; None: nothing is recorded.
        name: Of the root span, such as ``tracemap ingest``.
        version: Of tracemap.

    Raises:
        PipelineError: If the file cannot be written.
    """
    if file is None:
        yield
        return
    # Imported only here: whoever records nothing does not wait for it.
    from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415

    try:
        stream = file.open("w", encoding="utf-8")
    except OSError as error:
        raise PipelineError(
            f"cannot write the trace of this run to '{file}': {error.strerror}",
            where="--self-trace",
            hint="name a file in a folder that exists and may be written",
        ) from error
    with stream:
        resource = Resource({"service.name": _SERVICE, "service.version": version})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(FileSpanExporter(stream=stream)))
        _Recording.tracer = provider.get_tracer(_SERVICE, version)
        try:
            with stage(name):
                yield
        finally:
            _Recording.tracer = None
            provider.shutdown()
