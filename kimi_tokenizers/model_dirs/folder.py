"""A directory as a handle: what is done below it goes by descriptors, so that no path is resolved twice.

Whoever may write to a directory can make one of its folders a link between two looks at it. So a `Folder` is opened
once, by the path that the user gave, and after that every name is a single component, looked up in that very directory;
a link is never followed. It must never join names to a path but for messages, and never write into a file that exists:
such a file may be hard-linked elsewhere.

Errors of the system are OSErrors that name the whole path. A FolderError says that something is not what it has to be.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from kimi_tokenizers.errors import FolderError
from kimi_tokenizers.model_dirs import renaming

OWN_PREFIX = ".kimi-tokenizers"
"""How the names of this package's own files begin, in model directories, views and models dirs."""

VIEW_MARKER = OWN_PREFIX + "-view.json"
"""The file by which a models dir is known to be a view."""

_NEEDED = (os.open, os.stat, os.mkdir, os.rmdir, os.unlink, os.rename, os.link, os.symlink, os.readlink)
_HAS_DIR_FD = all(function in os.supports_dir_fd for function in _NEEDED)

# Without O_NONBLOCK a FIFO in the place of a file would block for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

_NO_FOLDER = frozenset({errno.ELOOP, errno.ENOTDIR})
_NO_FILE = frozenset({errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EOPNOTSUPP})  # the last two: a socket
_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


class Folder:
    """An open directory. Use it in a `with` block, or close it.

    Attributes:
        path: where it was when it was opened; for messages only.
        descriptor: of the directory.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self.descriptor = path, descriptor

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Folder:
        """Open the directory that the user named; its own path may lead through links.

        Raises:
            FolderError: this system cannot work relative to an open directory.
            OSError: there is no such directory, or it cannot be read.
        """
        if not _HAS_DIR_FD:
            raise FolderError(
                f"{str(path)!r} cannot be used safely: this system ({sys.platform}) cannot look names up in an open "
                "directory (dir_fd). Use Linux or macOS."
            )
        return cls(Path(path), os.open(path, _DIRECTORY))

    def folder(self, name: str, *, make: bool = False, owned: bool = False, follow: bool = False) -> Folder:
        """Open a folder in this one. A link to one is refused, but where it is to be followed.

        Args:
            make: make it (mode 0755) where there is none.
            owned: refuse one that somebody could have prepared: it belongs neither to this user, nor to root, nor to
                the owner of this folder, or others may write to it who may not write to this folder.

        Raises:
            FolderError: it is a link, a file, or not `owned`.
        """
        if make:
            with contextlib.suppress(FileExistsError):
                self.make_folder(name)
        try:
            with self._naming(name):
                descriptor = os.open(name, _DIRECTORY | (0 if follow else os.O_NOFOLLOW), dir_fd=self.descriptor)
        except OSError as error:
            if error.errno in _NO_FOLDER:
                raise FolderError(f"{str(self.path / name)!r} is {self._kind(name)}, not a folder.") from error
            raise
        result = Folder(self.path / name, descriptor)
        if owned:
            try:
                result._check_owner(os.fstat(self.descriptor))
            except BaseException:
                result.close()
                raise
        return result

    def again(self) -> Folder:
        """Open the same directory once more."""
        with self._naming():
            return Folder(self.path, os.open(".", _DIRECTORY, dir_fd=self.descriptor))

    def close(self) -> None:
        """Give the descriptor back. A second time, nothing happens."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # -- looking ----------------------------------------------------------------------------------

    def stat(self, name: str) -> os.stat_result:
        """What is there; of a link, the link itself. Raises FileNotFoundError."""
        with self._naming(name):
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)

    def has(self, name: str) -> bool:
        """Whether there is anything of that name, a link that leads nowhere included."""
        try:
            self.stat(name)
        except FileNotFoundError:
            return False
        return True

    def has_file(self, name: str) -> bool:
        """`has`, for what can be removed. Raises FolderError where it is a directory."""
        try:
            if not stat.S_ISDIR(self.stat(name).st_mode):
                return True
        except FileNotFoundError:
            return False
        raise FolderError(f"{str(self.path / name)!r} is a directory, not a file.")

    def names(self) -> list[str]:
        """What is in it, sorted."""
        with self._naming():  # opened anew: a directory's position is shared by all copies of a descriptor
            descriptor = os.open(".", _DIRECTORY, dir_fd=self.descriptor)
            try:
                return sorted(os.listdir(descriptor))
            finally:
                os.close(descriptor)

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[int]:
        """A descriptor of a regular file, to read from. Raises FolderError if it is no file, FileNotFoundError."""
        descriptor = self._open_file(name, _READ)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def read(self, name: str, limit: int) -> bytes:
        """Content of a regular file. Raises FolderError where it has more than `limit` bytes, too, as `reading`."""
        with self.reading(name) as descriptor, self._naming(name):
            if os.fstat(descriptor).st_size <= limit:
                with open(descriptor, "rb", closefd=False) as file:
                    data = file.read(limit + 1)
                if len(data) <= limit:
                    return data
        raise FolderError(f"{str(self.path / name)!r} has more than {limit:,} bytes.")

    def readlink(self, name: str) -> str:
        """Where a link leads, as it is written in it."""
        with self._naming(name):
            return os.readlink(name, dir_fd=self.descriptor)

    # -- changing ---------------------------------------------------------------------------------

    def create(self, name: str, data: bytes, mode: int, mtime_ns: int | None = None) -> None:
        """Write a file that does not exist and flush it to the disk. If it cannot be written whole, it is removed.

        Until it is whole its mode is 0600.
        """
        with self._naming(name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o600, dir_fd=self.descriptor)
            try:
                try:
                    rest = memoryview(data)
                    while rest:
                        rest = rest[os.write(descriptor, rest) :]
                    if mtime_ns is not None:
                        os.utime(descriptor, ns=(mtime_ns, mtime_ns))
                    os.fchmod(descriptor, mode)
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            except BaseException:
                self.remove(name)
                raise

    def symlink(self, target: str, name: str) -> None:
        """Make a link. Raises FileExistsError."""
        with self._naming(name):
            os.symlink(target, name, dir_fd=self.descriptor)

    def link(self, name: str, new: str, to: Folder | None = None) -> None:
        """Give a file, or a link, a second name, here or in another folder. Raises FileExistsError."""
        with self._naming(name, to, new) as where:
            os.link(name, new, src_dir_fd=self.descriptor, dst_dir_fd=where, follow_symlinks=False)

    def rename(self, name: str, new: str, to: Folder | None = None) -> None:
        """Move something to a name, here or in another folder; what has that name already is gone then."""
        with self._naming(name, to, new) as where:
            os.rename(name, new, src_dir_fd=self.descriptor, dst_dir_fd=where)

    def move(self, name: str, new: str, to: Folder | None = None) -> bool:
        """`rename` to a name that is free, in one step; False, and nothing done, where the system cannot.

        Raises FileExistsError if the name is taken.
        """
        with self._naming(name, to, new) as where:
            return renaming.renamed(self.descriptor, name, where, new, renaming.FREE)

    @staticmethod
    def can_exchange() -> bool:
        """Whether this system can `move` and `exchange` names, on the file systems that do."""
        return renaming.rename_call() is not None

    def exchange(self, name: str, other: str, to: Folder | None = None) -> bool:
        """Exchange two names in one step; False, and nothing done, where the system cannot.

        Raises FileNotFoundError if there is nothing at one of them.
        """
        with self._naming(name, to, other) as where:
            return renaming.renamed(self.descriptor, name, where, other, renaming.SWAP)

    def remove(self, name: str) -> None:
        """Remove a file or link, if there is one."""
        with self._naming(name), contextlib.suppress(FileNotFoundError):
            if self.has_file(name):
                os.unlink(name, dir_fd=self.descriptor)

    def make_folder(self, name: str, mode: int = 0o755) -> None:
        """Make a folder. Raises FileExistsError."""
        with self._naming(name):
            os.mkdir(name, mode, dir_fd=self.descriptor)

    def remove_folder(self, name: str) -> None:
        """Remove an empty folder. Raises OSError if it is not empty, or no folder."""
        with self._naming(name):
            os.rmdir(name, dir_fd=self.descriptor)

    def set_time(self, name: str, mtime_ns: int) -> None:
        """Set the modification time, of a link that of the link itself; nothing happens where the system cannot."""
        with self._naming(name), contextlib.suppress(NotImplementedError):
            os.utime(name, ns=(mtime_ns, mtime_ns), dir_fd=self.descriptor, follow_symlinks=False)

    def flush(self) -> None:
        """Flush the names in it to the disk."""
        with self._naming():
            os.fsync(self.descriptor)

    def lock_file(self, name: str) -> int:
        """A descriptor of a file to lock, made if there is none. Raises FolderError if it is no file."""
        return self._open_file(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)

    def is_at(self, name: str, descriptor: int) -> bool:
        """Whether an open file, or folder, is the one of that name."""
        try:
            return os.path.samestat(os.fstat(descriptor), self.stat(name))
        except FileNotFoundError:
            return False

    @contextlib.contextmanager
    def _naming(self, name: str | None = None, to: Folder | None = None, new: str | None = None) -> Iterator[int]:
        """Check names; errors name whole paths. The value is the descriptor of the folder that `new` is in."""
        to = to or self
        for folder, given in ((self, name), (to, new)):
            if given is not None and not _is_name(given):
                raise FolderError(f"{given[:300]!r} is not the name of a file in {str(folder.path)!r}.")
        try:
            yield to.descriptor
        except OSError as error:
            if not isinstance(error, FolderError):
                error.filename = str(self.path if name is None else self.path / name)
                error.filename2 = None if new is None else str(to.path / new)
            raise

    def _open_file(self, name: str, flags: int) -> int:
        try:
            with self._naming(name):
                descriptor = os.open(name, flags, 0o644, dir_fd=self.descriptor)
        except OSError as error:
            if error.errno in _NO_FILE:
                raise FolderError(f"{str(self.path / name)!r} is {self._kind(name)}, not a file.") from error
            raise
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            os.close(descriptor)
            raise FolderError(f"{str(self.path / name)!r} is {_kind_of(mode)}, not a file.")
        return descriptor

    def _kind(self, name: str) -> str:
        try:
            return _kind_of(self.stat(name).st_mode)
        except FileNotFoundError:
            return "something that changes all the time"

    def _check_owner(self, above: os.stat_result) -> None:
        status = os.fstat(self.descriptor)
        if status.st_uid not in (os.geteuid(), 0, above.st_uid):
            raise FolderError(
                f"{str(self.path)!r} belongs to user id {status.st_uid}, which is neither this process's "
                f"({os.geteuid()}) nor the owner's of the folder that it is in ({above.st_uid})."
            )
        # Where all folders have one mode, as on a disk without owners, it says nothing of this one.
        allowed = above.st_mode if status.st_gid == above.st_gid else above.st_mode & ~0o020
        if status.st_mode & ~allowed & 0o022:
            mode = stat.filemode(status.st_mode)
            raise FolderError(f"{str(self.path)!r} can be written to by others (mode {mode}); `chmod go-w` ends that.")


def _is_name(text: str) -> bool:
    """Whether a text is one component of a path, and can be the name of something."""
    try:
        name = os.fsencode(text)
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return False
    return name not in (b"", b".", b"..") and b"/" not in name and b"\0" not in name


def _kind_of(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "something else")
