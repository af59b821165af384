"""`apply`: the protocol that puts the overlay's files in place of what is there, and undoes it if it fails.

The protocol, under the lock of the journal:

1. Whatever a killed run left behind is cleaned up. Then it is decided anew what to do.
2. Everything that needs space: our files, whole and flushed, under temporary names in the same directory; a second
   name in `backup/` for each file that will be replaced (a hard link; where that cannot be, a copy); then the journal,
   which says what was there and what is about to be.
3. Each file is put in its place by one step that cannot be seen half done: a move to a free name where there was
   nothing, an exchange of the two names where there was something. What came out of the exchange is ours, or in the
   backup already (if as a copy, it takes the copy's place, so that its inode is kept), or, if somebody put it there at
   that very moment, it goes into the backup now. A system that cannot exchange names has the old file moved away and
   ours moved to the free name: for that moment there is none, but nothing that a downloader puts there is overwritten.

If step 2 fails, what it made is removed and the directory is as before; if step 3 does, it is undone. `restore` takes
the same steps the other way, checks all files before it touches one, and removes the backups last.

If exo replaces a file of ours, the next sync takes exo's for what was there before; what had been there earlier stays
in the backup, and `restore` puts it beside, as `<name>.kept-1`. Bytecode of our files that another version of Python
made is removed at the end; it is not kept, for Python makes it anew. It opens no weight file, and must never write
anything but the tokenizer files listed in `names.every_name`.
"""

from __future__ import annotations

import contextlib
import copy
import os
from dataclasses import replace
from pathlib import Path

from kimi_tokenizers.errors import KimiTokenizersError, SyncError
from kimi_tokenizers.model_dirs import Folder, TokenizerFiles, check_vocabulary
from kimi_tokenizers.sync import disk
from kimi_tokenizers.sync.immutable import release, set_immutable
from kimi_tokenizers.sync.journal import Journal, is_half_done
from kimi_tokenizers.sync.journal_format import MOST, Entry
from kimi_tokenizers.sync.lock import opened
from kimi_tokenizers.sync.names import moved_away, temporary, unfinished
from kimi_tokenizers.sync.planning import Plan, plan_with
from kimi_tokenizers.sync.restoring import Given, give_back
from kimi_tokenizers.sync.rights import explaining
from kimi_tokenizers.sync.state import examine


def apply(planned: Plan, *, force: bool = False) -> Plan:
    """Do what a plan says, as far as it still holds: it is made anew under the lock.

    Args:
        force: replace also what `restore` could not give back exactly.

    Returns:
        What was changed.

    Raises:
        SyncError: the disk is full, a right is missing, another process is changing the directory, or something could
        not be given back exactly. The directory is as before.
        Others as `plan`.
    """
    path = planned.model_dir
    with explaining(path), Folder.open(path) as directory:
        if not planned.writes and not is_half_done(directory):
            return planned
        with opened(directory) as record:
            with TokenizerFiles(directory) as files:
                check_vocabulary(planned.overlay, files)
                current = plan_with(planned.overlay, files, record, planned.lock)
                if current.lost:
                    name = current.files[0].name
                    keeps = disk.can_keep(directory, unfinished(name), temporary(name))
                    current = plan_with(planned.overlay, files, record, planned.lock, keeps)
            if current.lost and not force:
                raise SyncError(
                    f"Nothing was changed in {str(path)!r}, for `restore` could not give back exactly: "
                    f"{'; '.join(current.lost)}. Run it as the owner, or, if that does not matter, with --force."
                )
            if current.files:
                _sync(current, record)
            return _without_bytecode(current, directory)


def _without_bytecode(current: Plan, directory: Folder) -> Plan:
    """Remove the bytecode that the plan names; what was done. What cannot be removed is left, and named by `status`."""
    left = []
    for change in current.changes:
        if change.action == "remove":
            folder, name = change.name.split("/")
            try:
                with directory.folder(folder) as cache:
                    cache.remove(name)
            except OSError:  # a right is missing; or it is a link, and what it leads to is not ours to change
                left.append(change)
    return replace(current, changes=tuple(change for change in current.changes if change not in left))


def recover(model_dir: str | os.PathLike[str]) -> None:
    """Clean up after a process that was killed, as every `apply` and `restore` does first. Raises as these."""
    with explaining(Path(model_dir)), Folder.open(model_dir) as directory:
        if is_half_done(directory):
            with opened(directory):
                pass


def _sync(current: Plan, record: Journal) -> None:
    """Steps 2 and 3. If either fails, the directory is as before."""
    directory = record.directory
    names = [change.name for change in current.files]
    before = copy.deepcopy(record.entries)
    exchanged: list[str] = []
    try:
        _prepare(current, record)
        # What needs a new name in the directory first: an exchange of names needs no space, and cannot run out of it.
        for name in [change.name for change in sorted(current.files, key=lambda change: change.action != "create")]:
            release(directory, name)
            directory.rename(unfinished(name), temporary(name))
            _put(record, name, exchanged)
        directory.flush()
        for name in exchanged:
            record.settle(name, temporary(name))
    except BaseException:
        _undo(record, names, exchanged, before)
        raise
    for change in current.files:
        if change.locked:
            set_immutable(directory, change.name, True)


def _prepare(current: Plan, record: Journal) -> None:
    """Step 2: everything that needs space."""
    for change in current.files:
        name, file = change.name, current.overlay.files[change.name]
        record.directory.create(unfinished(name), file.read(), _mode(change.locked))
        record.keep(name, name)
        ours = record.entry(name).ours
        if file.sha256 not in ours:
            ours[:] = [*ours[1 - MOST :], file.sha256]
    record.save()


def _mode(locked: bool) -> int:
    """The mode of our files: public data, which whoever runs exo must be able to read."""
    return 0o444 if locked else 0o644


def _put(record: Journal, name: str, exchanged: list[str]) -> None:
    """Step 3, for one file: from its temporary name to its place, whatever has appeared there in the meantime."""

    def clear(at: str) -> None:
        if at == temporary(name):
            exchanged.append(name)  # it is kept when all of ours are in their places
        else:
            record.take(name, at)

    disk.put(record.directory, temporary(name), name, moved_away(name), clear)


def _undo(record: Journal, names: list[str], exchanged: list[str], before: dict[str, Entry]) -> None:
    """Make the directory what it was. If that fails too, the journal stays, and the next sync or restore goes on."""
    directory = record.directory
    try:
        for name in exchanged:
            with contextlib.suppress(FileNotFoundError):  # it is settled, or somebody removed it
                directory.exchange(temporary(name), name)
        for name in names:
            record.finish(name)
            entry = record.entries.get(name, Entry())
            new = entry.priors != before.get(name, Entry()).priors
            if new and record.is_ours(name, examine(directory, name)):
                give_back(record, Given(name, "put back", ""), entry.priors[-1])
        record.revert(before)
    except (OSError, KimiTokenizersError):
        record.reload()
