"""The per-user cache: directories of resolved tokenizer files, keyed by content, and verdicts of the guard.

Everything in it can be deleted at any time. It is safe with many processes at once and with processes killed at any
moment: entries appear whole, by one rename, and each is checked before it is handed out.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from kimi_tokenizers import directory
from kimi_tokenizers.errors import CacheError, KimiTokenizersError

VARIABLE = "KIMI_TOKENIZERS_CACHE"

_STAMP = ".kimi-tokenizers.json"
_TEMPORARY = ".new-"


def root(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """Where the cache is: $KIMI_TOKENIZERS_CACHE, else `kimi-tokenizers` in the user's cache directory.

    Absolute. Where there is no home directory, a leading `~` stays as it is; nothing can be made there.
    """
    environment = os.environ if environment is None else environment
    if environment.get(VARIABLE):
        return _absolute(environment[VARIABLE])
    if platform == "darwin":
        return _absolute("~/Library/Caches/kimi-tokenizers")
    return _absolute(environment.get("XDG_CACHE_HOME") or "~/.cache") / "kimi-tokenizers"


def _absolute(path: str) -> Path:
    expanded = os.path.expanduser(path)
    return Path(expanded if expanded.startswith("~") else os.path.abspath(expanded))


def entry(sums: Mapping[str, str], read: Callable[[str], bytes]) -> Path:
    """A directory that holds exactly these files: made if it is not there, mended if it is damaged.

    Args:
        sums: file name -> SHA-256 of its content.
        read: gives the content for a name; only called where the directory has to be made.

    Raises:
        CacheError: neither the cache nor a temporary directory can be written to.
    """
    key = hashlib.sha256(json.dumps(sorted(sums.items())).encode()).hexdigest()[:32]
    base = root()
    try:
        path = _own(base) / "resolved" / key
        if not _is_whole(path, sums):
            _make(path, sums, read)
        return path
    except KimiTokenizersError:  # from `read`
        raise
    except (OSError, NotImplementedError) as error:  # the latter from filelock, on a file system without locks
        path = _private(str(base), getattr(error, "strerror", None) or str(error)) / key
    try:
        if not _is_whole(path, sums):
            _make(path, sums, read)
        return path
    except KimiTokenizersError:
        raise
    except (OSError, NotImplementedError) as error:
        raise _no_place(str(base), f"and writing to {str(path.parent)!r} failed: {error}") from error


def has_verdict(key: str) -> bool:
    """Whether the guard has passed what `key` identifies. Somebody else's word, or none, is no."""
    try:
        return stat.S_ISREG(os.lstat(_own(root()) / "verdicts" / key).st_mode)
    except OSError:
        return False


def keep_verdict(key: str) -> None:
    """Remember that the guard has passed what `key` identifies. A cache that cannot be written to forgets."""
    with contextlib.suppress(OSError):
        folder = _own(root()) / "verdicts"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / key).touch()


def _own(base: Path) -> Path:
    """`base`, unless somebody else owns it: they could put another tokenizer there. Raises OSError."""
    if not base.is_absolute():
        raise FileNotFoundError(2, "there is no home directory")
    try:
        owner = base.stat().st_uid
    except FileNotFoundError:
        return base
    if owner != os.geteuid():
        raise PermissionError(1, f"it belongs to user id {owner}")
    return base


def _is_whole(path: Path, sums: Mapping[str, str]) -> bool:
    """Whether a directory holds exactly these files, by content; files that did not change are not read again."""
    try:
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            return False
        names = set(os.listdir(path))
        known = json.loads(directory.read_small(path / _STAMP) or b"")
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
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.parent / ".lock"):
        _clean(path.parent)  # what processes that were killed left: whoever makes something holds the lock
        if _is_whole(path, sums):
            return
        try:
            new = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=path.parent))
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
                path.rename(Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=path.parent), "damaged"))
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
    for leftover in folder.glob(_TEMPORARY + "*"):
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
        f"Set {VARIABLE} to a directory that can be written to.",
        RuntimeWarning,
        stacklevel=4,
    )
    return path


def _remove(path: Path, process: int) -> None:
    if os.getpid() == process:  # not at the end of a fork of it
        shutil.rmtree(path, ignore_errors=True)


def _no_place(base: str, reason: str) -> CacheError:
    return CacheError(
        f"The cache {base!r} cannot be used {reason}. Set {VARIABLE} to a directory that can be written to."
    )
