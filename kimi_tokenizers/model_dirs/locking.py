"""One process at a time: an flock on a file, waited for with a bound.

`filelock`, with which earlier versions locked the cache and views, takes the same flock, so that both exclude each
other. Nothing that a killed process leaves behind locks anybody out: the system releases its lock. This module must
never remove a lock file, for somebody may be waiting for it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

LOCK_SECONDS = 60.0
"""How long one process waits for another."""

_STEP = 0.01  # seconds between two attempts


@contextlib.contextmanager
def only_process(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock `path`, a file, which is made if there is none; its folder must be there.

    A lock file that was removed or replaced while this process waited for it counts for nothing: the one that is there
    now is taken. Threads of one process exclude each other, too.

    Raises:
        FileNotFoundError: there is no such folder, or it was removed meanwhile.
        TimeoutError: another process has held the lock for `seconds`.
        OSError: the file cannot be opened, or its file system has no locks.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            wait_for(descriptor, path, seconds)
            if _is_still(descriptor, path):
                try:
                    yield
                finally:  # a child that was forked has the descriptor, too: closing ours would leave it locked
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
                return
        finally:
            os.close(descriptor)


def wait_for(descriptor: int, path: Path, seconds: float = LOCK_SECONDS) -> None:
    """Lock an open file, whose path errors name. Raises as `only_process`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = f"another process has held this lock for {seconds:.0f} s; wait for it, or end it"
                raise TimeoutError(errno.ETIMEDOUT, message, str(path)) from None
            time.sleep(_STEP)


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether an open file is the one at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
