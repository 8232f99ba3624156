"""The entry point of the command line: the one place that turns errors into messages and codes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import typer

from tracemap.cli import app
from tracemap.errors import PipelineError, TracemapError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells expect it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (docs/messages.md lists them).

    Results go to stdout; everything else, errors included, goes to stderr. Only errors a user can
    do something about are caught; a bug shows its traceback.

    Args:
        arguments: What follows the command's name; None: those of this process.
    """
    _write_any_character()
    try:
        _check_text(sys.argv[1:] if arguments is None else arguments)
        code = app(arguments, prog_name="tracemap", standalone_mode=False)
        sys.stdout.flush()
    except TracemapError as error:
        return _complain(str(error), error.exit_code)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "tracemap"
        what = error.format_message().rstrip(".").replace(": Value error, ", ": ")
        return _complain(f"{what}\n  hint: {command} --help", error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", INTERRUPTED)
    except (BrokenPipeError, SystemExit) as error:
        # typer makes a SystemExit of a pipe that breaks inside a verb
        if not any(isinstance(each, BrokenPipeError) for each in (error, error.__context__)):
            raise
        return _hush()
    if code == INTERRUPTED:  # typer turns Ctrl-C inside a verb into this code
        return _complain("interrupted", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _check_text(arguments: Sequence[str]) -> None:
    """Refuse arguments that are bytes of no text: what they name could not be shown to anybody.

    Raises:
        PipelineError: If one is not UTF-8, or whatever the locale says.
    """
    for argument in arguments:
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise PipelineError(
                f"{argument!r} is not text of the locale's encoding",
                hint="name the folder it lies in, or a pattern, or rename it",
            )


def _write_any_character() -> None:
    """Let names of any script be written under any locale.

    Files and pipes get UTF-8, as GraphML and JSON have to be; a terminal gets its own encoding, and
    escapes for what that has not. ``PYTHONIOENCODING`` is obeyed.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        chosen = "PYTHONIOENCODING" in os.environ or sys.stdout.isatty()
        encoding = sys.stdout.encoding if chosen else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def _hush() -> int:
    """Keep the interpreter from complaining: who read our output (`| head`) has seen enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _complain(message: str, code: int) -> int:
    """Write `message` to stderr, control characters made visible, and return `code`."""
    shown = "".join(
        character if character.isprintable() or character == "\n" else repr(character)[1:-1]
        for character in message
    )
    with suppress(BrokenPipeError):
        sys.stderr.write(f"tracemap: {shown}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
