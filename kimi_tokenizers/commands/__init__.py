"""The command line: arguments, one module for each family of commands, and the tables they print.

It may import `evidence`, `tokenizer`, `view`, `sync`, `model_dirs`, `catalogue` and `errors`, each through its face and
only when a command that needs it runs; rich belongs to `parity` alone. It must never hold logic, and no other folder
imports it.
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
    from kimi_tokenizers.commands.arguments import parse

    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")  # "PyTorch was not found"
    if sys.stdout is None:  # it was closed, and so nothing could be said
        return _complain("standard output is closed. Open it, or send it to a file.")
    try:
        try:
            given = parse(sys.argv[1:] if argv is None else argv, prog)
            return int(import_module(f"{__name__}.{given.module}").run(given))
        finally:
            sys.stdout.flush()  # while it can still be noticed that the reader is gone, or the disk full
    except KimiTokenizersError as error:
        return _complain(str(error))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "kimi_tokenizers"):
            raise
        return _complain(
            f"this command needs the package {package}, which is not installed. With Python 3.10 or newer, "
            "run: pip install kimi-tokenizers (or, from a clone: uv run kimi-tokenizers …)"
        )
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        _discard_output()
        return 1
    except OSError as error:
        if error.filename is not None or error.errno not in _OUTPUT_FAILS:
            raise  # it was not about what is written to an open file
        _discard_output()
        return _complain(f"the output cannot be written: {error.strerror}. Make room for it, or send it elsewhere.")
    except KeyboardInterrupt:
        return 130


_OUTPUT_FAILS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def _complain(message: str) -> int:
    """Write why a command failed, if there is anywhere to write it; its exit status."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):  # standard error can be full or closed, too
            print(f"kimi-tokenizers: {message}", file=sys.stderr, flush=True)
    return 1


def _discard_output() -> None:
    """Have what is still buffered go nowhere, so that Python does not fail on it once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    finally:
        os.close(nowhere)
