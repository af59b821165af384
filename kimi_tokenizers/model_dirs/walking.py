"""Folders that somebody else has filled, looked through up to a limit that is said where it is reached."""

from __future__ import annotations

import os
from collections.abc import Iterator

from kimi_tokenizers.errors import ModelDirError
from kimi_tokenizers.model_dirs.folder import Folder

MAX_ENTRIES = 100_000
"""No more is looked at in one go. The folders of the largest models have a few hundred files."""


class Walk:
    """How much may still be looked at."""

    def __init__(self, limit: int = MAX_ENTRIES) -> None:
        self._limit = self._left = limit

    def entries(self, folder: str | os.PathLike[str] | Folder) -> Iterator[os.DirEntry[str]]:
        """What is in a folder, in the order of the file system. By an open one nothing is looked up by its path.

        Raises:
            ModelDirError: there is more in it, and in what was looked at before, than the limit.
            OSError: it cannot be read.
        """
        path, where = (folder.path, folder.descriptor) if isinstance(folder, Folder) else (folder, folder)
        with os.scandir(where) as entries:
            for entry in entries:
                self._left -= 1
                if self._left < 0:
                    raise ModelDirError(
                        f"There are more than {self._limit:,} files and folders in {os.fspath(path)!r}, or beside "
                        "it, too many to look at. Name a folder that holds models and nothing else."
                    )
                yield entry


def is_dir(entry: os.DirEntry[str], *, follow: bool = True) -> bool:
    """Whether it is a folder, or leads to one. Where that cannot be told (links in a circle), it does not."""
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:
        return False


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a regular file, or leads to one."""
    try:
        return entry.is_file()
    except OSError:
        return False
