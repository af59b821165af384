"""Plain text for people: aligned columns, and lines that end where the terminal does.

It decides nothing, and needs nothing installed.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Collection, Sequence

from kimi_tokenizers.commands.output import coloured, emit, emit_problems
from kimi_tokenizers.escaping import escaped
from kimi_tokenizers.model_dirs import Found

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
