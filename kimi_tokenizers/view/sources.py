"""Where the models are that a view shows, and whether a view may be where it is wanted.

It goes by names and by what the file system says of paths. It must never write anything, and never open a file other
than Hugging Face's `refs/main` and the small index files that `is_complete` reads.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import KimiTokenizersError, ViewError
from kimi_tokenizers.model_dirs import VIEW_MARKER, is_complete, model_id_of, read_text

VARIABLE = "EXO_MODELS_READ_ONLY_DIRS"
"""The environment variable by which a stock exo is told of a view."""


def plain_path(path: str | os.PathLike[str]) -> Path:
    """An absolute path without `..`; links in it stay as they are."""
    try:
        plain, real = os.path.abspath(path), os.path.realpath(path)
        return Path(plain if os.path.realpath(plain) == real else real)  # `..` behind a link leads elsewhere
    except ValueError as error:
        raise ViewError(f"{os.fspath(path)!r} is not a path: {error}. Nothing was changed.") from error


def is_not_directory(path: Path) -> bool:
    """Whether something other than a real directory is there."""
    return os.path.islink(path) or (os.path.exists(path) and not os.path.isdir(path))


def check_target(target: Path) -> None:
    """Raise ViewError if no view can be there, whatever it holds."""
    check_colon(target)
    if is_not_directory(target):
        kind = "a link" if os.path.islink(target) else "not a directory"
        raise ViewError(f"{str(target)!r} is {kind}, so no view can be there. Choose another path.")


def check_colon(target: Path) -> None:
    """Raise ViewError if exo could not be told of a view there."""
    if ":" in str(target):
        raise ViewError(
            f"A view cannot be at {str(target)!r}: exo splits {VARIABLE} at colons. Choose a path without a colon."
        )


def existing_dirs(target: Path, models_dirs: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The models dirs that can be viewed. Views, this one included, are left out: exo's own list may well name them."""
    given = list(dict.fromkeys(map(plain_path, models_dirs)))
    result = [
        path for path in given if os.path.isdir(path) and not os.path.exists(path / VIEW_MARKER) and path != target
    ]
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


def check_apart(target: Path, places: Iterable[Path]) -> None:
    """Refuse a view inside models, or models inside a view: each would then be taken for the other."""
    for place in places:
        if _identity(place) in _identities(target) or _identity(target) in _identities(place):
            raise ViewError(
                f"The view {str(target)!r} and the models in {str(place)!r} must not lie inside each other. "
                "Nothing was changed. Choose a directory beside the models."
            )


def _identities(path: Path) -> set[tuple[int, int] | str]:
    """A directory and those that it is in, by what the file system says, so that links and letter case do not count."""
    real = Path(os.path.realpath(path))
    return {_identity(part) for part in (real, *real.parents)}


def _identity(path: Path) -> tuple[int, int] | str:
    try:
        status = path.stat()
        return status.st_dev, status.st_ino
    except OSError:
        return os.path.realpath(path)


def lies_in(path: str, dirs: Iterable[Path]) -> bool:
    return any(Path(path).is_relative_to(models_dir) for models_dir in dirs)


def sources_in(models_dirs: Iterable[Path]) -> dict[str, Path]:
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
