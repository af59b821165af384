"""How files and links are put into a view's directory, and cleaned up in it; and the lock that every writer holds.

It is safe with several processes at once, which wait for each other, and with one killed at any moment: every file and
link appears whole. Whether something may be replaced is for the caller to know. When it cleans up, this module must
never remove anything but files that were never finished, Python's bytecode and empty directories.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from kimi_tokenizers.model_dirs import OWN_PREFIX, only_process

LOCK = OWN_PREFIX + "-view.lock"

_TEMPORARY = OWN_PREFIX + "-new-"
# What Python writes when exo imports the files in front.
_BYTECODE = re.compile(r"__pycache__/(tokenization_[a-z]+|tool_declaration_ts|kimi_[a-z0-9_]+)\.[^/]*\.pyc(\.\d+)?")


@contextlib.contextmanager
def locked(target: Path) -> Iterator[None]:
    """Make the directory and hold its lock. Whoever held it before may have removed both."""
    with contextlib.ExitStack() as held:
        while True:
            target.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # the directory was removed in between
                held.enter_context(only_process(target / LOCK))
                break
        yield


def put_in_place(path: Path, content: bytes | str) -> None:
    """Put something at `path` in one step: bytes as a read-only file, a string as a link to the path that it names."""
    temporary = path.with_name(_TEMPORARY + secrets.token_hex(8))
    try:
        if isinstance(content, str):
            temporary.symlink_to(content)
        else:
            with open(temporary, "xb") as file:
                file.write(content)
                os.fchmod(file.fileno(), 0o444)
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def is_scrap(relative: str) -> bool:
    """Whether this is the name of a file that was never finished, or of bytecode that Python left behind."""
    return os.path.basename(relative).startswith(_TEMPORARY) or _BYTECODE.fullmatch(relative) is not None


def sweep(folder: Path, *, deep: bool = True, bytecode: bool = False) -> None:
    """Remove files that were never finished, and Python's bytecode of files that are about to change."""
    for parent, folders, files in os.walk(folder):
        for name in files:
            path = os.path.join(parent, name)
            compiled = bytecode and _BYTECODE.fullmatch(os.path.relpath(path, folder))
            if name.startswith(_TEMPORARY) or compiled:
                os.unlink(path)
        if not deep:
            folders.clear()
    if bytecode:
        prune(folder)


def prune(folder: Path) -> None:
    """Remove the empty directories in a folder. Nobody loses anything with an empty directory."""
    for parent, _, _ in os.walk(folder, topdown=False):
        if parent != os.fspath(folder):
            with contextlib.suppress(OSError):
                os.rmdir(parent)
