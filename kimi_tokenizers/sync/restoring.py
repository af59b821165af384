"""`restore`: everything back that was there before a sync, byte for byte.

It takes the steps of `applying` the other way, checks all files before it touches one, and removes the backups last.
What is in the place of a file that is given back is removed only if it is ours or the same; otherwise it is kept, as
`<name>.kept-1` beside it. It must never open a weight file, or discard anything that is not ours.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kimi_tokenizers.errors import ChangedError
from kimi_tokenizers.sync import disk
from kimi_tokenizers.sync.immutable import release
from kimi_tokenizers.sync.journal import Journal, exists, put_beside
from kimi_tokenizers.sync.journal_format import Prior
from kimi_tokenizers.sync.lock import opened
from kimi_tokenizers.sync.names import every_name, names_beside, temporary, unfinished
from kimi_tokenizers.sync.rights import explaining
from kimi_tokenizers.sync.state import ATTEMPTS, check_directory, examine, restless


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
    with explaining(path):
        if not exists(path):
            return ()
        with opened(path) as record:
            return _restore(record, force=force) if record.entries else ()


def _restore(record: Journal, *, force: bool) -> tuple[Given, ...]:
    # In reverse order: exo's entry point first, so that it never meets half of our files.
    todo = [_judged(record, name) for name in reversed(every_name()) if name in record.entries]
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
    """What to do with one file."""
    entry, path = record.entries[name], record.model_dir / name
    before, now = entry.priors[-1], examine(path)
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
    kept = [] if given.action == "nothing" else give_back(record, given.name, before)
    for prior in older:
        with contextlib.suppress(FileNotFoundError):  # an earlier restore has put its backup beside
            kept += _put_older_beside(record, path, prior)
    return tuple(file.name for file in kept)


def _put_older_beside(record: Journal, path: Path, older: Prior) -> list[Path]:
    """What was there before exo replaced ours by something newer: it is kept, beside what was there last."""
    if older.state.kind == "absent" or older.state.same_content(examine(path)):
        return []
    backup = record.backup_path(older)
    for wish in names_beside(path):
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


def give_back(record: Journal, name: str, before: Prior) -> list[Path]:
    """Put back what was there before. What is in its place is removed if it is ours, else kept beside it."""
    path, moved = record.model_dir / name, temporary(record.model_dir, name)
    release(path)
    if before.state.kind == "absent":
        with contextlib.suppress(FileNotFoundError):
            os.rename(path, moved)
        return _clear(record, name, before)
    if before.state.kind == "link":
        disk.link_again(before.state, unfinished(record.model_dir, name))
        os.rename(unfinished(record.model_dir, name), moved)
    else:
        disk.second_name(record.backup_path(before), moved)
    for _ in range(ATTEMPTS):
        if disk.move_to_free_name(moved, path):
            return []
        try:
            if disk.exchange(moved, path):
                return _clear(record, name, before)
            kept = _copied_beside(record, name, before)
        except FileNotFoundError:
            continue  # it was removed in between
        os.replace(moved, path)
        return kept
    raise restless(path)


def _clear(record: Journal, name: str, before: Prior) -> list[Path]:
    """What was in the place of a file that is given back: removed if it is ours or the same, otherwise kept beside."""
    moved = temporary(record.model_dir, name)
    now = examine(moved)
    if record.is_ours(name, now) or now.same_content(before.state):
        disk.remove(moved)
        return []
    return [put_beside(moved, record.model_dir / name)] if now.kind != "absent" else []


def _copied_beside(record: Journal, name: str, before: Prior) -> list[Path]:
    """The same where names cannot be exchanged: a file that has to be kept gets a second name first."""
    path = record.model_dir / name
    now = examine(path)
    if record.is_ours(name, now) or now.same_content(before.state) or now.kind == "absent":
        return []
    for wish in names_beside(path):
        with contextlib.suppress(FileExistsError):
            if now.kind == "link":
                os.symlink(now.target, wish)
            else:
                disk.preserve(path, wish)
            return [wish]
    return []
