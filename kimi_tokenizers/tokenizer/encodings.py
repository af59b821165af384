"""The bare encoding of a model, and the vocabulary as arguments of `tiktoken.Encoding`, for tiktoken's plugin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs import TOKENIZER_CONFIG

if TYPE_CHECKING:
    from kimi_tokenizers.overlays.common.tokenization_kimi import KimiEncoding, RankTable

DEFAULT_MODEL = "moonshotai/Kimi-K2.6"


def encoding(model_id: str = DEFAULT_MODEL) -> KimiEncoding:
    """The `.model` of a Kimi model's tokenizer: a `tiktoken.Encoding` with its control tokens, and nothing around it.

    Args:
        model_id: `owner/name` of the model or a conversion of it, e.g. "moonshotai/Kimi-K2.6".

    Raises:
        ModelIdError, UnknownModelError: no overlay serves the id.
        OverlayError: a packaged file is damaged.

    >>> encoding("moonshotai/Kimi-K2.6").encode("Hello, world!<|im_end|>", allowed_special="all")
    [19180, 11, 2695, 0, 163586]
    """
    overlay = catalogue.get(model_id)
    from kimi_tokenizers.overlays.common import tokenization_kimi as kimi

    table = json.loads(overlay.read(TOKENIZER_CONFIG))["added_tokens_decoder"]
    names = kimi.special_tokens(kimi.control_tokens(table, overlay.description()))
    return kimi.KimiEncoding(rank_table(overlay), names)


def rank_table(overlay: Overlay) -> RankTable:
    """The packaged rank table. Raises OverlayError."""
    from kimi_tokenizers.overlays.common import tokenization_kimi as kimi

    with overlay.files[kimi.VOCAB_FILE].path() as vocab_file:
        try:
            return kimi.read_table(vocab_file)
        except kimi.VocabFileError:
            overlay.read(kimi.VOCAB_FILE)  # raises OverlayError, which says what to do about a packaged file
            raise


def encoding_arguments(line: str) -> dict[str, Any]:
    """`pat_str`, `mergeable_ranks` and `special_tokens` (all 256) of a model line, e.g. "kimi-k2.5".

    Raises:
        OverlayError: a packaged file is damaged.
    """
    from kimi_tokenizers.overlays.common import tokenization_kimi as kimi

    overlay = catalogue.overlays()[line]
    special_tokens = kimi.special_tokens(kimi.control_tokens(None, overlay.description()))
    return {
        "pat_str": kimi.PAT_STR,
        "mergeable_ranks": rank_table(overlay).ranks,
        "special_tokens": special_tokens,
    }
