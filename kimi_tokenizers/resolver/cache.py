"""Directories of resolved tokenizer files in the per-user cache, keyed by content.

Everything in it can be deleted at any time. It is safe with many processes at once and with processes killed at any
moment: entries appear whole, by one rename, and each is checked before it is handed out. Below the cache everything
goes by open directories; what is handed out is a path, where nobody but this user and root can change what it leads
to.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import json
import os
import secrets
import stat
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kimi_tokenizers.errors import CacheError
from kimi_tokenizers.escaping import escaped
from kimi_tokenizers.model_dirs import (
    CACHE_VARIABLE,
    RESOLVED,
    Folder,
    TokenizerFiles,
    cache_root,
    only_process,
    open_cache,
    own_folder,
    parse_json,
)
from kimi_tokenizers.resolver.layering import Content

TEMPORARY = ".new-"
LOCK = ".lock"

USED_SECONDS = 3600
"""How long after an entry was last handed out somebody may still be reading it."""

_STAMP = ".kimi-tokenizers.json"
_STAMP_BYTES = 1024 * 1024
_TOUCH_SECONDS = USED_SECONDS / 6


def entry(files: Mapping[str, Content], directory: TokenizerFiles | None = None) -> Path:
    """A directory that holds exactly these files: made if it is not there, mended if it is damaged.

    Args:
        files: name -> content, which is only read where the directory has to be made. A name can have one folder.
        directory: the model directory that they belong to; the cache must not lie in it.

    Raises:
        CacheError: neither the cache nor a temporary directory can be used.
    """
    described = sorted((name, content.sha256, content.mode) for name, content in files.items())
    key = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:32]
    root = cache_root()
    try:
        return _entry(root, key, files, directory)
    except OSError as error:  # it is not trusted; no right, no space; no locks here; another process holds the lock
        private = _private(str(root), error.strerror or str(error))
    try:
        return _entry(private, key, files)
    except OSError as error:
        raise _no_place(str(root), f"and writing to {str(private)!r} failed: {error}") from error


def _entry(root: Path, key: str, files: Mapping[str, Content], directory: TokenizerFiles | None = None) -> Path:
    with open_cache(root, make=True, model=directory) as cache, own_folder(cache, RESOLVED, make=True) as folder:
        if not _is_whole(folder, key, files):
            _make(folder, key, files)
        if time.time() - folder.stat(key).st_mtime > _TOUCH_SECONDS:
            with contextlib.suppress(OSError):  # on a file system that cannot be written to nobody cleans, either
                os.utime(key, dir_fd=folder.descriptor, follow_symlinks=False)
        return folder.path / key


def _is_whole(folder: Folder, key: str, files: Mapping[str, Content]) -> bool:
    """Whether a directory holds exactly these files, by content; files that did not change are not read again."""
    try:
        with folder.folder(key) as found:
            known = parse_json(found.read(_STAMP, _STAMP_BYTES))
            if set(known) != set(files):
                return False
            for part, names in _by_folder(files).items():
                with found.folder(part) if part else contextlib.nullcontext(found) as inside:
                    status = os.fstat(inside.descriptor)
                    others = () if part else (_STAMP, *filter(None, _by_folder(files)))
                    if (stat.S_IMODE(status.st_mode), status.st_uid) != (0o555, os.geteuid()):
                        return False
                    if set(inside.names()) != {*names, *others}:
                        return False
                    for name in names:
                        path = os.path.join(part, name)
                        if known[path] != [*_identity(inside, name), files[path].sha256]:
                            return False
        return True
    except (OSError, ValueError, TypeError):
        return False


def _by_folder(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by the folder that they are in, which is "" at the top."""
    result: dict[str, list[str]] = {"": []}
    for name in names:
        part, _, last = name.rpartition("/")
        result.setdefault(part, []).append(last)
    return result


def _identity(folder: Folder, name: str) -> list[int]:
    """What changes when a file does. The time of the last status change cannot be set by anybody."""
    status = folder.stat(name)
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError(name)
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _make(folder: Folder, key: str, files: Mapping[str, Content]) -> None:
    """Make or mend an entry, under a lock that other processes wait for."""
    with only_process(folder, LOCK):
        clean(folder)  # what processes that were killed left: whoever makes something holds the lock
        if _is_whole(folder, key, files):
            return
        try:
            with temporary(folder) as new:
                _fill(new, files)
            with contextlib.suppress(FileNotFoundError):
                set_aside(folder, key)
            folder.rename(new.path.name, key)
        finally:
            clean(folder)


@contextlib.contextmanager
def temporary(folder: Folder) -> Iterator[Folder]:
    """A new folder with a name that `clean` knows."""
    name = TEMPORARY + secrets.token_hex(8)
    folder.make_folder(name, 0o700)
    with folder.folder(name) as new:
        yield new


def _fill(new: Folder, files: Mapping[str, Content]) -> None:
    """Write files and the stamp, flushed to the disk: after a power loss the stamp must not vouch for empty ones."""
    stamp = {}
    for part, names in _by_folder(files).items():
        if part:
            new.make_folder(part, 0o700)
        with new.folder(part) if part else contextlib.nullcontext(new) as inside:
            for name in names:
                path = os.path.join(part, name)
                inside.create(name, files[path].read(), files[path].mode)
                stamp[path] = [*_identity(inside, name), files[path].sha256]
            if part:
                os.fchmod(inside.descriptor, 0o555)
    new.create(_STAMP, json.dumps(stamp).encode(), 0o444)
    os.fchmod(new.descriptor, 0o555)


def set_aside(folder: Folder, name: str) -> None:
    """Take something away by one rename, to a name that `clean` removes: nobody sees half of it."""
    folder.rename(name, TEMPORARY + secrets.token_hex(8))


def clean(folder: Folder) -> None:
    """Remove what was never finished, or was set aside. Whoever holds the lock may."""
    for name in folder.names():
        if name.startswith(TEMPORARY):
            with contextlib.suppress(OSError):
                remove_tree(folder, name)


def remove_tree(folder: Folder, name: str) -> None:
    """Remove a file or link, or a folder with all that is in it, whatever its mode; nothing outside it."""
    if not stat.S_ISDIR(folder.stat(name).st_mode):
        folder.remove(name)
        return
    with folder.folder(name) as inside:
        os.fchmod(inside.descriptor, 0o700)
        for inner in inside.names():
            remove_tree(inside, inner)
    folder.remove_folder(name)


@functools.lru_cache(maxsize=8)
def _private(base: str, reason: str) -> Path:
    """A temporary directory of this process, for where there is no cache."""
    try:
        path = Path(tempfile.mkdtemp(prefix="kimi-tokenizers-"))
    except OSError as error:
        raise _no_place(base, f"({reason}), and neither can a temporary directory ({error})") from error
    atexit.register(_remove, path, os.getpid())
    warnings.warn(
        f"The cache {base!r} cannot be used ({escaped(reason)}); {str(path)!r} is used until this process ends. "
        f"Set {CACHE_VARIABLE} to a directory that only you can write to.",
        RuntimeWarning,
        stacklevel=5,
    )
    return path


def _remove(path: Path, process: int) -> None:
    if os.getpid() == process:  # not at the end of a fork of it
        with contextlib.suppress(OSError), Folder.open(path.parent) as folder:
            remove_tree(folder, path.name)


def _no_place(base: str, reason: str) -> CacheError:
    return CacheError(
        f"The cache {base!r} cannot be used {reason}. Set {CACHE_VARIABLE} to a directory that only you can write to."
    )
