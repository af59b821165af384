"""What is written on a terminal, a pipe or a file: all of it here, and so all of it through `escaped`.

No other module writes to standard output or standard error (tests/test_layout.py sees to that). It needs nothing
installed.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import traceback
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from kimi_tokenizers.escaping import escaped, escaped_json

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA = 1
"""`schema` in the JSON of every command; see `kimi_tokenizers.commands` for the shape."""

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "bold red": "1;31"}

# What stands for a colour until a line is written. Nobody outside of this process can write it, so that an escape
# sequence in a name is no colour.
_KEY = os.urandom(8).hex()
_COLOUR = re.compile(rf"<{_KEY} ([0-9;]+)>")

_WIPED = "\r\x1b[K"
_screen = threading.Lock()
_drawn: list[str] = []


class Escaping:
    """A stream that escapes what is written to it: for what Python and libraries say of their own accord, such as
    tracebacks, warnings and log lines, in which others' text is quoted."""

    def __init__(self, stream: TextIO) -> None:
        self.unescaped = stream

    def write(self, text: str) -> int:
        self.unescaped.write(_encodable(escaped(text, keep="\n\r"), self.unescaped))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unescaped, name)


def escape_errors() -> None:
    """Have everything that this process writes to standard error escaped, whoever writes it."""
    if not isinstance(sys.stderr, Escaping):
        sys.stderr = Escaping(sys.stderr)

    def write_traceback(*error: Any) -> None:
        wipe()
        sys.stderr.write("".join(traceback.format_exception(*error)))  # Python's own has colours, from 3.13

    sys.excepthook = write_traceback


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
    _write(_COLOUR.sub("\x1b[\\1m", escaped(text)) + "\n", stream or sys.stdout)


def emit_lines(text: str, stream: TextIO | None = None) -> None:
    """Write a text of several lines, as `emit` writes each."""
    for line in text.rstrip("\n").split("\n"):
        emit(line, stream)


def emit_json(value: Any, *, ascii_only: bool = False) -> None:
    """Write JSON: in ASCII if that is asked for, or where the stream is not UTF-8."""
    wipe()
    ascii_only = ascii_only or (sys.stdout.encoding or "utf-8").lower() != "utf-8"
    _write(escaped_json(value, ascii_only=ascii_only) + "\n", sys.stdout)


def emit_report(ok: bool, problems: Iterable[str] = (), **rest: Any) -> None:
    """Write what a command found as JSON, in the shape that all commands share."""
    emit_json({"schema": SCHEMA, "ok": ok, "problems": list(problems), **rest})


def emit_problems(problems: Iterable[str]) -> None:
    """Write what is wrong to standard error."""
    for problem in problems:
        emit(f"kimi-tokenizers: {problem}", sys.stderr)


def redraw(text: str) -> None:
    """Show a line on standard error, a terminal, in the place of the one shown before, until something else is written
    or `wipe` takes it away."""
    with _screen:
        _write(_WIPED + _encodable(escaped(text), sys.stderr, "replace"), sys.stderr)
        _drawn[:] = [text]


def wipe() -> None:
    """Take away what is drawn."""
    with _screen:
        if _drawn:
            _write(_WIPED, sys.stderr)
            _drawn.clear()


def console(stream: TextIO | None = None) -> Console:
    """What draws with rich, on standard output by default; no markup is read in what it is given."""
    from rich.console import Console

    return Console(file=_unescaped(stream or sys.stdout), highlight=False, markup=False, emoji=False)


def _write(text: str, stream: TextIO) -> None:
    """Write a text in which only what is ours is not escaped."""
    stream = _unescaped(stream)
    stream.write(_encodable(text, stream))
    stream.flush()


def _unescaped(stream: Any) -> TextIO:
    return stream.unescaped if isinstance(stream, Escaping) else stream


def _encodable(text: str, stream: TextIO, errors: str = "backslashreplace") -> str:
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, errors).decode(encoding)
