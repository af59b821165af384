"""Where exo keeps models, and which model directories it takes for complete.

This module mirrors exo 0.3.70: its environment variables, its search order and its rule of
completeness. It looks at names and at small index files. It must never write anything, never open
a weight file, and never import anything heavy: exo's own process may ask it about every model.

Every function takes `env` (default: `os.environ`) and `platform` (default: `sys.platform`), so that
one can ask what exo would do elsewhere. A variable that is set to nothing counts as not set.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kimi_tokenizers.errors import ModelDirError
from kimi_tokenizers.model_dirs.tokenizer_files import parse_json, read_small
from kimi_tokenizers.model_dirs.walking import Walk, is_dir

INDEX_SUFFIX = ".safetensors.index.json"
"""How the name of an index of weight files ends."""

MAX_INDEX_BYTES = 64 * 1024 * 1024
"""An index larger than this is not read. The index of a trillion-parameter model has some 10 MB."""

MAX_DEPTH = 64
"""A model directory is not looked at any deeper, nor further than `walking` says."""


# -- models dirs ---------------------------------------------------------------------------------


def data_home(env: Mapping[str, str] | None = None, platform: str | None = None) -> Path:
    """The directory for exo's data: `~/$EXO_HOME` if set, else the platform's place.

    That is `$XDG_DATA_HOME/exo` or `~/.local/share/exo` on Linux and `~/.exo` elsewhere
    (exo 0.3.70). An absolute `EXO_HOME` replaces the home directory.
    """
    env = os.environ if env is None else env
    platform = sys.platform if platform is None else platform
    if env.get("EXO_HOME"):
        return _home(env) / env["EXO_HOME"]
    if platform != "linux":
        return _home(env) / ".exo"
    if env.get("XDG_DATA_HOME"):
        return Path(env["XDG_DATA_HOME"]) / "exo"
    return _home(env) / ".local" / "share" / "exo"


def default_models_dir(env: Mapping[str, str] | None = None, platform: str | None = None) -> Path:
    """The models dir that exo downloads to: `$EXO_DEFAULT_MODELS_DIR`, else `models` at home."""
    env = os.environ if env is None else env
    if env.get("EXO_DEFAULT_MODELS_DIR"):
        return _expanded(env["EXO_DEFAULT_MODELS_DIR"], env)
    return data_home(env, platform) / "models"


def read_only_models_dirs(env: Mapping[str, str] | None = None, platform: str | None = None) -> list[Path]:
    """The dirs in `$EXO_MODELS_READ_ONLY_DIRS`, where exo never writes or deletes."""
    del platform  # the same everywhere; taken so that all of these functions are called alike
    return _listed("EXO_MODELS_READ_ONLY_DIRS", os.environ if env is None else env)


def writable_models_dirs(env: Mapping[str, str] | None = None, platform: str | None = None) -> list[Path]:
    """The default models dir, then those in `$EXO_MODELS_DIRS` that are not also read-only."""
    env = os.environ if env is None else env
    read_only = set(read_only_models_dirs(env))
    further = [path for path in _listed("EXO_MODELS_DIRS", env) if path not in read_only]
    return _unique([default_models_dir(env, platform), *further])


def models_dirs(env: Mapping[str, str] | None = None, platform: str | None = None) -> list[Path]:
    """Every models dir in the order in which exo 0.3.70 searches: read-only, then writable."""
    return _unique([*read_only_models_dirs(env), *writable_models_dirs(env, platform)])


def variable_of(models_dir: Path, env: Mapping[str, str] | None = None, platform: str | None = None) -> str | None:
    """The environment variable that makes exo use one of its models dirs; None for exo's own default.

    `XDG_DATA_HOME` moves the default, as it does for other programs, and counts as one.
    """
    env = os.environ if env is None else env
    if models_dir in read_only_models_dirs(env):
        return "EXO_MODELS_READ_ONLY_DIRS"
    if models_dir != default_models_dir(env, platform):
        return "EXO_MODELS_DIRS"
    linux = (sys.platform if platform is None else platform) == "linux"
    names = ("EXO_DEFAULT_MODELS_DIR", "EXO_HOME", *(("XDG_DATA_HOME",) if linux else ()))
    return next((name for name in names if env.get(name)), None)


def _home(env: Mapping[str, str]) -> Path:
    return Path(env["HOME"]) if env.get("HOME") else Path.home()


def _expanded(text: str, env: Mapping[str, str]) -> Path:
    """`text` as a path, with a leading `~` replaced by the home directory of `env`."""
    if text == "~" or text.startswith("~/"):
        return _home(env) / text[1:].lstrip("/")
    return Path(os.path.expanduser(text))  # unlike Path.expanduser, keeps an unknown "~user"


def _listed(variable: str, env: Mapping[str, str]) -> list[Path]:
    entries = env.get(variable, "").split(":")
    return _unique(_expanded(entry, env) for entry in entries if entry)


def _unique(paths: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(paths))


# -- model directories ---------------------------------------------------------------------------


def folder_name(model_id: str) -> str:
    """The folder in which exo 0.3.70 keeps a model: `org--name` for `org/name`.

    This is a spelling, not a check: whether `model_id` names a model is not asked.
    """
    return model_id.replace("/", "--")


def model_id_of(folder_name: str) -> str | None:
    """The model id that a folder stands for, or None if exo would not have named it so.

    The first `--` separates, so an organisation whose own name holds `--` is not recovered.
    """
    organisation, separator, name = folder_name.partition("--")
    if not (organisation and separator and name) or "/" in folder_name:
        return None
    return f"{organisation}/{name}"


def file_list_cache(model_id: str, env: Mapping[str, str] | None = None, platform: str | None = None) -> Path:
    """The file in which exo 0.3.70 remembers for 24 hours which files a model's repo lists."""
    folder = folder_name(model_id)
    caches = default_models_dir(env, platform) / "caches"
    return caches / folder / f"{folder}--main--file_list.json"


def find_model(model_id: str, env: Mapping[str, str] | None = None, platform: str | None = None) -> Path | None:
    """The directory from which exo 0.3.70 loads a model, or None if exo would download it.

    It is the first complete folder of the model's name, read-only dirs before writable ones.
    """
    folder = folder_name(model_id)
    if folder in {"", ".", ".."}:  # such a folder would be the models dir itself, or lie outside
        return None
    candidates = (models_dir / folder for models_dir in models_dirs(env, platform))
    return next((path for path in candidates if is_complete(path)), None)


@dataclass(frozen=True)
class Completeness:
    """Whether exo 0.3.70 takes a directory for a fully downloaded model.

    Attributes:
        indexes: how many indexes of weights were found.
        unexamined: what was not examined because it is beyond a limit; exo has none, so its answer is not known then.
    """

    complete: bool
    indexes: int = 0
    unexamined: str = ""


class _BeyondLimitError(ValueError):
    """Something is too large to be examined."""


def is_complete(model_dir: str | os.PathLike[str]) -> bool:
    """Whether exo 0.3.70 takes a directory for a fully downloaded model, as far as `completeness` can tell."""
    return completeness(model_dir).complete


def completeness(model_dir: str | os.PathLike[str]) -> Completeness:
    """Whether exo 0.3.70 takes a directory for a fully downloaded model.

    It does if there is at least one `*.safetensors.index.json`, at any depth, and every weight file
    that such an index names exists. A name is relative to the directory the index is in. Links
    to files count; a linked directory is not walked into, so neither an index nor a weight behind
    one is seen, and a name that leaves the model directory (absolute, or with `..`) is
    never found. An index that cannot be read or is no index means "not complete", as does a
    directory that is missing or unreadable.
    """
    indexes: list[PurePosixPath] = []
    try:
        files = set(_files_below(os.fspath(model_dir)))
        indexes = [path for path in files if path.name.endswith(INDEX_SUFFIX)]
        complete = bool(indexes) and all(
            index.parent / weight in files and Path(model_dir, index.parent, weight).is_file()
            for index in indexes
            for weight in _weights_named_by(Path(model_dir, index))
        )
        return Completeness(complete, len(indexes))
    except (_BeyondLimitError, ModelDirError) as error:
        return Completeness(False, len(indexes), str(error))
    except (OSError, ValueError):  # unreadable; not JSON, not UTF-8, not an index; NUL in a name
        return Completeness(False, len(indexes))


def _files_below(model_dir: str) -> Iterator[PurePosixPath]:
    """What lies below a directory, relative to it, without following links to directories.

    A folder that is named like an index is given too: exo tries to read it, and fails. A folder that cannot be read is
    passed over, as by exo.
    """
    walk, waiting = Walk(), [PurePosixPath()]
    while waiting:
        folder = waiting.pop()
        try:
            for entry in walk.entries(os.path.join(model_dir, folder)):
                below = is_dir(entry, follow=False)
                if below and len(folder.parts) >= MAX_DEPTH:
                    raise _BeyondLimitError(f"its folders are nested more than {MAX_DEPTH} deep")
                if below:
                    waiting.append(folder / entry.name)
                if not is_dir(entry) or entry.name.endswith(INDEX_SUFFIX):
                    yield folder / entry.name
        except ModelDirError:  # there is too much in it
            raise
        except OSError:
            continue


def _weights_named_by(index: Path) -> set[str]:
    """The names of weight files in an index. Raises ValueError if it is not one."""
    try:
        data = read_small(index, limit=MAX_INDEX_BYTES)
    except ModelDirError as error:
        with contextlib.suppress(OSError):
            if os.stat(index).st_size > MAX_INDEX_BYTES:
                raise _BeyondLimitError(f"{str(index)!r} has more than {MAX_INDEX_BYTES:,} bytes") from error
        raise ValueError(str(error)) from error
    try:
        weight_map = parse_json((data or b"").decode("utf-8"))["weight_map"]
        names = set(weight_map.values())
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{index} has no object 'weight_map'") from error
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"{index} names a weight file by something that is not a string")
    return names
