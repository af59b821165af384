"""`register`: transformers' `AutoTokenizer` finds the packaged tokenizer for Kimi K2 directories."""

from __future__ import annotations

import functools
import json
import os
import warnings
from pathlib import Path
from typing import Any

from kimi_tokenizers import catalogue, directory, exo, guard, resolver
from kimi_tokenizers.errors import KimiTokenizersError, VocabularyMismatchError
from kimi_tokenizers.loader import tokenizer_class
from kimi_tokenizers.overlay import Overlay

# Arguments of AutoTokenizer.from_pretrained that say which class to use or where to download from.
_NOT_FOR_THE_CLASS = ("config", "trust_remote_code", "code_revision", "use_fast", "tokenizer_type", "_from_auto")


def register() -> None:
    """Make `AutoTokenizer.from_pretrained(directory)` return `TikTokenTokenizer` for a Kimi K2 model directory or view.

    It works without `trust_remote_code` and executes nothing out of the directory, whichever tokenizer files lie there.
    Everything else (other models, model ids on the hub) is left to transformers. Calling it again changes nothing.

    >>> register()
    >>> type(AutoTokenizer.from_pretrained("models/moonshotai--Kimi-K2.6")).__name__
    'TikTokenTokenizer'
    """
    from transformers import AutoTokenizer

    original = AutoTokenizer.from_pretrained.__func__
    if hasattr(original, "kimi_tokenizers_original"):
        return

    @functools.wraps(original)
    def from_pretrained(cls: Any, pretrained_model_name_or_path: Any, *inputs: Any, **kwargs: Any) -> Any:
        tokenizer = _from_directory(pretrained_model_name_or_path, *inputs, **kwargs)
        if tokenizer is None:
            tokenizer = original(cls, pretrained_model_name_or_path, *inputs, **kwargs)
        return tokenizer

    from_pretrained.kimi_tokenizers_original = original  # type: ignore[attr-defined]
    AutoTokenizer.from_pretrained = classmethod(from_pretrained)


def _from_directory(name_or_path: Any, *inputs: Any, **kwargs: Any) -> Any:
    """The packaged tokenizer for a Kimi K2 directory; None for anything else."""
    if not isinstance(name_or_path, (str, os.PathLike)) or not os.path.isdir(name_or_path) or kwargs.get("subfolder"):
        return None
    path = Path(name_or_path)
    overlay = identify(path)
    if overlay is None:
        return None
    try:
        front = resolver.resolve(overlay.models[0], path)
    except VocabularyMismatchError as error:
        warnings.warn(f"kimi-tokenizers leaves this directory to transformers: {error}", RuntimeWarning, stacklevel=4)
        return None
    for name in _NOT_FOR_THE_CLASS:
        kwargs.pop(name, None)
    tokenizer = tokenizer_class().from_pretrained(front, *inputs, **kwargs)
    tokenizer.name_or_path = str(name_or_path)
    return tokenizer


def identify(model_dir: Path) -> Overlay | None:
    """The overlay for a directory whose model id is not given; None where nothing says that it is a Kimi K2 model.

    What it goes by: the folder's name (exo's `org--name`, Hugging Face's `models--org--name/snapshots/…`, or the bare
    model name), the overlay's own `kimi_line.json`, the tokenizer and model that its configuration names.
    """
    path = Path(os.path.abspath(model_dir))
    for folder in (
        path.name,
        path.parent.parent.name.removeprefix("models--") if path.parent.name == "snapshots" else "",
    ):
        overlay = catalogue.find(exo.model_id_of(folder) or f"local/{folder}")
        if overlay is not None:
            return overlay
    try:
        line = (directory.read_object(path / "kimi_line.json") or {}).get("line")
        if line in catalogue.LINES:
            return catalogue.overlays()[str(line)]
        return _identify_by_contents(path)
    except KimiTokenizersError:
        return None  # damaged files do not say anything


def _identify_by_contents(path: Path) -> Overlay | None:
    config = directory.read_object(path / directory.TOKENIZER_CONFIG) or {}
    model_type = str((directory.read_object(path / "config.json") or {}).get("model_type"))
    named = json.dumps([config.get("auto_map"), config.get("tokenizer_class")])
    if "tokenization_kimi" not in named and not model_type.startswith("kimi_k2"):
        return None
    table = directory.control_token_table(config, path / directory.TOKENIZER_CONFIG)
    names = {str(entry.get("content")) for entry in table.values() if isinstance(entry, dict)}
    for line in ("kimi-k2.6", "kimi-k2-thinking", "kimi-k2-instruct"):
        overlay = catalogue.overlays()[line]
        if names.issuperset(guard.table_of(overlay).values()):
            return overlay
    return None
