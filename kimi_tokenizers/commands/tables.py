"""Plain text for people, and JSON for machines: aligned columns, and colours only on a terminal.

It decides nothing, and needs nothing installed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TextIO

from kimi_tokenizers.commands.waiting import wipe
from kimi_tokenizers.escaping import escaped, escaped_json
from kimi_tokenizers.model_dirs import Found

SCHEMA = 1
"""`schema` in the JSON of every command; see `kimi_tokenizers.commands` for the shape."""

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "bold red": "1;31"}

# What a word that says a verdict, or that something has changed, is coloured by.
_OF_VERDICT = {
    "ok": "green",
    "changed": "yellow",
    "would be changed": "yellow",
    "restored": "yellow",
    "re-download": "red",
    "404": "red",
    "FAILED": "bold red",
    "healthy": "green",
    "overlaid": "green",
    "drifted": "yellow",
    "incomplete": "yellow",
    "broken": "red",
    "refused": "red",
}


# What stands for a colour until a line is written. Nobody outside of this process can write it, so that an escape
# sequence in a name is no colour.
_KEY = secrets.token_hex(8)
_COLOUR = re.compile(rf"<{_KEY} ([0-9;]+)>")


def colours(stream: TextIO) -> bool:
    """Whether to colour what is written to a stream."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(text: str, colour: str, stream: TextIO | None = None) -> str:
    """A text in a colour, if the stream (standard output by default) shows colours."""
    return f"<{_KEY} {_COLOURS[colour]}>{text}<{_KEY} 0>" if colour and colours(stream or sys.stdout) else text


def emit(text: str, stream: TextIO | None = None) -> None:
    """Write a line. What is not seen as what it is, a line break as well, and what the stream cannot encode appears
    escaped; but not the colours of `coloured`."""
    wipe()
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    line = _COLOUR.sub("\x1b[\\1m", escaped(text))
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def emit_json(value: Any, *, ascii_only: bool = False) -> None:
    """Write JSON: in ASCII if that is asked for, or where the stream is not UTF-8."""
    wipe()
    ascii_only = ascii_only or (sys.stdout.encoding or "utf-8").lower() != "utf-8"
    sys.stdout.write(escaped_json(value, ascii_only=ascii_only) + "\n")
    sys.stdout.flush()


def emit_report(ok: bool, problems: Iterable[str] = (), **rest: Any) -> None:
    """Write what a command found as JSON, in the shape that all commands share."""
    emit_json({"schema": SCHEMA, "ok": ok, "problems": list(problems), **rest})


def emit_detail(text: str, indent: str = "  ", colour: str = "") -> None:
    """Write a text that belongs to the line above it, within the width of the terminal. Long words stay whole."""
    lines = textwrap.wrap(
        escaped(text),
        max(width(), 40),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        emit(coloured(line, colour))


def width() -> int:
    """How many columns there are to write in: the terminal's; 80 for a file or a pipe, whoever reads it later."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80


def verdict(word: str) -> str:
    """A word in its colour, if it has one."""
    return coloured(word, _OF_VERDICT.get(word, ""))


def counted(number: int, what: str) -> str:
    """A number of things: "1 node", "2 nodes"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def mark(ok: bool) -> str:
    """The verdict on one thing."""
    return "ok" if ok else "FAILED"


def table(rows: Sequence[Sequence[str]], heading: Sequence[str] = (), verdicts: Collection[int] = ()) -> list[str]:
    """Rows as lines with aligned columns. Every cell stays on its line: it is passed through `escaped`.

    Args:
        heading: the first row, in bold.
        verdicts: the columns that are coloured by what they say.
    """
    cells = [[escaped(cell) for cell in row] for row in ([heading, *rows] if heading else rows)]
    widths = [max(map(_width, column)) for column in zip(*cells)]  # noqa: B905 (Python 3.9 has no `strict`)
    lines = []
    for number, row in enumerate(cells):
        line = []
        for column, cell in enumerate(row):
            padding = "" if column == len(row) - 1 else " " * (widths[column] - _width(cell))
            is_heading = heading and number == 0
            colour = "bold" if is_heading else _OF_VERDICT.get(cell, "") if column in verdicts else ""
            line.append(coloured(cell, colour) + padding)
        lines.append("  ".join(line).rstrip())
    return lines


def _width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0
        if unicodedata.category(character) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def emit_rest(found: Found) -> None:
    """Write what a search has to say besides the models it found."""
    if not found.models:
        emit(f"No Kimi models in {', '.join(map(str, found.places))}.")
    for hint in found.hints:
        emit(f"hint: {hint}")
    emit_problems(found.problems)


def emit_problems(problems: Iterable[str]) -> None:
    """Write what is wrong to standard error."""
    for problem in problems:
        emit(f"kimi-tokenizers: {problem}", sys.stderr)
