"""Moving to a free name, and exchanging two names, in one step: the system can, but Python knows no call for it.

It works relative to open directories, as everything in `folder` does, and must never replace anything.
"""

from __future__ import annotations

import errno
import functools
import os
import sys
from typing import Any

# RENAME_EXCL and RENAME_SWAP of macOS, RENAME_NOREPLACE and RENAME_EXCHANGE of Linux.
FREE, SWAP = (4, 2) if sys.platform == "darwin" else (1, 2)

_NOT_SUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


@functools.lru_cache(maxsize=1)
def rename_call() -> Any:
    """The system's `renameat` with flags; None if it has none."""
    import ctypes  # not at the top: `resolve` is to be imported in no time

    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return libc.renameatx_np if sys.platform == "darwin" else libc.renameat2
    except (AttributeError, OSError):
        return None


def renamed(folder: int, name: str, to: int, new: str, flags: int) -> bool:
    """Do it; False, and nothing done, where the system or the file system cannot. Raises OSError."""
    call = rename_call()
    if call is None:
        return False
    import ctypes

    if call(folder, os.fsencode(name), to, os.fsencode(new), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_SUPPORTED:
        return False
    raise OSError(number, os.strerror(number), name, None, new)
