"""Changes to a directory that happen whole or not at all, and what is at a path, looked at without following links.

Everything that `sync` and `restore` do to a disk goes through here and through `os`. It never writes into a file that
exists: such a file may be hard-linked elsewhere, or be a link into a store that others share.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kimi_tokenizers.errors import SyncError

_CHUNK = 1 << 20

# What a file system answers that has no hard links, or none between these two places.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_EXCHANGE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


@dataclass(frozen=True)
class State:
    """What is at a path.

    Attributes:
        kind: "absent", "file" or "link".
        sha256, size, mode, mtime_ns: of a file; of a link, only `mtime_ns`.
        target: of a link, as `os.readlink` gives it.
        inode: device and number. It says whether two names are one file; two equal states may be two files.
    """

    kind: Literal["absent", "file", "link"]
    sha256: str = ""
    size: int = 0
    mode: int = 0
    mtime_ns: int = 0
    target: str = ""
    inode: tuple[int, int] = field(default=(0, 0), compare=False)

    def same_content(self, other: State) -> bool:
        """Whether nothing but times and mode can differ."""
        return (self.kind, self.sha256, self.target) == (other.kind, other.sha256, other.target)

    def __str__(self) -> str:
        if self.kind == "file":
            return f"{self.size:,} bytes with SHA-256 {self.sha256}"
        return f"a link to {self.target!r}" if self.kind == "link" else "nothing"


ABSENT = State("absent")


def kind_name(mode: int) -> str:
    """What something in a directory is, for people."""
    return _KINDS.get(stat.S_IFMT(mode), "a file")


def examine(path: Path) -> State:
    """What is at a path; a link is not followed.

    Raises:
        SyncError: it is neither a file nor a link, or cannot be read.
    """
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return State(
                "link",
                mtime_ns=status.st_mtime_ns,
                target=os.readlink(path),
                inode=(status.st_dev, status.st_ino),
            )
        if not stat.S_ISREG(status.st_mode):
            raise SyncError(
                f"{str(path)!r} is {kind_name(status.st_mode)}, where a tokenizer file belongs. Nothing was changed. "
                "Remove it and run the command again."
            )
        return _examine_file(path)
    except FileNotFoundError:
        return ABSENT
    except OSError as error:
        raise explained(error, path) from error


def _examine_file(path: Path) -> State:
    # Without O_NONBLOCK a FIFO that has taken the file's place would block for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        digest, size = hashlib.sha256(), 0
        while chunk := os.read(descriptor, _CHUNK):
            digest.update(chunk)
            size += len(chunk)
    finally:
        os.close(descriptor)
    mode = stat.S_IMODE(status.st_mode)
    return State("file", digest.hexdigest(), size, mode, status.st_mtime_ns, inode=(status.st_dev, status.st_ino))


def content_sha256(path: Path) -> str | None:
    """SHA-256 of the regular file that a link leads to; None if it leads to none. Raises SyncError."""
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            return _examine_file(Path(os.path.realpath(path))).sha256
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise explained(error, path) from error
    return None


# -- changes -------------------------------------------------------------------------------------


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that does not exist, flush it to the disk. A file that could not be written whole is removed."""
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
        if os.path.lexists(wish):  # once more: without links there is no asking and moving in one step
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
        if error.errno not in _NO_LINKS | _FULL:
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


# -- locking against others ----------------------------------------------------------------------

_IMMUTABLE = 0x00000002  # UF_IMMUTABLE of macOS, `chflags uchg`


def can_be_immutable() -> bool:
    """Whether this platform has files that nobody can replace or remove before they are made mutable again."""
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


def _flags(path: Path) -> int:
    return int(getattr(os.lstat(path), "st_flags", 0))


# -- errors --------------------------------------------------------------------------------------


def explained(error: OSError, path: Path) -> SyncError:
    """An error of the system as one that says which path, which right is missing, and what to do."""
    if isinstance(error, SyncError):
        return error
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else path
    if error.errno in (errno.EACCES, errno.EPERM):
        reason = _missing_right(named)
    elif error.errno in _FULL:
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
        if is_immutable(path):
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
