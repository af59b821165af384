"""Texts to encode, for several test modules: the golden rows, and strategies for what decides how a text is cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conftest import NAMED, control_names, golden
from hypothesis import strategies as st

GOLDEN = golden("encode")

# The Unicode property White_Space, which is what `\s` means to tiktoken.
WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
CONTROL = sorted(control_names(NAMED))

# Whatever stands next to a run of whitespace decides how it is cut: a class of the pattern each, and what is easily
# taken for another class (Python counts U+001C to U+001F as whitespace; U+200B, U+FEFF and U+180E look like it).
NEIGHBOURS = [
    *(
        "a",
        "B",
        "é",
        "ß",
        "ſ",
        "K",
        "漢",
        "々",
        "〇",
        "か",
        "ア",
        "한",
        "م",
        "ไ",
        "ǅ",
        "ʰ",
        "ª",
        "Ⅷ",
        "²",
        "٣",
        "1",
        "12345",
    ),
    *(
        ".",
        "!",
        "?\r",
        "...",
        "'",
        "'s",
        "'LL",
        "'ſ",
        "_",
        "-",
        "€",
        "+",
        "|",
        "<",
        "[",
        "\x00",
        "\x1c",
        "\x1d",
        "\x1e",
        "\x1f",
        "\x7f",
    ),
    *(
        "\u0301",
        "\u0903",
        "\u20dd",
        "\ufe0f",
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u180e",
        "\u2060",
        "\ue000",
        "\ufffd",
        "\U0010ffff",
    ),
    *("👍🏽", "👩\u200d💻", "🇩🇪", "𝒜", "𠀀", "\ud83d", "\ude00", "\ud83d\ude00", "\uffff"),
]

characters = st.characters()  # every plane, surrogates and noncharacters included
white = st.text(st.sampled_from(WHITE_SPACE), max_size=12)
runs = st.builds(lambda character, n: character * n, st.sampled_from(WHITE_SPACE), st.integers(1, 40))
control = st.sampled_from(CONTROL)
shards = st.builds(
    lambda name, start, stop: name[min(start, stop) : max(start, stop)],
    control,
    st.integers(0, 28),
    st.integers(0, 28),
)
pieces = st.one_of(
    st.text(characters, max_size=8),
    st.text(st.sampled_from("abcdefgXYZ'0123456789 .,\n"), max_size=20),
    st.sampled_from(NEIGHBOURS),
    st.sampled_from(
        [*(suffix for s in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d") for suffix in (s, s.upper(), s.title()))]
    ),
    white,
    runs,
    control,
    shards,
    st.sampled_from(
        [
            "<|",
            "|>",
            "<|<|",
            "<|<|im_end|>",
            "<|im_end|>|>",
            "[[BOS]",
            "[BOS",
            "<<think>",
            "</think",
            "<|im_|im_end|>end|>",
        ]
    ),
    st.sampled_from(
        ["<|reserved_token_163600|>", "<|reserved_token_163700|>", "<|reserved_token_163584|>", "<|reserved_token_1|>"]
    ),
)
texts = st.lists(pieces, max_size=12).map("".join)
spaced = st.lists(st.one_of(white, runs, st.sampled_from(NEIGHBOURS)), max_size=10).map("".join)


def outcome(function: Callable[[], Any]) -> Any:
    """What a call returns, or the type and message of what it raises."""
    try:
        return function()
    except Exception as error:
        return type(error), str(error)
