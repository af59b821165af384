"""Python that comes with a model directory is read within limits, whatever it is, and never executed."""

from __future__ import annotations

import functools

import pytest

from kimi_tokenizers.model_dirs import assigned_text, outline, reading_python, same_code

NAME = "TikTokenTokenizer"

# What ends a parser, by the stack or by the size of what it makes.
DEEP = {
    "attributes": "x = a" + ".b" * 100_000,
    "calls": "x = a" + "()" * 100_000,
    "sums": "x = 1" + "+1" * 100_000,
    "signs": "x = " + "-" * 100_000 + "1",
    "parentheses": "x = " + "(" * 100_000 + ")" * 100_000,
    "elif": "if a:\n p\n" + "elif a:\n p\n" * 18_000,
    "bases": f"class {NAME}({'a.' * 100_000}b): pass",
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_python_is_not_read_and_that_is_said(kind: str) -> None:
    found = outline(DEEP[kind].encode(), NAME)
    assert found.unread or found.error.startswith("SyntaxError")
    assert found.bound is None


def test_long_python_is_not_read() -> None:
    found = outline(b"x\n" * (reading_python.SOURCE_BYTES // 2 + 1), NAME)
    assert found.unread == "it has more than 256 KB"


def test_nothing_is_executed() -> None:
    found = outline(b"raise SystemExit(1)\nclass TikTokenTokenizer: pass\n", NAME)
    assert (found.bound, found.error, found.unread) == (True, "", "")


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("class TikTokenTokenizer(A, b.C): pass", True),
        ("from x import Y as TikTokenTokenizer", True),
        ("TikTokenTokenizer = Other", True),
        ("class Other: pass", False),
        ("def f():\n    TikTokenTokenizer = 1", False),
        ("", False),
        ("from x import *", None),
        ("try:\n    from x import TikTokenTokenizer\nexcept ImportError:\n    class TikTokenTokenizer: pass", None),
    ],
)
def test_whether_the_class_is_there(source: str, bound: bool | None) -> None:
    assert outline(source.encode(), NAME).bound is bound


def test_what_is_no_python() -> None:
    assert outline(b"class TikTokenTokenizer(\n", NAME).error.startswith("SyntaxError: ")
    assert outline(b"x\0", NAME).error


def test_code_is_the_same_wherever_it_was_compiled_and_only_then() -> None:
    def code(source: str, name: str = "a.py") -> object:
        return compile(source, name, "exec")

    source = "def f(x):\n    return (lambda: x + 1)() if x in {'a', 'b'} else 0\n"
    assert same_code(code(source), code(source, "b.py"))  # type: ignore[arg-type]
    for one, other in (("+ 1", "- 1"), ("else 0", "else 0.0"), ("lambda:", "lambda *a:"), ("'b'", "'c'")):
        assert not same_code(code(source), code(source.replace(one, other)))  # type: ignore[arg-type]


def test_a_text_is_read_out_of_python_without_running_it() -> None:
    read = functools.partial(assigned_text, names=["pat_str", "pattern"])
    assert read(rb'pat_str = "|".join([r"a", r"b\s"])') == r"a|b\s"
    assert read(b'class T:\n    pat_str = "a" "b"\n') == "ab"
    assert read(b'pat_str = open("/etc/passwd").read()') is None
    assert read(b"x = 1") is None
    assert read(b"\0 not python") is None
    assert read(b"pat_str = 'a'\n" * reading_python.SOURCE_BYTES) is None


@pytest.mark.parametrize("kind", DEEP)
def test_no_text_is_read_out_of_deep_python(kind: str) -> None:
    assert assigned_text(f"pat_str = 'a'\n{DEEP[kind]}".encode(), ["pat_str"]) in (None, "a")
