"""A known-good Kimi K2 tokenizer, put in front of whatever lies in the model directory.

>>> import kimi_tokenizers as kt
>>> kt.load("moonshotai/Kimi-K2.6").encode("Hello, world!")
[19180, 11, 2695, 0]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.version import __version__

if TYPE_CHECKING:
    from kimi_tokenizers.resolver import provides, resolve
    from kimi_tokenizers.tokenizer import adapt, load, load_mlx, register

# exo imports this package for every model, so what is heavy is imported when it is first used.
_HOME = {
    "adapt": "tokenizer",
    "load": "tokenizer",
    "load_mlx": "tokenizer",
    "provides": "resolver",
    "register": "tokenizer",
    "resolve": "resolver",
}

__all__ = ["KimiTokenizersError", "__version__", "adapt", "load", "load_mlx", "provides", "register", "resolve"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = globals()[name] = getattr(import_module(f"kimi_tokenizers.{_HOME[name]}"), name)
        return value
    raise AttributeError(f"module 'kimi_tokenizers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
