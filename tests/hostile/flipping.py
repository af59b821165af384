"""A process that exchanges two names as fast as it can: a downloader that renames files, or an attacker."""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path

from sync_directories import Spawned


class Flipping(Spawned):
    """Exchanges what is at two names, again and again, until the block ends: two files, or a folder and a link.

    For moments there is nothing at either name. Where others put something there meanwhile, so that a folder cannot be
    moved, it puts all aside and begins with a new folder and the same link: it never stops to flip.

    Args:
        user: become this user first, where one can.
    """

    def __init__(self, path: Path, other: Path, user: int | None = None) -> None:
        self._names = str(path), str(other), f"{other}.aside"
        self._link, self._user = os.readlink(other) if other.is_symlink() else None, user
        self._removed = (f"{other}.{number}" for number in itertools.count())
        super().__init__(self._flip)

    def _flip(self) -> None:
        if self._user is not None and os.geteuid() == 0:
            os.setgroups([])
            os.setgid(self._user)
            os.setuid(self._user)
        path, other, aside = self._names
        for source, target in ((path, aside), (other, path), (aside, other)):
            try:
                os.rename(source, target)
            except OSError:  # removed, or something else is there now; a file goes on with the next step
                if self._link is not None:
                    self._begin_again(self._link)
                    return

    def _begin_again(self, link: str) -> None:
        path, other, _ = self._names
        for name in self._names:
            with contextlib.suppress(OSError):
                os.rename(name, next(self._removed))
        with contextlib.suppress(OSError):
            os.mkdir(path)
        with contextlib.suppress(OSError):
            os.symlink(link, other)
