"""`count`: the parts of a text have the ids of the whole, whatever it is and however it is read."""

from __future__ import annotations

import functools
import io
import itertools
import os
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import as_text
from encoding_texts import CONTROL, pieces, texts
from hypothesis import example, given
from hypothesis import strategies as st

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import InputError
from kimi_tokenizers.tokenizer import Count, check_files, count_files, counting

if TYPE_CHECKING:
    import tiktoken

MODEL = "moonshotai/Kimi-K2.6"
ENCODING = functools.cache(counting.encoding)

beside = st.one_of(
    pieces,
    st.sampled_from(
        [*'abzAZ019.,;:!?()"={}，。、；：！？「」（）', "Яа", "Σω", "ぁヺ", "가", "א", "\r", "\n", " \n", "\u3000"]
    ),
)


def blocks(text: str, size: int) -> Iterator[bytes]:
    data = text.encode("utf-8")
    return (data[start : start + size] for start in range(0, len(data), size))


@given(st.one_of(texts, st.lists(beside, max_size=14).map("".join)))
@example("a \n b’s ,1a\r\n\r\nx")
def test_a_text_is_the_sum_of_its_smallest_parts(plain: tiktoken.Encoding, text: str) -> None:
    text = as_text(text)
    ends = [match.end() for match in counting.CUT.finditer(text)]
    parts = [text[start:end] for start, end in itertools.pairwise([0, *ends, len(text)])]
    for encode in (plain.encode_ordinary, lambda part: plain.encode(part, allowed_special="all")):
        assert [index for part in parts for index in encode(part)] == encode(text)


@given(st.one_of(texts, st.lists(beside, max_size=14).map("".join)), st.integers(1, 9))
def test_parts_are_the_text_in_whatever_blocks_it_is_read(text: str, size: int) -> None:
    text = as_text(text)
    parts = [*counting.texts_of(blocks(text, size), "x")]
    assert "".join(parts) == text
    assert all(counting.CUT.match(text, end - 1) for end in itertools.accumulate(map(len, parts[:-1])))


@given(st.lists(texts.map(as_text), max_size=4), st.integers(1, 40), st.booleans())
def test_counts_are_those_of_whole_texts(
    tmp_path_factory: pytest.TempPathFactory, plain: tiktoken.Encoding, contents: list[str], size: int, control: bool
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    files = [folder / str(number) for number, _ in enumerate(contents)]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content.encode("utf-8"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "BLOCK", size)
        patch.setattr(counting, "_BATCH", 3 * size)
        patch.setattr(counting, "encoding", ENCODING)
        found = [*count_files([*map(str, files)], MODEL, control_tokens=control)]
    encode = plain.encode_ordinary if not control else lambda text: plain.encode(text, allowed_special="all")
    assert found == [
        Count(str(file), len(encode(text)), len(text), len(text.encode()))
        for file, text in zip(files, contents, strict=True)
    ]


def test_no_control_token_can_be_cut() -> None:
    names = [name for overlay in catalogue.overlays().values() for name in overlay.control_tokens().values()]
    assert not [name for name in [*names, *CONTROL] if counting.CUT.search(name)]


def test_it_cuts_texts_of_every_kind() -> None:
    for text in ("ein Wort ", "слово ", "слово\n", "漢字。", "かな、", "한국어 ", "x=1;", "Zm9vYmFy1", "ไทย\n", "👍 "):
        *parts, last = counting.texts_of(blocks(text * 50, 40), "x")
        assert parts
        assert max(map(len, [*parts, last])) < 80


def test_what_cannot_be_cut_is_held_up_to_a_bound() -> None:
    for unit in ("x", " ", "\n", "!", "12"):
        assert [*counting.texts_of(blocks(unit * 100, 10), "x", longest=300)] == [unit * 100]
        with pytest.raises(InputError, match=r"'x' has 99 characters in a row that cannot be cut"):
            [*counting.texts_of(blocks(unit * 100, 10), "x", longest=99)]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"caf\xe9", "byte 3 is 0xe9"),
        ("é漢👍 ".encode() * 5 + b"\xff. ", "byte 50 is 0xff"),
        ("漢字".encode()[:-1], "byte 3 is 0xe5"),
        (b"ok \xed\xa0\x80 ", "byte 3 is 0xed"),
    ],
)
def test_the_byte_that_is_not_utf_8_is_named(data: bytes, place: str, size: int) -> None:
    with pytest.raises(InputError, match=place):
        [*counting.texts_of((data[start : start + size] for start in range(0, len(data), size)), "x")]


class Endless(io.RawIOBase):
    """A stream of 20 MB, of which nothing is kept."""

    left = 20_000_000

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        unit = b"word " * (min(len(buffer), self.left) // 5)
        buffer[: len(unit)] = unit
        self.left -= len(unit)
        return len(unit)


def test_memory_does_not_grow_with_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Endless())))
    monkeypatch.setattr(counting, "_BATCH", 100_000)
    monkeypatch.setattr(counting, "encoding", lambda model: Words())
    tracemalloc.start()
    [counted] = count_files(["-"], MODEL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (counted.bytes, counted.tokens) == (20_000_000, 4_000_000)
    assert peak < 8_000_000


class Words:
    """An encoding that counts words: this is about memory."""

    def count_batch(self, texts: list[str], **arguments: bool) -> list[int]:
        return [text.count("w") for text in texts]


def test_what_cannot_be_read_is_said_before_anything_is_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text").write_text("x")
    monkeypatch.setattr(counting, "encoding", None)
    for bad, said in ((tmp_path / "none", "No such file"), (tmp_path, "is a folder"), ("a\0b", "null")):
        with pytest.raises(InputError, match=said):
            [*count_files([str(tmp_path / "text"), str(bad)], MODEL)]
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="Permission denied"):
        check_files([str(tmp_path / "text")])


def test_the_files_before_a_bad_one_are_counted(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("Hello, world!")
    (tmp_path / "bad").write_bytes(b"\xff")
    found = count_files([str(tmp_path / "good"), str(tmp_path / "bad")], MODEL)
    assert next(found).tokens == 4
    with pytest.raises(InputError, match="not UTF-8"):
        next(found)


def test_progress_says_what_is_read_and_how_much_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "BLOCK", 100)
    monkeypatch.setattr(counting, "_BATCH", 100)
    said: list[tuple[str, int]] = []
    for name in "ab":
        (tmp_path / name).write_text("word " * 100)
    files = [str(tmp_path / name) for name in "ab"]
    assert check_files(files) == 1000
    [*count_files(files, MODEL, progress=lambda file, done: said.append((Path(file).name, done)))]
    assert (said[0], said[-1][0]) == (("a", 0), "b")
    assert [done for _, done in said] == sorted(done for _, done in said)
    assert ("b", 500) in said
