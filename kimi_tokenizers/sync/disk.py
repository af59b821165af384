"""Changes to a directory that happen whole or not at all.

Everything that `sync` and `restore` do to a disk goes through here and through `Folder`. It must never write into a
file that exists: such a file may be hard-linked elsewhere, or be a link into a store that others share. And it must
never move anything to a public name that is taken: what is there could have been put there just now.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Literal

from kimi_tokenizers.errors import FolderError
from kimi_tokenizers.model_dirs import Folder
from kimi_tokenizers.sync.rights import DISK_FULL
from kimi_tokenizers.sync.state import ATTEMPTS, FILE_BYTES, State, restless

# What a file system answers that has no hard links, or none between these two places; and EPERM, too, where the file
# is somebody else's.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})

Placed = Literal["taken", "moved", "copied"]


def write(folder: Folder, name: str, data: bytes, mode: int) -> None:
    """Write a file of our own, whatever was there: a temporary file beside it, then a rename."""
    temporary = name + ".tmp"
    folder.remove(temporary)
    folder.create(temporary, data, mode)
    try:
        folder.rename(temporary, name)
    except BaseException:
        folder.remove(temporary)
        raise
    folder.flush()


def preserve(source: Folder, name: str, target: Folder, new: str) -> None:
    """Give a file or link a second name: its inode with mode and times. Where that cannot be, it is copied whole.

    Raises FileExistsError where there is something at `new`.
    """
    try:
        source.link(name, new, target)
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    if target.has(new):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target.path / new))
    target.remove(new + ".tmp")
    _copy(source, name, target, new + ".tmp")
    target.rename(new + ".tmp", new)


def second_name(source: Folder, name: str, target: Folder, new: str) -> None:
    """Give a file or link another name; where it cannot have two, instead of the one it had. `new` is not taken."""
    try:
        source.link(name, new, target)
    except OSError as error:
        if error.errno not in _NO_LINKS | DISK_FULL:
            raise
        source.rename(name, new, target)


def link_again(state: State, folder: Folder, name: str) -> None:
    """Make a link as it was: its target, and where the system can, its modification time."""
    folder.symlink(state.target, name)
    folder.set_time(name, state.mtime_ns)


def put(folder: Folder, ready: str, name: str, away: str, clear: Callable[[str], None]) -> Placed:
    """Put what is at the private name `ready` at `name`, whatever is there or appears there in the meantime.

    Where two names cannot be exchanged, what is there is moved to the private name `away` first. So for a moment there
    is no such file, but nothing that anybody puts there can be lost.

    Args:
        clear: called with the private name at which something is that was in the place.

    Returns:
        "moved", or "copied" where that was all that could be done.
    """
    for _ in range(ATTEMPTS):
        placed = move_to_free_name(folder, ready, name)
        if placed != "taken":
            return placed
        try:
            if folder.exchange(ready, name):
                clear(ready)
                return "moved"
            folder.rename(name, away)
        except FileNotFoundError:
            continue  # it was removed in between
        placed = move_to_free_name(folder, ready, name)
        clear(away)
        if placed != "taken":
            return placed
    raise restless(folder.path / name)


def can_keep(folder: Folder, name: str, new: str) -> bool:
    """Whether a file of somebody else's keeps its inode on its way to a free name: tried with a private one of our own.

    It is moved there in one step, or given a second name, which only root may do with any file.
    """
    try:
        folder.create(name, b"", 0o600)
        return folder.move(name, new) or (os.geteuid() == 0 and _linked(folder, name, new))
    finally:
        folder.remove(name)
        folder.remove(new)


def _linked(folder: Folder, name: str, new: str) -> bool:
    try:
        folder.link(name, new)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    return True


def move_to_free_name(folder: Folder, name: str, new: str) -> Placed:
    """Move a file or link to a name if that is free, in one step; where no step is one, as a copy."""
    if folder.has(new):
        return "taken"
    try:
        if not folder.move(name, new):
            folder.link(name, new)
            folder.remove(name)
        return "moved"
    except FileExistsError:
        return "taken"
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    try:
        _copy(folder, name, folder, new)
    except FileExistsError:
        return "taken"
    folder.remove(name)
    return "copied"


def drop_torn(folder: Folder, name: str, whole: str, private: str) -> None:
    """Remove what a process left at `name` that was killed while it copied the file `whole` there."""
    if _is_torn(folder, name, whole):
        folder.rename(name, private)
        if _is_torn(folder, private, whole):
            folder.remove(private)
        elif move_to_free_name(folder, private, name) == "taken":  # it was replaced in between, and now once more
            raise restless(folder.path / name)


def _is_torn(folder: Folder, name: str, whole: str) -> bool:
    try:
        status, source = folder.stat(name), folder.stat(whole)
        if stat.S_ISLNK(status.st_mode) and stat.S_ISLNK(source.st_mode):
            same = folder.readlink(name) == folder.readlink(whole)
            return same and status.st_mtime_ns != source.st_mtime_ns
        # Until all of it is written, a file has this mode.
        if stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o600 and status.st_uid == os.geteuid():
            return folder.read(whole, FILE_BYTES).startswith(folder.read(name, FILE_BYTES))
    except (FileNotFoundError, FolderError):
        pass
    return False


def _copy(source: Folder, name: str, target: Folder, new: str) -> None:
    """Copy a file or link, with its mode and modification time. Raises FileExistsError."""
    status = source.stat(name)
    if stat.S_ISLNK(status.st_mode):
        target.symlink(source.readlink(name), new)
        target.set_time(new, status.st_mtime_ns)
        return
    with source.reading(name) as descriptor:
        status = os.fstat(descriptor)
    # A copy is this user's: it must not carry anything that lets others act as this user.
    target.create(new, source.read(name, FILE_BYTES), status.st_mode & 0o777, status.st_mtime_ns)
