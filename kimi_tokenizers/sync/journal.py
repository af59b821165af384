"""The record of what `sync` put into a model directory and of what was there before, kept with that directory.

`<model directory>/.kimi-tokenizers/` holds

- `journal.json`: per file, the SHA-256 of every content that we put there, and what was there before, oldest first. It
  is written before anything is replaced, so that it is never behind.
- `backup/`: the files that were there before, under names such as `1-tokenization_kimi.py`. They are the very inodes,
  moved out of the way; nothing is ever written into them. Links are in the journal, by their target.
- `lock`: whoever changes anything holds an flock on it.
- `restored.json`, instead of the journal, while a restore that has put everything back clears up.

What is in there is checked before it is believed: a model repo could bring such a folder along. It knows the names of
tokenizer files and no others, and never leads out of the directory.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kimi_tokenizers.disk import State

from kimi_tokenizers import disk
from kimi_tokenizers.errors import JournalError, ModelDirError, SyncError
from kimi_tokenizers.model_dirs import CHAT_TEMPLATE, TOKENIZER_CONFIG, read_small
from kimi_tokenizers.resolver import ALWAYS_OURS

FOLDER = ".kimi-tokenizers"

# Every file that may be written, in the order in which they are put: exo executes `tokenization_kimi.py`, and finds
# what that needs in place already.
NAMES = (
    *(name for name in ALWAYS_OURS if name != "tokenization_kimi.py"),
    TOKENIZER_CONFIG,
    CHAT_TEMPLATE,
    "tokenization_kimi.py",
)

LOCK_SECONDS = 60.0
"""For how long one process waits for another that changes the same directory."""

_FORMAT = "kimi-tokenizers journal"
_VERSION = 1
_JOURNAL, _RESTORED, _LOCK, _BACKUP = "journal.json", "restored.json", "lock", "backup"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BACKUP_NAME = re.compile(r"([0-9]{1,9})-(.+)")


@dataclass(frozen=True)
class Prior:
    """What was there before, and for a file the name of its backup."""

    state: State
    backup: str = ""


@dataclass
class Entry:
    """What is known of one file.

    Attributes:
        ours: SHA-256 of every content that we put there or were about to.
        priors: what was there, oldest first. The last is what `restore` puts back.
    """

    ours: list[str] = field(default_factory=list)
    priors: list[Prior] = field(default_factory=list)

    def is_ours(self, state: State) -> bool:
        return state.kind == "file" and state.sha256 in self.ours


@dataclass
class Journal:
    """The record of one model directory. Change it only inside `opened`."""

    model_dir: Path
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.model_dir / FOLDER

    def backup_path(self, prior: Prior) -> Path:
        return self.folder / _BACKUP / prior.backup

    def is_ours(self, name: str, state: State) -> bool:
        """Whether a state is a content that we put there."""
        return name in self.entries and self.entries[name].is_ours(state)

    def problem_of_backup(self, prior: Prior) -> str | None:
        """What is wrong with the backup of a file; None if it is what it was. Links and absent files need none."""
        if prior.state.kind != "file":
            return None
        path = self.backup_path(prior)
        found = disk.examine(path)
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

        A backup is made; the journal is not saved yet. What was kept before stays, an equal content once only.

        Returns:
            What was found at the path.
        """
        entry = self.entry(name)
        while True:
            state = disk.examine(path)
            if entry.is_ours(state) or (state.kind == "absent" and entry.priors):
                return state  # a file of ours that somebody removed says nothing about what was there before
            kept = next((prior for prior in entry.priors if prior.state == state), None)
            if kept is None or self.problem_of_backup(kept) is not None:
                try:
                    kept = Prior(state) if state.kind != "file" else self._back_up(name, path)
                except FileNotFoundError:
                    continue  # it went in between
            entry.priors = [prior for prior in entry.priors if not prior.state.same_content(kept.state)]
            entry.priors.append(kept)  # at the end: it is what was there last
            return kept.state

    def _back_up(self, name: str, path: Path) -> Prior:
        backup = self._free_backup_name(name)
        disk.preserve(path, self.folder / _BACKUP / backup)
        state = disk.examine(self.folder / _BACKUP / backup)  # of what was kept: another may have come in between
        if state.kind != "file":
            disk.remove(self.folder / _BACKUP / backup)
            return Prior(state)
        return Prior(state, backup)

    def _free_backup_name(self, name: str) -> str:
        folder = self.folder / _BACKUP
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o755)
        taken = [int(match[1]) for match in map(_BACKUP_NAME.fullmatch, os.listdir(folder)) if match]
        return f"{max(taken, default=0) + 1}-{name}"

    def save(self) -> None:
        """Write the journal; backups are flushed to the disk before it names them, and removed after it does not."""
        if os.path.isdir(self.folder / _BACKUP):
            disk.flush_directory(self.folder / _BACKUP)
        if self.entries:
            disk.write(self.folder / _JOURNAL, _dumped(self.entries), 0o644)
        else:
            disk.remove(self.folder / _JOURNAL)
            disk.flush_directory(self.folder)
        self._remove_needless_backups()

    def revert(self, entries: dict[str, Entry]) -> None:
        """Make the journal what it was, with as little writing as can be: the disk may be full."""
        self.entries = entries
        if not entries:
            disk.remove(self.folder / _JOURNAL)
        elif _loaded(self.folder / _JOURNAL) != entries:
            self.save()
        self._remove_needless_backups()

    def mark_restored(self) -> None:
        """Say, by one rename that needs no space, that everything is put back and only backups are left to remove."""
        os.rename(self.folder / _JOURNAL, self.folder / _RESTORED)
        disk.flush_directory(self.folder)
        self._finish_restored()

    def _finish_restored(self) -> None:
        path = self.folder / _RESTORED
        if not os.path.lexists(path):
            return
        for entry in _loaded(path).values():
            for prior in entry.priors:
                if prior.backup:
                    disk.remove(self.backup_path(prior))
        disk.remove(path)
        self.entries = {}

    def recover(self) -> None:
        """Bring in order what a process that was killed left. Nothing that could be the user's is removed."""
        self._finish_restored()
        for path in self.folder.glob("*.tmp"):
            disk.remove(path)
        for path in (self.folder / _BACKUP).glob("*.tmp"):
            disk.remove(path)
        for name in NAMES:
            disk.remove(unfinished(self.model_dir, name))
            self.settle(name)
        self._adopt_unnamed_backups()

    def settle(self, name: str) -> None:
        """What is at the temporary name: a file that was ready to be put, or what one was exchanged for."""
        path = temporary(self.model_dir, name)
        if not os.path.lexists(path):
            return
        if self.is_ours(name, disk.examine(self.model_dir / name)):
            before = _dumped(self.entries)
            self.keep(name, path)
            if _dumped(self.entries) != before:
                self.save()
            disk.remove(path)
        elif self._is_kept(name, disk.examine(path)):
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
            for backup in sorted(os.listdir(self.folder / _BACKUP)):
                match = _BACKUP_NAME.fullmatch(backup)
                if match and match[2] in NAMES and backup not in named:
                    yield match[2], self.folder / _BACKUP / backup

    def _adopt_unnamed_backups(self) -> None:
        """Backups that were made before the journal could name them, or whose journal somebody removed.

        Those that are in place anyway go. The others are the user's, and come back as what was there at first.
        """
        adopted = False
        for name, path in list(self._unnamed_backups()):
            state = disk.examine(path)
            if state.same_content(disk.examine(self.model_dir / name)) or self._is_kept(name, state):
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
            state = disk.examine(path)
            if state.same_content(disk.examine(self.model_dir / name)) or self._is_kept(name, state):
                disk.remove(path)

    def remove_if_empty(self) -> None:
        """Take the folder away if it says nothing any more. What is not ours in it stays, and keeps it."""
        if self.entries or os.path.lexists(self.folder / _JOURNAL) or os.path.lexists(self.folder / _RESTORED):
            return
        with contextlib.suppress(OSError):
            os.rmdir(self.folder / _BACKUP)
        with contextlib.suppress(OSError):
            if set(os.listdir(self.folder)) <= {_LOCK}:
                disk.remove(self.folder / _LOCK)
                os.rmdir(self.folder)
                disk.flush_directory(self.model_dir)


def packaged_sums(name: str) -> list[str]:
    """The SHA-256 of a file in every packaged overlay."""
    from kimi_tokenizers import catalogue

    return sorted({overlay.files[name].sha256 for overlay in catalogue.overlays().values() if name in overlay.files})


# -- temporary names in a model directory ----------------------------------------------------------


def unfinished(model_dir: Path, name: str) -> Path:
    """Where a file of ours is written. Whatever is there is ours, and may be torn."""
    return model_dir / f"{FOLDER}-new-{name}.tmp"


def temporary(model_dir: Path, name: str) -> Path:
    """From where a whole file is put in its place; what it was exchanged for is there afterwards."""
    return model_dir / f"{FOLDER}-{name}.tmp"


def put_beside(source: Path, path: Path) -> Path:
    """Move a file that is the user's to a free name beside `path`: `<name>.kept-<number>`."""
    return next(wish for wish in names_beside(path) if disk.move_to_free_name(source, wish))


def names_beside(path: Path) -> Iterator[Path]:
    """The names under which a file can be kept beside another, whether they are taken or not."""
    return (path.with_name(f"{path.name}.kept-{number}") for number in itertools.count(1))


# -- reading and locking -----------------------------------------------------------------------------


def read(model_dir: Path) -> Journal:
    """The record as it is, without a lock; empty where there is none. Raises JournalError."""
    journal = Journal(model_dir)
    _check_folder(journal.folder)
    journal.entries = _loaded(journal.folder / _JOURNAL)
    return journal


def exists(model_dir: Path) -> bool:
    """Whether there is a record, or what is left of one."""
    return os.path.lexists(model_dir / FOLDER) or _has_temporaries(model_dir)


def is_half_done(model_dir: Path) -> bool:
    """Whether a process that was killed left something to bring in order."""
    folder = model_dir / FOLDER
    without_journal = os.path.lexists(folder) and not os.path.lexists(folder / _JOURNAL)
    return without_journal or _has_temporaries(model_dir)


def _has_temporaries(model_dir: Path) -> bool:
    return any(os.path.lexists(path(model_dir, name)) for name in NAMES for path in (unfinished, temporary))


@contextlib.contextmanager
def opened(model_dir: Path) -> Iterator[Journal]:
    """The record of a model directory, to change it, while nobody else does; made if there is none.

    What a killed process left is in order inside. Afterwards the folder is gone if it would say nothing.

    Raises:
        JournalError: it is damaged or not ours; nothing was changed.
        SyncError: another process has been changing the directory for a minute, or a right is missing.
    """
    descriptor = _locked(model_dir / FOLDER)
    try:
        journal = read(model_dir)
        if os.path.lexists(journal.folder / _RESTORED):
            _loaded(journal.folder / _RESTORED)
        try:
            journal.recover()
            yield journal
        finally:
            journal.remove_if_empty()
    finally:
        os.close(descriptor)


def _locked(folder: Path) -> int:
    """A descriptor that holds the lock. A lock that was removed in the meantime does not count."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o755)
        try:
            _check_folder(folder)
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:
            continue  # a restore took the folder away
        except IsADirectoryError as error:
            raise _foreign(folder / _LOCK, "it is a directory") from error
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(folder)  # if it is empty, as one is that was just made
            raise
        try:
            _wait_for(descriptor, folder, deadline)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.lstat(folder / _LOCK)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _wait_for(descriptor: int, folder: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise SyncError(
                    f"Another process has been changing {str(folder.parent)!r} for {LOCK_SECONDS:.0f} s. "
                    "Wait for it, or end it, and run the command again."
                ) from None
            time.sleep(0.01)


def _check_folder(folder: Path) -> None:
    try:
        mode = os.lstat(folder).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        raise _foreign(folder, "it is a link" if stat.S_ISLNK(mode) else f"it is {disk.kind_name(mode)}")


def _foreign(path: Path, reason: str) -> JournalError:
    return JournalError(
        f"{str(path)!r} is not the record of kimi-tokenizers: {reason}. Nothing was changed. If nothing else needs it, "
        "move it away; `restore` then knows no more what was there before, and the files in 'backup/' beside it, which "
        "are those, have to be moved back by hand."
    )


# -- the format ---------------------------------------------------------------------------------------


def _dumped(entries: dict[str, Entry]) -> bytes:
    files = {
        name: {
            "ours": entry.ours,
            "priors": [
                {key: value for key, value in asdict(prior.state).items() if key != "inode"} | {"backup": prior.backup}
                for prior in entry.priors
            ],
        }
        for name, entry in entries.items()
    }
    # ASCII: a target that is not UTF-8 comes back as it was
    return json.dumps({"format": _FORMAT, "version": _VERSION, "files": files}, indent=1).encode("ascii")


def _loaded(path: Path) -> dict[str, Entry]:
    """The entries of a journal; none where there is no file. Raises JournalError."""
    try:
        data = read_small(path)
    except ModelDirError as error:
        if isinstance(error.__cause__, PermissionError):
            raise disk.explained(error.__cause__, path) from error
        raise _foreign(path, str(error)) from error
    if data is None:
        return {}
    try:
        value = json.loads(data)
        if value["format"] != _FORMAT:
            raise ValueError(f"its format is {value['format']!r}")
        if value["version"] != _VERSION:
            raise ValueError(f"its version is {value['version']!r}, and this kimi-tokenizers knows {_VERSION}")
        return {_name(name): _entry(name, entry) for name, entry in value["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _foreign(path, f"{type(error).__name__}: {error}") from error


def _name(name: str) -> str:
    if name not in NAMES:
        raise ValueError(f"it names the file {name[:100]!r}, which is no tokenizer file")
    return name


def _entry(name: str, value: Any) -> Entry:
    sums = value["ours"]
    if not isinstance(sums, list) or not all(isinstance(item, str) and _SHA256.fullmatch(item) for item in sums):
        raise ValueError(f"{name}: `ours` is no list of SHA-256")
    priors = [_prior(name, prior) for prior in value["priors"]]
    if not priors:
        raise ValueError(f"{name}: `priors` is empty")
    return Entry(sums, priors)


def _prior(name: str, value: Any) -> Prior:
    backup = value.pop("backup")
    state = State(**value)
    numbers = (state.size, state.mode, state.mtime_ns)
    if not all(type(number) is int for number in numbers) or state.size < 0 or not 0 <= state.mode <= 0o7777:
        raise ValueError(f"{name}: no numbers")
    if not all(isinstance(text, str) for text in (backup, state.sha256, state.target)):
        raise TypeError(f"{name}: no text")
    match = _BACKUP_NAME.fullmatch(backup)
    wrong_backup = not (match and match[2] == name) if state.kind == "file" else backup != ""
    if (
        wrong_backup
        or state.kind not in ("absent", "file", "link")
        or (state.kind == "file") != bool(_SHA256.fullmatch(state.sha256))
        or (state.kind == "link") != bool(state.target)
        or "\0" in state.target
    ):
        raise ValueError(f"{name}: what it says was there before contradicts itself")
    return Prior(state, backup)
