"""The directory that exo is handed in place of a model directory, and what a downloader need not fetch for it."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import TokenizerFiles, check_vocabulary
from kimi_tokenizers.resolver.layering import front, layers


def resolve(model_id: str, model_dir: str | os.PathLike[str], *, override_guard: bool = False) -> Path:
    """What `kimi_tokenizers.resolve` says. For a model that is none of ours `model_dir` comes back, unexamined."""
    overlay = catalogue.find(model_id)
    if overlay is None:
        return Path(model_dir)
    with TokenizerFiles(model_dir) as directory:
        return entry_of(overlay, directory, override_guard=override_guard)


def entry_of(
    overlay: Overlay, directory: TokenizerFiles, *, override_guard: bool = False, added: Collection[str] = ()
) -> Path:
    """`resolve`, of files that may have been read already. Raises as it.

    Args:
        added: ids of tokens that a saved tokenizer has beside those of its line: see `check_vocabulary`.
    """
    from kimi_tokenizers.resolver import cache  # what is only needed for a model of ours

    check_vocabulary(overlay, directory, override=override_guard, added=added)
    return cache.entry(front(overlay, directory), directory)


def provides(model_id: str, filename: str) -> bool:
    """What `kimi_tokenizers.provides` says."""
    overlay = catalogue.find(model_id)
    return overlay is not None and filename in overlay.always_ours


def describe(model_id: str, model_dir: str | os.PathLike[str]) -> dict[str, Any]:
    """What `resolve` would do, for people and machines: the line, the layers, and the guard's objection if any."""
    overlay = catalogue.get(model_id)
    with TokenizerFiles(model_dir) as directory:
        try:
            check_vocabulary(overlay, directory)
            objection = None
            decided = layers(overlay, directory)
        except KimiTokenizersError as error:
            objection, decided = str(error), []
    return {"line": overlay.line, "layers": [vars(layer) for layer in decided], "objection": objection}
