"""What is at a path: a file, a link or nothing, looked at without following links.

It only reads, and must never block on a FIFO that has taken a file's place, or write.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kimi_tokenizers.errors import FolderError, SyncError
from kimi_tokenizers.model_dirs import Folder, TokenizerFiles
from kimi_tokenizers.sync.rights import explained

# How often something is tried again because another process came in between: exo or a download client may be changing
# the directory at the same time, but not for ever.
ATTEMPTS = 100

# How the system says that a file became a link, or a link a file, since it was last looked at.
_ANOTHER_KIND = frozenset({errno.ELOOP, errno.EINVAL})

FILE_BYTES = 64 << 20
"""What is larger is no tokenizer file and is not read; the largest known, a rank table, has 2.8 MB."""

_CHUNK = 1 << 20

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


def examine(folder: Folder, name: str) -> State:
    """What is there; a link is not followed.

    Raises:
        SyncError: it is neither a file nor a link, is far too large for a tokenizer file, or cannot be read.
    """
    for _ in range(ATTEMPTS):
        status = None
        try:
            status = folder.stat(name)
            return _examine(folder, name, status)
        except FileNotFoundError:
            return ABSENT
        except FolderError:
            continue  # it was a file, and is none any more
        except OSError as error:
            if status is None or error.errno not in _ANOTHER_KIND:
                raise explained(error, folder.path / name) from error
    raise restless(folder.path / name)


def _examine(folder: Folder, name: str, status: os.stat_result) -> State:
    if stat.S_ISLNK(status.st_mode):
        inode = (status.st_dev, status.st_ino)
        return State("link", mtime_ns=status.st_mtime_ns, target=folder.readlink(name), inode=inode)
    if not stat.S_ISREG(status.st_mode):
        raise SyncError(
            f"{str(folder.path / name)!r} is {kind_name(status.st_mode)}, where a tokenizer file belongs. Nothing was "
            "changed. Remove it and run the command again."
        )
    with folder.reading(name) as descriptor:
        return _examine_file(descriptor, folder.path / name)


def _examine_file(descriptor: int, path: Path) -> State:
    status = os.fstat(descriptor)
    digest, size = hashlib.sha256(), 0
    if status.st_size <= FILE_BYTES:
        while size <= FILE_BYTES and (chunk := os.read(descriptor, _CHUNK)):
            digest.update(chunk)
            size += len(chunk)
    if max(size, status.st_size) > FILE_BYTES:
        raise SyncError(
            f"{str(path)!r} has, or leads to, more than {FILE_BYTES:,} bytes, far too many for a tokenizer file. "
            "Nothing was changed. Move it away and run the command again."
        )
    mode = stat.S_IMODE(status.st_mode)
    return State("file", digest.hexdigest(), size, mode, status.st_mtime_ns, inode=(status.st_dev, status.st_ino))


def content_sha256(folder: Folder, name: str) -> str | None:
    """SHA-256 of the regular file that a link leads to; None if it leads to none. Raises SyncError."""
    path = folder.path / name
    try:  # to follow it is what is asked for here, and nothing but the hash comes of it
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder.descriptor)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP):
            return None
        raise explained(error, path) from error
    try:
        return _examine_file(descriptor, path).sha256 if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    finally:
        os.close(descriptor)


def check_directory(model_dir: str | os.PathLike[str]) -> Path:
    """`model_dir` as a path, if it is a directory that can be read. Raises SyncError, ModelDirError."""
    path = Path(model_dir)
    try:
        os.listdir(path)
    except PermissionError as error:
        raise explained(error, path) from error
    except NotADirectoryError as error:
        raise SyncError(
            f"{str(path)!r} has the name of a model directory and is {kind_name(os.stat(path).st_mode)}. "
            "Remove it or give it another name."
        ) from error
    except (OSError, ValueError):
        pass  # what follows fails in the same way, and says it in full
    with TokenizerFiles(path):
        return path


def restless(path: Path) -> SyncError:
    """The error to raise when all attempts have failed."""
    return SyncError(f"{str(path)!r} is replaced and removed by another process all the time. Stop that one first.")
