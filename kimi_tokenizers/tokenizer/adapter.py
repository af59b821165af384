"""`adapt`: a fast tokenizer of the line gets the `.model` that exo asks for.

exo calls `tokenizer.model.encode(…)`, and in a fast tokenizer `.model` is None. The one it gets here is not made of the
fast tokenizer's own engine: once the vocabularies have been compared, token by token, the packaged one gives the same
ids, is several times as fast, and does not depend on merges, pattern and added tokens that came with a download.
It must never be given to a tokenizer with another vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import N_RANKS, spell
from kimi_tokenizers.errors import VocabularyMismatchError

Tokenizer = TypeVar("Tokenizer")


def adapt(fast_tokenizer: Tokenizer) -> Tokenizer:
    """Give a fast tokenizer of a Kimi line a `.model`: a `tiktoken.Encoding` with its control tokens.

    Args:
        fast_tokenizer: a `transformers.PreTrainedTokenizerFast` (or whatever has `get_vocab`), as upstream's
            `tokenizer.json` of 2026-05-11 makes one. Calling it again changes nothing.

    Returns:
        The same tokenizer; nothing of it but the attribute `model` is changed.

    Raises:
        VocabularyMismatchError: it has another vocabulary, or control tokens that contradict the line's.
        TypeError: it is no tokenizer.

    >>> adapt(PreTrainedTokenizerFast(tokenizer_file="tokenizer.json")).model.encode("Hello, world!")
    [19180, 11, 2695, 0]
    """
    if not callable(getattr(fast_tokenizer, "get_vocab", None)):
        raise TypeError(f"Expected a fast tokenizer of transformers, got {type(fast_tokenizer).__name__}.")
    from kimi_tokenizers.overlays.common.tokenization_kimi import KimiEncoding
    from kimi_tokenizers.tokenizer.encodings import rank_table

    vocabulary: Mapping[str, int] = fast_tokenizer.get_vocab()  # type: ignore[attr-defined]
    table = rank_table(catalogue.overlays()["kimi-k2.6"])
    _compare_ranks(vocabulary, table.ranks)
    fast_tokenizer.model = KimiEncoding(table, _control_tokens(vocabulary))  # type: ignore[attr-defined]
    return fast_tokenizer


def _compare_ranks(vocabulary: Mapping[str, int], ranks: Mapping[bytes, int]) -> None:
    found = {index: token for token, index in vocabulary.items() if index < N_RANKS}
    for rank, written in enumerate(spell(ranks)):
        if found.get(rank) != written:
            raise VocabularyMismatchError(
                f"The tokenizer says that id {rank} is {found.get(rank)!r}, but in Kimi K2 it is {written!r}. It is "
                "the tokenizer of another model, or damaged. Nothing was changed: load the tokenizer.json of a Kimi K2 "
                "model, or use kimi_tokenizers.load(), which needs none."
            )


def _control_tokens(vocabulary: Mapping[str, int]) -> dict[str, int]:
    """All control tokens, name -> id: those of the vocabulary; ids that it does not name are reserved ones."""
    from kimi_tokenizers.overlays.common import tokenization_kimi as kimi

    table = {index: name for name, index in vocabulary.items() if index >= N_RANKS}
    line = _line_of(table)
    missing = [name for index, (name, _) in kimi.CONTROL_TOKENS["kimi-k2-instruct"].items() if index not in table]
    if missing and line is None:
        raise VocabularyMismatchError(
            f"The tokenizer lacks the control tokens {', '.join(missing)}, which every model of the Kimi K2 line has. "
            "Nothing was changed: load it from a directory whose tokenizer.json lists them."
        )
    try:
        return kimi.special_tokens(kimi.control_tokens(table, line))
    except kimi.ControlTokenError as error:
        raise VocabularyMismatchError(f"The tokenizer is not one of the Kimi K2 line. {error}") from error


def _line_of(table: Mapping[int, str]) -> dict[str, Any] | None:
    """The line, for the tokenizer, whose models have such control tokens; None for Kimi K2's, and where none has."""
    overlays = catalogue.overlays()
    fits = [line for line in overlays.values() if line.required_tokens().items() <= table.items()]
    if not fits or overlays["kimi-k2-instruct"] in fits:  # the lines of K2 are told apart by the table alone
        return None
    return max(fits, key=lambda line: len(line.control_tokens().items() & table.items())).description()
