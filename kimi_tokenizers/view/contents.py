"""What the folder of a model in a view is to hold: links to the model's own files, and the overlay's files in front.

Left out are downloads under way, and what would put another tokenizer in the overlay's place: `tokenizer.json`, out of
which transformers builds a different one, and whatever Python could import, because exo puts the folder in front of
`sys.path`: modules, packages, links to them. This module lists a model directory; it must never write anything, and
never open a weight file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.errors import ModelDirError
from kimi_tokenizers.model_dirs import INDEX_SUFFIX, OWN_PREFIX, TokenizerFiles, check_vocabulary

_UNDER_WAY = (".partial", ".incomplete", ".tmp")  # exo's, Hugging Face's and others' unfinished downloads
_HIDDEN_FOLDERS = (".cache", ".git")  # where Hugging Face and git keep what is not part of the model
_FAST_TOKENIZER = "tokenizer.json"
_WEIGHTS = ".safetensors"
_MODULES = (".py", ".pyc", ".pyo", ".pyw", ".so", ".pyd", ".pth", ".zip", ".egg")  # what Python runs code out of
_METADATA = (".egg-info", ".dist-info", ".egg-link")  # what names plugins

# Path relative to the folder -> a file in front, or where a link points to.
Entries = dict[str, "resolver.Content | str"]


def entries_of(model_id: str, source: Path) -> Entries:
    """What the folder of a model is to hold. Raises KimiTokenizersError."""
    overlay = catalogue.get(model_id)
    with TokenizerFiles(source) as directory:
        check_vocabulary(overlay, directory)
        front = resolver.front(overlay, directory)
    try:
        return {**_links(source, front), **front}
    except OSError as error:
        raise ModelDirError(f"Cannot read {str(error.filename or source)!r}: {error.strerror}.") from error


def _links(source: Path, front: Iterable[str]) -> dict[str, str]:
    """The files of a model directory that are linked: relative path -> absolute path, the link's target.

    All at the top, and of the folders below it what belongs to weights. A linked folder becomes a folder, too, with
    what lies directly in it, but without indexes of weights: exo does not look for them behind such a link. Targets are
    not resolved any further, so a view of Hugging Face's cache follows its links.
    """
    result = {}
    at_top = {*(name.split("/")[0] for name in front), _FAST_TOKENIZER}
    for parent, folders, files in os.walk(source, onerror=reraise):
        where = os.path.relpath(parent, source)
        if where == os.curdir:
            where = ""
            # What has no dot in its name is a file now, and could be a package when exo looks.
            files = [name for name in files if name not in at_top and not name.isidentifier()]
            folders[:] = [name for name in folders if name not in at_top]
        else:
            files = _with_weights(files)
        linked = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        folders[:] = [name for name in folders if name not in linked and not _is_left_out(name)]
        names = [*files, *(name for link in linked for name in _weights_behind(parent, link, source))]
        for name in names:
            path = os.path.join(parent, name)
            if not _is_left_out(name) and os.path.isfile(path):
                result[os.path.join(where, name)] = path
    return result


def _with_weights(files: list[str]) -> list[str]:
    """Of the files in a folder those that belong to weights; none where there are no weights."""
    if not any(name.endswith((_WEIGHTS, INDEX_SUFFIX)) for name in files):
        return []
    return [name for name in files if name.endswith((_WEIGHTS, ".json"))]


def _weights_behind(parent: str, link: str, source: Path) -> list[str]:
    """The weights in a linked folder, with its name; none if the model directory itself is in it."""
    path = os.path.join(parent, link)
    if _is_left_out(link) or Path(os.path.realpath(source)).is_relative_to(os.path.realpath(path)):
        return []
    return [os.path.join(link, name) for name in sorted(os.listdir(path)) if name.endswith(_WEIGHTS)]


def is_importable(name: str) -> bool:
    """Whether Python, given the folder on its path, could run code out of something because it has this name."""
    return name.lower().endswith(_MODULES)


def _is_left_out(name: str) -> bool:
    left_out = _UNDER_WAY + _MODULES + _METADATA
    return name in _HIDDEN_FOLDERS or name.startswith(OWN_PREFIX) or name.lower().endswith(left_out)


def reraise(error: OSError) -> NoReturn:
    """For `os.walk`, which otherwise passes over what it cannot read."""
    raise error
