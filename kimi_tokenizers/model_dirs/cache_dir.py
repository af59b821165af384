"""The per-user cache's directory: where it is, and whether it can be trusted.

A tokenizer is handed out of it by its path. So nobody but this user and root may be able to change anything on the way
there: then the path leads tomorrow where it leads now. A cache where that is otherwise is not used, and neither is one
that lies in a model directory or a view, in which this package must leave nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from kimi_tokenizers.errors import FolderError
from kimi_tokenizers.model_dirs.folder import VIEW_MARKER, Folder
from kimi_tokenizers.model_dirs.tokenizer_files import TOKENIZER_CONFIG, TokenizerFiles

CACHE_VARIABLE = "KIMI_TOKENIZERS_CACHE"

RESOLVED = "resolved"
"""The folder in the cache that holds the directories of tokenizer files."""

VERDICTS = "verdicts"
"""The folder in the cache in which the guard remembers what it has passed."""

_MAX_LINKS = 40

# A directory that holds one of them is a model directory, or a view.
_MARKS = (TOKENIZER_CONFIG, "tiktoken.model", VIEW_MARKER)


def cache_root(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """Where the cache is: $KIMI_TOKENIZERS_CACHE, else `kimi-tokenizers` in the user's cache directory.

    Absolute. Where there is no home directory, a leading `~` stays as it is; nothing can be made there.
    """
    environment = os.environ if environment is None else environment
    if environment.get(CACHE_VARIABLE):
        return _absolute(environment[CACHE_VARIABLE])
    if platform == "darwin":
        return _absolute("~/Library/Caches/kimi-tokenizers")
    return _absolute(environment.get("XDG_CACHE_HOME") or "~/.cache") / "kimi-tokenizers"


def _absolute(path: str) -> Path:
    expanded = os.path.expanduser(path)
    return Path(expanded if expanded.startswith("~") else os.path.abspath(expanded))


def open_cache(root: Path, *, make: bool = False, model: TokenizerFiles | None = None) -> Folder:
    """The cache, opened: a directory of this user's that nobody else can change, nor any that it is in.

    Args:
        make: make it, and what it is in, where there is none.
        model: the model directory that it is to be used for, which must not lie in it, nor it in that.

    Raises:
        FileNotFoundError: there is none.
        FolderError: it is not to be used; the message says why.
        OSError: it cannot be opened or made.
    """
    if not root.is_absolute():
        raise FileNotFoundError(errno.ENOENT, "there is no home directory")
    path = _walked(root, model, make=make)
    folder = Folder.open(path)
    try:
        # Whoever could have replaced it since is this user, or root.
        _check_own(folder)
        if model is not None:
            _check_apart(folder, model)
    except BaseException:
        folder.close()
        raise
    return folder


def own_folder(cache: Folder, name: str, *, make: bool = False) -> Folder:
    """A folder in the cache. Raises as `open_cache`."""
    if make:
        with contextlib.suppress(FileExistsError):
            cache.make_folder(name, 0o700)
    return cache.folder(name, owned=True)


def _walked(root: Path, model: TokenizerFiles | None, *, make: bool) -> str:
    """A path without links that leads where `root` does.

    Each directory on the way was looked at after all above it, so nobody else can have put another in its place. The
    last one was not looked at.
    """
    here, parts, links = root.anchor, list(root.parts[:0:-1]), 0
    passed = [(here, os.lstat(here))]
    while parts:
        _check_above(*passed[-1], model)
        name = parts.pop()
        if name in ("", os.curdir):
            continue
        if name == os.pardir:
            passed = passed[:-1] or passed
            here = passed[-1][0]
            continue
        path = os.path.join(here, name)
        if make and not os.path.lexists(path):
            with contextlib.suppress(FileExistsError):  # another process was faster
                os.mkdir(path, 0o700)
        status = os.lstat(path)
        if not stat.S_ISLNK(status.st_mode):
            here = path
            passed.append((path, status))
            continue
        links += 1
        if links > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        if status.st_uid not in (os.geteuid(), 0):
            raise FolderError(f"the link {path!r} belongs to user id {status.st_uid}")
        target = os.readlink(path)
        if os.path.isabs(target):
            passed = passed[:1]
            here = passed[0][0]
        parts += target.split(os.sep)[::-1]
    return here


def _check_above(path: str, status: os.stat_result, model: TokenizerFiles | None) -> None:
    """Whether a directory that the cache is in can be changed by others, or is one in which nothing may be left."""
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    if status.st_uid not in (os.geteuid(), 0):
        raise FolderError(f"it is in {path!r}, which belongs to user id {status.st_uid}")
    if status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
        mode = stat.filemode(status.st_mode)
        raise FolderError(f"it is in {path!r}, which others can write to (mode {mode}); `chmod go-w` ends that")
    if model is not None and os.path.samestat(model.status, status):
        raise FolderError(f"it is in the model directory {str(model.path)!r}")
    for name in _MARKS:
        if os.path.lexists(os.path.join(path, name)):
            what = "a view" if name == VIEW_MARKER else "a model directory"
            raise FolderError(f"it is in {path!r}, which is {what}, for it holds a {name}")


def _check_own(cache: Folder) -> None:
    status = os.fstat(cache.descriptor)
    if status.st_uid != os.geteuid():
        raise FolderError(f"it belongs to user id {status.st_uid}")
    if status.st_mode & 0o022:
        raise FolderError(f"others can write to it (mode {stat.filemode(status.st_mode)}); `chmod go-w` ends that")
    if any(cache.has(name) for name in _MARKS):
        raise FolderError("it holds the files of a model, or of a view")


def _check_apart(cache: Folder, model: TokenizerFiles) -> None:
    own = os.fstat(cache.descriptor)
    if os.path.samestat(model.status, own):
        raise FolderError("it is the model directory itself")
    parents = Path(os.path.realpath(model.path)).parents
    found = [parent for parent in parents if os.path.samestat(os.stat(parent), own)]
    if found and parents[0] != found[0] / RESOLVED:  # what was resolved can be resolved again
        raise FolderError(f"the model directory {str(model.path)!r} is in it")
