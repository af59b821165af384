"""Text that others wrote, made harmless where it is shown: the one function that everything printed goes through.

Names of folders, files and control tokens, saved reports, what a hub or a node answers, and the messages of errors and
warnings with such text in them can hold escape sequences, marks that turn the writing around, and characters without
a width. It needs nothing but the standard library.
"""

from __future__ import annotations

import re
from typing import Any

# Printable by Unicode's categories, and yet nothing is seen: fillers, joiners, variation selectors, an empty pattern.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)


def escaped(text: str, keep: str = "") -> str:
    """A text on one line, in which whatever is not seen as what it is has become an escape such as `\\x1b`.

    Args:
        keep: characters to leave as they are, "\\n" say.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if character in keep or _is_seen(character) else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def escaped_json(value: Any, *, ascii_only: bool = False) -> str:
    """Indented JSON with the same characters escaped, as JSON escapes them: it reads as the same value."""
    import json  # here: the package is imported for every model, and mostly prints nothing

    text = json.dumps(value, ensure_ascii=ascii_only, indent=2)
    return "".join(character if character == "\n" or _is_seen(character) else _in_json(character) for character in text)


def _is_seen(character: str) -> bool:
    return character.isprintable() and not _INVISIBLE.match(character)


def _in_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
