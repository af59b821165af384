"""The command line: arguments, one module for each family of commands, and the tables they print.

It may import `evidence`, `tokenizer`, `view`, `sync`, `model_dirs`, `catalogue` and `errors`, each through its face and
only when a command that needs it runs; rich belongs to `parity` alone. It must never hold logic, and no other folder
imports it.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from kimi_tokenizers.errors import KimiTokenizersError

__all__ = ["main"]


# What standard output answers that goes to a file on a full or broken disk.
_CANNOT_WRITE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


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
    try:
        try:
            given = parse(sys.argv[1:] if argv is None else argv, prog)
            return int(import_module(f"{__name__}.{given.module}").run(given))
        finally:
            sys.stdout.flush()  # while it can still be noticed that the reader is gone
    except KimiTokenizersError as error:
        print(f"kimi-tokenizers: {error}", file=sys.stderr)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "kimi_tokenizers"):
            raise
        print(
            f"kimi-tokenizers: this command needs the package {package}, which is not installed. "
            "With Python 3.10 or newer, run: pip install kimi-tokenizers (or, from a clone: uv run kimi-tokenizers …)",
            file=sys.stderr,
        )
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        _close_output()
    except OSError as error:
        if error.errno not in _CANNOT_WRITE or error.filename is not None:  # those of files are errors of ours by now
            raise
        _close_output()
        print(f"kimi-tokenizers: the output could not be written: {error.strerror}.", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _close_output() -> None:
    """What is still to be written goes nowhere, or Python would complain about it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
