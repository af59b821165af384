"""What is in the per-user cache, and taking it away.

Only what this package made is ever removed: entries and verdicts, known by their names and kinds. An entry goes by one
rename, under the lock that whoever makes one holds, so another process finds it whole or makes it anew. One that was
handed out within the last hour stays, unless everything is to go: somebody may just be reading it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kimi_tokenizers.errors import CacheError
from kimi_tokenizers.model_dirs import (
    CACHE_VARIABLE,
    RESOLVED,
    VERDICTS,
    Folder,
    cache_root,
    only_process,
    open_cache,
    own_folder,
)
from kimi_tokenizers.resolver.cache import LOCK, TEMPORARY, USED_SECONDS, remove_tree, set_aside

_NAMES = {
    RESOLVED: re.compile(r"[0-9a-f]{32}|" + re.escape(TEMPORARY) + ".+"),
    VERDICTS: re.compile("[0-9a-f]{64}"),
}


@dataclass(frozen=True)
class CacheItem:
    """Something of ours in the cache.

    Attributes:
        kind: "resolved" (tokenizer files of one model), "leftover" (of a process that was killed), "verdict" (a large
            file that the guard has passed).
        size: bytes of all its files.
        in_use: somebody may be reading it.
    """

    path: str
    kind: Literal["resolved", "leftover", "verdict"]
    size: int
    in_use: bool = False


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
    with open_cache(root) as cache:
        items, left = tuple(_items(cache)), tuple(_left(cache))
    return CacheContents(str(root), source, True, True, "it is yours and can be written to", items, left)


def clean_cache(*, everything: bool = False) -> tuple[CacheContents, list[str]]:
    """Remove what is ours from the cache, but for entries that somebody may still be reading.

    Args:
        everything: these, too.

    Returns:
        What was there, and what could not be removed, a line each.

    Raises:
        CacheError: it is not used, so nothing in it is ours; or its lock cannot be taken.
    """
    contents = cache_contents()
    if not contents.used:
        raise CacheError(f"The cache {contents.path!r} is not used ({contents.why}), so nothing in it was removed.")
    problems: list[str] = []
    going = [item for item in contents.items if everything or not item.in_use]
    try:
        if going:
            with open_cache(Path(contents.path)) as cache:
                _clean(cache, going, problems)
    except OSError as error:
        raise CacheError(f"The cache {contents.path!r} cannot be cleaned: {error}. Check its rights.") from error
    return contents, problems


def _clean(cache: Folder, going: list[CacheItem], problems: list[str]) -> None:
    verdicts = [os.path.basename(item.path) for item in going if item.kind == "verdict"]
    if verdicts:
        with own_folder(cache, VERDICTS) as folder:
            for name in verdicts:
                _attempt(problems, folder, name, folder.remove)
    if len(going) > len(verdicts):
        with own_folder(cache, RESOLVED) as folder, only_process(folder, LOCK):
            for item in going:
                name = os.path.basename(item.path)
                if item.kind == "resolved":
                    _attempt(problems, folder, name, functools.partial(set_aside, folder))
            for name in folder.names():
                if name.startswith(TEMPORARY):
                    _attempt(problems, folder, name, functools.partial(remove_tree, folder))


def _attempt(problems: list[str], folder: Folder, name: str, remove: Callable[[str], None]) -> None:
    try:
        remove(name)
    except FileNotFoundError:
        pass  # another process was faster
    except OSError as error:
        problems.append(f"{str(folder.path / name)!r} cannot be removed: {error.strerror or error}.")


def _objection(root: Path) -> str | None:
    """Why the cache is not used; None if it is, or would be once it is made."""
    if not os.path.lexists(root):
        above = next((path for path in root.parents if os.path.lexists(path)), root)
        return None if os.access(above, os.W_OK | os.X_OK) else f"{str(above)!r} cannot be written to"
    try:
        with open_cache(root) as cache:
            for name in _NAMES:
                with contextlib.suppress(FileNotFoundError), own_folder(cache, name):
                    pass
    except NotADirectoryError as error:
        return f"{error.filename!r} is not a directory"
    except OSError as error:
        return error.strerror or str(error)
    return None if os.access(root, os.W_OK | os.X_OK) else f"{str(root)!r} cannot be written to"


def _items(cache: Folder) -> Iterator[CacheItem]:
    for kind, folder in _folders(cache):
        for name in folder.names():
            if not _NAMES[kind].fullmatch(name):
                continue
            status = folder.stat(name)
            path = str(folder.path / name)
            if kind == VERDICTS and stat.S_ISREG(status.st_mode):
                yield CacheItem(path, "verdict", status.st_size)
            elif kind == RESOLVED and stat.S_ISDIR(status.st_mode):
                leftover = name.startswith(TEMPORARY)
                in_use = not leftover and time.time() - status.st_mtime < USED_SECONDS
                yield CacheItem(path, "leftover" if leftover else "resolved", _size(folder, name), in_use)


def _left(cache: Folder) -> Iterator[str]:
    """What is in the cache and is not ours."""
    ours = {os.path.relpath(item.path, cache.path) for item in _items(cache)}
    kinds = dict(_folders(cache))
    yield from (name for name in cache.names() if name not in kinds)
    for kind, folder in _folders(cache):
        inner = (f"{kind}/{name}" for name in folder.names() if name != LOCK)
        yield from (name for name in inner if name not in ours)


def _folders(cache: Folder) -> Iterator[tuple[str, Folder]]:
    """The folders of ours, each open until the next is asked for."""
    for name in _NAMES:
        with contextlib.suppress(FileNotFoundError), own_folder(cache, name) as folder:
            yield name, folder


def _size(folder: Folder, name: str) -> int:
    """Bytes of all files in a folder, or of a file."""
    try:
        status = folder.stat(name)
        if not stat.S_ISDIR(status.st_mode):
            return status.st_size
        with folder.folder(name) as inside:
            return sum(_size(inside, inner) for inner in inside.names())
    except OSError:
        return 0  # another process has removed it
