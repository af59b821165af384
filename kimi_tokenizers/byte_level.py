"""Token bytes as byte-level BPE writes them, one printable character a byte, as GPT-2 does (a space is `Ġ`).

A `tokenizer.json` and `get_vocab()` spell tokens so. It knows nothing of vocabularies.
"""

from __future__ import annotations

from collections.abc import Iterable

_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_OTHERS = sorted({*range(256)} - {*_PRINTABLE})
_CHARACTERS = {**{byte: chr(byte) for byte in _PRINTABLE}, **{byte: chr(256 + i) for i, byte in enumerate(_OTHERS)}}
_BYTES = {ord(character): byte for byte, character in _CHARACTERS.items()}
# The bytes that are written as another character stand for no byte themselves: no token is written with a space.
_STRICT = {**dict.fromkeys(range(256), 0xE000), **_BYTES}


def spell(tokens: Iterable[bytes]) -> list[str]:
    """How tokens are written."""
    # One translation of one long string is five times as fast as one a token. U+E000 stands for no byte.
    joined = "\ue000".join([token.decode("latin-1") for token in tokens])
    return joined.translate(_CHARACTERS).split("\ue000")


def unspell(token: str) -> bytes | None:
    """The bytes of a token that is written so; None for one that is not."""
    try:
        return token.translate(_STRICT).encode("latin-1")
    except UnicodeEncodeError:
        return None
