"""Plain text for people: columns, and colours only on a terminal. It decides nothing, and needs nothing installed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1"}
_OF_STATE = {
    "healthy": "green",
    "overlaid": "green",
    "drifted": "yellow",
    "incomplete": "yellow",
    "broken": "red",
    "refused": "red",
}


def colours(stream: TextIO) -> bool:
    """Whether to colour what is written to a stream."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def emit(text: str, stream: TextIO | None = None) -> None:
    """Write a line. What the stream cannot write (bytes in file names that are no text) appears escaped."""
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def emit_json(value: Any) -> None:
    """Write JSON, UTF-8 whatever the locale says. An escaped lone surrogate is JSON, too."""
    data = json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace")
    sys.stdout.write(data.decode("utf-8") if sys.stdout.encoding.lower() == "utf-8" else json.dumps(value, indent=2))
    sys.stdout.write("\n")
    sys.stdout.flush()


def shown(text: str) -> str:
    """A text from outside on one line: what cannot be printed is escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def coloured(text: str, colour: str) -> str:
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if colour and colours(sys.stdout) else text


def table(rows: Sequence[Sequence[str]], colour_of: Mapping[int, str] | None = None) -> list[str]:
    """Rows as lines with aligned columns, the first row being the heading.

    Args:
        colour_of: column -> "state" for those that are coloured by what they say.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = []
        for column, cell in enumerate(row):
            padded = cell if column == len(row) - 1 else cell.ljust(widths[column])
            colour = "bold" if number == 0 else _OF_STATE.get(cell, "") if column in (colour_of or {}) else ""
            cells.append(coloured(padded, colour))
        lines.append("  ".join(cells).rstrip())
    return lines


def status(report: Mapping[str, Any]) -> list[str]:
    """The lines for a status report, one for each model."""
    rows = [("MODEL", "STATE", "TOKENS", "PROMPTS", "WHAT IS THE MATTER")]
    for model in report["models"]:
        prints = model["fingerprints"] or {"tokens": "-", "prompts": "-"}
        what = f"{shown(model['detail'])} [{shown(model['path'])}]"
        rows.append((model["model"], model["state"], prints["tokens"][:12], prints["prompts"][:12], what))
    return table(rows, {1: "state"}) if len(rows) > 1 else []


def changes(changes: Sequence[Any]) -> list[str]:
    """The lines for the files of a sync plan."""
    rows = [(f"  {change.action}", change.name, f"{change.why}; found: {shown(change.found)}") for change in changes]
    return _aligned(rows)


def given_back(given: Sequence[Any]) -> list[str]:
    """The lines for the files of a restore."""
    rows = []
    for file in given:
        kept = f"; kept beside it: {', '.join(file.kept)}" if file.kept else ""
        rows.append((f"  {file.action}", file.name, shown(file.what) + kept))
    return _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    return table([("", "", ""), *rows])[1:] if rows else []
