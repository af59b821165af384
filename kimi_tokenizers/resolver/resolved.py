"""The directory that exo is handed in place of a model directory, and what a downloader need not fetch for it."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import (
    check_vocabulary,
    checked_dir,
)
from kimi_tokenizers.resolver.layering import front, layers


def resolve(model_id: str, model_dir: str | os.PathLike[str], *, override_guard: bool = False) -> Path:
    """A directory in which exo's unchanged loading code finds a working tokenizer for a model.

    Args:
        model_id: `owner/name`. For one that is none of ours `model_dir` comes back, untouched and unexamined.
        model_dir: the model directory; never written to.
        override_guard: go on where the directory contradicts the overlay, with a warning. Ids may then be wrong.

    Returns:
        A directory in the per-user cache, with the overlay's Python and rank table in front and the model's own chat
        template and small JSON files behind. It is made once, checked and mended on every call; treat it as read-only.

    Raises:
        VocabularyMismatchError: the directory's own files say that it has another vocabulary.
        ModelDirError, TokenizerConfigError: it cannot be read, or one of its files is damaged.
        CacheError: there is no place to write to.
    """
    overlay = catalogue.find(model_id)
    if overlay is None:
        return Path(model_dir)
    from kimi_tokenizers.resolver import cache  # what is only needed for a model of ours

    path = checked_dir(model_dir)
    check_vocabulary(overlay, path, override=override_guard)
    files = front(overlay, path)
    sums = {name: sha256(file).hexdigest() if isinstance(file, bytes) else file.sha256 for name, file in files.items()}

    def read(name: str) -> bytes:
        file = files[name]
        return file if isinstance(file, bytes) else file.read()

    return cache.entry(sums, read)


def provides(model_id: str, filename: str) -> bool:
    """Whether the overlay puts this file in front whatever the model directory holds: a downloader can skip it.

    False for files that the model's own take precedence over (`chat_template.jinja`, `tokenizer_config.json`).

    >>> provides("moonshotai/Kimi-K2.6", "tokenization_kimi.py")
    True
    >>> provides("mlx-community/Qwen3-8B-4bit", "tokenizer.json")
    False
    """
    overlay = catalogue.find(model_id)
    return overlay is not None and filename in overlay.always


def describe(model_id: str, model_dir: str | os.PathLike[str]) -> dict[str, Any]:
    """What `resolve` would do, for people and machines: the line, the layers, and the guard's objection if any."""
    overlay = catalogue.get(model_id)
    path = checked_dir(model_dir)
    try:
        check_vocabulary(overlay, path)
        objection = None
        decided = layers(overlay, path)
    except KimiTokenizersError as error:
        objection, decided = str(error), []
    return {"line": overlay.line, "layers": [vars(layer) for layer in decided], "objection": objection}
