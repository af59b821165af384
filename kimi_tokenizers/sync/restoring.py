"""`restore`: everything back that was there before a sync, byte for byte.

It takes the steps of `applying` the other way, checks all files before it touches one, and removes the backups last.
What is in the place of a file that is given back is removed only if it is ours or the same; otherwise it is kept, as
`<name>.kept-1` beside it. It must never open a weight file, or discard anything that is not ours.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import Literal

from kimi_tokenizers.errors import ChangedError
from kimi_tokenizers.model_dirs import Folder
from kimi_tokenizers.sync import disk
from kimi_tokenizers.sync.immutable import release
from kimi_tokenizers.sync.journal import Journal, exists, put_beside
from kimi_tokenizers.sync.journal_format import Prior
from kimi_tokenizers.sync.lock import opened
from kimi_tokenizers.sync.names import every_name, moved_away, temporary, unfinished
from kimi_tokenizers.sync.rights import explaining
from kimi_tokenizers.sync.state import check_directory, examine


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
    with explaining(path), Folder.open(path) as directory:
        if not exists(directory):
            return ()
        with opened(directory) as record:
            return _restore(record, force=force) if record.entries else ()


def _restore(record: Journal, *, force: bool) -> tuple[Given, ...]:
    # In reverse order: exo's entry point first, so that it never meets half of our files.
    todo = [_judged(record, name) for name in reversed(every_name()) if name in record.entries]
    problems = [given.problem for given in todo if given.problem]
    if problems and not force:
        raise ChangedError(
            f"Nothing was changed in {str(record.directory.path)!r}. " + " ".join(problems) + " With --force a changed "
            "file is kept beside the one that is given back."
        )
    done = [_restore_file(record, given) for given in todo]
    record.directory.flush()
    record.mark_restored()
    return tuple(done)


def _judged(record: Journal, name: str) -> Given:
    """What to do with one file."""
    entry, now = record.entries[name], examine(record.directory, name)
    before = entry.priors[-1]
    if now == before.state or (now.kind == "link" and now.same_content(before.state)):
        return Given(name, "nothing", str(now))
    problem = record.problem_of_backup(before)
    lost = before.state.kind == "file" and not record.has_backup(before)
    if problem is not None:
        problem = f"{name}: {problem}."
    if not (entry.claims(now) or now.kind == "absent" or now.same_content(before.state)):
        problem = (
            f"{name} has changed since: it is {now}, sync had left SHA-256 {' or '.join(entry.ours[-3:])}, and there "
            f"was {before.state} before." + (f" And {problem}" if problem else "")
        )
    if lost:
        return Given(name, "nothing", "its backup is gone", problem=problem)
    if before.state.kind == "absent":
        return Given(name, "remove", "there was none before", problem=problem)
    return Given(name, "put back", str(before.state), problem=problem)


def _restore_file(record: Journal, given: Given) -> Given:
    """Give one file back; returns what was done."""
    *older, before = record.entries[given.name].priors
    if given.action != "nothing":
        given = give_back(record, given, before)
    beside = [_put_older_beside(record, given.name, prior) for prior in older]
    return replace(given, kept=(*given.kept, *filter(None, beside)))


def _put_older_beside(record: Journal, name: str, older: Prior) -> str | None:
    """What was there before exo replaced ours by something newer: it is kept, beside what was there last."""
    if older.state.kind == "absent" or older.state.same_content(examine(record.directory, name)):
        return None
    if record.backups is not None and record.has_backup(older):
        return put_beside(record.backups, older.backup, record.directory, name)
    if older.state.kind == "link" and not older.backup:  # as earlier versions kept links
        disk.link_again(older.state, record.directory, unfinished(name))
        return put_beside(record.directory, unfinished(name), record.directory, name)
    return None  # an earlier restore has put its backup beside


def give_back(record: Journal, given: Given, before: Prior) -> Given:
    """Put back what was there before. What is in its place is removed if it is ours, else kept beside it."""
    directory, name, ready = record.directory, given.name, temporary(given.name)
    kept: list[str] = []
    release(directory, name)
    if before.state.kind == "absent":
        with contextlib.suppress(FileNotFoundError):
            directory.rename(name, ready)
            kept += _clear(record, name, ready, before)
        return replace(given, kept=tuple(kept))
    if record.backups is not None and record.has_backup(before):
        disk.second_name(record.backups, before.backup, directory, ready)
    else:  # a link, whose target is known
        disk.link_again(before.state, directory, unfinished(name))
        directory.rename(unfinished(name), ready)
    owner = directory.stat(ready).st_uid
    placed = disk.put(
        directory, ready, name, moved_away(name), lambda at: kept.extend(_clear(record, name, at, before))
    )
    what = given.what
    if placed == "copied":
        gone = "inode" if owner == os.geteuid() else f"owner (user id {owner}), inode and hard links"
        what += f"; as a copy without its {gone}: this file system can neither link it nor move it to a free name"
    return replace(given, what=what, kept=tuple(kept))


def _clear(record: Journal, name: str, at: str, before: Prior) -> list[str]:
    """What was in the place of a file that is given back: removed if it is ours or the same, otherwise kept beside."""
    now = examine(record.directory, at)
    if record.is_ours(name, now) or now.same_content(before.state):
        record.directory.remove(at)
        return []
    return [put_beside(record.directory, at, record.directory, name)] if now.kind != "absent" else []
