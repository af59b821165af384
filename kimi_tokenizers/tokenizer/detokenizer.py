"""A streaming detokenizer for mlx-lm that does constant work per token.

mlx-lm's own `NaiveStreamingDetokenizer`, which a tokenizer without a `tokenizer.json` gets, decodes the whole line
again for every token. Building one touches nothing of the vocabulary: mlx-lm asks for a fresh one per request.
"""

from __future__ import annotations

import codecs
from typing import Any

from mlx_lm.tokenizer_utils import StreamingDetokenizer

_Utf8Decoder = codecs.getincrementaldecoder("utf-8")


class KimiStreamingDetokenizer(StreamingDetokenizer):
    """Text of a growing list of ids. After `finalize`, `text` is what `tokenizer.decode(tokens)` gives.

    Segments end at the end of a character; bytes that are no UTF-8 become U+FFFD as soon as that is certain.

    Attributes:
        tokens: the ids added so far.
        offset: how many characters of `text` have been handed out by `last_segment`.
    """

    tokens: list[int]
    offset: int

    def __init__(self, tokenizer: Any) -> None:
        super().__init__()
        self._token_bytes = tokenizer.model.decode_single_token_bytes
        self.reset()

    def reset(self) -> None:
        """Begin a new text."""
        self.tokens = []
        self.offset = 0
        self._handed_out: list[str] = []
        self._new: list[str] = []
        self._decode = _Utf8Decoder("replace").decode

    def add_token(self, token: int) -> None:
        """Add the next id. Raises KeyError where the vocabulary has no such id."""
        self.tokens.append(token)
        self._new.append(self._decode(self._token_bytes(token)))

    def finalize(self) -> None:
        """No more ids come: a character that is still incomplete becomes U+FFFD."""
        self._new.append(self._decode(b"", True))

    @property
    def last_segment(self) -> str:
        """The text that has become readable since this property was read last."""
        segment = "".join(self._new)
        self._new.clear()
        self._handed_out.append(segment)
        self.offset += len(segment)
        return segment

    @property
    def text(self) -> str:
        """All readable text so far; linear in its length."""
        whole = ["".join(self._handed_out)]
        self._handed_out = whole
        return "".join(whole + self._new)
