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

from kimi_tokenizers.errors import SyncError
from kimi_tokenizers.model_dirs import TokenizerFiles
from kimi_tokenizers.sync.rights import explained

# How often something is tried again because another process came in between: exo or a download client may be changing
# the directory at the same time, but not for ever.
ATTEMPTS = 100

# How the system says that a file became a link, or a link a file, since it was last looked at.
_ANOTHER_KIND = frozenset({errno.ELOOP, errno.EINVAL})

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


def examine(path: Path) -> State:
    """What is at a path; a link is not followed.

    Raises:
        SyncError: it is neither a file nor a link, or cannot be read.
    """
    for _ in range(ATTEMPTS):
        status = None
        try:
            status = os.lstat(path)
            return _examine(path, status)
        except FileNotFoundError:
            return ABSENT
        except OSError as error:
            if status is None or error.errno not in _ANOTHER_KIND:
                raise explained(error, path) from error
    raise restless(path)


def _examine(path: Path, status: os.stat_result) -> State:
    if stat.S_ISLNK(status.st_mode):
        inode = (status.st_dev, status.st_ino)
        return State("link", mtime_ns=status.st_mtime_ns, target=os.readlink(path), inode=inode)
    if not stat.S_ISREG(status.st_mode):
        raise SyncError(
            f"{str(path)!r} is {kind_name(status.st_mode)}, where a tokenizer file belongs. Nothing was changed. "
            "Remove it and run the command again."
        )
    return _examine_file(path)


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
