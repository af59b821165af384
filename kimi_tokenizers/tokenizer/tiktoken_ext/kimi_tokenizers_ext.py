"""tiktoken's plugin: `tiktoken.get_encoding("kimi_k2")`, `"kimi_k2_5"` and `"kimi_k3"` once this package is installed.

Installed as `tiktoken_ext.kimi_tokenizers_ext`. tiktoken imports it to learn the names, so nothing heavy is imported
before an encoding is asked for.
"""

from __future__ import annotations

from typing import Any


def kimi_k2() -> dict[str, Any]:
    """Kimi-K2-Base and Kimi-K2-Instruct."""
    return _encoding("kimi_k2", "kimi-k2-instruct")


def kimi_k2_5() -> dict[str, Any]:
    """Kimi-K2.5, K2.6 and K2.7-Code."""
    return _encoding("kimi_k2_5", "kimi-k2.5")


def kimi_k3() -> dict[str, Any]:
    """Kimi-K3."""
    return _encoding("kimi_k3", "kimi-k3")


def _encoding(name: str, line: str) -> dict[str, Any]:
    from kimi_tokenizers.tokenizer import encoding_arguments

    return {"name": name, **encoding_arguments(line)}


ENCODING_CONSTRUCTORS = {"kimi_k2": kimi_k2, "kimi_k2_5": kimi_k2_5, "kimi_k3": kimi_k3}
