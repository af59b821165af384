"""The command line: arguments, one module for each family of commands, and the tables they print.

It may import `evidence`, `tokenizer`, `view`, `sync`, `model_dirs`, `catalogue` and `errors`, each through its face and
only when a command that needs it runs; rich draws for `parity` alone, and all that is written goes through `output`.
It must never hold logic, and no other folder imports it.

What `--json` prints is an object of one shape for all commands. Keys may be added; those that are there keep their
meaning as long as `schema` is 1.

    {
      "schema": 1,
      "ok": true,           whether the exit status is 0
      "problems": ["…"],    what is wrong, or was not examined, besides what is said of single models; for people
      …                     what the command found: where it is about models, `models` is a list of them
    }

The same thing has the same key in all: `model` (`owner/name`), `line`, `path` (of a model directory or a file),
`state`, `detail`, `problem` (of one model; null where there is none), `files`, `next` (a command to type), `places`
(where was looked: `path`, `source`, `models`, `problem`). An error that ends a command is such an object as well, with
nothing but these three. The report of `status`, which `--compare` reads, is described in `sync.reports`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from kimi_tokenizers.errors import KimiTokenizersError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None, prog: str = "kimi-tokenizers") -> int:
    """Run a command and return its exit status. Errors raised on purpose are printed, not traced.

    Args:
        argv: the arguments; by default the process's own.
        prog: what usage lines call the program.

    Raises:
        SystemExit: after `--help` and `--version`, and with 2 for wrong usage.
    """
    if sys.stderr is None:  # the caller has closed it
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (for as long as the process)
    if argv is None:  # a process of its own
        from kimi_tokenizers.commands.output import escape_errors

        escape_errors()
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")  # "PyTorch was not found"
    if sys.stdout is None:  # it was closed, and so nothing could be said
        return _complain("standard output is closed. Open it, or send it to a file.")
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv, prog)
        finally:
            sys.stdout.flush()  # while it can still be noticed that the reader is gone, or the disk full
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        _discard_output()
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.filename is not None or error.errno not in _OUTPUT_FAILS:
            raise  # it was not about what is written to an open file
        _discard_output()
        return _complain(f"the output cannot be written: {error.strerror}. Make room for it, or send it elsewhere.")


def _run(argv: Sequence[str], prog: str) -> int:
    """Run a command. An error raised on purpose is said on standard error, and to machines."""
    from kimi_tokenizers.commands.arguments import parse

    given = parse(argv, prog)
    try:
        return int(import_module(f"{__name__}.{given.module}").run(given))
    except KimiTokenizersError as error:
        _say(str(error), as_json=getattr(given, "json", False))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "kimi_tokenizers"):
            raise
        _say(
            f"this command needs the package {package}, which is not installed. With Python 3.10 or newer, install "
            "kimi-tokenizers as its README says, or run, from a clone: uv run kimi-tokenizers …",
            as_json=getattr(given, "json", False),
        )
    return 1


_OUTPUT_FAILS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def _complain(message: str) -> int:
    """Write why a command failed, if there is anywhere to write it; its exit status."""
    from kimi_tokenizers.commands.output import emit_problems

    with contextlib.suppress(OSError):  # standard error can be full, too
        emit_problems([message])
    return 1


def _discard_output() -> None:
    """Have what is still buffered go nowhere, so that Python does not fail on it once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    finally:
        os.close(nowhere)


def _say(problem: str, *, as_json: bool) -> None:
    """What ended a command, on one line, whatever is in it; to machines as well."""
    from kimi_tokenizers.commands.output import emit_problems, emit_report

    if as_json:
        emit_report(False, [problem])
    emit_problems([problem])
