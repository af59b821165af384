"""The immutable flag of macOS (`chflags uchg`): it keeps everybody, exo included, from replacing or removing a file.

Elsewhere there is no such flag, no file has it, and setting it does nothing. It must never change a file's content,
nor any other flag.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_IMMUTABLE = 0x00000002  # UF_IMMUTABLE


def can_be_immutable() -> bool:
    """Whether this platform can make a file immutable."""
    return hasattr(os, "chflags")


def is_immutable(path: Path) -> bool:
    """Whether a file has the immutable flag."""
    return bool(_flags(path) & _IMMUTABLE)


def set_immutable(path: Path, immutable: bool) -> None:
    """Set or clear the immutable flag of a file, where the platform has one."""
    if can_be_immutable():
        flags = _flags(path)
        wanted = flags | _IMMUTABLE if immutable else flags & ~_IMMUTABLE
        if wanted != flags:
            getattr(os, "chflags")(path, wanted)  # noqa: B009 - type checkers know it on some platforms only


def release(path: Path) -> None:
    """Make a file mutable, so that it can be replaced. Nothing happens where there is none, or no flag."""
    with contextlib.suppress(FileNotFoundError):
        if is_immutable(path):
            set_immutable(path, False)


def _flags(path: Path) -> int:
    return int(getattr(os.lstat(path), "st_flags", 0))
