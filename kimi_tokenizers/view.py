"""Views: a directory beside the models, with a folder of links for every model and the overlay's files in front.

A stock exo that is told of it with `EXO_MODELS_READ_ONLY_DIRS` finds a working tokenizer there and the model's own
weights. A view links to files; it never copies or opens a weight file, and never writes to a model directory. In its
own directory it takes away or replaces only what it has made, which a marker file there records.

Left out of a view are downloads under way, and what would put another tokenizer in the overlay's place:
`tokenizer.json`, out of which transformers builds a different one, and every downloaded Python module, because exo puts
the folder in front of `sys.path`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NoReturn

from kimi_tokenizers import catalogue, directory, exo, guard, resolver
from kimi_tokenizers.errors import KimiTokenizersError, ModelDirError, ViewError, VocabularyMismatchError
from kimi_tokenizers.overlay import OverlayFile

MARKER = ".kimi-tokenizers-view.json"
LOCK = ".kimi-tokenizers-view.lock"
VARIABLE = "EXO_MODELS_READ_ONLY_DIRS"

_VERSION = 1
_OWN = ".kimi-tokenizers"  # how the names of this package's own files begin, in views and elsewhere
_TEMPORARY = ".kimi-tokenizers-new-"

_UNDER_WAY = (".partial", ".incomplete", ".tmp")  # exo's, Hugging Face's and others' unfinished downloads
_HIDDEN_FOLDERS = (".cache", ".git")  # where Hugging Face and git keep what is not part of the model
_FAST_TOKENIZER = "tokenizer.json"
_MODULES = (".py", ".pyc", ".so", ".pyd")  # what Python imports from a directory
_BYTECODE = re.compile(
    r"__pycache__/(tokenization_kimi|tool_declaration_ts)\.[^/]*\.pyc(\.\d+)?"
)  # written when exo imports


# ---------------------------------------------------------------------------------------------------------------------
# What is reported


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
class ViewReport:
    """What became of a view: the models in it, and those that it no longer has. `dataclasses.asdict` makes it JSON."""

    target: str
    models: tuple[ViewedModel, ...]
    removed: tuple[ViewedModel, ...] = ()


# ---------------------------------------------------------------------------------------------------------------------
# Making, updating, removing


def make(
    target: str | os.PathLike[str],
    models_dirs: Sequence[str | os.PathLike[str]],
    model_ids: Sequence[str] = (),
    *,
    dry_run: bool = False,
    progress: Callable[[str], None] | None = None,
) -> ViewReport:
    """Make a view, or bring it up to date: weights that arrived, models that came or went.

    Args:
        target: the view's directory; made if it does not exist.
        models_dirs: where to look for models, in exo's order; exo's models dirs and Hugging Face's cache. Those that do
            not exist, and views, are passed over.
        model_ids: view only these (letter case does not matter); none means every model that an overlay serves.
        dry_run: report what would be done, and do nothing.
        progress: called with a line of text for every model.

    Returns:
        A report. What concerns one model, as the guard's objection, is that model's `problem` and stops no other.

    Raises:
        ViewError: `target` is not a view, cannot be written to, or overlaps with the models; nothing was changed.
    """
    path = _plain(target)
    _check_target(path)
    dirs = _existing(path, models_dirs)
    found = _sources(dirs)
    _check_apart(path, [*dirs, *found.values()])
    with _opened(path, dry_run=dry_run or not (found or os.path.lexists(path))) as view:
        wanted = {model_id.lower() for model_id in model_ids}
        models = []
        for model_id, source in sorted(found.items()):
            if not wanted or model_id.lower() in wanted:
                if progress is not None:
                    progress(f"{model_id} from {source}")
                models.append(_view(view, model_id, source))
        missing = [wish for wish in dict.fromkeys(model_ids) if wish.lower() not in map(str.lower, found)]
        gone = [
            folder
            for folder, record in view.records.items()
            if (not wanted or record.model_id.lower() in wanted)
            and record.model_id not in found
            and (not os.path.isdir(record.sources[0]) or _lies_in(record.sources[0], dirs))
        ]
        removed = [view.take_away(folder) for folder in gone]
        return ViewReport(str(path), (*models, *(_not_found(wish, dirs) for wish in missing)), tuple(removed))


def remove(target: str | os.PathLike[str], *, dry_run: bool = False) -> ViewReport:
    """Take a view away: its links and files, and its directory if that is empty then.

    What somebody else put there, or changed, is left, and named in the `problem` of the model whose folder it is in.

    Raises:
        ViewError: there is no view at `target`, or it cannot be written to.
    """
    path = _plain(target)
    _check_target(path)
    if not os.path.exists(path):
        raise ViewError(f"There is no view at {str(path)!r}: it does not exist. Check the path.")
    with _opened(path, dry_run=dry_run) as view:
        return ViewReport(str(path), (), tuple(view.take_away(folder) for folder in list(view.records)))


def environment_lines(
    target: str | os.PathLike[str], platform: str = sys.platform, environment: Mapping[str, str] | None = None
) -> list[str]:
    """The shell commands that make a stock exo use a view, in front of the read-only dirs it has already.

    The first is for exo started from a shell. On macOS a second reaches the app: it holds for apps that are started
    afterwards, until the user logs out.

    Raises:
        ViewError: the path holds a colon, at which exo splits the variable.
    """
    path = _plain(target)
    _check_colon(path)
    before = (os.environ if environment is None else environment).get(VARIABLE, "").split(":")
    others = [entry for entry in before if entry and _plain(os.path.expanduser(entry)) != path]
    value = shlex.quote(":".join([str(path), *others]))
    lines = [f"export {VARIABLE}={value}"]
    if platform == "darwin":
        lines.append(f"launchctl setenv {VARIABLE} {value}")
    return lines


def _view(view: _View, model_id: str, source: Path) -> ViewedModel:
    """View one model; what is wrong with it is its problem."""
    folder = exo.folder_name(model_id)
    try:
        entries = _entries(model_id, source)
    except VocabularyMismatchError as error:
        if folder not in view.records:
            return ViewedModel(model_id, str(source), folder, problem=str(error))
        # The folder shows another model by now, with a tokenizer in front that is not its own.
        taken = view.take_away(folder)
        problem = " ".join(filter(None, [str(error), "Its folder was taken out of the view.", taken.problem]))
        return ViewedModel(model_id, str(source), folder, taken.changes, problem=problem)
    except KimiTokenizersError as error:
        complete = folder in view.records and exo.is_complete(view.target / folder)
        return ViewedModel(model_id, str(source), folder, complete=complete, problem=str(error))
    return view.put(model_id, source, entries)


def _not_found(model_id: str, models_dirs: Iterable[Path]) -> ViewedModel:
    try:
        catalogue.get(model_id)
        places = ", ".join(repr(str(models_dir)) for models_dir in models_dirs)
        problem = f"There is no {model_id!r} in {places}. Download it first, or name the models dir that it is in."
    except KimiTokenizersError as error:
        problem = str(error)
    return ViewedModel(model_id, None, exo.folder_name(model_id), problem=problem)


# ---------------------------------------------------------------------------------------------------------------------
# Where things are


def _plain(path: str | os.PathLike[str]) -> Path:
    """An absolute path without `..`; links in it stay as they are."""
    try:
        plain, real = os.path.abspath(path), os.path.realpath(path)
        return Path(plain if os.path.realpath(plain) == real else real)  # `..` behind a link leads elsewhere
    except ValueError as error:
        raise ViewError(f"{os.fspath(path)!r} is not a path: {error}. Nothing was changed.") from error


def _check_target(target: Path) -> None:
    _check_colon(target)
    if _is_no_directory(target):
        kind = "a link" if os.path.islink(target) else "not a directory"
        raise ViewError(f"{str(target)!r} is {kind}, so no view can be there. Choose another path.")


def _is_no_directory(path: Path) -> bool:
    return os.path.islink(path) or (os.path.exists(path) and not os.path.isdir(path))


def _check_colon(target: Path) -> None:
    if ":" in str(target):
        raise ViewError(
            f"A view cannot be at {str(target)!r}: exo splits {VARIABLE} at colons. Choose a path without a colon."
        )


def _existing(target: Path, models_dirs: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The models dirs that can be viewed. Views cannot, this one included: exo's own list may well name it."""
    given = list(dict.fromkeys(map(_plain, models_dirs)))
    result = [path for path in given if os.path.isdir(path) and not os.path.exists(path / MARKER) and path != target]
    if not result:
        names = ", ".join(repr(str(path)) for path in given) or "none was given"
        raise ViewError(
            f"There is no models dir to view ({names}): a models dir is an existing directory, and no view. "
            "Nothing was changed. Name the dir that holds the model directories."
        )
    return result


def _check_apart(target: Path, places: Iterable[Path]) -> None:
    """Refuse a view inside models, or models inside a view: each would then be taken for the other."""
    for place in places:
        if _identity(place) in _identities(target) or _identity(target) in _identities(place):
            raise ViewError(
                f"The view {str(target)!r} and the models in {str(place)!r} must not lie inside each other. "
                "Nothing was changed. Choose a directory beside the models."
            )


def _identities(path: Path) -> set[tuple[int, int] | str]:
    """A directory and those that it is in, by what the file system says: neither links nor letter case deceive it."""
    real = Path(os.path.realpath(path))
    return {_identity(part) for part in (real, *real.parents)}


def _identity(path: Path) -> tuple[int, int] | str:
    try:
        status = path.stat()
        return status.st_dev, status.st_ino
    except OSError:
        return os.path.realpath(path)


def _lies_in(path: str, dirs: Iterable[Path]) -> bool:
    return any(Path(path).is_relative_to(models_dir) for models_dir in dirs)


def _sources(models_dirs: Iterable[Path]) -> dict[str, Path]:
    """The model directories that an overlay serves: model id -> the first complete one, as exo takes, else the first."""
    candidates: dict[str, list[Path]] = {}
    for models_dir in models_dirs:
        try:
            names = sorted(os.listdir(models_dir))
        except OSError as error:
            raise ViewError(
                f"The models dir {str(models_dir)!r} cannot be read: {error.strerror}. Nothing was changed. "
                "Make it readable, or leave it out."
            ) from error
        for name in names:
            hugging_face = name.startswith("models--")
            model_id = exo.model_id_of(name.removeprefix("models--"))
            if model_id is None or catalogue.find(model_id) is None:
                continue
            path = _snapshot(models_dir / name) if hugging_face else models_dir / name
            if path is not None and os.path.isdir(path):
                candidates.setdefault(model_id, []).append(path)
    return {
        model_id: next(filter(exo.is_complete, paths), paths[0]) if len(paths) > 1 else paths[0]
        for model_id, paths in candidates.items()
    }


def _snapshot(repo: Path) -> Path | None:
    """The snapshot in a folder of Hugging Face's cache that `main` names, else the newest; None if there is none."""
    with contextlib.suppress(KimiTokenizersError):
        revision = (directory.read_text(repo / "refs" / "main") or "").strip()
        if re.fullmatch(r"[0-9a-zA-Z]+", revision) and os.path.isdir(repo / "snapshots" / revision):
            return repo / "snapshots" / revision
    try:
        snapshots = [path for path in (repo / "snapshots").iterdir() if path.is_dir()]
        return max(snapshots, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)
    except OSError:
        return None


# ---------------------------------------------------------------------------------------------------------------------
# What a folder of the view shall hold


@dataclass(frozen=True)
class _Content:
    """A file in front."""

    data: OverlayFile | bytes
    sha256: str

    @classmethod
    def of(cls, data: OverlayFile | bytes) -> _Content:
        return cls(data, sha256(data).hexdigest() if isinstance(data, bytes) else data.sha256)

    def read(self) -> bytes:
        return self.data if isinstance(self.data, bytes) else self.data.read()


# Path relative to the folder -> a file in front, or where a link points to.
_Entries = dict[str, "_Content | str"]


def _entries(model_id: str, source: Path) -> _Entries:
    """What the folder of a model shall hold. Raises KimiTokenizersError."""
    overlay = catalogue.get(model_id)
    directory.check(source)
    guard.check(overlay, source)
    front = {name: _Content.of(data) for name, data in resolver.front(overlay, source).items()}
    try:
        return {**_links(source, front), **front}
    except OSError as error:
        raise ModelDirError(f"Cannot read {str(error.filename or source)!r}: {error.strerror}.") from error


def _links(source: Path, front: Mapping[str, object]) -> dict[str, str]:
    """The files of a model directory, at any depth: relative path -> absolute path, the link's target.

    Targets are not resolved any further, so a view of Hugging Face's cache follows its links. Linked directories become
    links, because exo does not walk into them either. What does not exist (dangling links, loops) and what is no file
    (sockets, pipes, devices) is left out, and so are empty directories.
    """
    result = {}
    for parent, folders, files in os.walk(source, onerror=_raise):
        at_top = parent == os.fspath(source)
        not_linked = {*front, _FAST_TOKENIZER} if at_top else set()
        linked = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        folders[:] = [name for name in folders if name not in {*linked, *not_linked} and not _is_left_out(name)]
        for name in (*files, *linked):
            path = os.path.join(parent, name)
            if name in not_linked or _is_left_out(name) or not (os.path.isfile(path) or os.path.isdir(path)):
                continue
            result[os.path.relpath(path, source)] = path
    return result


def _is_left_out(name: str) -> bool:
    return name in _HIDDEN_FOLDERS or name.startswith(_OWN) or name.lower().endswith(_UNDER_WAY + _MODULES)


def _raise(error: OSError) -> NoReturn:
    raise error


# ---------------------------------------------------------------------------------------------------------------------
# What is there, and what of it is ours


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
        data = directory.read_small(path)
    except ModelDirError:
        return None
    return None if data is None else sha256(data).hexdigest()


def _is(path: Path, entry: _Content | str) -> bool:
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


class _View:
    """A view's directory, and its marker. Whoever writes holds the lock."""

    def __init__(self, target: Path, *, dry_run: bool) -> None:
        self.target = target
        self.dry_run = dry_run
        self.records = _read_marker(target)
        self._saved = _marker_text(self.records)
        if not dry_run:
            _sweep(target, deep=False)

    def put(self, model_id: str, source: Path, entries: _Entries) -> ViewedModel:
        """Make a model's folder hold these entries."""
        name = exo.folder_name(model_id)
        folder = self.target / name
        old = self.records.get(name)
        objection = self._objection(folder)
        if objection is not None:
            return ViewedModel(model_id, str(source), name, problem=objection)
        sums = {path: [entry.sha256] for path, entry in entries.items() if isinstance(entry, _Content)}
        new = _Record(model_id, [str(source)], sums)
        both = new if old is None else new.joined(old)
        self._save(name, both)  # first, so that whatever happens the folder is known to be ours
        changes, kept = _changes(folder, both, entries)
        if not self.dry_run:
            _sweep(folder, bytecode=bool(changes))
            self._carry_out(name, changes, entries)
        self._save(name, new)
        complete = exo.is_complete(source if self.dry_run else folder)
        problem = None
        if kept:
            problem = (
                f"In {str(folder)!r} somebody else put or changed {_listed(kept)}; left as it is, in the place of what the "
                "view needs there. Move it away and make the view again."
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
        if _is_no_directory(folder):
            return f"{str(folder)!r} is not a directory that this view made; left as it is. Move it away."
        if folder.name not in self.records and folder.exists():
            return (
                f"{str(folder)!r} was not made by this view, says {MARKER}; left as it is. Move it away, or make the "
                "view elsewhere."
            )
        return None

    def _carry_out(self, name: str, changes: Iterable[Change], entries: _Entries) -> None:
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
            _write(self.target / MARKER, text.encode("ascii"))
        self._saved = text

    def leave(self) -> None:
        """Remove the directory if the view has nothing in it; the lock file goes last."""
        if self.dry_run or self.records:
            return
        for name in (MARKER, LOCK):
            (self.target / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is not empty, or somebody is waiting to make a view there
            self.target.rmdir()


def _changes(folder: Path, record: _Record, entries: _Entries) -> tuple[tuple[Change, ...], list[str]]:
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
        return isinstance(entries[relative], str), relative.endswith(exo.INDEX_SUFFIX), relative

    for relative in sorted(entries, key=order):
        if relative not in left_alone and not _is(folder / relative, entries[relative]):
            action: Literal["add", "replace"] = "replace" if relative in present else "add"
            changes.append(Change(action, f"{folder.name}/{relative}"))
    return tuple(changes), kept


def _index_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (not name.endswith(exo.INDEX_SUFFIX), name))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(repr(name) for name in sorted(names)[:3]) + more


# ---------------------------------------------------------------------------------------------------------------------
# Writing


@contextlib.contextmanager
def _opened(target: Path, *, dry_run: bool) -> Iterator[_View]:
    """A view, under its lock. A dry run takes none, because that would be a change."""
    try:
        if dry_run:
            yield _View(target, dry_run=True)
            return
        _read_marker(target)  # before anything is written to a directory that is not ours
        with _locked(target):
            view = _View(target, dry_run=False)
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
        data = directory.read_small(target / MARKER)
        names = sorted(os.listdir(target))
    except (OSError, ModelDirError) as error:
        raise ViewError(f"The directory {str(target)!r} cannot be read: {error}. Nothing was changed.") from error
    if data is None:
        others = [name for name in names if name != LOCK and not name.startswith(_TEMPORARY)]
        if others:
            raise ViewError(
                f"{str(target)!r} is not a view: it holds {_listed(others)}, and no {MARKER}. Nothing was changed. "
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
            f"{str(target / MARKER)!r} cannot be used ({type(error).__name__}: {error}), so it is not known what in "
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
    if exo.folder_name(record.model_id) != folder or exo.model_id_of(folder) is None or "\0" in folder:
        raise ValueError(f"no folder of a model: {folder!r}")
    texts = [*record.sources, *record.files, *(digest for sums in record.files.values() for digest in sums)]
    if not all(isinstance(text, str) and text for text in texts):
        raise TypeError(f"not text, in the record of {folder!r}")
    return record
