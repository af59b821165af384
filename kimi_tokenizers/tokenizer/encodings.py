"""The vocabulary as arguments of `tiktoken.Encoding`, for tiktoken's plugin."""

from __future__ import annotations

from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.tokenizer.loader import tokenizer_class


def encoding_arguments(line: str) -> dict[str, Any]:
    """`pat_str`, `mergeable_ranks` and `special_tokens` (all 256) of a model line, e.g. "kimi-k2.5".

    Raises:
        OverlayError: a packaged file is damaged.
    """
    tokenizer_class()  # verifies the module that is imported next
    from kimi_tokenizers.overlays.common import tokenization_kimi as kimi

    overlay = catalogue.overlays()[line]
    with overlay.files[kimi.VOCAB_FILE].path() as vocab_file:
        try:
            ranks = kimi.read_table(vocab_file).ranks
        except kimi.VocabFileError:
            overlay.read(kimi.VOCAB_FILE)  # raises OverlayError, which says what to do about a packaged file
            raise
    special_tokens = kimi.special_tokens(kimi.control_tokens(None, overlay.description()))
    return {"pat_str": kimi.PAT_STR, "mergeable_ranks": ranks, "special_tokens": special_tokens}
