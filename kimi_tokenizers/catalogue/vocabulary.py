"""What every line's vocabulary has in common: how many ids there are, and how tokens are spelled.

Byte-level BPE writes a token as one printable character a byte, as GPT-2 does (a space is `Ġ`); a `tokenizer.json` and
`get_vocab()` spell tokens so.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterable

N_RANKS = 163_584
"""How many base tokens there are; control tokens begin at this id."""

VOCAB_SIZE = 163_840
"""`vocab_size` in every model's config.json: the base tokens and 256 control tokens."""

_PRINTABLE = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
_OTHERS = itertools.count(256)
_CHARACTERS = "".join(chr(byte if byte in _PRINTABLE else next(_OTHERS)) for byte in range(256))
# The bytes that are written as another character stand for no byte themselves: no token is written with a space.
_STRICT = {**dict.fromkeys(range(256), 0xE000), **{ord(character): byte for byte, character in enumerate(_CHARACTERS)}}


def spell(tokens: Iterable[bytes]) -> list[str]:
    """How tokens are written."""
    return [codecs.charmap_decode(token, "strict", _CHARACTERS)[0] for token in tokens]


def unspell(token: str) -> bytes | None:
    """The bytes of a token that is written so; None for one that is not."""
    try:
        return token.translate(_STRICT).encode("latin-1")
    except UnicodeEncodeError:
        return None
