"""What the guard asks of `config.json`, which is there wherever a model is, and of the names of tokenizer files.

A downloader may leave out the very `tiktoken.model` that would show another vocabulary, but no model loads without its
`config.json`. What it does not say is no contradiction, and neither is what models of the line may have borrowed: the
architecture of a text model (DeepSeek's), or that of a draft model, which is nobody's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import N_RANKS, VOCAB_SIZE, Overlay

# What other tokenizers are made of, and models of these lines never had.
_FILES_OF_OTHERS = re.compile(
    r"merges\.txt|vocab\.(txt|bpe|model)|tekken\.json|(.*sentencepiece.*|spiece|spm|bpe|tokenizer)\.model(\.v.*)?"
    r"|.+\.(tiktoken|spm)",
    re.IGNORECASE,
)
VOCAB_JSON = "vocab.json"

_TEXT_CONFIGS = ("text_config", "llm_config", "language_config")
_BORROWED = "deepseek_v3"
_DRAFT = re.compile(r"eagle|dflash|draft|medusa|speculator", re.IGNORECASE)
_DRAFT_KEYS = ("draft_vocab_size", "dflash_config", "eagle_config", "speculators_config", "speculators_model_type")
_MEDIA_PAD = 163605


def file_of_another(names: tuple[str, ...]) -> str | None:
    """The name of a file that another tokenizer is made of. `merges.txt` is not asked where its `vocab.json` can be."""
    for name in names:
        if _FILES_OF_OTHERS.fullmatch(name) and not (name == "merges.txt" and VOCAB_JSON in names):
            return name
    return None


def contradictions(overlay: Overlay, config: Mapping[str, Any], added: int = 0) -> Iterator[tuple[str, str]]:
    """What a `config.json` says, and what the overlay says instead, with so many tokens that were added to it."""
    texts = [config[key] for key in _TEXT_CONFIGS if isinstance(config.get(key), dict)]
    for part in (config, *texts):
        size = part.get("vocab_size")
        grown = added and isinstance(size, int) and size >= VOCAB_SIZE + added
        if size is not None and not grown and (size != VOCAB_SIZE or added):
            more = f" and {added:,} that were added" if added else ""
            yield f"has vocab_size {size!r}", f"has {VOCAB_SIZE:,} ids{more}"
    if is_draft(config):
        return
    yield from _other_types(overlay, config)
    for part in (config, *texts):
        yield from _other_ids(part)


def is_draft(config: Mapping[str, Any]) -> bool:
    """Whether it is of a draft model of this vocabulary, which proposes tokens to a model: its type says nothing."""
    parts = [config, *(config[key] for key in _TEXT_CONFIGS if isinstance(config.get(key), dict))]
    if VOCAB_SIZE not in [part.get("vocab_size") for part in parts]:
        return False
    named = json.dumps([config.get("architectures"), config.get("model_type")])
    return bool(_DRAFT.search(named)) or any(config.get(key) is not None for key in _DRAFT_KEYS)


def _other_types(overlay: Overlay, config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    pattern, in_words = overlay.model_types
    theirs = config.get("model_type")
    if theirs is not None and not re.fullmatch(pattern, str(theirs), re.IGNORECASE):
        yield f"has model_type {theirs!r}", f"is for {in_words}"
    wanted = f"{overlay.text_types or pattern}|{_BORROWED}"
    for key in _TEXT_CONFIGS:
        part = config.get(key)
        if not isinstance(part, dict):
            continue
        theirs = part.get("model_type")
        if theirs is not None and not re.fullmatch(wanted, str(theirs), re.IGNORECASE):
            yield f"has {key}.model_type {theirs!r}", f"is for {in_words}"
        yield from _other_architectures(overlay, part, f"{key}.architectures")
    yield from _other_architectures(overlay, config, "architectures")


def _other_architectures(overlay: Overlay, part: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    """Names of classes, such as "KimiK25ForConditionalGeneration". A name of Moonshot's that nobody knows passes."""
    pattern, in_words = overlay.model_types
    ours = f"{pattern}|{overlay.text_types or pattern}|{_BORROWED}"
    named = part.get("architectures") or []
    for name in named if isinstance(named, list) else [named]:
        stem = re.sub("(For|Model).*", "", str(name).replace("DeepSeek", "Deepseek"))
        as_type = re.sub("(?<=[a-z])(?=[A-Z])", "_", stem).lower()
        known = re.fullmatch(ours, as_type) or (as_type.startswith(("kimi", "moon")) and not _is_of_another(as_type))
        if not known:
            yield f"has {key} {name!r}", f"is for {in_words}"


def _is_of_another(as_type: str) -> bool:
    return any(re.fullmatch(overlay.model_types[0], as_type) for overlay in catalogue.overlays().values())


def _other_ids(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Ids of control tokens. A padding id of 0 is what configurations have that say nothing of it; -1 means none."""
    for key in ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "media_placeholder_token_id"):
        value = part.get(key)
        for index in value if isinstance(value, list) else [value]:
            if not isinstance(index, int) or index == -1 or (key, index) == ("pad_token_id", 0):
                continue
            if not N_RANKS <= index < VOCAB_SIZE:
                yield f"has {key} {index}", f"has its control tokens from {N_RANKS} to {VOCAB_SIZE - 1}"
            elif key.startswith("media") and index != _MEDIA_PAD:
                yield f"has {key} {index}", f"has {_MEDIA_PAD} for that, in lines that read images"
