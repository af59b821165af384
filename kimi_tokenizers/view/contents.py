"""What the folder of a model in a view is to hold: links to the model's own files, and the overlay's files in front.

Left out are downloads under way, and what would put another tokenizer in the overlay's place: `tokenizer.json`, out of
which transformers builds a different one, and every downloaded Python module, because exo puts the folder in front of
`sys.path`. This module lists a model directory; it must never write anything, and never open a weight file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.catalogue import OverlayFile
from kimi_tokenizers.errors import ModelDirError
from kimi_tokenizers.model_dirs import OWN_PREFIX, TokenizerFiles, check_vocabulary

_UNDER_WAY = (".partial", ".incomplete", ".tmp")  # exo's, Hugging Face's and others' unfinished downloads
_HIDDEN_FOLDERS = (".cache", ".git")  # where Hugging Face and git keep what is not part of the model
_FAST_TOKENIZER = "tokenizer.json"
_MODULES = (".py", ".pyc", ".so", ".pyd")  # what Python imports from a directory


@dataclass(frozen=True)
class Content:
    """The content of a file in front, and its SHA-256."""

    data: OverlayFile | bytes
    sha256: str

    @classmethod
    def of(cls, data: OverlayFile | bytes) -> Content:
        return cls(data, sha256(data).hexdigest() if isinstance(data, bytes) else data.sha256)

    def read(self) -> bytes:
        return self.data if isinstance(self.data, bytes) else self.data.read()


# Path relative to the folder -> a file in front, or where a link points to.
Entries = dict[str, "Content | str"]


def entries_of(model_id: str, source: Path) -> Entries:
    """What the folder of a model is to hold. Raises KimiTokenizersError."""
    overlay = catalogue.get(model_id)
    with TokenizerFiles(source) as directory:
        check_vocabulary(overlay, directory)
        front = {name: Content.of(data) for name, data in resolver.front(overlay, directory).items()}
    try:
        return {**_links(source, front), **front}
    except OSError as error:
        raise ModelDirError(f"Cannot read {str(error.filename or source)!r}: {error.strerror}.") from error


def _links(source: Path, front: Mapping[str, object]) -> dict[str, str]:
    """The files of a model directory, at any depth: relative path -> absolute path, the link's target.

    Targets are not resolved any further, so a view of Hugging Face's cache follows its links. Linked directories become
    links, because exo does not walk into them either. What does not exist (dangling links, loops) or is not a file
    (sockets, pipes, devices) is left out, and so are empty directories.
    """
    result = {}
    for parent, folders, files in os.walk(source, onerror=reraise):
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


def reraise(error: OSError) -> NoReturn:
    """For `os.walk`, which otherwise passes over what it cannot read."""
    raise error
