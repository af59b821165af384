"""What of a `tokenizer_config.json` counts for the tokenizer, for those who cannot ask the tokenizer itself.

The rule is `HONOURED` and section 2.1 of `tokenization_kimi.py`, which applies it wherever a tokenizer is made; that
module needs transformers, and an operator's Python has none. A test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

SIDES = ("padding_side", "truncation_side")
ROLES = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")
HONOURED = ("added_tokens_decoder", "chat_template", "model_max_length", *SIDES, *ROLES)

# What transformers' AutoTokenizer and others read on their own account.
_NOT_FOR_THE_TOKENIZER = ("auto_map", "kimi_line", "processor_class", "tokenizer_class")

_TEMPLATE_NAME = re.compile(r"\w[\w.-]*")


def ignored(config: Mapping[str, Any], usual: Mapping[str, Any], special: Collection[str]) -> list[str]:
    """Keys of a configuration that do not count, unless they say what the overlay's `usual` one says."""
    kept = (*_NOT_FOR_THE_TOKENIZER, *HONOURED[: -len(ROLES)], *roles(config, special))
    return sorted(key for key, value in config.items() if key not in kept and usual.get(key, _MISSING) != value)


def roles(config: Mapping[str, Any], special: Collection[str]) -> dict[str, str]:
    """Which special token a configuration has as `bos_token` and so on; what is none is left out."""
    values = {role: config.get(role) for role in ROLES}
    names = {role: value.get("content") if isinstance(value, dict) else value for role, value in values.items()}
    return {role: name for role, name in names.items() if isinstance(name, str) and name in special}


def chat_templates(value: Any) -> dict[str, str]:
    """What a configuration has as `chat_template`, by name; a single text is called "default"."""
    if isinstance(value, str):
        value = {"default": value}
    if isinstance(value, list):
        value = {entry.get("name"): entry.get("template") for entry in value if _is_named(entry)}
    if not isinstance(value, dict):
        return {}
    named = {name: text for name, text in value.items() if _is_text(name) and _is_text(text)}
    return {name: text for name, text in named.items() if _TEMPLATE_NAME.fullmatch(name)}


def _is_named(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.encode("utf-8", "replace").decode("utf-8") == value


_MISSING = object()
