"""Kimi model directories on this machine: in exo's models dirs, in Hugging Face's cache, wherever one is told to look.

It goes by names alone, and only reads the directories that hold models. It must never let a search that found nothing
look like one that found nothing wrong: every place that was looked at is named, with what made it one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs.exo import model_id_of, variable_of
from kimi_tokenizers.model_dirs.exo import models_dirs as exo_models_dirs
from kimi_tokenizers.model_dirs.folder import VIEW_MARKER
from kimi_tokenizers.model_dirs.identification import identify
from kimi_tokenizers.model_dirs.tokenizer_files import TokenizerFiles
from kimi_tokenizers.model_dirs.walking import Walk

GIVEN = "given on the command line"
"""The `source` of a place that the user named."""

_HF_PREFIX = "models--"


@dataclass(frozen=True)
class Model:
    """A model directory, or what has the name of one.

    Attributes:
        model_id: `owner/name`; of a directory with another name, that name.
        in_view: it is in a view, which `kimi-tokenizers view` keeps up to date.
        arguments: what makes a command look where it was found; nothing where every command looks anyway.
    """

    model_id: str
    path: Path
    overlay: Overlay
    in_view: bool = False
    arguments: tuple[str, ...] = ()


@dataclass
class Place:
    """A models dir to look in, and what came of that.

    Attributes:
        source: the environment variable that names it; else `GIVEN`, or a default and how it could be changed.
        wanted: somebody named it, so that it has to be there.
        arguments: as `Model.arguments`.
        models: how many model directories it holds, of any id; None where it was not searched.
        problem: why it was not searched, in the system's words.
    """

    path: Path
    source: str
    wanted: bool
    arguments: tuple[str, ...] = ()
    models: int | None = None
    problem: str | None = None

    def __str__(self) -> str:
        return repr(str(self.path)) if self.source == GIVEN else f"{str(self.path)!r} ({self.source})"

    def as_json(self) -> dict[str, Any]:
        return {"path": str(self.path), "source": self.source, "models": self.models, "problem": self.problem}


@dataclass
class Found:
    """What a search found.

    Attributes:
        places: where it looked, or was to look.
        searched: the places that could be searched.
        hints: what the user could have meant, or might not know, a line each.
        problems: what could not be searched, or was not found, a line each. There is one wherever `models` is empty.
    """

    models: list[Model] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def searched(self) -> list[Path]:
        return [place.path for place in self.places if place.models is not None]


def places(
    models_dirs: Sequence[str | os.PathLike[str]] = (),
    *,
    hf_cache: bool = False,
    env: Mapping[str, str] | None = None,
) -> list[Place]:
    """Where to look: `models_dirs`, or without any exo's own; and Hugging Face's cache if asked for."""
    result = [Place(Path(path), GIVEN, True, (_operand(path),)) for path in models_dirs]
    for path in exo_models_dirs(env) if not models_dirs else ():
        variable = variable_of(path, env)
        source = variable or "exo's default; EXO_DEFAULT_MODELS_DIR is not set"
        result.append(Place(path, source, wanted=bool(variable) and variable != "XDG_DATA_HOME"))
    if hf_cache:
        path, variable = _hf_cache(env)
        source = variable or "Hugging Face's default; HF_HUB_CACHE is not set"
        wanted = variable in ("HF_HUB_CACHE", "HF_HOME")
        result.append(Place(path, source, wanted, ("--hf-cache",)))
    return result


def _operand(path: str | os.PathLike[str]) -> str:
    """A path as an argument of a command, which must not look like an option."""
    return os.path.join(".", os.fspath(path)) if os.fspath(path).startswith("-") else os.fspath(path)


def find_models(
    models_dirs: Sequence[str | os.PathLike[str]] = (),
    *,
    hf_cache: bool = False,
    model_ids: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Found:
    """Find model directories.

    Args:
        models_dirs: where to look; none means exo's own models dirs. A model directory is taken too.
        hf_cache: look in Hugging Face's cache as well.
        model_ids: only these, letter case ignored.

    Returns:
        What was found. A place that somebody named and that cannot be searched is a problem, as is finding nothing; a
        default that does not exist is none as long as something is found elsewhere.

    Raises:
        ModelIdError, UnknownModelError: one of `model_ids` is none that an overlay serves.
    """
    for model_id in model_ids:
        catalogue.get(model_id)
    found = Found(places=places(models_dirs, hf_cache=hf_cache, env=env))
    for place in found.places:
        _search(found, place)
    found.models = _without_repetitions(found.models)
    if model_ids:
        _choose(found, model_ids)
    elif not found.models and any(place.models is not None or not place.wanted for place in found.places):
        # The others are problems already, each with where it comes from.
        found.problems.append(f"No Kimi model that an overlay serves was found. {nothing_in(found.places)}")
    return found


def nothing_in(looked: Sequence[Place]) -> str:
    """Where nothing was found, where that came from, and what to do, for the end of a message."""
    told = []
    for place in looked:
        why = place.problem or ("holds no Kimi model" if not place.models else "holds others")
        told.append(f"{place}: {why[:1].lower()}{why[1:]}")
    return f"Looked in {'; '.join(told)}. Name the folder that holds the model directories, or set the variable right."


def hf_cache_dir(env: Mapping[str, str] | None = None) -> Path:
    """Where Hugging Face's libraries keep models: $HF_HUB_CACHE, else `hub` in $HF_HOME or ~/.cache/huggingface."""
    return _hf_cache(env)[0]


def _hf_cache(env: Mapping[str, str] | None) -> tuple[Path, str | None]:
    """`hf_cache_dir`, and the variable that makes it so."""
    env = os.environ if env is None else env
    home = env.get("HOME") or os.path.expanduser("~")
    if env.get("HF_HUB_CACHE"):
        return Path(os.path.expanduser(env["HF_HUB_CACHE"])), "HF_HUB_CACHE"
    if env.get("HF_HOME"):
        return Path(os.path.expanduser(env["HF_HOME"])) / "hub", "HF_HOME"
    base = env.get("XDG_CACHE_HOME")
    return Path(base or os.path.join(home, ".cache")) / "huggingface" / "hub", "XDG_CACHE_HOME" if base else None


def _choose(found: Found, model_ids: Sequence[str]) -> None:
    """Leave only these models; one that is not there is a problem."""
    wanted = {model_id.lower(): model_id for model_id in model_ids}
    found.models = [model for model in found.models if model.model_id.lower() in wanted]
    there = {model.model_id.lower() for model in found.models}
    looked = ", ".join(map(str, found.places))
    for lower, model_id in wanted.items():
        if lower not in there:
            found.problems.append(f"{model_id} was not found in {looked}.")


def _search(found: Found, place: Place) -> None:
    path = place.path
    try:
        names = sorted(entry.name for entry in Walk().entries(path))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        place.problem = getattr(error, "strerror", None) or str(error)
        right = " It needs the rights to read and enter it (rx)." if isinstance(error, PermissionError) else ""
        if place.wanted or os.path.lexists(path):
            named = place.wanted and place.source != GIVEN
            mend = f" Set {place.source} right, or name the folder that holds the models." if named else ""
            found.problems.append(f"The models dir {place} cannot be read: {place.problem}.{right}{mend}")
        elif "--hf-cache" in place.arguments:
            found.hints.append(f"{place} does not exist, so nothing was looked at there.")
        return
    in_view = VIEW_MARKER in names
    models = [model for name in names for model in _models_of(found, place, name, in_view)]
    overlay = None if models else _identified(path)
    if overlay is not None:
        folder = os.path.basename(os.path.abspath(path))
        models.append(Model(_model_id(path) or folder, path, overlay, arguments=place.arguments))
        found.hints.append(
            f"{str(path)!r} is itself a model directory and is taken as one. "
            f"The models dir it is in is {os.path.dirname(os.path.abspath(path))!r}."
        )
    place.models = len(models)
    found.models += models
    if not models and place.source == GIVEN and len(found.places) > 1:  # alone, it is what `find_models` says
        found.problems.append(f"{place} holds no Kimi model.")


def _identified(path: Path) -> Overlay | None:
    with TokenizerFiles(path) as directory:
        return identify(directory)


def _models_of(found: Found, place: Place, name: str, in_view: bool) -> Iterator[Model]:
    model_id = model_id_of(name.removeprefix(_HF_PREFIX))
    overlay = catalogue.find(model_id) if model_id else None
    if model_id is None or overlay is None:
        return
    path = place.path / name
    if not name.startswith(_HF_PREFIX):
        yield Model(model_id, path, overlay, in_view, place.arguments)
        return
    try:
        snapshots = sorted(Path(entry.path) for entry in Walk().entries(path / "snapshots"))
    except (FileNotFoundError, NotADirectoryError):
        return  # nothing of it is downloaded
    except OSError as error:
        found.problems.append(f"The snapshots in {str(path)!r} cannot be read: {error.strerror or error}.")
        return
    yield from (Model(model_id, snapshot, overlay, arguments=place.arguments) for snapshot in snapshots)


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
