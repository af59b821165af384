"""Errors of the operating system, said so that one knows what to do: which path, which right is missing, whose it is.

It must never change anything: not even to find out.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from kimi_tokenizers.errors import FolderError, KimiTokenizersError, SyncError
from kimi_tokenizers.sync.immutable import is_immutable

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextlib.contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Turn errors of the system that are raised inside into those that `explained` makes of them."""
    try:
        yield
    except FolderError as error:
        raise SyncError(f"{error} Move it away and run the command again.") from error
    except KimiTokenizersError:
        raise
    except OSError as error:
        raise explained(error, path) from error


def explained(error: OSError, path: Path) -> SyncError:
    """The system's error as one that says which path it is about, which right is missing, and what to do."""
    if isinstance(error, SyncError):
        return error
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else path
    if error.errno in (errno.EACCES, errno.EPERM):
        reason = _missing_right(named)
    elif error.errno in DISK_FULL:
        reason = f"there is no space left for {str(named)!r}. Free a few megabytes"
    elif error.errno == errno.EROFS:
        reason = f"{str(named)!r} is on a read-only file system. Mount it writable, or use `kimi-tokenizers view`"
    else:
        reason = f"{error.strerror or error} ({str(named)!r})"
    return SyncError(f"{str(path)!r} cannot be used: {reason}.")


def _missing_right(path: Path) -> str:
    """Which right on which path is missing, as far as can be seen."""
    for folder in reversed(path.parents):
        if not os.access(folder, os.X_OK):
            return f"the right to enter the directory {str(folder)!r} (x) is missing; {_owner(folder)}"
    try:
        status = os.lstat(path)
    except OSError:
        status = None
    if status is not None:
        if is_immutable(status):
            return f"{str(path)!r} is immutable; `chflags nouchg` makes it mutable"
        if stat.S_ISDIR(status.st_mode) and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            return f"the rights to read, write and enter the directory {str(path)!r} (rwx) are missing; {_owner(path)}"
        if not os.access(path, os.R_OK) and not stat.S_ISLNK(status.st_mode):
            return f"the right to read {str(path)!r} (r) is missing; {_owner(path)}"
    if not os.access(path.parent, os.W_OK):
        return f"the right to write to the directory {str(path.parent)!r} (w) is missing; {_owner(path.parent)}"
    if status is not None and not os.access(path, os.W_OK):
        return f"the right to write to {str(path)!r} (w) is missing; {_owner(path)}"
    return f"the system does not permit the change to {str(path)!r}; is it owned by somebody else, or immutable?"


def _owner(path: Path) -> str:
    status = os.lstat(path)
    return f"it has mode {stat.filemode(status.st_mode)} and user id {status.st_uid}, this process has {os.geteuid()}"
