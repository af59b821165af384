"""The small TOML reader for Pythons without tomllib: what it accepts it reads as tomllib does; the rest it refuses."""

from __future__ import annotations

import string
import sys
from typing import Any

import pytest
from conftest import OVERLAYS
from hypothesis import given
from hypothesis import strategies as st

from kimi_tokenizers.catalogue.toml import parse_subset

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it

MANIFESTS = sorted(OVERLAYS.glob("*/overlay.toml"))


def by_tomllib(text: str) -> Any:
    """What tomllib makes of a text; None for what it refuses."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_manifest_is_read_as_by_tomllib(path: Any, newline: str) -> None:
    text = path.read_text("utf-8").replace("\n", newline)
    assert parse_subset(text) == tomllib.loads(text)


# -- generated manifests -----------------------------------------------------------------------------

characters = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\t\n\r"\\\b\f\x00\x7f#[]=.,')
strings = st.text(characters, max_size=12)
spaces = st.sampled_from(["", " ", "\t", "  "])
comments = st.one_of(st.just(""), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8).map("#".__add__))
bare_keys = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=3)


@st.composite
def quoted(draw: st.DrawFn, value: str) -> str:
    """A string as TOML, each character escaped or as it is."""
    if draw(st.booleans()) and "'" not in value and all(c == "\t" or c.isprintable() for c in value):
        return f"'{value}'"
    short = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f"}
    result = []
    for character in value:
        code = ord(character)
        must = (code < 0x20 and character != "\t") or character in '"\\\x7f'
        if must or draw(st.integers(0, 9)) == 0:
            long = [f"\\U{code:08X}"] + ([f"\\u{code:04x}"] if code < 0x10000 else [])
            result.append(draw(st.sampled_from(([short[character]] if character in short else []) + long)))
        else:
            result.append(character)
    return '"' + "".join(result) + '"'


keys = bare_keys | strings.flatmap(quoted)


@st.composite
def arrays(draw: st.DrawFn) -> str:
    gaps = st.lists(st.tuples(comments, st.just("\n"), spaces).map("".join), max_size=2).map("".join)
    values = [
        draw(spaces) + draw(gaps) + draw(quoted(draw(strings))) + draw(spaces) for _ in range(draw(st.integers(0, 3)))
    ]
    end = draw(st.sampled_from(["", ","])) if values else ""
    return "[" + ",".join(values) + end + draw(gaps) + "]"


@st.composite
def lines(draw: st.DrawFn) -> str:
    space = draw(spaces)
    kind = draw(st.sampled_from(["empty", "table", "tables", "string", "integer", "boolean", "array"]))
    path = f"{draw(spaces)}.{draw(spaces)}".join(draw(st.lists(keys, min_size=1, max_size=3)))
    if kind == "empty":
        return space + draw(comments)
    if kind == "table":
        return f"{space}[{path}]{space}{draw(comments)}"
    if kind == "tables":
        return f"{space}[[{path}]]{space}{draw(comments)}"
    if kind == "string":
        value = draw(quoted(draw(strings)))
    elif kind == "integer":
        value = draw(st.integers().map(str) | st.sampled_from(["+1", "-0", "+0", "1_000", "-1_2", "0"]))
    elif kind == "boolean":
        value = draw(st.sampled_from(["true", "false"]))
    else:
        value = draw(arrays())
    return f"{space}{draw(keys)}{space}={draw(spaces)}{value}{space}{draw(comments)}"


@given(st.lists(lines(), max_size=8), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n"]))
def test_what_is_made_of_these_parts_is_read_or_refused_as_by_tomllib(parts: list[str], newline: str, end: str) -> None:
    """Refused where a name is given twice, or is a table and something else."""
    text = newline.join(parts) + end
    expected = by_tomllib(text)
    if expected is None:
        with pytest.raises(ValueError, match=r"^line \d+: "):
            parse_subset(text)
    else:
        assert parse_subset(text) == expected


@given(
    st.sampled_from([path.read_text("utf-8") for path in MANIFESTS]),
    st.integers(0),
    st.text(max_size=3),
    st.integers(0, 3),
)
def test_an_edited_manifest_is_read_as_by_tomllib_or_refused(text: str, at: int, new: str, gone: int) -> None:
    at %= len(text)
    edited = text[:at] + new + text[at + gone :]
    try:
        found = parse_subset(edited)
    except ValueError:
        return
    assert found == tomllib.loads(edited)


@given(st.text("[]\"'\\.=#,\n\r\t ab1_-u0+\x00é", max_size=30))
def test_what_is_accepted_is_read_as_by_tomllib(text: str) -> None:
    try:
        found = parse_subset(text)
    except ValueError:
        return
    assert found == tomllib.loads(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1.5", 1),
        ("a = True", 1),
        ("a = trueish", 1),
        ("a = [true]", 1),
        ("a = 1979-05-27", 1),
        ("a = 0x10", 1),
        ("a = 01", 1),
        ("a = 1_", 1),
        ('a = """b"""', 1),
        ("a = '''b'''", 1),
        ("a = {b = 1}", 1),
        ("a.b = 1", 1),
        ("a = [1]", 1),
        ('a = [["b"]]', 1),
        ('a = "b', 1),
        ('a = "\\q"', 1),
        ('a = "\\ud800"', 1),
        ('a = "\\U00110000"', 1),
        ('a = "b" "c"', 1),
        ("\n\n[a", 3),
        ("[a]\n[a]", 2),
        ("[[a]]\n[a]", 2),
        ("a = 1\na = 2", 2),
        ('a = ["b"]\n[[a]]', 2),
        ('a = [\n  "b",\n  2,\n]', 3),
        ('a = [\n  "b"\n  "c"\n]', 3),
        ("# fine\n= 1", 2),
        ("a = 1 # \x01", 1),
        ("a = 1\rb = 2", 1),
        ("\ufeffa = 1", 1),
    ],
)
def test_anything_else_is_an_error_that_names_the_line(text: str, line: int) -> None:
    with pytest.raises(ValueError, match=rf"^line {line}: "):
        parse_subset(text)


def test_a_long_manifest_takes_no_longer_than_its_length_says() -> None:
    """No pattern here tries the same characters again and again."""
    text = "a = [" + '"b", # c\n' * 20_000 + ' "d" "'
    with pytest.raises(ValueError, match=r"^line 20001: "):
        parse_subset(text)
    with pytest.raises(ValueError, match=r"^line 1: "):
        parse_subset('a = "' + "\\\\b" * 100_000)
