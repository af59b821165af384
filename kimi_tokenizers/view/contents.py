"""What the folder of a model in a view is to hold: links to the model's own files, and the overlay's files in front.

Left out are downloads under way, and what would put another tokenizer in the overlay's place: `tokenizer.json`, out of
which transformers builds a different one, and whatever Python could import, because exo puts the folder in front of
`sys.path`: modules, packages, links to them. This module lists a model directory; it must never write anything, and
never open a weight file.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.errors import FolderError, KimiTokenizersError, ModelDirError
from kimi_tokenizers.model_dirs import (
    INDEX_SUFFIX,
    OWN_PREFIX,
    Folder,
    TokenizerFiles,
    Walk,
    check_vocabulary,
    is_dir,
    is_file,
)

_UNDER_WAY = (".partial", ".incomplete", ".tmp")  # exo's, Hugging Face's and others' unfinished downloads
_HIDDEN_FOLDERS = (".cache", ".git")  # where Hugging Face and git keep what is not part of the model
_FAST_TOKENIZER = "tokenizer.json"
_WEIGHTS = ".safetensors"
_MODULES = (".py", ".pyc", ".pyo", ".pyw", ".so", ".pyd", ".pth", ".zip", ".egg")  # what Python runs code out of
_METADATA = (".egg-info", ".dist-info", ".egg-link")  # what names plugins

MAX_DEPTH = 32
"""Of the folders in a model directory, and of those that a view makes of them."""

# Path relative to the folder -> a file in front, or where a link points to.
Entries = dict[str, "resolver.Content | str"]


def entries_of(model_id: str, source: Path) -> Entries:
    """What the folder of a model is to hold. Raises KimiTokenizersError."""
    overlay = catalogue.get(model_id)
    try:
        with TokenizerFiles(source) as directory, directory.folder() as folder:
            check_vocabulary(overlay, directory)
            front = resolver.front(overlay, directory)
            at_top = {*(name.split("/")[0] for name in front), _FAST_TOKENIZER}
            return {**dict(_links(folder, "", Walk(), at_top)), **front}
    except FolderError as error:
        raise ModelDirError(f"{error} Nothing was linked.") from error
    except KimiTokenizersError:
        raise
    except OSError as error:
        raise ModelDirError(f"Cannot read {str(error.filename or source)!r}: {error.strerror}.") from error


def _links(folder: Folder, where: str, walk: Walk, at_top: Collection[str]) -> Iterator[tuple[str, str]]:
    """The files of a model directory that are linked: relative path, absolute path, which is the link's target.

    All at the top, and of the folders below it what belongs to weights. A linked folder becomes a folder, too, with
    what lies directly in it, but without indexes of weights: exo does not look for them behind such a link. Targets are
    not resolved any further, so a view of Hugging Face's cache follows its links.

    Args:
        folder: the directory, or a folder in it, whose relative path with a slash at the end is `where`.
        at_top: what is not linked at the top.
    """
    files: list[str] = []
    folders: list[str] = []
    links: list[str] = []
    for entry in walk.entries(folder):
        if _is_left_out(entry.name) or (not where and entry.name in at_top):
            continue
        if is_dir(entry):
            (links if entry.is_symlink() else folders).append(entry.name)
        elif is_file(entry):
            files.append(entry.name)
    # At the top, what has no dot in its name is a file now, and could be a package when exo looks.
    files = _with_weights(files) if where else [name for name in files if not name.isidentifier()]
    for name in [*files, *(name for link in links for name in _weights_behind(folder, link, walk))]:
        yield where + name, os.path.join(folder.path, name)
    if folders and where.count("/") >= MAX_DEPTH:
        raise FolderError(f"{str(folder.path)!r} is nested too deep for a view. Move it away.")
    for name in folders:
        with folder.folder(name) as inside:
            yield from _links(inside, f"{where}{name}/", walk, ())


def _with_weights(files: list[str]) -> list[str]:
    """Of the files in a folder those that belong to weights; none where there are no weights."""
    if not any(name.endswith((_WEIGHTS, INDEX_SUFFIX)) for name in files):
        return []
    return [name for name in files if name.endswith((_WEIGHTS, ".json"))]


def _weights_behind(folder: Folder, link: str, walk: Walk) -> list[str]:
    """The weights in a linked folder, with its name; none if the folder that the link is in is in it, too."""
    with folder.folder(link, follow=True) as behind:
        if Path(os.path.realpath(folder.path)).is_relative_to(os.path.realpath(behind.path)):
            return []
        files = [entry.name for entry in walk.entries(behind) if entry.name.endswith(_WEIGHTS) and is_file(entry)]
    return [os.path.join(link, name) for name in files if not _is_left_out(name)]


def is_importable(name: str) -> bool:
    """Whether Python, given the folder on its path, could run code out of something because it has this name."""
    return name.lower().endswith(_MODULES)


def _is_left_out(name: str) -> bool:
    left_out = _UNDER_WAY + _MODULES + _METADATA
    return name in _HIDDEN_FOLDERS or name.startswith(OWN_PREFIX) or name.lower().endswith(left_out)
