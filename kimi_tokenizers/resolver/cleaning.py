"""What is in the per-user cache, and taking it away.

Only what this package made is ever removed: entries and verdicts, known by their names and kinds. An entry goes by one
rename, under the lock that whoever makes one holds, so another process finds it whole or makes it anew. (One that is
just reading an entry it was handed earlier has to ask for it again.)
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kimi_tokenizers.errors import CacheError
from kimi_tokenizers.model_dirs import CACHE_VARIABLE, cache_root, only_process, own_cache
from kimi_tokenizers.resolver.cache import LOCK, RESOLVED, TEMPORARY

_NAMES = {
    "resolved": re.compile(r"[0-9a-f]{32}|" + re.escape(TEMPORARY) + ".+"),
    "verdicts": re.compile("[0-9a-f]{64}"),
}


@dataclass(frozen=True)
class CacheItem:
    """Something of ours in the cache.

    Attributes:
        kind: "resolved" (tokenizer files of one model), "leftover" (of a process that was killed), "verdict" (a large
            file that the guard has passed).
        size: bytes of all its files.
    """

    path: str
    kind: Literal["resolved", "leftover", "verdict"]
    size: int


@dataclass(frozen=True)
class CacheContents:
    """The cache.

    Attributes:
        source: the environment variable that says where it is, or that it is the default.
        exists: whether there is one.
        used: whether this user's processes use it.
        why: the reason for that, for people.
        left: names in it that are not ours.
    """

    path: str
    source: str
    exists: bool
    used: bool
    why: str
    items: tuple[CacheItem, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return sum(item.size for item in self.items)


def cache_contents() -> CacheContents:
    """What is in the cache; it only reads."""
    root = cache_root()
    variables = (CACHE_VARIABLE, "XDG_CACHE_HOME")
    source = next((name for name in variables if os.environ.get(name)), f"the default; {CACHE_VARIABLE} is not set")
    exists = os.path.lexists(root)
    objection = _objection(root)
    if objection is not None:
        return CacheContents(str(root), source, exists, False, objection)
    if not exists:
        return CacheContents(str(root), source, False, True, "it will be made when it is needed; nothing is in it yet")
    why = "it is yours and can be written to"
    return CacheContents(str(root), source, True, True, why, tuple(_items(root)), tuple(_left(root)))


def clean_cache() -> tuple[CacheContents, list[str]]:
    """Remove everything of ours from the cache.

    Returns:
        What was there, and what could not be removed, a line each.

    Raises:
        CacheError: it is not used, so nothing in it is ours; or its lock cannot be taken.
    """
    contents = cache_contents()
    if not contents.used:
        raise CacheError(f"The cache {contents.path!r} is not used ({contents.why}), so nothing in it was removed.")
    problems: list[str] = []
    for item in contents.items:
        if item.kind == "verdict":
            _attempt(problems, Path(item.path), Path.unlink)
    folder = Path(contents.path) / RESOLVED
    if any(item.kind != "verdict" for item in contents.items):
        _clean_entries(folder, problems)
    return contents, problems


def _clean_entries(folder: Path, problems: list[str]) -> None:
    try:
        with only_process(folder / LOCK):
            for path in sorted(folder.iterdir()):
                if _NAMES["resolved"].fullmatch(path.name) and _is_our_directory(path):
                    _attempt(problems, path, _remove)
    except OSError as error:
        raise CacheError(f"The cache {str(folder.parent)!r} cannot be cleaned: {error}. Check its rights.") from error


def _remove(path: Path) -> None:
    """Take an entry away by one rename, and then remove it: nobody sees half of one."""
    if not path.name.startswith(TEMPORARY):
        path.chmod(0o700)  # one that cannot be written to could be neither moved nor removed
        new = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent))
        path.rename(new / "cleaned")
        path = new
    shutil.rmtree(path)


def _attempt(problems: list[str], path: Path, remove: Callable[[Path], None]) -> None:
    try:
        remove(path)
    except FileNotFoundError:
        pass  # another process was faster
    except OSError as error:
        problems.append(f"{str(path)!r} cannot be removed: {error.strerror}.")


def _objection(root: Path) -> str | None:
    """Why the cache is not used; None if it is."""
    try:
        own_cache(root)
        folder = next(path for path in (root, *root.parents) if os.path.lexists(path))
        if not stat.S_ISDIR(folder.stat().st_mode):
            return f"{str(folder)!r} is not a directory"
        if not os.access(folder, os.W_OK | os.X_OK):
            return f"{str(folder)!r} cannot be written to"
    except OSError as error:
        return error.strerror or str(error)
    return None


def _items(root: Path) -> Iterator[CacheItem]:
    for path in _in(root / RESOLVED):
        if _NAMES["resolved"].fullmatch(path.name) and _is_our_directory(path):
            yield CacheItem(str(path), "leftover" if path.name.startswith(TEMPORARY) else "resolved", _size(path))
    for path in _in(root / "verdicts"):
        if _NAMES["verdicts"].fullmatch(path.name) and stat.S_ISREG(path.lstat().st_mode):
            yield CacheItem(str(path), "verdict", path.lstat().st_size)


def _left(root: Path) -> Iterator[str]:
    """What is in the cache and is not ours."""
    for path in sorted(root.iterdir()):
        if path.name not in _NAMES or not _is_our_directory(path):
            yield path.name
            continue
        for inner in _in(path):
            fits = _NAMES[path.name].fullmatch(inner.name) and (path.name == "verdicts" or _is_our_directory(inner))
            if not fits and inner.name != LOCK:
                yield f"{path.name}/{inner.name}"


def _in(folder: Path) -> list[Path]:
    """What is in a directory of ours; nothing in one that is a link or somebody else's."""
    return sorted(folder.iterdir()) if _is_our_directory(folder) else []


def _is_our_directory(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def _size(folder: Path) -> int:
    sizes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                sizes += os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                continue  # another process has removed it
    return sizes
