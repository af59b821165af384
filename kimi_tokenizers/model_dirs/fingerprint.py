"""Fingerprints: nodes of a cluster whose fingerprints are equal tokenize alike and write the same prompts."""

from __future__ import annotations

import hashlib
import json

from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import TokenizerConfigError
from kimi_tokenizers.model_dirs.tokenizer_files import CHAT_TEMPLATE, TOKENIZER_CONFIG, TokenizerFiles

# SHA-256 of the split pattern (`PAT_STR` in tokenization_kimi.py, which is too heavy to import for this alone).
PATTERN_SHA256 = "de5781783b193d5ccf5b1b28edfa70fa816ce78d54603fdc422cfd8d4ea4411f"


def token_fingerprint(overlay: Overlay, directory: TokenizerFiles | None = None) -> str:
    """SHA-256 over all that decides token ids: rank table, pattern, control tokens (those of `directory` if given).

    Raises:
        TokenizerConfigError, ModelDirError: the table of `directory` cannot be read.
    """
    table = overlay.control_tokens()
    if directory is not None:
        own = directory.control_token_table()
        if own:  # it decides, except that the tokenizer has what every model of the line has whatever it says
            try:
                table = {
                    **overlay.required_tokens(),
                    **{int(index): str(entry["content"]) for index, entry in own.items()},
                }
            except (ValueError, TypeError, KeyError) as error:
                raise TokenizerConfigError(
                    f"`added_tokens_decoder` in {str(directory.path / TOKENIZER_CONFIG)!r} has an entry that names no "
                    f"token ({error!r}). Restore the model's own file."
                ) from error
    names = sorted((index, name) for index, name in table.items() if name != f"<|reserved_token_{index}|>")
    return _digest([overlay.files["tiktoken.model"].sha256, PATTERN_SHA256, names])


def prompt_fingerprint(overlay: Overlay, directory: TokenizerFiles | None = None) -> str:
    """SHA-256 over all that decides prompt text: chat template (that of `directory` if given) and declarations."""
    if overlay.encoder:
        return _digest([overlay.files[name].sha256 for name in overlay.encoder])
    template = directory.chat_template() if directory is not None else None
    if template is None and CHAT_TEMPLATE in overlay.files:
        template = overlay.read(CHAT_TEMPLATE).decode("utf-8")
    return _digest([template, overlay.files["tool_declaration_ts.py"].sha256])


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
