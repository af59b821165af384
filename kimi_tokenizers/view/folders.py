"""A view's directory: which of its files are ours, and how each model's folder is made to hold what it should.

Only what the marker records as ours is ever replaced or removed; this module must never touch anything else, and never
follow a link out of the view. The marker names a folder before anything is put into it, so that a process killed at any
moment leaves nothing that the next one does not recognize as ours.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from kimi_tokenizers.errors import FolderError, KimiTokenizersError, ViewError
from kimi_tokenizers.model_dirs import INDEX_SUFFIX, VIEW_MARKER, Folder, folder_name, is_complete
from kimi_tokenizers.resolver import Content
from kimi_tokenizers.view.contents import Entries, is_importable
from kimi_tokenizers.view.marker import Record, found_at, listed, marker_text, read_marker
from kimi_tokenizers.view.writing import LOCK, everything_in, locked, open_view, place_of, prune, put_in_place, sweep


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
        with contextlib.ExitStack() as looked:
            folder = None
            with contextlib.suppress(FileNotFoundError):
                folder = looked.enter_context(open_view(target))
                read_marker(folder)  # before anything is written to a directory that is not ours
            if dry_run:
                yield View(target, folder, dry_run=True)
                return
        with locked(target) as folder:
            view = View(target, folder, dry_run=False)
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
    """A view's directory, open, and its marker. Whoever writes must hold the lock. In a dry run there may be none."""

    def __init__(self, target: Path, folder: Folder | None, *, dry_run: bool) -> None:
        self.target = target
        self.dry_run = dry_run
        self._folder = folder
        self.records = read_marker(folder) if folder else {}
        self._saved = marker_text(self.records)
        if folder and not dry_run:
            sweep(folder, deep=False)

    def put(self, model_id: str, source: Path, entries: Entries) -> ViewedModel:
        """Make a model's folder hold these entries."""
        name = folder_name(model_id)
        old = self.records.get(name)
        objection = self._objection(name)
        if objection is not None:
            return ViewedModel(model_id, str(source), name, problem=objection)
        sums = {path: [entry.sha256] for path, entry in entries.items() if isinstance(entry, Content)}
        new = Record(model_id, [str(source)], sums)
        both = new if old is None else new.joined(old)
        self._save(name, both)  # first, so that the folder is known to be ours whatever happens
        with self._opened(name, make=True) as folder:
            changes, kept, imported = _changes(name, folder, both, entries)
            if folder and not self.dry_run:
                sweep(folder)
                _carry_out(folder, changes, entries)
        self._save(name, new)
        path = self.target / name
        complete = is_complete(source if self.dry_run else path)
        problems = []
        if kept:
            problems.append(
                f"In {str(path)!r} somebody else put or changed {listed(kept)}; left as it is, in the place of what "
                "the view needs there. Move it away and make the view again."
            )
        if imported:
            problems.append(
                f"In {str(path)!r} somebody else put {listed(imported)}, which Python could import there before "
                "anything else; left as it is. Move it away before exo loads the model."
            )
        return ViewedModel(model_id, str(source), name, changes, complete, " ".join(problems) or None)

    def take_away(self, name: str) -> ViewedModel:
        """Remove everything of ours from a model's folder, and the folder too if nothing else is in it."""
        record = self.records[name]
        problem = self._objection(name)
        changes: tuple[Change, ...] = ()
        if problem is None:
            with self._opened(name) as folder:
                there = everything_in(folder) if folder else []
                ours = [relative for relative in there if folder and record.made(folder, relative)]
                left = [relative for relative in there if relative not in set(ours)]
                changes = tuple(Change("remove", f"{name}/{relative}") for relative in _index_first(ours))
                if folder and not self.dry_run:
                    _carry_out(folder, changes, {})
                    sweep(folder)
            if self._folder and not self.dry_run:
                with contextlib.suppress(OSError):  # it is not empty, or it is gone already
                    self._folder.remove_folder(name)
            if left:
                where = str(self.target / name)
                problem = f"In {where!r} somebody else put or changed {listed(left)}; left as it is."
        self._save(name, None)
        return ViewedModel(record.model_id, record.sources[0], name, changes, problem=problem)

    @contextlib.contextmanager
    def _opened(self, name: str, *, make: bool = False) -> Iterator[Folder | None]:
        """The folder of a model; None where there is none. Raises FolderError if it is not to be trusted."""
        if self._folder is None or not (self._folder.has(name) or (make and not self.dry_run)):
            yield None
            return
        with self._folder.folder(name, make=make and not self.dry_run, owned=True) as folder:
            yield folder

    def _objection(self, name: str) -> str | None:
        """Why a folder must not be touched; None if it may be."""
        where = str(self.target / name)
        if self._folder is None or not self._folder.has(name):
            return None
        try:
            with self._opened(name):
                pass
        except FolderError as error:
            return f"{where!r} is not a directory that this view made; left as it is. Move it away. ({error})"
        if name not in self.records:
            return (
                f"{where!r} was not made by this view, says {VIEW_MARKER}; left as it is. Move it away, or make "
                "the view elsewhere."
            )
        return None

    def _save(self, name: str, record: Record | None) -> None:
        """Set the record of one folder, or drop it, and write the marker if that changed it."""
        self.records.pop(name, None)
        if record is not None:
            self.records[name] = record
        text = marker_text(self.records)
        if self._folder and not self.dry_run and text != self._saved:
            put_in_place(self._folder, VIEW_MARKER, text.encode("ascii"))
        self._saved = text

    def leave(self) -> None:
        """Remove the directory if the view has nothing in it; the lock file goes last."""
        if self._folder is None or self.dry_run or self.records:
            return
        for name in (VIEW_MARKER, LOCK):
            self._folder.remove(name)
        with contextlib.suppress(OSError):  # it is not empty, or somebody is waiting to make a view there
            self.target.rmdir()


def _carry_out(folder: Folder, changes: Iterable[Change], entries: Entries) -> None:
    """Removals first: a directory may have to make way for a file, or a file for a directory."""
    named = [(change.action, change.path.partition("/")[2]) for change in changes]
    for action, relative in named:
        if action == "remove":
            with place_of(folder, relative) as (inside, name):
                inside.remove(name)
    prune(folder)
    for action, relative in named:
        if action != "remove":
            put_in_place(folder, relative, entries[relative])


def _changes(
    name: str, folder: Folder | None, record: Record, entries: Entries
) -> tuple[tuple[Change, ...], list[str], list[str]]:
    """What makes a folder hold `entries`, in order.

    Returns:
        The changes; the entries whose place somebody else has taken; what somebody else put there that Python imports.
    """
    there = everything_in(folder) if folder else []
    foreign = {relative for relative in there if folder and not record.made(folder, relative)}
    above_foreign = {ancestor for relative in foreign for ancestor in _ancestors(relative)}
    kept = [
        relative
        for relative in entries
        if relative in foreign | above_foreign or not foreign.isdisjoint(_ancestors(relative))
    ]
    stale = _index_first(relative for relative in there if relative not in entries and relative not in foreign)
    changes = [Change("remove", f"{name}/{relative}") for relative in stale]
    present, left_alone = set(there), set(kept)

    def order(relative: str) -> tuple[bool, bool, str]:
        # exo takes a folder with an index for complete, so the index comes after everything else.
        return isinstance(entries[relative], str), relative.endswith(INDEX_SUFFIX), relative

    for relative in sorted(entries, key=order):
        if relative not in left_alone and not (folder and _holds(folder, relative, entries[relative])):
            action: Literal["add", "replace"] = "replace" if relative in present else "add"
            changes.append(Change(action, f"{name}/{relative}"))
    return tuple(changes), kept, [relative for relative in foreign if folder and _is_imported(folder, relative)]


def _is_imported(folder: Folder, relative: str) -> bool:
    """Whether Python could import what somebody put there: a module, also inside a package; a link to a package."""
    with place_of(folder, relative) as (inside, name):
        try:
            status = os.stat(name, dir_fd=inside.descriptor)
        except OSError:
            return is_importable(name)
    return is_importable(name) or stat.S_ISDIR(status.st_mode)


def _index_first(names: Iterable[str]) -> list[str]:
    """The order for removing: without its index, exo no longer takes a folder for complete."""
    return sorted(names, key=lambda name: (not name.endswith(INDEX_SUFFIX), name))


def _holds(folder: Folder, relative: str, entry: Content | str) -> bool:
    """Whether the link or the file there is already what it should be."""
    return found_at(folder, relative) == (entry if isinstance(entry, str) else (entry.sha256, entry.mode))


def _ancestors(relative: str) -> list[str]:
    """The directories that a relative path leads through."""
    return [str(parent) for parent in PurePosixPath(relative).parents][:-1]
