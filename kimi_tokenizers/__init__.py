"""A known-good Kimi K2 tokenizer, put in front of whatever lies in the model directory.

>>> import kimi_tokenizers as kt
>>> kt.load("moonshotai/Kimi-K2.6").encode("Hello, world!")
[19180, 11, 2695, 0]
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.version import __version__

if TYPE_CHECKING:
    from kimi_tokenizers.tokenizer import adapt, canonical_tool_calls, encoding, export_fast, load, load_mlx, register

# Imported when it is first used: whoever wants another part must not pay for what is heavy.
_HOME = {
    "adapt": "tokenizer",
    "canonical_tool_calls": "tokenizer",
    "encoding": "tokenizer",
    "export_fast": "tokenizer",
    "load": "tokenizer",
    "load_mlx": "tokenizer",
    "register": "tokenizer",
}

# Every line has one of them in its name.
_WORDS = ("kimi", "moonlight")

__all__ = [
    "KimiTokenizersError",
    "__version__",
    "adapt",
    "canonical_tool_calls",
    "encoding",
    "export_fast",
    "load",
    "load_mlx",
    "provides",
    "register",
    "resolve",
]


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
        OverlayError: the package itself is damaged. Like the others, only for a model of ours.
    """
    if not _is_ours(model_id):
        return Path(model_dir)
    from kimi_tokenizers import resolver

    return resolver.resolve(model_id, model_dir, override_guard=override_guard)


def provides(model_id: str, filename: str) -> bool:
    """Whether the overlay puts this file in front whatever the model directory holds: a downloader can skip it.

    False for files that the model's own take precedence over (`chat_template.jinja`, `tokenizer_config.json`).

    Raises:
        OverlayError: the package itself is damaged, and the model is ours.

    >>> provides("moonshotai/Kimi-K2.6", "tokenization_kimi.py")
    True
    >>> provides("mlx-community/Qwen3-8B-4bit", "tokenizer.json")
    False
    """
    if not _is_ours(model_id):
        return False
    from kimi_tokenizers import resolver

    return resolver.provides(model_id, filename)


def _is_ours(model_id: str) -> bool:
    """Whether an overlay serves a model id.

    exo asks for every model, so the answer for others' must not depend on what a damaged install lacks: an id with none
    of `_WORDS` in it needs nothing but this file, and with one of them no more than `catalogue`.
    """
    if not isinstance(model_id, str) or not any(word in model_id.lower() for word in _WORDS):
        return False
    from kimi_tokenizers import catalogue

    return catalogue.find(model_id) is not None


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = globals()[name] = getattr(import_module(f"kimi_tokenizers.{_HOME[name]}"), name)
        return value
    raise AttributeError(f"module 'kimi_tokenizers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
