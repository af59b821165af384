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

from kimi_tokenizers.model_dirs.folder import Folder

LOCK_SECONDS = 60.0
"""How long one process waits for another."""

_STEP = 0.01  # seconds between two attempts


@contextlib.contextmanager
def only_process(folder: Folder, name: str, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold a lock, a file in an open folder, which is made if there is none.

    A lock file that was removed or replaced while this process waited for it counts for nothing: the one that is there
    now is taken. Threads of one process exclude each other, too.

    Raises:
        FileNotFoundError: the folder was removed meanwhile.
        FolderError: it is not a file.
        TimeoutError: another process has held the lock for `seconds`.
        OSError: the file cannot be opened, or its file system has no locks.
    """
    while True:
        descriptor = folder.lock_file(name)
        try:
            wait_for(descriptor, folder.path / name, seconds)
            if folder.is_at(name, descriptor):
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
