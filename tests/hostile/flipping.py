"""A process that exchanges two names as fast as it can: a downloader that renames files, or an attacker."""

from __future__ import annotations

import os
from pathlib import Path

from sync_directories import Spawned


class Flipping(Spawned):
    """Exchanges what is at two names, again and again, until the block ends: files, folders or links.

    For moments there is nothing at either name. What others remove or replace meanwhile it lives with; where a folder
    is to be flipped, it makes a new one.

    Args:
        user: become this user first, where one can.
    """

    def __init__(self, path: Path, other: Path, user: int | None = None) -> None:
        self._names = str(path), str(other), f"{other}.aside"
        self._folder, self._user = path.is_dir(), user
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
            except OSError:  # removed, or something else is there now
                if self._folder:
                    os.makedirs(path, exist_ok=True)
