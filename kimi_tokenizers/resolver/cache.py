"""Directories of resolved tokenizer files in the per-user cache, keyed by content.

Everything in it can be deleted at any time. It is safe with many processes at once and with processes killed at any
moment: entries appear whole, by one rename, and each is checked before it is handed out.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import os
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from kimi_tokenizers.errors import CacheError, KimiTokenizersError
from kimi_tokenizers.model_dirs import CACHE_VARIABLE, cache_root, only_process, own_cache, read_small

_STAMP = ".kimi-tokenizers.json"
TEMPORARY = ".new-"
RESOLVED = "resolved"
LOCK = ".lock"


def entry(sums: Mapping[str, str], read: Callable[[str], bytes]) -> Path:
    """A directory that holds exactly these files: made if it is not there, mended if it is damaged.

    Args:
        sums: file name -> SHA-256 of its content.
        read: gives the content for a name; only called where the directory has to be made.

    Raises:
        CacheError: neither the cache nor a temporary directory can be written to.
    """
    key = hashlib.sha256(json.dumps(sorted(sums.items())).encode()).hexdigest()[:32]
    base = cache_root()
    try:
        path = own_cache(base) / RESOLVED / key
        if not _is_whole(path, sums):
            _make(path, sums, read)
        return path
    except KimiTokenizersError:  # from `read`
        raise
    except OSError as error:  # no right, no space; no locks on this file system; another process holds the lock
        path = _private(str(base), error.strerror or str(error)) / key
    try:
        if not _is_whole(path, sums):
            _make(path, sums, read)
        return path
    except KimiTokenizersError:
        raise
    except OSError as error:
        raise _no_place(str(base), f"and writing to {str(path.parent)!r} failed: {error}") from error


def _is_whole(path: Path, sums: Mapping[str, str]) -> bool:
    """Whether a directory holds exactly these files, by content; files that did not change are not read again."""
    try:
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            return False
        names = set(os.listdir(path))
        known = json.loads(read_small(path / _STAMP) or b"")
        if names - {"__pycache__"} != {*sums, _STAMP} or set(known) != set(sums):
            return False
        return all(known[name] == [*_identity(path / name), digest] for name, digest in sums.items())
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _identity(path: Path) -> list[int]:
    """What changes when a file does. The time of the last status change cannot be set by anybody."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError(path)
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _make(path: Path, sums: Mapping[str, str], read: Callable[[str], bytes]) -> None:
    """Make or mend an entry, under a lock that other processes wait for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with only_process(path.parent / LOCK):
        _clean(path.parent)  # what processes that were killed left: whoever makes something holds the lock
        if _is_whole(path, sums):
            return
        try:
            new = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent))
            stamp = {}
            for name, digest in sums.items():
                _write(new / name, read(name))
                (new / name).chmod(0o444)
                stamp[name] = [*_identity(new / name), digest]
            _write(new / _STAMP, json.dumps(stamp).encode())
            new.chmod(0o755)
            if os.path.lexists(path):
                if stat.S_ISDIR(path.lstat().st_mode):
                    path.chmod(0o700)  # one that cannot be written to could be neither moved nor removed
                path.rename(Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent), "damaged"))
            new.rename(path)
        finally:
            _clean(path.parent)


def _write(path: Path, content: bytes) -> None:
    """Write a file and flush it to disk: after a power loss the stamp must not vouch for an empty one."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _clean(folder: Path) -> None:
    for leftover in folder.glob(TEMPORARY + "*"):
        shutil.rmtree(leftover, ignore_errors=True)


@functools.lru_cache(maxsize=8)
def _private(base: str, reason: str) -> Path:
    """A temporary directory of this process, for where there is no cache."""
    try:
        path = Path(tempfile.mkdtemp(prefix="kimi-tokenizers-"))
    except OSError as error:
        raise _no_place(base, f"({reason}), and neither can a temporary directory ({error})") from error
    atexit.register(_remove, path, os.getpid())
    warnings.warn(
        f"The cache {base!r} cannot be used ({reason}); {str(path)!r} is used until this process ends. "
        f"Set {CACHE_VARIABLE} to a directory that can be written to.",
        RuntimeWarning,
        stacklevel=5,
    )
    return path


def _remove(path: Path, process: int) -> None:
    if os.getpid() == process:  # not at the end of a fork of it
        shutil.rmtree(path, ignore_errors=True)


def _no_place(base: str, reason: str) -> CacheError:
    return CacheError(
        f"The cache {base!r} cannot be used {reason}. Set {CACHE_VARIABLE} to a directory that can be written to."
    )
