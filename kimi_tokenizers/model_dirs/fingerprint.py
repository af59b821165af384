"""Fingerprints: nodes of a cluster whose fingerprints are equal tokenize alike and write the same prompts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from kimi_tokenizers import catalogue, directory, guard
from kimi_tokenizers.errors import TokenizerConfigError
from kimi_tokenizers.overlay import Overlay

# SHA-256 of the split pattern (`PAT_STR` in tokenization_kimi.py, which is too heavy to import for this alone).
PATTERN_SHA256 = "de5781783b193d5ccf5b1b28edfa70fa816ce78d54603fdc422cfd8d4ea4411f"


def of_tokens(overlay: Overlay, model_dir: Path | None = None) -> str:
    """SHA-256 over all that decides token ids: rank table, pattern, control tokens (those of `model_dir` if given).

    Raises:
        TokenizerConfigError, ModelDirError: the table of `model_dir` cannot be read.
    """
    table = guard.table_of(overlay)
    if model_dir is not None:
        path = model_dir / directory.TOKENIZER_CONFIG
        own = directory.control_token_table(directory.read_object(path), path)
        if own:  # it decides, except that the tokenizer has what every line has whatever it says
            every_line = guard.table_of(catalogue.overlays()["kimi-k2-instruct"])
            try:
                table = {**every_line, **{int(index): str(entry["content"]) for index, entry in own.items()}}
            except (ValueError, TypeError, KeyError) as error:
                raise TokenizerConfigError(
                    f"`added_tokens_decoder` in {str(path)!r} has an entry that names no token ({error!r}). "
                    "Restore the model's own file."
                ) from error
    names = sorted((index, name) for index, name in table.items() if name != f"<|reserved_token_{index}|>")
    return _digest([overlay.files["tiktoken.model"].sha256, PATTERN_SHA256, names])


def of_prompts(overlay: Overlay, model_dir: Path | None = None) -> str:
    """SHA-256 over all that decides prompt text: chat template (that of `model_dir` if given) and declarations."""
    template = directory.chat_template(model_dir) if model_dir is not None else None
    if template is None and directory.CHAT_TEMPLATE in overlay.files:
        template = overlay.read(directory.CHAT_TEMPLATE).decode("utf-8")
    return _digest([template, overlay.files["tool_declaration_ts.py"].sha256])


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
