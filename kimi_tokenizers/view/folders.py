"""The directory of a view: what is in it, what of that is ours, and how it becomes what it shall be.

Ours is what the marker file records: links into a model directory, and files with the content that was written. Nothing
else is ever replaced or removed. It is safe with several processes at once, which wait for each other, and with one
killed at any moment: every file and link appears whole, and the marker names a folder before anything is put into it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NoReturn

from kimi_tokenizers.catalogue import OverlayFile
from kimi_tokenizers.errors import KimiTokenizersError, ModelDirError, ViewError
from kimi_tokenizers.model_dirs import INDEX_SUFFIX, folder_name, is_complete, model_id_of, read_small

OWN_PREFIX = ".kimi-tokenizers"  # how the names of this package's own files begin, in views and elsewhere
VIEW_MARKER = OWN_PREFIX + "-view.json"
LOCK = OWN_PREFIX + "-view.lock"

_VERSION = 1
_TEMPORARY = OWN_PREFIX + "-new-"
# What Python writes when exo imports the files in front.
_BYTECODE = re.compile(r"__pycache__/(tokenization_kimi|tool_declaration_ts)\.[^/]*\.pyc(\.\d+)?")


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


@dataclass(frozen=True)
class Content:
    """A file in front."""

    data: OverlayFile | bytes
    sha256: str

    @classmethod
    def of(cls, data: OverlayFile | bytes) -> Content:
        return cls(data, sha256(data).hexdigest() if isinstance(data, bytes) else data.sha256)

    def read(self) -> bytes:
        return self.data if isinstance(self.data, bytes) else self.data.read()


# Path relative to the folder -> a file in front, or where a link points to.
Entries = dict[str, "Content | str"]


def is_no_directory(path: Path) -> bool:
    """Whether something other than a real directory is there."""
    return os.path.islink(path) or (os.path.exists(path) and not os.path.isdir(path))


@dataclass
class _Record:
    """What the marker says of one folder.

    Attributes:
        sources: the directory that its links point into; then those that links left by a run that was cut short may
            still point into.
        files: names of the files in front -> the SHA-256 of their content, more than one after such a run.
    """

    model_id: str
    sources: list[str]
    files: dict[str, list[str]] = field(default_factory=dict)

    def joined(self, other: _Record) -> _Record:
        files = {name: self.files.get(name, []) + other.files.get(name, []) for name in {**self.files, **other.files}}
        return _Record(
            self.model_id,
            list(dict.fromkeys(self.sources + other.sources)),
            {name: list(dict.fromkeys(sums)) for name, sums in files.items()},
        )

    def made(self, folder: Path, relative: str) -> bool:
        """Whether what is there is a link or a file that was made here, and that nobody changed since."""
        path = folder / relative
        if path.is_symlink():
            return os.readlink(path) in {os.path.join(source, relative) for source in self.sources}
        return relative in self.files and _sha256(path) in self.files[relative]


def _sha256(path: Path) -> str | None:
    """SHA-256 of a small regular file; None for anything else."""
    try:
        data = read_small(path)
    except ModelDirError:
        return None
    return None if data is None else sha256(data).hexdigest()


def _is(path: Path, entry: Content | str) -> bool:
    if isinstance(entry, str):
        return path.is_symlink() and os.readlink(path) == entry
    return not path.is_symlink() and _sha256(path) == entry.sha256


def _there(folder: Path) -> list[str]:
    """Relative paths of everything in a folder except directories and scraps. A folder that does not exist is empty."""
    result = []
    if folder.is_dir():
        for parent, folders, files in os.walk(folder, onerror=_raise):
            linked = [name for name in folders if os.path.islink(os.path.join(parent, name))]
            result += [os.path.relpath(os.path.join(parent, name), folder) for name in (*files, *linked)]
    return sorted(relative for relative in result if not _is_scrap(relative))


def _is_scrap(relative: str) -> bool:
    """Whether a name is that of a file that was never finished, or of bytecode that Python left."""
    return os.path.basename(relative).startswith(_TEMPORARY) or _BYTECODE.fullmatch(relative) is not None


def _ancestors(relative: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(relative).parents][:-1]


class View:
    """A view's directory, and its marker. Whoever writes holds the lock."""

    def __init__(self, target: Path, *, dry_run: bool) -> None:
        self.target = target
        self.dry_run = dry_run
        self.records = _read_marker(target)
        self._saved = _marker_text(self.records)
        if not dry_run:
            _sweep(target, deep=False)

    def put(self, model_id: str, source: Path, entries: Entries) -> ViewedModel:
        """Make a model's folder hold these entries."""
        name = folder_name(model_id)
        folder = self.target / name
        old = self.records.get(name)
        objection = self._objection(folder)
        if objection is not None:
            return ViewedModel(model_id, str(source), name, problem=objection)
        sums = {path: [entry.sha256] for path, entry in entries.items() if isinstance(entry, Content)}
        new = _Record(model_id, [str(source)], sums)
        both = new if old is None else new.joined(old)
        self._save(name, both)  # first, so that whatever happens the folder is known to be ours
        changes, kept = _changes(folder, both, entries)
        if not self.dry_run:
            _sweep(folder, bytecode=bool(changes))
            self._carry_out(name, changes, entries)
        self._save(name, new)
        complete = is_complete(source if self.dry_run else folder)
        problem = None
        if kept:
            problem = (
                f"In {str(folder)!r} somebody else put or changed {_listed(kept)}; left as it is, in the place of what "
                "the view needs there. Move it away and make the view again."
            )
        return ViewedModel(model_id, str(source), name, changes, complete, problem)

    def take_away(self, name: str) -> ViewedModel:
        """Empty a model's folder of what is ours, and remove it if nothing is left."""
        folder = self.target / name
        record = self.records[name]
        objection = self._objection(folder)
        there = [] if objection else _there(folder)
        ours = [relative for relative in there if record.made(folder, relative)]
        left = [relative for relative in there if relative not in set(ours)]
        changes = tuple(Change("remove", f"{name}/{relative}") for relative in _index_first(ours))
        if not objection and not self.dry_run:
            self._carry_out(name, changes, {})
            _sweep(folder, bytecode=True)
            with contextlib.suppress(OSError):  # it is not empty, or went already
                folder.rmdir()
        self._save(name, None)
        problem = objection
        if left:
            problem = f"In {str(folder)!r} somebody else put or changed {_listed(left)}; left as it is."
        return ViewedModel(record.model_id, record.sources[0], name, changes, problem=problem)

    def _objection(self, folder: Path) -> str | None:
        """Why a folder must not be touched."""
        if is_no_directory(folder):
            return f"{str(folder)!r} is not a directory that this view made; left as it is. Move it away."
        if folder.name not in self.records and folder.exists():
            return (
                f"{str(folder)!r} was not made by this view, says {VIEW_MARKER}; left as it is. Move it away, or make the "
                "view elsewhere."
            )
        return None

    def _carry_out(self, name: str, changes: Iterable[Change], entries: Entries) -> None:
        folder = self.target / name
        for change in changes:
            path = self.target / change.path
            if change.action == "remove":
                path.unlink()
        _prune(folder)
        for change in changes:
            path = self.target / change.path
            if change.action != "remove":
                entry = entries[os.path.relpath(path, folder)]
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, entry if isinstance(entry, str) else entry.read())

    def _save(self, name: str, record: _Record | None) -> None:
        self.records.pop(name, None)
        if record is not None:
            self.records[name] = record
        text = _marker_text(self.records)
        if not self.dry_run and text != self._saved:
            _write(self.target / VIEW_MARKER, text.encode("ascii"))
        self._saved = text

    def leave(self) -> None:
        """Remove the directory if the view has nothing in it; the lock file goes last."""
        if self.dry_run or self.records:
            return
        for name in (VIEW_MARKER, LOCK):
            (self.target / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is not empty, or somebody is waiting to make a view there
            self.target.rmdir()


def _changes(folder: Path, record: _Record, entries: Entries) -> tuple[tuple[Change, ...], list[str]]:
    """What makes `folder` hold `entries`, in the order to do it; and the entries whose place somebody else took."""
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
        # exo takes a folder with an index for complete: by then, everything else must be there.
        return isinstance(entries[relative], str), relative.endswith(INDEX_SUFFIX), relative

    for relative in sorted(entries, key=order):
        if relative not in left_alone and not _is(folder / relative, entries[relative]):
            action: Literal["add", "replace"] = "replace" if relative in present else "add"
            changes.append(Change(action, f"{folder.name}/{relative}"))
    return tuple(changes), kept


def _index_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (not name.endswith(INDEX_SUFFIX), name))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(repr(name) for name in sorted(names)[:3]) + more


# ---------------------------------------------------------------------------------------------------------------------
# Writing


@contextlib.contextmanager
def opened(target: Path, *, dry_run: bool) -> Iterator[View]:
    """A view, under its lock. A dry run takes none, because that would be a change."""
    try:
        if dry_run:
            yield View(target, dry_run=True)
            return
        _read_marker(target)  # before anything is written to a directory that is not ours
        with _locked(target):
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


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Make the directory and hold its lock. Whoever held it before may have removed both."""
    from filelock import FileLock

    lock = FileLock(target / LOCK)
    while not (lock.is_locked and os.path.exists(target / LOCK)):
        lock.release(force=True)
        target.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # it went in between
            lock.acquire()
    try:
        yield
    finally:
        lock.release(force=True)


def _write(path: Path, content: bytes | str) -> None:
    """Put a read-only file, or a link to the path that a string is, in a place at once."""
    temporary = path.with_name(_TEMPORARY + secrets.token_hex(8))
    try:
        if isinstance(content, str):
            temporary.symlink_to(content)
        else:
            with open(temporary, "xb") as file:
                file.write(content)
                os.fchmod(file.fileno(), 0o444)
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _sweep(folder: Path, *, deep: bool = True, bytecode: bool = False) -> None:
    """Remove files that were never finished, and Python's bytecode of files that are about to change."""
    for parent, folders, files in os.walk(folder):
        for name in files:
            path = os.path.join(parent, name)
            compiled = bytecode and _BYTECODE.fullmatch(os.path.relpath(path, folder))
            if name.startswith(_TEMPORARY) or compiled:
                os.unlink(path)
        if not deep:
            folders.clear()
    if bytecode:
        _prune(folder)


def _prune(folder: Path) -> None:
    """Remove the empty directories in a folder. An empty directory holds nothing of anybody's."""
    for parent, _, _ in os.walk(folder, topdown=False):
        if parent != os.fspath(folder):
            with contextlib.suppress(OSError):
                os.rmdir(parent)


# ---------------------------------------------------------------------------------------------------------------------
# The marker


def _marker_text(records: Mapping[str, _Record]) -> str:
    models = {
        folder: {
            "model_id": record.model_id,
            "source": record.sources[0],
            "former_sources": record.sources[1:],
            "files": record.files,
        }
        for folder, record in records.items()
    }
    return json.dumps({"version": _VERSION, "models": models}, indent=1, sort_keys=True) + "\n"


def _read_marker(target: Path) -> dict[str, _Record]:
    """What the marker of a view records: folder -> record; nothing for a directory that is empty or does not exist.

    Raises:
        ViewError: the directory holds something, and no marker that can be read.
    """
    if not target.exists():
        return {}
    try:
        data = read_small(target / VIEW_MARKER)
        names = sorted(os.listdir(target))
    except (OSError, ModelDirError) as error:
        raise ViewError(f"The directory {str(target)!r} cannot be read: {error}. Nothing was changed.") from error
    if data is None:
        others = [name for name in names if name != LOCK and not name.startswith(_TEMPORARY)]
        if others:
            raise ViewError(
                f"{str(target)!r} is not a view: it holds {_listed(others)}, and no {VIEW_MARKER}. Nothing was changed. "
                "Choose a path that does not exist, or an empty directory."
            )
        return {}
    try:
        value = json.loads(data)
        if value["version"] != _VERSION:
            raise ValueError(f"version {value['version']!r}, expected {_VERSION}")
        return {folder: _record(folder, entry) for folder, entry in value["models"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ViewError(
            f"{str(target / VIEW_MARKER)!r} cannot be used ({type(error).__name__}: {error}), so it is not known what in "
            f"{str(target)!r} belongs to a view. Nothing was changed. Make a view elsewhere, or use the version of "
            "kimi-tokenizers that wrote it."
        ) from error


def _record(folder: str, entry: Any) -> _Record:
    """One folder of a marker. Raises ValueError, KeyError or TypeError where it is none that was written here."""
    record = _Record(
        entry["model_id"],
        [entry["source"], *entry["former_sources"]],
        {name: list(sums) for name, sums in entry["files"].items()},
    )
    # A folder name decides where things are removed.
    if folder_name(record.model_id) != folder or model_id_of(folder) is None or "\0" in folder:
        raise ValueError(f"no folder of a model: {folder!r}")
    texts = [*record.sources, *record.files, *(digest for sums in record.files.values() for digest in sums)]
    if not all(isinstance(text, str) and text for text in texts):
        raise TypeError(f"not text, in the record of {folder!r}")
    return record


def _raise(error: OSError) -> NoReturn:
    raise error
