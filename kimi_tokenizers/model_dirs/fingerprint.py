"""Fingerprints: nodes of a cluster whose fingerprints are equal tokenize alike and write the same prompts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import TokenizerConfigError
from kimi_tokenizers.model_dirs.configuration import roles
from kimi_tokenizers.model_dirs.in_effect import special_names, templates_of
from kimi_tokenizers.model_dirs.renumbering import table_in_effect
from kimi_tokenizers.model_dirs.tokenizer_files import TOKENIZER_CONFIG, TokenizerFiles

# SHA-256 of the split pattern (`PAT_STR` in tokenization_kimi.py, which is too heavy to import for this alone).
PATTERN_SHA256 = "de5781783b193d5ccf5b1b28edfa70fa816ce78d54603fdc422cfd8d4ea4411f"


def token_fingerprint(overlay: Overlay, directory: TokenizerFiles | None = None) -> str:
    """SHA-256 over all that decides token ids: rank table, pattern, control tokens (those of `directory` if given).

    Raises:
        TokenizerConfigError, ModelDirError: the table of `directory` cannot be read.
    """
    table: dict[int, tuple[int | str | bool, ...]] = {
        index: (index, name) for index, name in overlay.control_tokens().items()
    }
    if directory is not None:
        own = table_in_effect(overlay, directory)
        if own:  # it decides, except that the tokenizer has what every model of the line has whatever it says
            try:
                theirs = dict(_entry(key, entry, table) for key, entry in own.items())
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                raise TokenizerConfigError(
                    f"`added_tokens_decoder` in {str(directory.path / TOKENIZER_CONFIG)!r} has an entry that names no "
                    f"token ({error!r}). Restore the model's own file."
                ) from error
            table = {**{index: (index, name) for index, name in overlay.required_tokens().items()}, **theirs}
    names = sorted(entry for index, entry in table.items() if entry[1] != f"<|reserved_token_{index}|>")
    return _digest([overlay.files["tiktoken.model"].sha256, PATTERN_SHA256, names])


def _entry(key: str, entry: Any, known: Collection[int]) -> tuple[int, tuple[int | str | bool, ...]]:
    """An entry of a table. Whether a token is special, it only says of those that the line does not know."""
    index, name = int(key), entry if isinstance(entry, str) else str(entry["content"])
    is_special = index not in known and isinstance(entry, dict) and bool(entry.get("special"))
    return index, (index, name, True) if is_special else (index, name)


def prompt_fingerprint(overlay: Overlay, directory: TokenizerFiles | None = None) -> str:
    """SHA-256 over all that decides prompt text: chat templates, declarations, and what templates know tokens by."""
    if overlay.encoder:
        return _digest([overlay.files[name].sha256 for name in overlay.encoder])
    templates: Any = templates_of(overlay, directory)
    if templates.keys() <= {"default"}:
        templates = templates.get("default")
    parts = [templates, overlay.files["tool_declaration_ts.py"].sha256]
    config = directory.object(TOKENIZER_CONFIG) if directory is not None else None
    usual = json.loads(overlay.read(TOKENIZER_CONFIG))
    others = {
        role: name for role, name in roles(config or {}, special_names(overlay)).items() if usual.get(role) != name
    }
    return _digest([*parts, others] if others else parts)


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(
        json.dumps(parts, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    ).hexdigest()
