"""A view's directory: which of its files are ours, and how each model's folder is made to hold what it should.

Only what the marker records as ours is ever replaced or removed; this module must never touch anything else, and never
follow a link out of the view. The marker names a folder before anything is put into it, so that a process killed at any
moment leaves nothing that the next one does not recognize as ours.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from kimi_tokenizers.errors import KimiTokenizersError, ViewError
from kimi_tokenizers.model_dirs import INDEX_SUFFIX, VIEW_MARKER, folder_name, is_complete
from kimi_tokenizers.view.contents import Content, Entries, reraise
from kimi_tokenizers.view.marker import Record, listed, marker_text, read_marker, sha256_of
from kimi_tokenizers.view.sources import is_not_directory
from kimi_tokenizers.view.writing import LOCK, is_scrap, locked, prune, put_in_place, sweep


@dataclass(frozen=True)
class Change:
    """A file or link that a view gains or loses. `path` is relative to the view's directory."""

    action: Literal["add", "replace", "remove"]
    path: str


@dataclass(frozen=True)
class ViewedModel:
    """What became of one model.

    Attributes:
        source: the model directory; None if there is none.
        folder: its folder in the view.
        complete: whether exo takes that folder for a fully downloaded model.
        problem: what is wrong and what to do; None if nothing is. A model that is not complete yet is no problem.
    """

    model_id: str
    source: str | None
    folder: str
    changes: tuple[Change, ...] = ()
    complete: bool = False
    problem: str | None = None


@contextlib.contextmanager
def opened(target: Path, *, dry_run: bool) -> Iterator[View]:
    """A view, under its lock. A dry run takes no lock, because making the lock file would be a change."""
    try:
        if dry_run:
            yield View(target, dry_run=True)
            return
        read_marker(target)  # before anything is written to a directory that is not ours
        with locked(target):
            view = View(target, dry_run=False)
            yield view
            view.leave()
    except OSError as error:
        if isinstance(error, KimiTokenizersError):
            raise
        raise ViewError(
            f"The view {str(target)!r} cannot be written: {error.strerror or error} "
            f"({str(error.filename or target)!r}). Mend that and run this again: what is there is kept and completed."
        ) from error


class View:
    """A view's directory and its marker. Whoever writes must hold the lock."""

    def __init__(self, target: Path, *, dry_run: bool) -> None:
        self.target = target
        self.dry_run = dry_run
        self.records = read_marker(target)
        self._saved = marker_text(self.records)
        if not dry_run:
            sweep(target, deep=False)

    def put(self, model_id: str, source: Path, entries: Entries) -> ViewedModel:
        """Make a model's folder hold these entries."""
        name = folder_name(model_id)
        folder = self.target / name
        old = self.records.get(name)
        objection = self._objection(folder)
        if objection is not None:
            return ViewedModel(model_id, str(source), name, problem=objection)
        sums = {path: [entry.sha256] for path, entry in entries.items() if isinstance(entry, Content)}
        new = Record(model_id, [str(source)], sums)
        both = new if old is None else new.joined(old)
        self._save(name, both)  # first, so that the folder is known to be ours whatever happens
        changes, kept = _changes(folder, both, entries)
        if not self.dry_run:
            sweep(folder, bytecode=bool(changes))
            self._carry_out(name, changes, entries)
        self._save(name, new)
        complete = is_complete(source if self.dry_run else folder)
        problem = None
        if kept:
            problem = (
                f"In {str(folder)!r} somebody else put or changed {listed(kept)}; left as it is, in the place of what "
                "the view needs there. Move it away and make the view again."
            )
        return ViewedModel(model_id, str(source), name, changes, complete, problem)

    def take_away(self, name: str) -> ViewedModel:
        """Remove everything of ours from a model's folder, and the folder too if nothing else is in it."""
        folder = self.target / name
        record = self.records[name]
        objection = self._objection(folder)
        there = [] if objection else _there(folder)
        ours = [relative for relative in there if record.made(folder, relative)]
        left = [relative for relative in there if relative not in set(ours)]
        changes = tuple(Change("remove", f"{name}/{relative}") for relative in _index_first(ours))
        if not objection and not self.dry_run:
            self._carry_out(name, changes, {})
            sweep(folder, bytecode=True)
            with contextlib.suppress(OSError):  # it is not empty, or it is gone already
                folder.rmdir()
        self._save(name, None)
        problem = objection
        if left:
            problem = f"In {str(folder)!r} somebody else put or changed {listed(left)}; left as it is."
        return ViewedModel(record.model_id, record.sources[0], name, changes, problem=problem)

    def _objection(self, folder: Path) -> str | None:
        """Why a folder must not be touched; None if it may be."""
        if is_not_directory(folder):
            return f"{str(folder)!r} is not a directory that this view made; left as it is. Move it away."
        if folder.name not in self.records and folder.exists():
            return (
                f"{str(folder)!r} was not made by this view, says {VIEW_MARKER}; left as it is. Move it away, or make "
                "the view elsewhere."
            )
        return None

    def _carry_out(self, name: str, changes: Iterable[Change], entries: Entries) -> None:
        """Removals first: a directory may have to make way for a file, or a file for a directory."""
        folder = self.target / name
        for change in changes:
            path = self.target / change.path
            if change.action == "remove":
                path.unlink()
        prune(folder)
        for change in changes:
            path = self.target / change.path
            if change.action != "remove":
                entry = entries[os.path.relpath(path, folder)]
                path.parent.mkdir(parents=True, exist_ok=True)
                put_in_place(path, entry if isinstance(entry, str) else entry.read())

    def _save(self, name: str, record: Record | None) -> None:
        """Set the record of one folder, or drop it, and write the marker if that changed it."""
        self.records.pop(name, None)
        if record is not None:
            self.records[name] = record
        text = marker_text(self.records)
        if not self.dry_run and text != self._saved:
            put_in_place(self.target / VIEW_MARKER, text.encode("ascii"))
        self._saved = text

    def leave(self) -> None:
        """Remove the directory if the view has nothing in it; the lock file goes last."""
        if self.dry_run or self.records:
            return
        for name in (VIEW_MARKER, LOCK):
            (self.target / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is not empty, or somebody is waiting to make a view there
            self.target.rmdir()


def _changes(folder: Path, record: Record, entries: Entries) -> tuple[tuple[Change, ...], list[str]]:
    """What makes `folder` hold `entries`, in order; and the entries whose place somebody else has taken."""
    there = _there(folder)
    foreign = {relative for relative in there if not record.made(folder, relative)}
    above_foreign = {ancestor for relative in foreign for ancestor in _ancestors(relative)}
    kept = [
        relative
        for relative in entries
        if relative in foreign | above_foreign or not foreign.isdisjoint(_ancestors(relative))
    ]
    stale = _index_first(relative for relative in there if relative not in entries and relative not in foreign)
    changes = [Change("remove", f"{folder.name}/{relative}") for relative in stale]
    present, left_alone = set(there), set(kept)

    def order(relative: str) -> tuple[bool, bool, str]:
        # exo takes a folder with an index for complete, so the index comes after everything else.
        return isinstance(entries[relative], str), relative.endswith(INDEX_SUFFIX), relative

    for relative in sorted(entries, key=order):
        if relative not in left_alone and not _holds(folder / relative, entries[relative]):
            action: Literal["add", "replace"] = "replace" if relative in present else "add"
            changes.append(Change(action, f"{folder.name}/{relative}"))
    return tuple(changes), kept


def _index_first(names: Iterable[str]) -> list[str]:
    """The order for removing: without its index, exo no longer takes a folder for complete."""
    return sorted(names, key=lambda name: (not name.endswith(INDEX_SUFFIX), name))


def _holds(path: Path, entry: Content | str) -> bool:
    """Whether the link or the file at `path` is already what it should be."""
    if isinstance(entry, str):
        return path.is_symlink() and os.readlink(path) == entry
    return not path.is_symlink() and sha256_of(path) == entry.sha256


def _there(folder: Path) -> list[str]:
    """Relative paths of everything in a folder but directories and scrap. A folder that does not exist is empty."""
    result = []
    if folder.is_dir():
        for parent, folders, files in os.walk(folder, onerror=reraise):
            linked = [name for name in folders if os.path.islink(os.path.join(parent, name))]
            result += [os.path.relpath(os.path.join(parent, name), folder) for name in (*files, *linked)]
    return sorted(relative for relative in result if not is_scrap(relative))


def _ancestors(relative: str) -> list[str]:
    """The directories that a relative path leads through."""
    return [str(parent) for parent in PurePosixPath(relative).parents][:-1]
