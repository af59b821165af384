"""Changes to a directory that happen whole or not at all.

Everything that `sync` and `restore` do to a disk goes through here and through `os`. It must never write into a file
that exists: such a file may be hard-linked elsewhere, or be a link into a store that others share.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from kimi_tokenizers.sync.rights import DISK_FULL
from kimi_tokenizers.sync.state import State

# What a file system answers that has no hard links, or none between these two places.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
_NO_EXCHANGE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that does not exist and flush it to the disk. A file that could not be written whole is removed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        remove(path)
        raise


def write(path: Path, data: bytes, mode: int) -> None:
    """Write a file of our own, whatever was there: a temporary file beside it, then a rename."""
    temporary = path.with_name(path.name + ".tmp")
    remove(temporary)
    write_new(temporary, data, mode)
    try:
        os.replace(temporary, path)
    except BaseException:
        remove(temporary)
        raise
    flush_directory(path.parent)


def remove(path: Path) -> None:
    """Remove a file or link, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def flush_directory(path: Path) -> None:
    """Flush the names in a directory to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def preserve(source: Path, target: Path) -> None:
    """Give a regular file a second name: its inode with mode and times. Where there are no hard links, a whole copy.

    Raises FileExistsError where there is something at `target`.
    """
    try:
        os.link(source, target, follow_symlinks=False)
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    temporary = target.with_name(target.name + ".tmp")
    remove(temporary)
    write_new(temporary, source.read_bytes(), 0o600)
    shutil.copystat(source, temporary, follow_symlinks=False)
    os.rename(temporary, target)


def link_again(state: State, path: Path) -> None:
    """Make a link as it was: its target, and where the system can, its modification time."""
    os.symlink(state.target, path)
    with contextlib.suppress(NotImplementedError):
        os.utime(path, ns=(state.mtime_ns, state.mtime_ns), follow_symlinks=False)


def move_to_free_name(source: Path, wish: Path) -> bool:
    """Move a file or link to a name that is not taken; False, and nothing done, if it is."""
    if os.path.lexists(wish):
        return False
    try:
        os.link(source, wish, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(wish):  # once more: without links one cannot check and move in one step
            return False
        os.rename(source, wish)
        return True
    os.unlink(source)
    return True


def second_name(source: Path, target: Path) -> None:
    """Give a file another name; where it cannot have two, instead of the one it had. `target` is not taken."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS | DISK_FULL:
            raise
        os.rename(source, target)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False, and nothing done, where the system cannot.

    Raises FileNotFoundError if there is nothing at one of them.
    """
    try:
        _exchange(one, other)
    except OSError as error:
        if error.errno not in _NO_EXCHANGE:
            raise
        return False
    return True


@functools.lru_cache(maxsize=1)
def _exchange_call() -> Callable[[bytes, bytes], int] | None:
    """The system's call that exchanges two names, if it has one."""
    import ctypes

    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            rename = libc.renamex_np
            return lambda one, other: int(rename(one, other, ctypes.c_uint(2)))  # RENAME_SWAP
        here = ctypes.c_int(-100)  # AT_FDCWD
        renameat2 = libc.renameat2
        return lambda one, other: int(renameat2(here, one, here, other, ctypes.c_uint(2)))  # RENAME_EXCHANGE
    except (AttributeError, OSError):
        return None


def _exchange(one: Path, other: Path) -> None:
    call = _exchange_call()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(os.fsencode(one), os.fsencode(other)) != 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one), None, str(other))
