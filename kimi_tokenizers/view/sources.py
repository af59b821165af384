"""Views: a directory beside the models, with a folder of links for every model and the overlay's files in front.

A stock exo that is told of it with `EXO_MODELS_READ_ONLY_DIRS` finds a working tokenizer there and the model's own
weights. A view links to files; it never copies or opens a weight file, and never writes to a model directory.

Left out of a view are downloads under way, and what would put another tokenizer in the overlay's place:
`tokenizer.json`, out of which transformers builds a different one, and every downloaded Python module, because exo puts
the folder in front of `sys.path`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from kimi_tokenizers.view_directory import Change, Content, Entries, View, ViewedModel, is_no_directory, opened

from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.errors import KimiTokenizersError, ModelDirError, ViewError, VocabularyMismatchError
from kimi_tokenizers.model_dirs import (
    OWN_PREFIX,
    VIEW_MARKER,
    check_vocabulary,
    checked_dir,
    folder_name,
    is_complete,
    model_id_of,
    read_text,
)

__all__ = ["Change", "ViewReport", "ViewedModel", "environment_lines", "make", "remove"]

VARIABLE = "EXO_MODELS_READ_ONLY_DIRS"

_UNDER_WAY = (".partial", ".incomplete", ".tmp")  # exo's, Hugging Face's and others' unfinished downloads
_HIDDEN_FOLDERS = (".cache", ".git")  # where Hugging Face and git keep what is not part of the model
_FAST_TOKENIZER = "tokenizer.json"
_MODULES = (".py", ".pyc", ".so", ".pyd")  # what Python imports from a directory


@dataclass(frozen=True)
class ViewReport:
    """What became of a view: the models in it, and those that it no longer has. `dataclasses.asdict` makes it JSON."""

    target: str
    models: tuple[ViewedModel, ...]
    removed: tuple[ViewedModel, ...] = ()


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
    with opened(path, dry_run=dry_run or not (found or os.path.lexists(path))) as view:
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
    with opened(path, dry_run=dry_run) as view:
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


def _view(view: View, model_id: str, source: Path) -> ViewedModel:
    """View one model; what is wrong with it is its problem."""
    folder = folder_name(model_id)
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
        complete = folder in view.records and is_complete(view.target / folder)
        return ViewedModel(model_id, str(source), folder, complete=complete, problem=str(error))
    return view.put(model_id, source, entries)


def _not_found(model_id: str, models_dirs: Iterable[Path]) -> ViewedModel:
    try:
        catalogue.get(model_id)
        places = ", ".join(repr(str(models_dir)) for models_dir in models_dirs)
        problem = f"There is no {model_id!r} in {places}. Download it first, or name the models dir that it is in."
    except KimiTokenizersError as error:
        problem = str(error)
    return ViewedModel(model_id, None, folder_name(model_id), problem=problem)


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
    if is_no_directory(target):
        kind = "a link" if os.path.islink(target) else "not a directory"
        raise ViewError(f"{str(target)!r} is {kind}, so no view can be there. Choose another path.")


def _check_colon(target: Path) -> None:
    if ":" in str(target):
        raise ViewError(
            f"A view cannot be at {str(target)!r}: exo splits {VARIABLE} at colons. Choose a path without a colon."
        )


def _existing(target: Path, models_dirs: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The models dirs that can be viewed. Views cannot, this one included: exo's own list may well name it."""
    given = list(dict.fromkeys(map(_plain, models_dirs)))
    result = [path for path in given if os.path.isdir(path) and not os.path.exists(path / VIEW_MARKER) and path != target]
    if not result and target in given and os.path.isdir(target) and not os.path.exists(target / VIEW_MARKER):
        raise ViewError(
            f"{str(target)!r} is the models dir itself; a view needs a directory of its own. Nothing was changed. Name "
            "another one, as ~/kimi-view."
        )
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
    """The model directories that an overlay serves: model id -> the first complete one, else the first."""
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
            model_id = model_id_of(name.removeprefix("models--"))
            if model_id is None or catalogue.find(model_id) is None:
                continue
            path = _snapshot(models_dir / name) if hugging_face else models_dir / name
            if path is not None and os.path.isdir(path):
                candidates.setdefault(model_id, []).append(path)
    return {
        model_id: next(filter(is_complete, paths), paths[0]) if len(paths) > 1 else paths[0]
        for model_id, paths in candidates.items()
    }


def _snapshot(repo: Path) -> Path | None:
    """The snapshot in a folder of Hugging Face's cache that `main` names, else the newest; None if there is none."""
    with contextlib.suppress(KimiTokenizersError):
        revision = (read_text(repo / "refs" / "main") or "").strip()
        if re.fullmatch(r"[0-9a-zA-Z]+", revision) and os.path.isdir(repo / "snapshots" / revision):
            return repo / "snapshots" / revision
    try:
        snapshots = [path for path in (repo / "snapshots").iterdir() if path.is_dir()]
        return max(snapshots, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)
    except OSError:
        return None


# ---------------------------------------------------------------------------------------------------------------------
# What a folder of the view shall hold


def _entries(model_id: str, source: Path) -> Entries:
    """What the folder of a model shall hold. Raises KimiTokenizersError."""
    overlay = catalogue.get(model_id)
    checked_dir(source)
    check_vocabulary(overlay, source)
    front = {name: Content.of(data) for name, data in resolver.front(overlay, source).items()}
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
    return name in _HIDDEN_FOLDERS or name.startswith(OWN_PREFIX) or name.lower().endswith(_UNDER_WAY + _MODULES)


def _raise(error: OSError) -> NoReturn:
    raise error
