"""Token ids: equal to a plain `tiktoken.Encoding` built from the facts, for every text and every way to ask."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import tiktoken
from conftest import NAMED, OVERLAYS, PATTERN, as_text, control_names
from encoding_texts import (
    GOLDEN,
    NEIGHBOURS,
    WHITE_SPACE,
    control,
    outcome,
    pieces,
    runs,
    spaced,
    texts,
    white,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kimi_tokenizers.overlays.common import tokenization_kimi
from kimi_tokenizers.overlays.common.tokenization_kimi import KimiEncoding, TikTokenTokenizer


@pytest.fixture(scope="module", params=["splintr", pytest.param("tiktoken", marks=pytest.mark.slow)])
def tokenizer(request: pytest.FixtureRequest) -> TikTokenTokenizer:
    """The class as a model directory has it, with either engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(tokenization_kimi.ENGINE_VARIABLE, request.param)
        tokenizer = TikTokenTokenizer(OVERLAYS / "common" / "tiktoken.model")
        assert isinstance(tokenizer.model._engine, tokenization_kimi.Splintr) == (request.param == "splintr")
    return tokenizer


@contextmanager
def small_strides(stride: int) -> Iterator[None]:
    """Make runs of `2 * stride` whitespace characters long ones, so that short texts reach what is for long texts."""
    saved = tokenization_kimi._STRIDE, tokenization_kimi._SHORT
    tokenization_kimi._STRIDE, tokenization_kimi._SHORT = stride, 0
    tokenization_kimi._long_run.cache_clear()
    try:
        yield
    finally:
        tokenization_kimi._STRIDE, tokenization_kimi._SHORT = saved
        tokenization_kimi._long_run.cache_clear()


# Known answers


@pytest.mark.parametrize("row", GOLDEN, ids=range(len(GOLDEN)))
def test_golden_row(row: dict[str, Any], lines: dict[str, TikTokenTokenizer]) -> None:
    tokenizer, text, ids = lines[row["line"]], row["text"], row["ids"]
    allowed = row["special"] == "all"
    if allowed:
        assert tokenizer.model.encode(text, allowed_special="all") == ids
    else:
        assert tokenizer.model.encode_ordinary(text) == ids
        assert tokenizer.model.encode(text, disallowed_special=()) == ids
    assert tokenizer.encode(text, allow_special_tokens=allowed) == ids
    assert tokenizer(text, split_special_tokens=not allowed)["input_ids"] == ids
    assert tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text, split_special_tokens=not allowed)) == ids
    assert tokenizer.decode(ids) == as_text(text)


def test_golden_rows_cover_both_ways_and_every_line_named() -> None:
    assert {row["special"] for row in GOLDEN} == {"all", "none"}
    assert len(GOLDEN) == 431


@pytest.mark.parametrize("special", ["all", "none"])
def test_golden_rows_as_a_batch(special: str, lines: dict[str, TikTokenTokenizer]) -> None:
    for line in sorted({row["line"] for row in GOLDEN}):
        rows = [row for row in GOLDEN if row["special"] == special and row["line"] == line]
        expected = [row["ids"] for row in rows]
        batch = [row["text"] for row in rows]
        if not batch:
            continue
        assert lines[line](batch, split_special_tokens=special == "none")["input_ids"] == expected
        if special == "all":
            assert lines[line].model.encode_batch(batch, allowed_special="all") == expected
        else:
            assert lines[line].model.encode_ordinary_batch(batch) == expected


def test_the_pattern_is_the_published_one(tokenizer: TikTokenTokenizer) -> None:
    assert tokenizer.pat_str == tokenizer.model._pat_str == PATTERN


def test_the_vocabulary_is_the_published_one(tokenizer: TikTokenTokenizer, ranks: dict[bytes, int]) -> None:
    assert tokenizer.model._mergeable_ranks == ranks
    assert sorted(ranks.values()) == list(range(163584))
    assert tokenizer.special_tokens == tokenizer.model._special_tokens == control_names(NAMED)
    assert tokenizer.model.n_vocab == 163840
    assert isinstance(tokenizer.model, tiktoken.Encoding)


# Every text


@given(texts)
@example("<|<|im_end|>")
@example("<|im_end|><|im_end|>|>")
@example("don'ſ K's")
@example("\ud83d")
def test_every_text_with_control_tokens(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, text: str) -> None:
    expected = plain.encode(text, allowed_special="all")
    assert tokenizer.model.encode(text, allowed_special="all") == expected
    assert tokenizer.encode(text) == expected
    assert tokenizer.encode(text, add_special_tokens=False) == expected
    assert tokenizer(text)["input_ids"] == expected
    assert tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text)) == expected
    assert tokenizer.decode(expected) == as_text(text)
    assert tokenizer.convert_tokens_to_string(tokenizer.tokenize(text)) == as_text(text)


@given(texts)
def test_every_text_as_plain_text(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, text: str) -> None:
    expected = plain.encode_ordinary(text)
    assert tokenizer.model.encode_ordinary(text) == expected
    assert tokenizer.model.encode(text, disallowed_special=()) == expected
    assert tokenizer.encode(text, allow_special_tokens=False) == expected
    assert tokenizer.encode(text, split_special_tokens=True) == expected
    assert tokenizer(text, split_special_tokens=True)["input_ids"] == expected
    assert tokenizer.decode(expected) == as_text(text)


@given(texts, st.sampled_from(["", " ", "word ", "漢", "\n", "<|im_end|>"]), st.booleans())
def test_every_text_beside_a_long_one(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, text: str, filler: str, behind: bool
) -> None:
    """Long texts take another path. 4,096 is where it begins."""
    padding = filler * (4096 // max(1, len(filler)))
    text = text + padding if behind else padding + text
    assert tokenizer.model.encode(text, allowed_special="all") == plain.encode(text, allowed_special="all")
    assert tokenizer.model.encode_ordinary(text) == plain.encode_ordinary(text)


@given(st.lists(texts, max_size=4))
def test_batches(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, batch: list[str]) -> None:
    with_control = plain.encode_batch(batch, allowed_special="all")
    assert tokenizer.model.encode_batch(batch, allowed_special="all") == with_control
    assert tokenizer.model.encode_batch(batch, disallowed_special=()) == plain.encode_ordinary_batch(batch)
    assert tokenizer.model.encode_ordinary_batch(batch) == plain.encode_ordinary_batch(batch)
    assert tokenizer.model.decode_batch(with_control) == [as_text(text) for text in batch]
    if batch:
        assert tokenizer(batch)["input_ids"] == with_control
        assert tokenizer.batch_decode(with_control) == [as_text(text) for text in batch]


# Which control tokens are allowed

allowed_sets: st.SearchStrategy[Any] = st.one_of(
    st.just("all"),
    st.sets(st.one_of(control, st.sampled_from(["unknown", "a", ""])), max_size=5),
    st.frozensets(control, max_size=5),
)
disallowed: st.SearchStrategy[Any] = st.one_of(
    st.just("all"),
    st.just(()),
    st.sets(st.one_of(control, st.sampled_from(["unknown", "a", " ", "漢"])), max_size=3),
    st.frozensets(control, max_size=3),
    st.lists(control, max_size=3),
    st.tuples(control),
)


@settings(max_examples=250)
@given(texts, allowed_sets, disallowed, st.sampled_from([None, 1, 2, 5]))
@example("a", set(), {"a"}, None)
@example("<|im_end|>", "all", {"<|im_end|>"}, None)
@example("<|im_end|>", {"<|im_end|>"}, ["<|im_end|>"], 1)
def test_allowed_and_disallowed_control_tokens(
    tokenizer: TikTokenTokenizer,
    plain: tiktoken.Encoding,
    text: str,
    allowed: Any,
    forbidden: Collection[str],
    stride: int | None,
) -> None:
    def ask(encoding: tiktoken.Encoding) -> Any:
        return outcome(lambda: encoding.encode(text, allowed_special=allowed, disallowed_special=forbidden))

    expected = ask(plain)
    if stride is None:
        assert ask(tokenizer.model) == expected
    else:
        with small_strides(stride):
            assert ask(tokenizer.model) == expected


@pytest.mark.parametrize("filler", ["", "x" * 5000, " " * 10000], ids=["short", "long", "long run"])
def test_a_control_token_that_is_disallowed_is_an_error(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, filler: str
) -> None:
    text = f"{filler}Hello<|im_end|>{filler}"
    with pytest.raises(ValueError, match=re.escape("disallowed special token '<|im_end|>'")) as expected:
        plain.encode(text)
    with pytest.raises(ValueError, match="disallowed special token") as caught:
        tokenizer.model.encode(text)
    assert type(caught.value) is type(expected.value)
    assert str(caught.value) == str(expected.value)


@pytest.mark.parametrize("filler", ["", "x" * 5000, " " * 10000], ids=["short", "long", "long run"])
def test_any_text_can_be_disallowed(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, filler: str) -> None:
    text = f"{filler}a secret{filler}"
    for forbidden in ({"secret"}, ["secret"], frozenset({"secret"}), ("secret",)):
        with pytest.raises(ValueError, match="disallowed special token 'secret'"):
            tokenizer.model.encode(text, disallowed_special=forbidden)
    assert tokenizer.model.encode(text, disallowed_special={"other"}) == plain.encode(text)


@pytest.mark.parametrize(
    "text", ["a<|im_end|>", "a", " " * 10000 + "<|im_end|>"], ids=["short", "without one", "long run"]
)
def test_a_list_of_allowed_tokens_is_refused_as_by_tiktoken(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, text: str
) -> None:
    names: Any = ["<|im_end|>"]
    with pytest.raises(TypeError):
        plain.encode(text, allowed_special=names)
    with pytest.raises(TypeError):
        tokenizer.model.encode(text, allowed_special=names)


# Long runs of whitespace


@settings(max_examples=400)
@given(spaced, st.integers(1, 8))
@example("! \n\n  \n", 1)
@example("!\n\n\n\n   a", 2)
@example("!\r\n \r\n \u3000 \u0301", 1)
def test_runs_are_cut_where_the_pattern_cuts(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, text: str, stride: int
) -> None:
    expected = plain.encode_ordinary(text)
    with small_strides(stride):
        assert tokenizer.model.encode_ordinary(text) == expected
        assert tokenizer.model.encode(text, disallowed_special=()) == expected


@settings(max_examples=300)
@given(texts, st.integers(1, 8))
def test_runs_among_control_tokens(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, text: str, stride: int
) -> None:
    expected = plain.encode(text, allowed_special="all")
    ordinary = plain.encode_ordinary(text)
    with small_strides(stride):
        assert tokenizer.model.encode(text, allowed_special="all") == expected
        assert tokenizer.model.encode_ordinary(text) == ordinary


@pytest.mark.parametrize("before", NEIGHBOURS, ids=ascii)
def test_every_neighbour_of_a_run(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, before: str) -> None:
    gaps = (
        "    ",
        "\n   ",
        "   \n",
        "\r\n  \n ",
        "\n\n\n\n",
        "\u3000\x85\n\u2028",
        "\u2029 \t ",
        "\r\r \r\u00a0 \u00a0",
    )
    texts = [f"{before}{gap}{after}" for gap in gaps for after in ("", *NEIGHBOURS)]
    expected = [plain.encode_ordinary(text) for text in texts]
    with small_strides(2):
        assert [tokenizer.model.encode_ordinary(text) for text in texts] == expected


def test_the_white_space_is_that_of_the_engine(plain: tiktoken.Encoding) -> None:
    """One character too many or too few in `_SPACE` would change ids."""
    bytewise = {bytes([value]): value for value in range(256)}
    ours = {chr(c) for c in range(0x110000) if tokenization_kimi._SPACE_PAIR.search(chr(c) * 2)}
    assert ours == set(WHITE_SPACE)
    engine = tiktoken.Encoding("s", pat_str=r"\s", mergeable_ranks=bytewise, special_tokens={})
    every = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    assert bytes(engine.encode_ordinary(every)).decode() == WHITE_SPACE


@pytest.mark.parametrize("character", WHITE_SPACE, ids=ascii)
def test_real_long_runs(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, character: str) -> None:
    for length in (8191, 8192, 8321):  # no more: tiktoken before 0.13 takes long
        run = character * length
        expected = plain.encode_ordinary(run)
        assert tokenizer.model.encode_ordinary(run) == expected
        assert tokenizer.model.encode(run, allowed_special="all") == expected
    text = f"x.{character * 8200}\u0301y<|im_end|>{character * 8195}\n{character}!"
    assert tokenizer.model.encode(text, allowed_special="all") == plain.encode(text, allowed_special="all")
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("length", [8192, 8193, 12287, 12289, 16384, 20000])
def test_long_runs_of_spaces(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, length: int) -> None:
    for before, after in (("", ""), ("a", "b"), ("!", "!"), ("\n", "\n"), ("1", "1"), ("<|im_end|>", "<|im_end|>")):
        text = before + " " * length + after
        assert tokenizer.encode(text) == plain.encode(text, allowed_special="all")


@settings(max_examples=25)
@given(
    st.lists(st.one_of(white, runs), min_size=1, max_size=4).map("".join).filter(bool),
    st.integers(8000, 9000),
    st.sampled_from(["", *NEIGHBOURS]),
    st.sampled_from(["", *NEIGHBOURS]),
)
def test_long_mixed_runs(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, unit: str, length: int, before: str, after: str
) -> None:
    text = before + (unit * length)[:length] + after
    assert tokenizer.model.encode_ordinary(text) == plain.encode_ordinary(text)


@pytest.mark.parametrize("character", WHITE_SPACE, ids=ascii)
def test_a_run_of_one_character_is_its_unit_repeated(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, character: str
) -> None:
    """Runs of any length, not only long ones, against byte pair encoding of the whole run."""
    encoding = tokenizer.model
    assert isinstance(encoding, KimiEncoding)
    for length in range(1, 300):
        run = character * length
        expected = plain._encode_single_piece(run)
        for stride in (1, 2, 3, 64):
            with small_strides(stride):
                assert encoding._encode_run(run) == expected


MILLIONS = 5_000_000


def spaces(plain: tiktoken.Encoding, length: int) -> list[int]:
    """Ids of a piece of spaces: 256 of them are the longest token; the rest is what tiktoken makes of it."""
    longest = plain.encode_single_token(b" " * 256)
    assert plain._encode_single_piece(" " * 1024) == [longest] * 4
    return [longest] * (length // 256 - 4) + plain._encode_single_piece(" " * (1024 + length % 256))


@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), ("word", "!"), ("x.", "\ny"), ("<|im_user|>", "<|im_end|>"), ("\n", "\n")],
)
def test_five_million_spaces(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, before: str, after: str) -> None:
    ids = tokenizer.encode(before + " " * MILLIONS + after)
    # What surrounds the run comes from tiktoken itself, with 1,024 spaces in place of the five million.
    short = plain.encode(before + " " * (1024 + MILLIONS % 256) + after, allowed_special="all")
    longest = plain.encode_single_token(b" " * 256)
    first = short.index(longest)
    assert ids == short[:first] + [longest] * (MILLIONS // 256 - 4) + short[first:]
    assert tokenizer.decode(ids) == before + " " * MILLIONS + after


def test_five_million_spaces_by_every_way_of_asking(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding) -> None:
    text = " " * MILLIONS
    expected = spaces(plain, MILLIONS)
    assert tokenizer.model.encode_ordinary(text) == expected
    assert tokenizer.model.encode(text) == expected
    assert tokenizer.model.encode_batch([text, "a"]) == [expected, [64]]
    assert tokenizer.model.encode_ordinary_batch([text]) == [expected]
    assert tokenizer.model.encode_to_numpy(text).tolist() == expected
    assert tokenizer(text)["input_ids"] == expected
    assert tokenizer.encode(text, allow_special_tokens=False) == expected


def test_tiktoken_alone_cannot_encode_them(plain: tiktoken.Encoding) -> None:
    """The reason for the code that these tests are about. If this fails, it can go."""
    with pytest.raises(ValueError, match="Max stack size exceeded"):
        plain.encode(" " * MILLIONS)


def test_many_long_runs_in_one_text(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding) -> None:
    mixed = " " * 9000 + "\n" + "\t" * 9001 + "\u3000" * 8500 + " \t" * 50 + " " * 8195
    for text in (mixed, f"a{mixed}b", f"!{mixed}\r\n", f"{mixed}<|im_end|>{mixed}"):
        assert tokenizer.encode(text) == plain.encode(text, allowed_special="all")
    text = "".join(f"{word}{' ' * 8300}" for word in ("a", "B.", "1", "漢", "!\n", "'s", "<|im_end|>", "\u0301"))
    assert tokenizer.encode(text) == plain.encode(text, allowed_special="all")
    assert tokenizer.model.encode_ordinary(text) == plain.encode_ordinary(text)


@given(st.text(st.sampled_from(" \n\t"), max_size=4), texts, st.integers(1, 3))
def test_numpy_ids(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, gap: str, text: str, stride: int) -> None:
    text = as_text(text + gap * 4 + text)
    expected = plain.encode(text, allowed_special="all")
    with small_strides(stride):
        array = tokenizer.model.encode_to_numpy(text, allowed_special="all")
    assert array.dtype == "uint32"
    assert array.tolist() == expected


# The object


def test_a_pickled_encoding_is_the_same(tokenizer: TikTokenTokenizer) -> None:
    text = "Hello, 世界!<|im_end|>" + " " * 9000
    expected = tokenizer.model.encode(text, allowed_special="all")
    for other in (
        pickle.loads(pickle.dumps(tokenizer.model)),
        copy.copy(tokenizer.model),
        copy.deepcopy(tokenizer.model),
    ):
        assert type(other) is type(tokenizer.model) is KimiEncoding
        assert other.encode(text, allowed_special="all") == expected
        assert other.special_tokens_set == tokenizer.model.special_tokens_set


def test_single_tokens(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding) -> None:
    for name, index in control_names(NAMED).items():
        assert tokenizer.model.encode(name, allowed_special="all") == [index]
        assert tokenizer.model.encode_single_token(name) == index
        assert tokenizer.model.decode([index]) == name
        assert tokenizer.encode(name) == [index]
        assert tokenizer.encode(name, allow_special_tokens=False) == plain.encode_ordinary(name)


@pytest.mark.parametrize("line", ["kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5"])
@settings(max_examples=60)
@given(text=texts)
def test_the_other_lines(lines: dict[str, TikTokenTokenizer], ranks: dict[bytes, int], line: str, text: str) -> None:
    named = dict(NAMED)
    if line != "kimi-k2.5":
        named = {name: value for name, value in named.items() if "media" not in name}
    if line == "kimi-k2-instruct":
        named = {name: value for name, value in named.items() if "think" not in name}
    expected = _plain_of(line, ranks, named).encode(text, allowed_special="all")
    assert lines[line].encode(text) == expected
    assert lines[line].decode(expected) == as_text(text)


_PLAIN: dict[str, tiktoken.Encoding] = {}


def _plain_of(line: str, ranks: dict[bytes, int], named: dict[str, tuple[int, bool]]) -> tiktoken.Encoding:
    if line not in _PLAIN:
        _PLAIN[line] = tiktoken.Encoding(
            line, pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=control_names(named)
        )
    return _PLAIN[line]


# ---------------------------------------------------------------------------------------------------------------------
# Threads: a text in parts, whose ids are those of the whole.


@contextmanager
def small_parts(length: int, threads: int = 3) -> Iterator[None]:
    """Texts of `length` characters and more are encoded by several threads, in parts of about that length."""
    with pytest.MonkeyPatch.context() as patch:
        for limit in ("_LONG", "_PART"):
            patch.setattr(tokenization_kimi, limit, length)
        for engine in (tokenization_kimi.Engine, tokenization_kimi.Splintr):
            patch.setattr(engine, "group", 2 * length)
        patch.setattr(tokenization_kimi, "_SHORT", 0)
        patch.setattr(tokenization_kimi, "_threads", lambda: threads)
        yield


jointed = st.lists(
    st.one_of(
        pieces, st.sampled_from(["word, ", "漢字。", "a.", "Z ", "don't ", "x 's", "龥，", "一\n", "q: ", "ab,,"])
    ),
    max_size=12,
).map("".join)


@settings(max_examples=300)
@given(st.lists(jointed, max_size=3), st.sampled_from([4, 1_000_000]), st.booleans())
def test_counts_of_a_batch(tokenizer: TikTokenTokenizer, batch: list[str], length: int, control: bool) -> None:
    with small_parts(length):
        model = tokenizer.model
        ids = model.encode_batch(batch, allowed_special="all") if control else model.encode_ordinary_batch(batch)
        assert model.count_batch(batch, control_tokens=control) == [*map(len, ids)]


@given(jointed, st.integers(2, 30))
@example("a \n b", 2)
@example("a  's x,\n\ny", 2)
def test_parts_meet_where_the_pattern_cuts(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, text: str, length: int
) -> None:
    with small_parts(length):
        assert tokenizer.model.encode(text, allowed_special="all") == plain.encode(text, allowed_special="all")
        assert tokenizer.model.encode_ordinary(text) == plain.encode_ordinary(text)


@settings(max_examples=100)
@given(jointed, allowed_sets, disallowed, st.integers(2, 30))
def test_parts_with_allowed_and_disallowed_control_tokens(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, text: str, allowed: Any, banned: Any, length: int
) -> None:
    arguments = {"allowed_special": allowed, "disallowed_special": banned}
    with small_parts(length):
        ours = outcome(lambda: tokenizer.model.encode(text, **arguments))
    assert ours == outcome(lambda: plain.encode(text, **arguments))


@pytest.mark.parametrize("joint", ["word, word. word\n", "漢字。漢字，漢字！"])
def test_every_character_beside_a_joint(tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, joint: str) -> None:
    with small_parts(3):
        for neighbour in NEIGHBOURS:
            text = f"{joint}{neighbour}{joint} {neighbour} {joint}"
            assert tokenizer.model.encode_ordinary(text) == plain.encode_ordinary(text), neighbour


def test_a_long_text_is_in_fact_encoded_in_parts(tokenizer: TikTokenTokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    engine = type(tokenizer.model._engine)
    each = engine.encode_each

    def spy(self: Any, texts: list[str], *rest: Any) -> Any:
        seen.extend(texts)
        return each(self, texts, *rest)

    monkeypatch.setattr(engine, "encode_each", spy)
    monkeypatch.setattr(tokenization_kimi, "_threads", lambda: 2)
    text = "Some words, and more of them. " * 20_000
    ids = tokenizer.model.encode(text, allowed_special="all")
    assert len(seen) > 1
    assert "".join(seen) == text
    assert ids == tokenizer.model._core_bpe.encode_ordinary(text)


def test_no_control_token_is_cut(tokenizer: TikTokenTokenizer, ranks: dict[bytes, int]) -> None:
    special = {"<end, of all>": 163584}
    ours = KimiEncoding(tokenizer.model._table, special)
    theirs = tiktoken.Encoding("theirs", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)
    text = "<end, of all>" * 50
    with small_parts(5):
        assert ours.encode(text, allowed_special="all") == theirs.encode(text, allowed_special="all") == [163584] * 50


def test_hugging_faces_variable_turns_threads_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    assert tokenization_kimi._threads() == 1
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    assert 1 <= tokenization_kimi._threads() <= 8


MEDIUM = "Some words, and more of them. " * 1_000  # long enough for a thread of its own, too short for several


def no_threads(*_: Any, **__: Any) -> Any:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("batch", [[MEDIUM] * 10, [MEDIUM * 10, "short"]], ids=["medium", "long"])
def test_batches_without_threads(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, batch: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenization_kimi, "_threads", lambda: 2)
    monkeypatch.setattr(tokenization_kimi, "ThreadPoolExecutor", no_threads)
    expected = [plain.encode(text, allowed_special="all") for text in batch]
    assert tokenizer.model.encode_batch(batch, allowed_special="all") == expected
    assert tokenizer.model.encode_ordinary_batch(batch) == expected
    assert tokenizer.model.count_batch(batch) == [*map(len, expected)]
    assert tokenizer(batch)["input_ids"] == expected


def test_how_many_threads_batches_take(tokenizer: TikTokenTokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def pool(threads: int) -> Any:
        taken.append(threads)
        return ThreadPoolExecutor(threads)

    monkeypatch.setattr(tokenization_kimi, "ThreadPoolExecutor", pool)
    monkeypatch.setattr(tokenization_kimi, "_threads", lambda: 3)
    texts = [f"{MEDIUM}{number}" for number in range(10)]
    tokenizer.model.encode_ordinary_batch(texts)
    tokenizer.model.encode_ordinary_batch(texts, num_threads=2)
    tokenizer.model.encode_ordinary_batch([MEDIUM * 10, MEDIUM * 10])
    assert taken == ([3, 2, 3] if type(tokenizer.model._engine) is tokenization_kimi.Engine else [3])
    monkeypatch.undo()
    monkeypatch.setattr(tokenization_kimi, "ThreadPoolExecutor", no_threads)
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    assert len(tokenizer.model.encode_ordinary_batch([MEDIUM * 10] * 2)) == 2


def test_what_is_disallowed_in_a_batch_may_be_an_iterator(tokenizer: TikTokenTokenizer) -> None:
    with pytest.raises(ValueError, match="disallowed special token"):
        tokenizer.model.encode_batch(["hi", "<|im_end|>"], disallowed_special=iter(["<|im_end|>"]))  # type: ignore[arg-type]


def test_a_long_text_while_python_shuts_down() -> None:
    """No thread can be started then."""
    code = (
        "import atexit, kimi_tokenizers as kt; from kimi_tokenizers.overlays.common import tokenization_kimi as kimi; "
        "kimi._threads = lambda: 2; model = kt.load().model; text = 'Some words, and more. ' * 20_000; "
        "expected = model.encode(text, allowed_special='all'); "
        "atexit.register(lambda: print(model.encode(text, allowed_special='all') == expected))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_a_long_text_in_a_forked_process() -> None:
    """The threads of the parent are not there, and none is waited for."""
    code = (
        "import os, kimi_tokenizers as kt; from kimi_tokenizers.overlays.common import tokenization_kimi as kimi; "
        "kimi._threads = lambda: 2; model = kt.load().model; text = 'Some words, and more. ' * 20_000; "
        "expected = model.encode(text, allowed_special='all'); child = os.fork(); "
        "same = model.encode(text, allowed_special='all') == expected; child and os.waitpid(child, 0); print(same)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["True", "True"]


# ---------------------------------------------------------------------------------------------------------------------
# Names of control tokens as one regular expression.


@given(
    st.lists(st.text(st.sampled_from("ab|<>[]^-\\&~. \n"), min_size=1, max_size=5), min_size=1, max_size=8), st.data()
)
def test_the_longest_name_that_fits_is_found(names: list[str], data: st.DataObject) -> None:
    text = data.draw(st.lists(st.sampled_from([*names, "a", "<"]), max_size=8).map("".join))
    by_length = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))
    by_beginnings = re.compile(tokenization_kimi._alternatives(names))
    assert by_beginnings.findall(text) == by_length.findall(text)


def test_names_of_any_length_make_an_expression() -> None:
    """One that is nested a level a character would be too deep for Python."""
    names = ["a" * length for length in range(1, 2000)] + ["b" * 5000]
    found = re.compile(tokenization_kimi._alternatives(names)).findall("a" * 1500 + "c" + "b" * 5000)
    assert found == ["a" * 1500, "b" * 5000]


class Index:
    """An integer that can be nothing else, not even compared."""

    def __init__(self, index: int) -> None:
        self._index = index

    def __index__(self) -> int:
        return self._index


@pytest.mark.parametrize("count", [1, 100, 3000])
def test_ids_of_any_class_of_integers_are_decoded(tokenizer: TikTokenTokenizer, count: int) -> None:
    for index, token in ((19180, "Hello"), (163586, "<|im_end|>")):
        assert tokenizer.model.decode([Index(index)] * count) == token * count  # type: ignore[list-item]
        assert tokenizer.model.decode(deque([index]) * count) == token * count
    with pytest.raises(TypeError, match="integer"):
        tokenizer.model.decode([19180, "a"] * count)  # type: ignore[list-item]
