"""`sync` and `restore`: the only code that writes into a model directory.

The protocol, under the lock of the journal:

1. What a killed run left is brought in order. Then it is decided anew what to do.
2. Everything that needs space: our files, whole and flushed, under temporary names in the same directory; a second
   name in `backup/` for each file that will be replaced (a hard link, so its inode is kept as it is); then the journal,
   which says what was there and what is about to be.
3. Each file is put in its place by one step that cannot be seen half done: a link where there was nothing, an exchange
   of the two names where there was something. What came out of the exchange is ours, or in the backup, or, if
   somebody put it there that very moment, it goes to the backup now.

If step 2 fails, what it made is removed and the directory is as before; if step 3 does, it is undone. `restore` takes
the same steps the other way, checks all files before it touches one, and removes the backups last.

If exo replaces a file of ours, the next sync takes exo's for what was there before; what had been there earlier stays
in the backup, and `restore` puts it beside, as `<name>.kept-1`. It opens no weight file, and nothing but the tokenizer
files named in `journal.NAMES` is ever written.
"""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kimi_tokenizers.disk import State
from kimi_tokenizers.journal import Entry, Journal, Prior

from kimi_tokenizers import disk, journal, resolver
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import ChangedError, KimiTokenizersError, ModelDirError, SyncError
from kimi_tokenizers.model_dirs import check_vocabulary, checked_dir

Action = Literal["create", "replace", "lock", "unlock", "keep"]

# exo or a download client may be changing the directory at the same time; nobody does so for ever.
_ATTEMPTS = 100


@dataclass(frozen=True)
class Change:
    """What becomes of one file.

    Attributes:
        name: the file's name.
        action: "create" where there is nothing, "replace" where there is something else, "lock" and "unlock" where only
            the mode changes, "keep" where the content is there already.
        found: what is there, for people.
        why: why this file is the overlay's.
        locked: whether it is immutable or read-only afterwards.
    """

    name: str
    action: Action
    found: str
    why: str
    locked: bool = False


@dataclass(frozen=True)
class Plan:
    """What a sync would change in a model directory, or has changed.

    Attributes:
        lock: make our files immutable or read-only (True), mutable again (False), or leave that as it is (None).
    """

    overlay: Overlay
    model_dir: Path
    changes: tuple[Change, ...]
    lock: bool | None = None

    @property
    def writes(self) -> tuple[Change, ...]:
        """The changes that change something."""
        return tuple(change for change in self.changes if change.action != "keep")


@dataclass(frozen=True)
class Given:
    """What `restore` did, or would do, with one file.

    Attributes:
        action: "put back", "remove" (there was none before), "nothing" (it is as it was before).
        kept: name beside it under which a changed or an older file stays.
        problem: why what was there before cannot be given back; only with `force`.
    """

    name: str
    action: Literal["put back", "remove", "nothing"]
    what: str
    kept: tuple[str, ...] = ()
    problem: str | None = None


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Errors of the system, said in terms of paths and rights."""
    try:
        yield
    except KimiTokenizersError:
        raise
    except OSError as error:
        raise disk.explained(error, path) from error


def check_directory(model_dir: str | os.PathLike[str]) -> Path:
    """`model_dir` as a path, if it is a directory that can be read. Raises SyncError, ModelDirError."""
    path = Path(model_dir)
    try:
        os.listdir(path)
    except PermissionError as error:
        raise disk.explained(error, path) from error
    except NotADirectoryError as error:
        raise SyncError(
            f"{str(path)!r} has the name of a model directory and is {disk.kind_name(os.stat(path).st_mode)}. "
            "Remove it or give it another name."
        ) from error
    except (OSError, ValueError):
        pass  # the same once more, said in full
    return checked_dir(path)


# -- sync ------------------------------------------------------------------------------------------


def plan(overlay: Overlay, model_dir: str | os.PathLike[str], *, lock: bool | None = None) -> Plan:
    """What a sync would change. It only reads.

    Raises:
        VocabularyMismatchError: the directory holds another vocabulary.
        ModelDirError, TokenizerConfigError: it cannot be read, or a file that decides something is damaged.
        SyncError: something other than a file lies in the place of a tokenizer file.
        JournalError: the record of an earlier sync is damaged or not ours.
    """
    path = check_directory(model_dir)
    with _explained(path):
        check_vocabulary(overlay, path)
        return _plan(overlay, path, journal.read(path), lock)


def _plan(overlay: Overlay, path: Path, record: Journal, lock: bool | None) -> Plan:
    found = {name: disk.examine(path / name) for name in journal.NAMES}
    why = {layer.name: layer.why for layer in _layers(overlay, path) if layer.origin == "overlay"}
    for name in overlay.files:
        if record.is_ours(name, found[name]):  # as a chat template, which is the directory's own from the next look on
            why.setdefault(name, "put there by an earlier sync")
    changes = [_change(overlay, record, name, found[name], why[name], lock) for name in journal.NAMES if name in why]
    return Plan(overlay, path, tuple(changes), lock)


def _layers(overlay: Overlay, path: Path) -> list[resolver.Layer]:
    for _ in range(_ATTEMPTS):
        try:
            return resolver.layers(overlay, path)
        except ModelDirError as error:
            if not isinstance(error.__cause__, FileNotFoundError) or not path.is_dir():
                raise  # else a file went while it was looked at
    raise _restless(path)


def _change(overlay: Overlay, record: Journal, name: str, found: State, why: str, lock: bool | None) -> Change:
    path = record.model_dir / name
    ours = record.is_ours(name, found)
    locked = ours and _is_locked(path, found)
    wanted = locked if lock is None else lock
    action: Action = "keep"
    if found.kind == "absent":
        action = "create"
    elif (disk.content_sha256(path) if found.kind == "link" else found.sha256) != overlay.files[name].sha256:
        action = "replace"
    elif ours and locked != wanted:  # a file of the user's with the same content is left alone
        action = "lock" if wanted else "unlock"
    return Change(name, action, str(found), why, wanted)


def _is_locked(path: Path, found: State) -> bool:
    return disk.is_immutable(path) if disk.can_be_immutable() else not found.mode & 0o222


def _mode(locked: bool) -> int:
    """Of our files. They are public data, which whoever runs exo must be able to read."""
    return 0o444 if locked else 0o644


def apply(planned: Plan) -> Plan:
    """Do what a plan says, as far as it still holds: it is made anew under the lock.

    Returns:
        What was changed.

    Raises:
        SyncError: the disk is full, a right is missing, another process is at it. The directory is as before.
        Others as `plan`.
    """
    path = planned.model_dir
    if not planned.writes and not journal.is_half_done(path):
        return planned
    with _explained(path), journal.opened(path) as record:
        check_vocabulary(planned.overlay, path)
        current = _plan(planned.overlay, path, record, planned.lock)
        if current.writes:
            _sync(current, record)
        return current


def _sync(current: Plan, record: Journal) -> None:
    path = current.model_dir
    names = [change.name for change in current.writes]
    before = copy.deepcopy(record.entries)
    exchanged: list[str] = []
    try:
        _prepare(current, record)
        # What needs a new name in the directory first: an exchange of names needs no space, and cannot run out of it.
        for name in [change.name for change in sorted(current.writes, key=lambda change: change.action != "create")]:
            _release(path / name)
            os.rename(journal.unfinished(path, name), journal.temporary(path, name))
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
            disk.set_immutable(path / change.name, True)


def _prepare(current: Plan, record: Journal) -> None:
    """Step 2: everything that needs space."""
    path = current.model_dir
    for change in current.writes:
        name, file = change.name, current.overlay.files[change.name]
        disk.write_new(journal.unfinished(path, name), file.read(), _mode(change.locked))
        record.keep(name, path / name)
        ours = record.entry(name).ours
        if file.sha256 not in ours:
            ours.append(file.sha256)
    record.save()


def _put(record: Journal, name: str) -> bool:
    """Step 3, for one file: from its temporary name to its place, whatever has come there in the meantime.

    Returns:
        Whether it was exchanged for what was there, which is at the temporary name now.
    """
    ours, path = journal.temporary(record.model_dir, name), record.model_dir / name
    for _ in range(_ATTEMPTS):
        if disk.move_to_free_name(ours, path):
            return False
        try:
            _keep(record, name, path)
            if disk.exchange(ours, path):
                return True
        except FileNotFoundError:
            continue  # it went in between
        os.replace(ours, path)
        return False
    raise _restless(path)


def _restless(path: Path) -> SyncError:
    return SyncError(f"{str(path)!r} is replaced and removed by another process all the time. Stop that one first.")


def _keep(record: Journal, name: str, path: Path) -> None:
    """Keep what came there after the journal was written; nearly always there is nothing of the kind."""
    before = list(record.entry(name).priors)
    record.keep(name, path)
    if record.entry(name).priors != before:
        record.save()


def _release(path: Path) -> None:
    """Make a file of ours mutable, so that it can be replaced. Others' files are left as they are."""
    with contextlib.suppress(FileNotFoundError):
        if disk.is_immutable(path):
            disk.set_immutable(path, False)


def _undo(record: Journal, names: list[str], exchanged: list[str], before: dict[str, Entry]) -> None:
    """The directory as before. If that fails too, the journal stays, and `sync` or `restore` go on from there."""
    path = record.model_dir
    try:
        for name in exchanged:
            with contextlib.suppress(FileNotFoundError):  # of one that is settled, or that somebody removed
                disk.exchange(journal.temporary(path, name), path / name)
        for name in names:
            disk.remove(journal.unfinished(path, name))
            record.settle(name)
            entry = record.entries.get(name, Entry())
            new = entry.priors != before.get(name, Entry()).priors
            if new and record.is_ours(name, disk.examine(path / name)):
                _give_back(record, name, entry.priors[-1])
        record.revert(before)
    except (OSError, KimiTokenizersError):
        record.entries = journal.read(path).entries


# -- restore ---------------------------------------------------------------------------------------


def restore(model_dir: str | os.PathLike[str], *, force: bool = False) -> tuple[Given, ...]:
    """Give everything back that was there before: bytes, mode, modification time, link targets.

    Args:
        force: give back also where the file is no longer what we put there; that one is kept beside it. Where a
            backup is gone our file stays, and where one was edited the edited one is put back.

    Returns:
        What was done, file by file; nothing where no sync has been.

    Raises:
        ChangedError: a file, or a backup, is no longer what was left there; every one is named and nothing was changed.
        JournalError, SyncError: as in `plan` and `apply`. What was begun is finished by the next restore.
    """
    path = check_directory(model_dir)
    with _explained(path):
        if not journal.exists(path):
            return ()
        with journal.opened(path) as record:
            return _restore(record, force=force) if record.entries else ()


def _restore(record: Journal, *, force: bool) -> tuple[Given, ...]:
    # The reverse of the order in which files are put: exo's entry point first, so that it never meets half of ours.
    todo = [_judged(record, name) for name in reversed(journal.NAMES) if name in record.entries]
    problems = [given.problem for given in todo if given.problem]
    if problems and not force:
        raise ChangedError(
            f"Nothing was changed in {str(record.model_dir)!r}. " + " ".join(problems) + " With --force a changed file "
            "is kept beside the one that is given back."
        )
    done = [replace(given, kept=_restore_file(record, given)) for given in todo]
    disk.flush_directory(record.model_dir)
    record.mark_restored()
    return tuple(done)


def _judged(record: Journal, name: str) -> Given:
    """What is to be done with one file."""
    entry, path = record.entries[name], record.model_dir / name
    before, now = entry.priors[-1], disk.examine(path)
    if now == before.state or (now.kind == "link" and now.same_content(before.state)):
        return Given(name, "nothing", str(now))
    problem = record.problem_of_backup(before)
    lost = before.state.kind == "file" and not os.path.lexists(record.backup_path(before))
    if problem is not None:
        problem = f"{name}: {problem}."
    if not (entry.is_ours(now) or now.kind == "absent" or now.same_content(before.state)):
        problem = (
            f"{name} has changed since: it is {now}, sync had left SHA-256 {' or '.join(entry.ours)}, and there was "
            f"{before.state} before." + (f" And {problem}" if problem else "")
        )
    if lost:
        return Given(name, "nothing", "its backup is gone", problem=problem)
    if before.state.kind == "absent":
        return Given(name, "remove", "there was none before", problem=problem)
    return Given(name, "put back", str(before.state), problem=problem)


def _restore_file(record: Journal, given: Given) -> tuple[str, ...]:
    """Give one file back; returns the names of files that are kept beside it."""
    path = record.model_dir / given.name
    *older, before = record.entries[given.name].priors
    kept = [] if given.action == "nothing" else _give_back(record, given.name, before)
    for prior in older:
        with contextlib.suppress(FileNotFoundError):  # of a backup that a restore before this one has put beside
            kept += _put_older_beside(record, path, prior)
    return tuple(file.name for file in kept)


def _put_older_beside(record: Journal, path: Path, older: Prior) -> list[Path]:
    """What was there before exo replaced ours by something newer: it is kept, beside what was there last."""
    if older.state.kind == "absent" or older.state.same_content(disk.examine(path)):
        return []
    backup = record.backup_path(older)
    for wish in journal.names_beside(path):
        if not os.path.lexists(wish):
            if older.state.kind == "link":
                disk.link_again(older.state, wish)
            elif not disk.move_to_free_name(backup, wish):
                continue
            return [wish]
        if older.state.kind == "link":
            kept = os.path.islink(wish) and os.readlink(wish) == older.state.target
        else:
            kept = os.path.samestat(os.lstat(wish), os.lstat(backup))
        if kept:  # by a restore that was killed
            return [wish]
    return []


def _give_back(record: Journal, name: str, before: Prior) -> list[Path]:
    """Put back what was there before. What is in its place is removed if it is ours, else kept beside it."""
    path, moved = record.model_dir / name, journal.temporary(record.model_dir, name)
    _release(path)
    if before.state.kind == "absent":
        with contextlib.suppress(FileNotFoundError):
            os.rename(path, moved)
        return _clear(record, name, before)
    if before.state.kind == "link":
        disk.link_again(before.state, journal.unfinished(record.model_dir, name))
        os.rename(journal.unfinished(record.model_dir, name), moved)
    else:
        disk.second_name(record.backup_path(before), moved)
    for _ in range(_ATTEMPTS):
        if disk.move_to_free_name(moved, path):
            return []
        try:
            if disk.exchange(moved, path):
                return _clear(record, name, before)
            kept = _copied_beside(record, name, before)
        except FileNotFoundError:
            continue  # it went in between
        os.replace(moved, path)
        return kept
    raise _restless(path)


def _clear(record: Journal, name: str, before: Prior) -> list[Path]:
    """What was in the place of a file that is given back: away with it if it is ours or the same, else beside."""
    moved = journal.temporary(record.model_dir, name)
    now = disk.examine(moved)
    if record.is_ours(name, now) or now.same_content(before.state):
        disk.remove(moved)
        return []
    return [journal.put_beside(moved, record.model_dir / name)] if now.kind != "absent" else []


def _copied_beside(record: Journal, name: str, before: Prior) -> list[Path]:
    """The same where names cannot be exchanged: a file that has to be kept gets a second name first."""
    path = record.model_dir / name
    now = disk.examine(path)
    if record.is_ours(name, now) or now.same_content(before.state) or now.kind == "absent":
        return []
    for wish in journal.names_beside(path):
        with contextlib.suppress(FileExistsError):
            if now.kind == "link":
                os.symlink(now.target, wish)
            else:
                disk.preserve(path, wish)
            return [wish]
    return []
