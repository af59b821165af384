"""Which layer each tokenizer file comes from, the overlay or the model directory; and a directory of them for exo.

It may import `model_dirs`, `catalogue`, `errors`, and the standard library.
It must never write to a model directory, and for a model that is none of ours it must neither raise nor import
anything heavy: exo asks it for every model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kimi_tokenizers.resolver.layering import (
    NO_BYTECODE,
    TAKEN_ALONG,
    Content,
    Layer,
    front,
    is_plain,
    is_read_by_transformers,
    layers,
)
from kimi_tokenizers.resolver.resolved import describe, entry_of, provides, resolve

if TYPE_CHECKING:
    from kimi_tokenizers.resolver.cleaning import CacheContents, CacheItem, cache_contents, clean_cache

__all__ = [
    "NO_BYTECODE",
    "TAKEN_ALONG",
    "CacheContents",
    "CacheItem",
    "Content",
    "Layer",
    "cache_contents",
    "clean_cache",
    "describe",
    "entry_of",
    "front",
    "is_plain",
    "is_read_by_transformers",
    "layers",
    "provides",
    "resolve",
]


def __getattr__(name: str) -> Any:
    """What only `kimi-tokenizers cache` needs, imported when that runs."""
    if name in ("CacheContents", "CacheItem", "cache_contents", "clean_cache"):
        from kimi_tokenizers.resolver import cleaning

        return getattr(cleaning, name)
    raise AttributeError(f"module 'kimi_tokenizers.resolver' has no attribute {name!r}")
