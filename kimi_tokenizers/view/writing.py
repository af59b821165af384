"""How files and links are put into a view's directory, and cleaned up in it; and the lock that every writer holds.

Everything goes by open directories, and no link in a view is followed. It is safe with several processes at once, which
wait for each other, and with one killed at any moment: every file and link appears whole. Whether something may be
replaced is for the caller to know. When it cleans up, this module must never remove anything but files that were never
finished, Python's bytecode and empty directories.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from kimi_tokenizers.errors import FolderError
from kimi_tokenizers.model_dirs import OWN_PREFIX, Folder, only_process
from kimi_tokenizers.resolver import Content
from kimi_tokenizers.view.contents import MAX_DEPTH

LOCK = OWN_PREFIX + "-view.lock"

_TEMPORARY = OWN_PREFIX + "-new-"
_BYTECODE = re.compile(r"(.*/)?__pycache__/[^/]*\.pyc(\.\d+)?", re.DOTALL)


def open_view(target: Path) -> Folder:
    """A view's directory, which must be no link, and nobody else's. Raises FileNotFoundError, FolderError."""
    with Folder.open(target.parent) as parent:
        return parent.folder(target.name, owned=True)


@contextlib.contextmanager
def locked(target: Path) -> Iterator[Folder]:
    """Make the directory, open it and hold its lock. Whoever held it before may have removed both."""
    with contextlib.ExitStack() as held:
        while True:
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.mkdir(target, 0o755)
            with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as tried:
                view = tried.enter_context(open_view(target))
                tried.enter_context(only_process(view, LOCK))
                held.push(tried.pop_all())
                break
        yield view


@contextlib.contextmanager
def place_of(folder: Folder, relative: str, *, make: bool = False) -> Iterator[tuple[Folder, str]]:
    """The open folder that a relative path is in, and its last name. Raises FolderError where a link is on the way."""
    *parts, name = relative.split("/")
    with contextlib.ExitStack() as opened:
        for part in parts:
            folder = opened.enter_context(folder.folder(part, make=make, owned=True))
        yield folder, name


def put_in_place(folder: Folder, relative: str, content: Content | bytes | str) -> None:
    """Put something there in one step: content as a read-only file, a string as a link to the path that it names."""
    with place_of(folder, relative, make=True) as (inside, name):
        temporary = _TEMPORARY + secrets.token_hex(8)
        try:
            if isinstance(content, str):
                inside.symlink(content, temporary)
            elif isinstance(content, bytes):
                inside.create(temporary, content, 0o444)
            else:
                inside.create(temporary, content.read(), content.mode)
            inside.rename(temporary, name)
        except OSError:
            with contextlib.suppress(OSError):
                inside.remove(temporary)
            raise


def is_scrap(relative: str) -> bool:
    """Whether this is the name of a file that was never finished, or of bytecode that somebody left behind."""
    return os.path.basename(relative).startswith(_TEMPORARY) or _BYTECODE.fullmatch(relative) is not None


def everything_in(folder: Folder) -> list[str]:
    """Relative paths of all that is in a folder but directories and scrap, sorted. Links are not followed."""
    return sorted(relative for relative, _, _ in _walk(folder) if not is_scrap(relative))


def sweep(folder: Folder, *, deep: bool = True) -> None:
    """Remove files that were never finished, and bytecode: Python could take it for that of the files in front."""
    for relative, inside, name in _walk(folder, MAX_DEPTH if deep else 0):
        if is_scrap(relative):
            inside.remove(name)
    if deep:
        prune(folder)


def prune(folder: Folder) -> None:
    """Remove the empty directories in a folder. Nobody loses anything with an empty directory."""
    for name in folder.names():
        if stat.S_ISDIR(folder.stat(name).st_mode):
            with contextlib.suppress(OSError):
                with folder.folder(name) as inside:
                    prune(inside)
                folder.remove_folder(name)


def _walk(folder: Folder, depth: int = MAX_DEPTH, prefix: str = "") -> Iterator[tuple[str, Folder, str]]:
    """Relative path of everything but directories, the open folder that it is in, and its name there."""
    for name in folder.names():
        if not stat.S_ISDIR(folder.stat(name).st_mode):
            yield prefix + name, folder, name
        elif depth > 0:
            with folder.folder(name) as inside:
                yield from _walk(inside, depth - 1, f"{prefix}{name}/")
        elif prefix:
            raise FolderError(f"{str(folder.path / name)!r} is nested too deep for a view. Move it away.")
