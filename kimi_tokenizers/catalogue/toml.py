"""The manifests' TOML: read by Python's own tomllib, and on Python 3.9 and 3.10, which have none, by a small reader.

The small reader knows what our manifests use: comments, strings on one line, decimal integers, true and false, arrays
of strings, tables and arrays of tables. It must never guess: whatever else TOML has is an error that names the line, so
that a manifest means the same everywhere or is refused.
"""

from __future__ import annotations

import re
import sys
from typing import Any

_COMMENT = r"#[^\x00-\x08\x0a-\x1f\x7f]*"
_SPACE = re.compile(r"[ \t]*")
_END_OF_LINE = re.compile(rf"[ \t]*(?:{_COMMENT})?(?:\n|\Z)")
_BETWEEN = re.compile(rf"(?:[ \t\n]|{_COMMENT})*")  # the values of an array
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BOOLEAN = re.compile(r"true|false")
_INTEGER = re.compile(r"[+-]?(?:0|[1-9](?:_?[0-9])*)")
_LITERAL = re.compile(r"'([^'\x00-\x08\x0a-\x1f\x7f]*)'")
_STRING = re.compile(
    r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\["\\bfnrt]|\\u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4}'
    r'|\\U00(?:0(?!0[Dd][89A-Fa-f])[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})*)"'
)
_ESCAPE = re.compile(r'\\(?:(["\\bfnrt])|u(.{4})|U(.{8}))')
_ESCAPED = {'"': '"', "\\": "\\", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a manifest.

    Raises:
        ValueError: it is not TOML, or, where Python has no tomllib, not of the kind that manifests are. It names the
            line.
    """
    if sys.version_info >= (3, 11):
        import tomllib

        return tomllib.loads(text)
    return parse_subset(text)


def parse_subset(text: str) -> dict[str, Any]:
    """As `parse_toml`, without tomllib. What it accepts it reads exactly as tomllib does."""
    return _Reader(text).document()


class _Tables(list):  # type: ignore[type-arg]
    """An array of tables: unlike an array of strings, it grows."""


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text.replace("\r\n", "\n"), 0
        self.root: dict[str, Any] = {}
        self.opened: set[int] = set()  # the tables that had a header of their own: they may have one only

    def document(self) -> dict[str, Any]:
        table = self.root
        while self.at < len(self.text):
            if self.take(_END_OF_LINE):
                continue
            self.take(_SPACE)
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.assignment(table)
            if not self.take(_END_OF_LINE):
                raise self.error("expected the end of the line")
        return self.root

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What matches here; reading goes on behind it."""
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def take_mark(self, mark: str) -> bool:
        found = self.text.startswith(mark, self.at)
        self.at += len(mark) if found else 0
        return found

    def error(self, what: str) -> ValueError:
        rest = self.text[self.at :].split("\n", 1)[0]
        number = self.text.count("\n", 0, self.at) + 1
        return ValueError(f"line {number}: {what}, found {rest[:40]!r}" if rest else f"line {number}: {what}")

    def header(self) -> dict[str, Any]:
        """`[table]` or `[[table]]`: the table that the next lines fill."""
        start = self.at
        marks = 2 if self.take_mark("[[") else 1
        self.at = start + marks
        path = [self.key()]
        while self.take_mark("."):
            path.append(self.key())
        if not self.take_mark("]" * marks):
            raise self.error(f"expected {']' * marks!r}")
        table = self.open_table(path, marks == 2)
        if table is None:
            self.at = start
            raise self.error("this name is taken already")
        return table

    def open_table(self, path: list[str], array: bool) -> dict[str, Any] | None:
        """The table at a path, new or so far only implied by one below it; None if something else has the name."""
        node: Any = self.root
        for key in path[:-1]:
            node = node.setdefault(key, {})
            node = node[-1] if isinstance(node, _Tables) else node
            if not isinstance(node, dict):
                return None
        if array:
            tables = node.setdefault(path[-1], _Tables())
            if isinstance(tables, _Tables):
                tables.append({})
                return tables[-1]  # type: ignore[no-any-return]
            return None
        table = node.setdefault(path[-1], {})
        if not isinstance(table, dict) or id(table) in self.opened:
            return None
        self.opened.add(id(table))
        return table

    def assignment(self, table: dict[str, Any]) -> None:
        start = self.at
        key = self.key()
        if key in table:
            self.at = start
            raise self.error("this name is taken already")
        if not self.take_mark("="):
            raise self.error("expected '='")
        self.take(_SPACE)
        table[key] = self.value()

    def key(self) -> str:
        """A name, and the spaces around it."""
        self.take(_SPACE)
        bare = self.take(_BARE_KEY)
        key = bare.group() if bare else self.string()
        if key is None:
            raise self.error("expected a name")
        self.take(_SPACE)
        return key

    def value(self) -> str | int | list[str]:
        if self.take_mark("["):
            return self.strings()
        boolean = self.take(_BOOLEAN)
        if boolean:
            return boolean.group() == "true"
        number = self.take(_INTEGER)
        found = int(number.group()) if number else self.string()
        if found is None:
            raise self.error("expected a string on one line, a decimal integer, true or false, or an array of strings")
        return found

    def strings(self) -> list[str]:
        """The rest of an array of strings, on as many lines as it takes."""
        result: list[str] = []
        while True:
            self.take(_BETWEEN)
            if self.take_mark("]"):
                return result
            found = self.string()
            if found is None:
                raise self.error("expected a string or ']'")
            result.append(found)
            self.take(_BETWEEN)
            if not self.take_mark(",") and not self.text.startswith("]", self.at):
                raise self.error("expected ',' or ']'")

    def string(self) -> str | None:
        """A string on one line; None if there is none here."""
        if self.text.startswith(('"""', "'''"), self.at):
            return None
        found = self.take(_LITERAL)
        if found:
            return found.group(1)
        found = self.take(_STRING)
        return _ESCAPE.sub(_unescaped, found.group(1)) if found else None


def _unescaped(escape: re.Match[str]) -> str:
    letter, *digits = escape.groups()
    return _ESCAPED[letter] if letter else chr(int(digits[0] or digits[1], 16))
