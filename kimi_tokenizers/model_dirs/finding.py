"""Kimi model directories on this machine: in exo's models dirs, in Hugging Face's cache, wherever one is told to look.

It goes by names alone, and only reads the directories that hold models.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs.exo import model_id_of
from kimi_tokenizers.model_dirs.exo import models_dirs as exo_models_dirs
from kimi_tokenizers.model_dirs.identification import identify

OWN_PREFIX = ".kimi-tokenizers"
"""How the names of this package's own files begin, in model directories, views and models dirs."""

VIEW_MARKER = OWN_PREFIX + "-view.json"
"""The file by which a models dir is known to be a view."""

_HF_PREFIX = "models--"


@dataclass(frozen=True)
class Model:
    """A model directory, or what has the name of one.

    Attributes:
        model_id: `owner/name`; of a directory with another name, that name.
        in_view: it is in a view, which `kimi-tokenizers view` keeps up to date.
    """

    model_id: str
    path: Path
    overlay: Overlay
    in_view: bool = False


@dataclass
class Found:
    """What a search found.

    Attributes:
        hints: what the user could have meant, a line each.
        problems: what could not be searched, or was not found, a line each.
    """

    models: list[Model] = field(default_factory=list)
    searched: list[Path] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def find_models(
    models_dirs: Sequence[str | os.PathLike[str]] = (),
    *,
    hf_cache: bool = False,
    model_ids: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Found:
    """Find model directories.

    Args:
        models_dirs: where to look; none means exo's own models dirs, those that exist. A model directory is taken too.
        hf_cache: look in Hugging Face's cache as well.
        model_ids: only these, letter case ignored.

    Raises:
        ModelIdError, UnknownModelError: one of `model_ids` is none that an overlay serves.
    """
    for model_id in model_ids:
        catalogue.get(model_id)
    own = [*exo_models_dirs(env)] if not models_dirs else []
    own += [hf_cache_dir(env)] if hf_cache else []
    found = Found()
    for path in [*map(Path, models_dirs), *own]:
        if path not in own or os.path.lexists(path):
            _search(found, path)
    found.models = _without_repetitions(found.models)
    wanted = {model_id.lower(): model_id for model_id in model_ids}
    if wanted:
        found.models = [model for model in found.models if model.model_id.lower() in wanted]
        for lower, model_id in wanted.items():
            if lower not in {model.model_id.lower() for model in found.models}:
                found.problems.append(f"{model_id} was not found in {_listed(found.searched)}.")
    return found


def hf_cache_dir(env: Mapping[str, str] | None = None) -> Path:
    """Where Hugging Face's libraries keep models: $HF_HUB_CACHE, else `hub` in $HF_HOME or ~/.cache/huggingface."""
    env = os.environ if env is None else env
    home = env.get("HOME") or os.path.expanduser("~")
    if env.get("HF_HUB_CACHE"):
        return Path(os.path.expanduser(env["HF_HUB_CACHE"]))
    if env.get("HF_HOME"):
        return Path(os.path.expanduser(env["HF_HOME"])) / "hub"
    return Path(env.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")) / "huggingface" / "hub"


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(repr(str(path)) for path in paths) or "any models dir, as there is none"


def _search(found: Found, path: Path) -> None:
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        right = " It needs the rights to read and enter it (rx)." if isinstance(error, PermissionError) else ""
        found.problems.append(f"The models dir {str(path)!r} cannot be read: {error.strerror}.{right}")
        return
    found.searched.append(path)
    in_view = VIEW_MARKER in names
    before = len(found.models)
    for name in names:
        found.models += _models_of(path, name, in_view)
    if len(found.models) == before:
        overlay = identify(path)
        if overlay is not None:
            folder = os.path.basename(os.path.abspath(path))
            found.models.append(Model(_model_id(path) or folder, path, overlay))
            found.hints.append(
                f"{str(path)!r} is itself a model directory and is taken as one. "
                f"The models dir it is in is {os.path.dirname(os.path.abspath(path))!r}."
            )


def _models_of(models_dir: Path, name: str, in_view: bool) -> Iterator[Model]:
    model_id = model_id_of(name.removeprefix(_HF_PREFIX))
    overlay = catalogue.find(model_id) if model_id else None
    if model_id is None or overlay is None:
        return
    if not name.startswith(_HF_PREFIX):
        yield Model(model_id, models_dir / name, overlay, in_view)
        return
    try:
        snapshots = sorted((models_dir / name / "snapshots").iterdir())
    except OSError:
        return  # nothing of it is downloaded
    yield from (Model(model_id, snapshot, overlay) for snapshot in snapshots)


def _model_id(model_dir: Path) -> str | None:
    path = Path(os.path.abspath(model_dir))
    folder = path.parent.parent.name.removeprefix(_HF_PREFIX) if path.parent.name == "snapshots" else path.name
    return model_id_of(folder)


def _without_repetitions(models: list[Model]) -> list[Model]:
    """Each directory once, whatever ways lead to it."""
    seen = set()
    result = []
    for model in models:
        real = os.path.realpath(model.path)
        if real not in seen:
            seen.add(real)
            result.append(model)
    return result
