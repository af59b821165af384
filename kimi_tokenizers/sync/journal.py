"""The record of what `sync` put into a model directory and of what was there before, kept with that directory.

`<model directory>/.kimi-tokenizers/` holds

- `journal.json`: per file, the SHA-256 of every content that we put there, and what was there before, oldest first. It
  is written before anything is replaced, so that it is never out of date.
- `backup/`: the files that were there before, under names such as `1-tokenization_kimi.py`. They are the very inodes,
  moved out of the way; nothing is ever written into them. Links are in the journal, by their target.
- `lock`: whoever changes anything holds an flock on it.
- `restored.json`, instead of the journal, while a restore that has put everything back cleans up.

What is in there is checked before it is believed: a model repo could bring such a folder along. It knows the names of
tokenizer files and no others, and never leads out of the directory. Nothing that could be the user's is ever removed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kimi_tokenizers.catalogue import overlays
from kimi_tokenizers.sync import disk
from kimi_tokenizers.sync.journal_format import Entry, Prior, check_folder, dumped, loaded
from kimi_tokenizers.sync.names import (
    BACKUP,
    BACKUP_NAME,
    FOLDER,
    JOURNAL,
    LOCK,
    RESTORED,
    every_name,
    names_beside,
    temporary,
    unfinished,
)
from kimi_tokenizers.sync.state import State, examine


@dataclass
class Journal:
    """The record of one model directory. Change it only inside `lock.opened`."""

    model_dir: Path
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.model_dir / FOLDER

    def backup_path(self, prior: Prior) -> Path:
        return self.folder / BACKUP / prior.backup

    def is_ours(self, name: str, state: State) -> bool:
        """Whether a state is a content that we put there."""
        return name in self.entries and self.entries[name].is_ours(state)

    def problem_of_backup(self, prior: Prior) -> str | None:
        """What is wrong with the backup of a file; None if it is what it was. Links and absent files need none."""
        if prior.state.kind != "file":
            return None
        path = self.backup_path(prior)
        found = examine(path)
        if found.kind == "absent":
            return f"its backup {str(path)!r} was removed"
        if not found.same_content(prior.state):
            return f"its backup {str(path)!r} was changed: it is {found}, and was {prior.state}"
        return None

    # -- changing it ------------------------------------------------------------------------------

    def entry(self, name: str) -> Entry:
        return self.entries.setdefault(name, Entry())

    def keep(self, name: str, path: Path) -> State:
        """Keep what is at a path (the file's own, or one that it was moved to), unless it is ours or is kept already.

        A backup is made; the journal is not saved yet. What was kept before stays; equal contents are kept once.

        Returns:
            What was found at the path.
        """
        entry = self.entry(name)
        while True:
            state = examine(path)
            if entry.is_ours(state) or (state.kind == "absent" and entry.priors):
                return state  # a file of ours that somebody removed says nothing about what was there before
            kept = next((prior for prior in entry.priors if prior.state == state), None)
            if kept is None or self.problem_of_backup(kept) is not None:
                try:
                    kept = Prior(state) if state.kind != "file" else self._back_up(name, path)
                except FileNotFoundError:
                    continue  # it was removed in between
            entry.priors = [prior for prior in entry.priors if not prior.state.same_content(kept.state)]
            entry.priors.append(kept)  # at the end: it is what was there last
            return kept.state

    def _back_up(self, name: str, path: Path) -> Prior:
        backup = self._free_backup_name(name)
        disk.preserve(path, self.folder / BACKUP / backup)
        state = examine(self.folder / BACKUP / backup)  # of what was kept: it may have been replaced in between
        if state.kind != "file":
            disk.remove(self.folder / BACKUP / backup)
            return Prior(state)
        return Prior(state, backup)

    def _free_backup_name(self, name: str) -> str:
        folder = self.folder / BACKUP
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o755)
        taken = [int(match[1]) for match in map(BACKUP_NAME.fullmatch, os.listdir(folder)) if match]
        return f"{max(taken, default=0) + 1}-{name}"

    def save(self) -> None:
        """Write the journal. Backups reach the disk before it names them, and are removed once it no longer does."""
        if os.path.isdir(self.folder / BACKUP):
            disk.flush_directory(self.folder / BACKUP)
        if self.entries:
            disk.write(self.folder / JOURNAL, dumped(self.entries), 0o644)
        else:
            disk.remove(self.folder / JOURNAL)
            disk.flush_directory(self.folder)
        self._remove_needless_backups()

    def revert(self, entries: dict[str, Entry]) -> None:
        """Make the journal what it was, with as little writing as possible: the disk may be full."""
        self.entries = entries
        if not entries:
            disk.remove(self.folder / JOURNAL)
        elif loaded(self.folder / JOURNAL) != entries:
            self.save()
        self._remove_needless_backups()

    def mark_restored(self) -> None:
        """Say, by one rename that needs no space, that everything is put back and only backups are left to remove."""
        os.rename(self.folder / JOURNAL, self.folder / RESTORED)
        disk.flush_directory(self.folder)
        self._finish_restored()

    def _finish_restored(self) -> None:
        path = self.folder / RESTORED
        if not os.path.lexists(path):
            return
        for entry in loaded(path).values():
            for prior in entry.priors:
                if prior.backup:
                    disk.remove(self.backup_path(prior))
        disk.remove(path)
        self.entries = {}

    def recover(self) -> None:
        """Clean up after a process that was killed. Nothing that could be the user's is removed."""
        self._finish_restored()
        for path in self.folder.glob("*.tmp"):
            disk.remove(path)
        for path in (self.folder / BACKUP).glob("*.tmp"):
            disk.remove(path)
        for name in every_name():
            disk.remove(unfinished(self.model_dir, name))
            self.settle(name)
        self._adopt_unnamed_backups()

    def settle(self, name: str) -> None:
        """Clear the temporary name. There is a file that was ready to be put in place, or what it was exchanged for."""
        path = temporary(self.model_dir, name)
        if not os.path.lexists(path):
            return
        if self.is_ours(name, examine(self.model_dir / name)):
            before = dumped(self.entries)
            self.keep(name, path)
            if dumped(self.entries) != before:
                self.save()
            disk.remove(path)
        elif self._is_kept(name, examine(path)):
            disk.remove(path)
        else:
            put_beside(path, self.model_dir / name)

    def _is_kept(self, name: str, state: State) -> bool:
        entry = self.entry(name) if name in self.entries else Entry()
        return entry.is_ours(state) or any(
            prior.state.same_content(state) and self.problem_of_backup(prior) is None for prior in entry.priors
        )

    def _unnamed_backups(self) -> Iterator[tuple[str, Path]]:
        named = {prior.backup for entry in self.entries.values() for prior in entry.priors}
        with contextlib.suppress(FileNotFoundError):
            for backup in sorted(os.listdir(self.folder / BACKUP)):
                match = BACKUP_NAME.fullmatch(backup)
                if match and match[2] in every_name() and backup not in named:
                    yield match[2], self.folder / BACKUP / backup

    def _adopt_unnamed_backups(self) -> None:
        """Take in backups that were made before the journal could name them, or whose journal somebody removed.

        Those whose content is in place anyway are removed. The others are the user's, and count as what was there
        first.
        """
        adopted = False
        for name, path in list(self._unnamed_backups()):
            state = examine(path)
            if state.same_content(examine(self.model_dir / name)) or self._is_kept(name, state):
                disk.remove(path)
            elif state.kind == "file":
                if name not in self.entries:
                    self.entries[name] = Entry(packaged_sums(name))
                self.entries[name].priors.insert(0, Prior(state, path.name))
                adopted = True
        if adopted:
            self.save()

    def _remove_needless_backups(self) -> None:
        for name, path in list(self._unnamed_backups()):
            state = examine(path)
            if state.same_content(examine(self.model_dir / name)) or self._is_kept(name, state):
                disk.remove(path)

    def remove_if_empty(self) -> None:
        """Remove the folder if it no longer says anything. If something that is not ours is in it, both stay."""
        if self.entries or os.path.lexists(self.folder / JOURNAL) or os.path.lexists(self.folder / RESTORED):
            return
        with contextlib.suppress(OSError):
            os.rmdir(self.folder / BACKUP)
        with contextlib.suppress(OSError):
            if set(os.listdir(self.folder)) <= {LOCK}:
                disk.remove(self.folder / LOCK)
                os.rmdir(self.folder)
                disk.flush_directory(self.model_dir)


def packaged_sums(name: str) -> list[str]:
    """The SHA-256 of a file in every packaged overlay."""
    return sorted({overlay.files[name].sha256 for overlay in overlays().values() if name in overlay.files})


def put_beside(source: Path, path: Path) -> Path:
    """Move a file that is the user's to a free name beside `path`: `<name>.kept-<number>`."""
    return next(wish for wish in names_beside(path) if disk.move_to_free_name(source, wish))


def read(model_dir: Path) -> Journal:
    """The record as it is, without a lock; empty where there is none. Raises JournalError."""
    journal = Journal(model_dir)
    check_folder(journal.folder)
    journal.entries = loaded(journal.folder / JOURNAL)
    return journal


def exists(model_dir: Path) -> bool:
    """Whether there is a record, or what is left of one."""
    return os.path.lexists(model_dir / FOLDER) or _has_temporaries(model_dir)


def is_half_done(model_dir: Path) -> bool:
    """Whether a process that was killed left something to clean up."""
    folder = model_dir / FOLDER
    without_journal = os.path.lexists(folder) and not os.path.lexists(folder / JOURNAL)
    return without_journal or _has_temporaries(model_dir)


def _has_temporaries(model_dir: Path) -> bool:
    return any(os.path.lexists(path(model_dir, name)) for name in every_name() for path in (unfinished, temporary))
