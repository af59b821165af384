"""The immutable flag of macOS (`chflags uchg`): it keeps everybody, exo included, from replacing or removing a file.

Elsewhere there is no such flag, no file has it, and setting it does nothing. It must never change a file's content,
nor any other flag, nor follow a link.
"""

from __future__ import annotations

import contextlib
import os

from kimi_tokenizers.errors import FolderError
from kimi_tokenizers.model_dirs import Folder

_IMMUTABLE = 0x00000002  # UF_IMMUTABLE


def can_be_immutable() -> bool:
    """Whether this platform can make a file immutable."""
    return hasattr(os, "chflags")


def is_immutable(status: os.stat_result) -> bool:
    """Whether a file has the immutable flag."""
    return bool(_flags(status) & _IMMUTABLE)


def set_immutable(folder: Folder, name: str, immutable: bool) -> None:
    """Set or clear the immutable flag of a file, where the platform has one."""
    if can_be_immutable():
        with folder.reading(name) as descriptor:
            flags = _flags(os.fstat(descriptor))
            wanted = flags | _IMMUTABLE if immutable else flags & ~_IMMUTABLE
            if wanted != flags:
                _set_flags(descriptor, wanted)


def release(folder: Folder, name: str) -> None:
    """Make a file mutable, so that it can be replaced. Nothing happens where there is none, or no flag."""
    with contextlib.suppress(FileNotFoundError, FolderError):  # FolderError: a link took its place just now
        if is_immutable(folder.stat(name)):
            set_immutable(folder, name, False)


def _flags(status: os.stat_result) -> int:
    return int(getattr(status, "st_flags", 0))


def _set_flags(descriptor: int, flags: int) -> None:
    """`fchflags`, for which Python has no function."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).fchflags(descriptor, flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
