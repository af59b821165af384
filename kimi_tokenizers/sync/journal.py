"""The record of what `sync` put into a model directory and of what was there before, kept with that directory.

`<model directory>/.kimi-tokenizers/` holds

- `journal.json`: per file, the SHA-256 of every content that we put there, and what was there before, oldest first. It
  is written before anything is replaced, so that it is never out of date.
- `backup/`: the files and links that were there before, under names such as `1-tokenization_kimi.py`. They are the very
  inodes, moved out of the way; nothing is ever written into them.
- `lock`: whoever changes anything holds an flock on it.
- `restored.json`, instead of the journal, while a restore that has put everything back cleans up.

What is in there is checked before it is believed: a model repo could bring such a folder along. It knows the names of
tokenizer files and no others, and never leads out of the directory. Nothing that could be the user's is ever removed,
whatever the journal says: not without a second copy, in its place, in `backup/` or in this package.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from kimi_tokenizers.catalogue import overlays
from kimi_tokenizers.errors import SyncError
from kimi_tokenizers.model_dirs import Folder
from kimi_tokenizers.sync import disk
from kimi_tokenizers.sync.journal_format import (
    MOST,
    Entry,
    Prior,
    dumped,
    loaded,
    opened_backup,
    opened_folder,
)
from kimi_tokenizers.sync.names import (
    BACKUP,
    BACKUP_NAME,
    FOLDER,
    JOURNAL,
    RESTORED,
    every_name,
    moved_away,
    names_beside,
    temporary,
    unfinished,
)
from kimi_tokenizers.sync.state import ATTEMPTS, State, examine, restless


@dataclass
class Record:
    """What is known of one model directory.

    Attributes:
        directory: the model directory.
        entries: what the journal says.
    """

    directory: Folder
    entries: dict[str, Entry] = field(default_factory=dict)

    def is_ours(self, name: str, state: State) -> bool:
        """Whether a state is a content that we put there, and nothing is lost if it is removed."""
        return name in self.entries and self.entries[name].is_ours(state)


class Journal(Record):
    """The record, to change it; only `lock.opened` makes one.

    Attributes:
        folder: the folder of the record.
        backups: the folder of the backups in it, None as long as there is none.
    """

    def __init__(self, directory: Folder, folder: Folder, backups: Folder | None) -> None:
        super().__init__(directory, loaded(folder, JOURNAL))
        self.folder, self.backups = folder, backups

    def has_backup(self, prior: Prior) -> bool:
        """Whether there is a backup of that name, whatever it holds."""
        return bool(prior.backup) and self.backups is not None and self.backups.has(prior.backup)

    def problem_of_backup(self, prior: Prior) -> str | None:
        """What is wrong with a backup; None if it is what it was. What has none, and links, need none."""
        if prior.state.kind != "file":
            return None
        path = self.folder.path / BACKUP / prior.backup
        if self.backups is None or not self.backups.has(prior.backup):
            return f"its backup {str(path)!r} was removed"
        found = examine(self.backups, prior.backup)
        if not found.same_content(prior.state):
            return f"its backup {str(path)!r} was changed: it is {found}, and was {prior.state}"
        return None

    # -- changing it ------------------------------------------------------------------------------

    def entry(self, name: str) -> Entry:
        return self.entries.setdefault(name, Entry())

    def keep(self, name: str, at: str) -> Prior | None:
        """Keep what is at a name (the file's own, or one that it was moved to), unless it is ours or is kept already.

        A backup is made; the journal is not saved yet. What was kept before stays; equal contents are kept once.

        Returns:
            As what it is kept; None if it need not be.
        """
        entry = self.entry(name)
        for _ in range(ATTEMPTS):
            state = examine(self.directory, at)
            if entry.is_ours(state) or (state.kind == "absent" and entry.priors):
                return None  # a file of ours that somebody removed says nothing about what was there before
            kept = next((prior for prior in entry.priors if prior.state == state), None)
            if kept is None or self.problem_of_backup(kept) is not None:
                try:
                    kept = Prior(state) if state.kind == "absent" else self._back_up(name, at)
                except FileNotFoundError:
                    continue  # it was removed in between
            priors = [prior for prior in entry.priors if not prior.state.same_content(kept.state)]
            if len(priors) >= MOST:
                raise SyncError(
                    f"{MOST:,} versions of {name} are kept in {str(self.folder.path)!r} already. `restore` puts them "
                    "beside the file; then run `sync` again."
                )
            # At the end is what was there last. What the journal takes for ours was never there without us.
            entry.priors = [kept, *priors] if entry.claims(kept.state) else [*priors, kept]
            return kept
        raise restless(self.directory.path / name)

    def _back_up(self, name: str, at: str) -> Prior:
        if self.backups is None:
            self.backups = opened_backup(self.folder, make=True)
        taken = set(self.backups.names())
        backup = next(wish for wish in (f"{number}-{name}" for number in itertools.count(1)) if wish not in taken)
        disk.preserve(self.directory, at, self.backups, backup)
        try:
            return Prior(examine(self.backups, backup), backup)  # of what was kept: it may have been replaced
        except SyncError:  # by something that is no file
            self.backups.remove(backup)
            raise

    def save(self) -> None:
        """Write the journal. Backups reach the disk before it names them, and are removed once it no longer does."""
        if self.backups is not None:
            self.backups.flush()
        if self.entries:
            disk.write(self.folder, JOURNAL, dumped(self.entries), 0o644)
        else:
            self.folder.remove(JOURNAL)
            self.folder.flush()
        self._remove_needless_backups()

    def revert(self, entries: dict[str, Entry]) -> None:
        """Make the journal what it was, with as little writing as possible: the disk may be full."""
        self.entries = entries
        if not entries:
            self.folder.remove(JOURNAL)
        elif loaded(self.folder, JOURNAL) != entries:
            self.save()
        self._remove_needless_backups()

    def reload(self) -> None:
        """Believe what is on the disk."""
        self.entries = loaded(self.folder, JOURNAL)

    def mark_restored(self) -> None:
        """Say, by one rename that needs no space, that everything is put back and only backups are left to remove."""
        self.folder.rename(JOURNAL, RESTORED)
        self.folder.flush()
        self._finish_restored()

    def _finish_restored(self) -> None:
        """Remove the backups of what is put back; what is not in its place goes beside it, whatever is said."""
        self.entries = {}
        for name, entry in loaded(self.folder, RESTORED).items():
            for prior in entry.priors:
                if self.has_backup(prior):
                    self._remove_backup(name, entry, prior.backup)
        self.folder.remove(RESTORED)

    def _remove_backup(self, name: str, entry: Entry, backup: str) -> None:
        assert self.backups is not None
        state = examine(self.backups, backup)
        if entry.is_ours(state) or state.same_content(examine(self.directory, name)):
            self.backups.remove(backup)
        else:
            put_beside(self.backups, backup, self.directory, name)

    def recover(self) -> None:
        """Clean up after a process that was killed. Nothing that could be the user's is removed."""
        if self.folder.has(RESTORED):
            self._finish_restored()
            self.reload()
        for folder in filter(None, (self.folder, self.backups)):
            for name in folder.names():
                if name.endswith(".tmp"):
                    folder.remove(name)
        for name in every_name():
            self.finish(name)
        self._adopt_unnamed_backups()

    def finish(self, name: str) -> None:
        """Clear the private names of a file; what was moved away and not replaced goes back."""
        directory, ready, away = self.directory, temporary(name), moved_away(name)
        directory.remove(unfinished(name))
        for whole in (ready, away):
            if directory.has(whole):
                disk.drop_torn(directory, name, whole, unfinished(name))
        if directory.has(away) and disk.move_to_free_name(directory, away, name) == "taken":
            self.settle(name, away)
        self.settle(name, ready)

    def settle(self, name: str, at: str) -> None:
        """Clear a private name: what is there was ready to be put in place, or has been in the place."""
        if not self.directory.has(at):
            return
        state, there = examine(self.directory, at), examine(self.directory, name)
        if self.is_ours(name, there):
            self.take(name, at)
            return
        entry = self.entries.get(name, Entry())
        same = [prior for prior in entry.priors if prior.state.same_content(state)]
        if entry.is_ours(state) or state.same_content(there):
            self.directory.remove(at)
        elif same and self.problem_of_backup(same[0]) is None:
            self._discard(at, same[0])
        else:
            put_beside(self.directory, at, self.directory, name)

    def take(self, name: str, at: str) -> None:
        """Keep what is at a private name, and clear that."""
        before = dumped(self.entries)
        kept = self.keep(name, at)
        if dumped(self.entries) != before:
            self.save()
        self._discard(at, kept)

    def _discard(self, at: str, kept: Prior | None) -> None:
        """Clear the name of something that is kept. If its backup is a copy of it, it takes the place of the copy."""
        backups = self.backups
        if kept is None or backups is None or not self.has_backup(kept) or self._is_backup(at, kept.backup):
            self.directory.remove(at)
        else:
            self.directory.rename(at, kept.backup, backups)

    def _is_backup(self, at: str, backup: str) -> bool:
        assert self.backups is not None
        return os.path.samestat(self.backups.stat(backup), self.directory.stat(at))

    def _is_kept(self, name: str, state: State) -> bool:
        entry = self.entries.get(name, Entry())
        return entry.is_ours(state) or any(
            prior.state.same_content(state) and self.problem_of_backup(prior) is None for prior in entry.priors
        )

    def _unnamed_backups(self) -> Iterator[tuple[str, str]]:
        named = {prior.backup for entry in self.entries.values() for prior in entry.priors}
        for backup in self.backups.names() if self.backups is not None else ():
            match = BACKUP_NAME.fullmatch(backup)
            if match and match[2] in every_name() and backup not in named:
                yield match[2], backup

    def _adopt_unnamed_backups(self) -> None:
        """Take in backups that were made before the journal could name them, or whose journal somebody removed.

        Those whose content is in place anyway are removed. The others are the user's, and count as what was there
        first.
        """
        self._remove_needless_backups()
        left = list(self._unnamed_backups())
        for name, backup in left:
            assert self.backups is not None
            if name not in self.entries:
                self.entries[name] = Entry(packaged_sums(name))
            self.entries[name].priors.insert(0, Prior(examine(self.backups, backup), backup))
        if left:
            self.save()

    def _remove_needless_backups(self) -> None:
        for name, backup in list(self._unnamed_backups()):
            assert self.backups is not None
            state = examine(self.backups, backup)
            if state.same_content(examine(self.directory, name)) or self._is_kept(name, state):
                self.backups.remove(backup)

    def is_needless(self) -> bool:
        """Whether the folder no longer says anything."""
        return not (self.entries or self.folder.has(JOURNAL) or self.folder.has(RESTORED))


def packaged_sums(name: str) -> list[str]:
    """The SHA-256 of a file in every packaged overlay."""
    return sorted({overlay.files[name].sha256 for overlay in overlays().values() if name in overlay.files})


def put_beside(source: Folder, at: str, directory: Folder, name: str) -> str:
    """Move a file that is the user's to a free name beside `name`: `<name>.kept-<number>`, which is returned."""
    taken = set(directory.names())
    for wish in names_beside(name):
        if wish not in taken:
            with contextlib.suppress(FileExistsError):
                if not source.move(at, wish, directory):
                    source.rename(at, wish, directory)  # such a name is ours, and the lock keeps others of us out
                return wish
    raise AssertionError("there is always one more name")


def read(directory: Folder) -> Record:
    """The record as it is, without a lock; empty where there is none. Raises JournalError, and as `is_half_done`."""
    _has_temporaries(directory)
    try:
        with opened_folder(directory) as folder:
            with contextlib.suppress(FileNotFoundError):
                opened_backup(folder).close()
            return Record(directory, loaded(folder, JOURNAL))
    except FileNotFoundError:
        return Record(directory)


def exists(directory: Folder) -> bool:
    """Whether there is a record, or what is left of one."""
    return directory.has(FOLDER) or _has_temporaries(directory)


def is_half_done(directory: Folder) -> bool:
    """Whether a process that was killed left something to clean up. Raises FolderError where that is not a file."""
    try:
        with opened_folder(directory) as folder:
            return not folder.has(JOURNAL) or _has_temporaries(directory)
    except FileNotFoundError:
        return _has_temporaries(directory)


def _has_temporaries(directory: Folder) -> bool:
    private = (unfinished, temporary, moved_away)
    return any(directory.has_file(at(name)) for name in every_name() for at in private)
