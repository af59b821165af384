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

from kimi_tokenizers.errors import CacheError, KimiTokenizersError

VARIABLE = "KIMI_TOKENIZERS_CACHE"

_STAMP = ".kimi-tokenizers.json"
_TEMPORARY = ".new-"


def root(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """Where the cache is: $KIMI_TOKENIZERS_CACHE, else `kimi-tokenizers` in the user's cache directory."""
    environment = os.environ if environment is None else environment
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE]).expanduser()
    if platform == "darwin":
        return Path("~/Library/Caches/kimi-tokenizers").expanduser()
    return Path(environment.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "kimi-tokenizers"


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
        _check_owner(base)
        path = base / "resolved" / key
        if not _is_whole(path, sums):
            _make(path, sums, read)
        return path
    except OSError as error:
        if isinstance(error, KimiTokenizersError):  # from `read`
            raise
        private = _private(str(base), error.strerror or str(error)) / key
        if not _is_whole(private, sums):
            _make(private, sums, read)
        return private


def has_verdict(key: str) -> bool:
    """Whether the guard has passed what `key` identifies."""
    return (root() / "verdicts" / key).exists()


def keep_verdict(key: str) -> None:
    """Remember that the guard has passed what `key` identifies. A cache that cannot be written to forgets."""
    with contextlib.suppress(OSError):
        folder = root() / "verdicts"
        folder.mkdir(parents=True, exist_ok=True)
        _check_owner(root())
        (folder / key).touch()


def _check_owner(base: Path) -> None:
    """Refuse a cache that somebody else owns: they could put another tokenizer there."""
    try:
        owner = base.stat().st_uid
    except FileNotFoundError:
        return
    if owner != os.geteuid():
        raise PermissionError(1, f"it belongs to user id {owner}")


def _is_whole(path: Path, sums: Mapping[str, str]) -> bool:
    """Whether a directory holds exactly these files, by content; files that did not change are not read again."""
    try:
        names = set(os.listdir(path))
        known = json.loads((path / _STAMP).read_bytes())
        if names - {"__pycache__"} != {*sums, _STAMP} or set(known) != set(sums):
            return False
        return all(known[name] == [*_identity(path / name), digest] for name, digest in sums.items())
    except (OSError, ValueError, TypeError):
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
                file = new / name
                file.write_bytes(read(name))
                file.chmod(0o444)
                stamp[name] = [*_identity(file), digest]
            (new / _STAMP).write_text(json.dumps(stamp), encoding="utf-8")
            new.chmod(0o755)
            if os.path.lexists(path):
                path.rename(Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=path.parent), "damaged"))
            new.rename(path)
        finally:
            _clean(path.parent)


def _clean(folder: Path) -> None:
    for leftover in folder.glob(_TEMPORARY + "*"):
        shutil.rmtree(leftover, ignore_errors=True)


@functools.lru_cache(maxsize=8)
def _private(base: str, reason: str) -> Path:
    """A temporary directory of this process, for where there is no cache."""
    try:
        path = Path(tempfile.mkdtemp(prefix="kimi-tokenizers-"))
    except OSError as error:
        raise CacheError(
            f"The cache {base!r} cannot be used ({reason}), and neither can a temporary directory ({error}). "
            f"Set {VARIABLE} to a directory that can be written to."
        ) from error
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    warnings.warn(
        f"The cache {base!r} cannot be used ({reason}); {str(path)!r} is used until this process ends. "
        f"Set {VARIABLE} to a directory that can be written to.",
        RuntimeWarning,
        stacklevel=4,
    )
    return path
