"""Where each tokenizer file of a model directory is from, by its content: ours, upstream's, or nobody knows.

It only reads, and must not believe a journal, which could have come with the model.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from typing import Literal

from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs import TokenizerFiles
from kimi_tokenizers.sync.journal import packaged_sums
from kimi_tokenizers.sync.names import every_name

Origin = Literal["ours", "older", "upstream", "unknown", "missing"]

_LARGEST = 16 * 1024 * 1024  # bytes of a tokenizer file that is compared; the rank table has 2.8 MB


def origins(overlay: Overlay, directory: TokenizerFiles) -> dict[str, Origin]:
    """Where each tokenizer file is from, by its content. Raises ModelDirError where something is not a file."""
    names = [name for name in every_name() if name in overlay.files or name in directory.names]
    names += [name for name in not_replaced(overlay) if name in directory.names]
    return {name: _origin(overlay, directory, name) for name in names}


def not_replaced(overlay: Overlay) -> list[str]:
    """Upstream's Python that the overlay has nothing in the place of: its own files do without."""
    return [name for name in overlay.upstream.sha256 if name.endswith(".py") and name not in every_name()]


def origin_in_words(overlay: Overlay, directory: TokenizerFiles, name: str, files: Mapping[str, Origin]) -> str:
    """Where a file of upstream's is from: a revision can be known by its hash alone."""
    digest = _sha256(directory, name) if files.get(name) == "unknown" else None
    if digest and digest == overlay.upstream.untried_sha256.get(name):
        return "of a later revision that is known by its hash alone"
    return "of an unknown revision" if files.get(name) == "unknown" else files.get(name, "missing")


def _origin(overlay: Overlay, directory: TokenizerFiles, name: str) -> Origin:
    digest = _sha256(directory, name)
    if digest is None:
        return "missing"
    if name in overlay.files and digest == overlay.files[name].sha256:
        return "ours"
    if digest == overlay.upstream.sha256.get(name):
        return "upstream"
    return "older" if digest in packaged_sums(name) else "unknown"


def _sha256(directory: TokenizerFiles, name: str) -> str | None:
    """Of a tokenizer file; None where there is none. What is too large to be one is not read, and has none known."""
    with contextlib.suppress(OSError):
        if os.stat(directory.path / name).st_size > _LARGEST:
            return ""
    data = directory.read(name)
    return None if data is None else hashlib.sha256(data).hexdigest()
