"""What of an overlay and of a model directory is in effect where both have a say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs.configuration import ignored
from kimi_tokenizers.model_dirs.renumbering import is_renumbered, table_in_effect
from kimi_tokenizers.model_dirs.tokenizer_files import CHAT_TEMPLATE, TOKENIZER_CONFIG, TokenizerFiles


def templates_of(overlay: Overlay, directory: TokenizerFiles | None) -> dict[str, str]:
    """The chat templates of a model, by name: its directory's own, and for want of a "default" the overlay's.

    Raises ModelDirError, TokenizerConfigError.
    """
    if overlay.encoder:
        return {}
    files = directory.template_files() if directory is not None else {}
    # A tokenizer_config.json that is renumbered does not count, nor does a template in it.
    own = files if directory is None or is_renumbered(overlay, directory) else directory.chat_templates()
    if "default" in own or (own and not files) or CHAT_TEMPLATE not in overlay.files:
        return own
    return {"default": overlay.read(CHAT_TEMPLATE).decode("utf-8"), **own}


def special_names(overlay: Overlay, table: Mapping[str, Any] | None = None) -> set[str]:
    """Names of the special tokens of a line, and of a model's own table as far as the line does not know its ids."""
    known = overlay.description().get("control_tokens") or {}
    added = {key: entry for key, entry in (table or {}).items() if key not in known and isinstance(entry, dict)}
    return {entry["content"] for entry in {**added, **known}.values() if entry.get("special") and "content" in entry}


def ignored_keys(overlay: Overlay, directory: TokenizerFiles) -> list[str]:
    """What a directory's `tokenizer_config.json` says that does not count. Raises as `TokenizerFiles.object`."""
    config = directory.object(TOKENIZER_CONFIG) or {}
    usual = json.loads(overlay.read(TOKENIZER_CONFIG))
    return ignored(config, usual, special_names(overlay, table_in_effect(overlay, directory)))
