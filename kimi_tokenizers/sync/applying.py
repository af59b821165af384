"""`apply`: the protocol that puts the overlay's files in place of what is there, and undoes it if it fails.

The protocol, under the lock of the journal:

1. Whatever a killed run left behind is cleaned up. Then it is decided anew what to do.
2. Everything that needs space: our files, whole and flushed, under temporary names in the same directory; a second
   name in `backup/` for each file that will be replaced (a hard link, so its inode is kept as it is); then the journal,
   which says what was there and what is about to be.
3. Each file is put in its place by one step that cannot be seen half done: a link where there was nothing, an exchange
   of the two names where there was something. What came out of the exchange is ours, or in the backup already, or, if
   somebody put it there at that very moment, it goes into the backup now.

If step 2 fails, what it made is removed and the directory is as before; if step 3 does, it is undone. `restore` takes
the same steps the other way, checks all files before it touches one, and removes the backups last.

If exo replaces a file of ours, the next sync takes exo's for what was there before; what had been there earlier stays
in the backup, and `restore` puts it beside, as `<name>.kept-1`. It opens no weight file, and must never write anything
but the tokenizer files listed in `names.every_name`.
"""

from __future__ import annotations

import contextlib
import copy
import os
from pathlib import Path

from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import TokenizerFiles, check_vocabulary
from kimi_tokenizers.sync import disk
from kimi_tokenizers.sync.immutable import release, set_immutable
from kimi_tokenizers.sync.journal import Journal, is_half_done, read
from kimi_tokenizers.sync.journal_format import Entry
from kimi_tokenizers.sync.lock import opened
from kimi_tokenizers.sync.names import temporary, unfinished
from kimi_tokenizers.sync.planning import Plan, plan_with
from kimi_tokenizers.sync.restoring import give_back
from kimi_tokenizers.sync.rights import explaining
from kimi_tokenizers.sync.state import ATTEMPTS, examine, restless


def apply(planned: Plan) -> Plan:
    """Do what a plan says, as far as it still holds: it is made anew under the lock.

    Returns:
        What was changed.

    Raises:
        SyncError: the disk is full, a right is missing, another process is changing the directory. It is as before.
        Others as `plan`.
    """
    path = planned.model_dir
    if not planned.writes and not is_half_done(path):
        return planned
    with explaining(path), opened(path) as record:
        with TokenizerFiles(path) as directory:
            check_vocabulary(planned.overlay, directory)
            current = plan_with(planned.overlay, directory, record, planned.lock)
        if current.writes:
            _sync(current, record)
        return current


def _sync(current: Plan, record: Journal) -> None:
    """Steps 2 and 3. If either fails, the directory is as before."""
    path = current.model_dir
    names = [change.name for change in current.writes]
    before = copy.deepcopy(record.entries)
    exchanged: list[str] = []
    try:
        _prepare(current, record)
        # What needs a new name in the directory first: an exchange of names needs no space, and cannot run out of it.
        for name in [change.name for change in sorted(current.writes, key=lambda change: change.action != "create")]:
            release(path / name)
            os.rename(unfinished(path, name), temporary(path, name))
            if _put(record, name):
                exchanged.append(name)
        disk.flush_directory(path)
        for name in exchanged:
            record.settle(name)
    except BaseException:
        _undo(record, names, exchanged, before)
        raise
    for change in current.writes:
        if change.locked:
            set_immutable(path / change.name, True)


def _prepare(current: Plan, record: Journal) -> None:
    """Step 2: everything that needs space."""
    path = current.model_dir
    for change in current.writes:
        name, file = change.name, current.overlay.files[change.name]
        disk.write_new(unfinished(path, name), file.read(), _mode(change.locked))
        record.keep(name, path / name)
        ours = record.entry(name).ours
        if file.sha256 not in ours:
            ours.append(file.sha256)
    record.save()


def _mode(locked: bool) -> int:
    """The mode of our files: public data, which whoever runs exo must be able to read."""
    return 0o444 if locked else 0o644


def _put(record: Journal, name: str) -> bool:
    """Step 3, for one file: from its temporary name to its place, whatever has appeared there in the meantime.

    Returns:
        Whether it was exchanged for what was there, which is at the temporary name now.
    """
    ours, path = temporary(record.model_dir, name), record.model_dir / name
    for _ in range(ATTEMPTS):
        if disk.move_to_free_name(ours, path):
            return False
        try:
            _keep(record, name, path)
            if disk.exchange(ours, path):
                return True
        except FileNotFoundError:
            continue  # it was removed in between
        os.replace(ours, path)
        return False
    raise restless(path)


def _keep(record: Journal, name: str, path: Path) -> None:
    """Keep what was put there after the journal was written; nearly always that is nothing."""
    before = list(record.entry(name).priors)
    record.keep(name, path)
    if record.entry(name).priors != before:
        record.save()


def _undo(record: Journal, names: list[str], exchanged: list[str], before: dict[str, Entry]) -> None:
    """Make the directory what it was. If that fails too, the journal stays, and the next sync or restore goes on."""
    path = record.model_dir
    try:
        for name in exchanged:
            with contextlib.suppress(FileNotFoundError):  # it is settled, or somebody removed it
                disk.exchange(temporary(path, name), path / name)
        for name in names:
            disk.remove(unfinished(path, name))
            record.settle(name)
            entry = record.entries.get(name, Entry())
            new = entry.priors != before.get(name, Entry()).priors
            if new and record.is_ours(name, examine(path / name)):
                give_back(record, name, entry.priors[-1])
        record.revert(before)
    except (OSError, KimiTokenizersError):
        record.entries = read(path).entries
