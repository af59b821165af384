"""What an encoding remembers of texts that it has encoded makes it quicker, and changes no id."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

import kimi_tokenizers as kt
from kimi_tokenizers.overlays.common import tokenization_kimi as kimi
from kimi_tokenizers.overlays.common.tokenization_kimi import KimiEncoding, Prompt, Segment

TURNS = ("<|im_user|>user<|im_middle|>Why is the sky blue?<|im_end|>", "<|im_assistant|>assistant<|im_middle|>")
PARTS = (
    *TURNS,
    "<think>",
    "</think>",
    "[EOS]",
    "[BO",
    "S]",
    "<|im_",
    "end|>",
    " ",
    "\n\n",
    "a",
    "中文",
    "\ud83d",
    "\ude00",
)
texts = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of ten characters and more are remembered."""
    monkeypatch.setattr(kimi, "_CHAT", 10)


@pytest.fixture
def model() -> KimiEncoding:
    """One that remembers nothing yet."""
    known = kt.load().model
    return KimiEncoding(known._table, known._special_tokens)


def encode(model: Any, text: str) -> list[int]:
    ids: list[int] = model.encode(text, allowed_special="all")
    return ids


@pytest.mark.usefixtures("few")
@given(turns=st.lists(texts, min_size=1, max_size=6), others=st.lists(texts, max_size=3))
def test_a_text_that_grows_has_the_ids_it_would_have_alone(
    plain: tiktoken.Encoding, turns: list[str], others: list[str]
) -> None:
    known = kt.load().model
    model = KimiEncoding(known._table, known._special_tokens)
    text = ""
    for turn in turns:
        text += turn
        for one in (text, *others, text + "<", text[:-1]):
            assert encode(model, one) == encode(plain, one)


@pytest.mark.usefixtures("few")
@given(turns=st.lists(st.tuples(st.sampled_from(PARTS), st.booleans()), min_size=1, max_size=12))
def test_a_prompt_that_grows_has_the_ids_of_its_segments(turns: list[tuple[str, bool]]) -> None:
    known = kt.load("moonshotai/Kimi-K3").model
    model = KimiEncoding(known._table, known._special_tokens)
    for end in range(1, len(turns) + 1):
        segments = [Segment(*turn) for turn in turns[:end]]
        expected = [
            index
            for text, markup in segments
            for index in (encode(known, text) if markup else known.encode_ordinary(text))
        ]
        merged = Prompt([("".join(text for text, _ in segments), False)])
        for _ in range(2):
            assert encode(model, Prompt(segments)) == expected
            assert encode(model, merged) == known.encode_ordinary(str(merged))
            assert encode(model, str(merged)) == encode(known, str(merged))


@pytest.mark.parametrize("yes", [True, 2, "yes"])
@pytest.mark.parametrize("no", [False, None, ""])
def test_whether_a_segment_is_markup_may_be_said_in_any_way(model: KimiEncoding, yes: Any, no: Any) -> None:
    long, plain = encode(model, "word " * 4000), model.encode_ordinary("<|im_end|>a")
    assert encode(model, Prompt([("word " * 4000, no), ("<|im_end|>a", no)])) == long + plain
    assert encode(model, Prompt([("word " * 4000, no), ("<|im_end|>", yes), ("a", no)])) == [*long, 163586, 64]


def chat(turns: int) -> str:
    return "".join(TURNS) * turns


def test_only_what_is_new_is_encoded(model: KimiEncoding, plain: tiktoken.Encoding, monkeypatch: Any) -> None:
    encoded: list[str] = []
    real = KimiEncoding._encode_split

    def spy(self: KimiEncoding, splits: Any, threads: int) -> Any:
        encoded.extend(piece for split in splits for piece in split if isinstance(piece, str))
        return real(self, splits, threads)

    monkeypatch.setattr(KimiEncoding, "_encode_split", spy)
    first = encode(model, chat(1000))
    encoded.clear()
    text = chat(1000) + "Because.<|im_end|>" + chat(1) + "And"
    assert encode(model, text) == encode(plain, text)
    assert "".join(encoded) == "Because.userWhy is the sky blue?assistantAnd"
    encoded.clear()
    assert encode(model, chat(1000)[1:]) == encode(plain, chat(1000)[1:])
    assert len("".join(encoded)) > 10_000
    assert encode(model, chat(1000)) == first


def test_what_a_caller_does_to_ids_is_not_remembered(model: KimiEncoding) -> None:
    for text in ("hi", chat(1000), chat(1000) + "rest"):
        expected = list(encode(model, text))
        for _ in range(3):
            ids = encode(model, text)
            assert ids == expected
            ids[:] = [0]


def test_it_is_bounded(model: KimiEncoding) -> None:
    for number in range(12):
        encode(model, f"{number} " + chat(1000))
        encode(model, f"{number} " + "no control token " * 10_000)
    assert len(model._chats) == kimi._CHATS
    assert [chat.text.split()[0] for chat in model._chats] == ["11", "10", "9", "8"]
    encode(model, "long " + chat(1000) * 20)
    assert len(model._chats[0].text) < 50 * kimi._CHAT
    for number in range(3 * kimi._MOST_TINY):
        encode(model, str(number))
    assert len(model._tiny) <= kimi._MOST_TINY


def test_a_control_token_that_is_part_of_another_ends_no_beginning() -> None:
    table, names = kt.load().model._table, {"<a>": 163584, "<a>b": 163585, "[x]": 163586}
    model = KimiEncoding(table, names)
    text = "word <a>" * 4000
    for one in (text, text + "b", text + "bb", text + "b<a>"):
        assert encode(model, one) == encode(KimiEncoding(table, names), one)
    assert encode(model, text + "b")[-1] == 163585


def test_other_ways_to_encode_do_not_go_by_it(model: KimiEncoding, plain: tiktoken.Encoding) -> None:
    text = chat(1000)
    encode(model, text)
    encode(model, "[EO")
    assert model.encode_ordinary(text) == plain.encode_ordinary(text)
    assert model.encode(text, disallowed_special=()) == plain.encode(text, disallowed_special=())
    for arguments in ({}, {"allowed_special": "all", "disallowed_special": {"<|im_end|>"}}):
        with pytest.raises(ValueError, match="disallowed special token"):
            model.encode(text, **arguments)  # type: ignore[arg-type]


def test_threads_share_it(model: KimiEncoding, plain: tiktoken.Encoding) -> None:
    choice = random.Random(5)
    chats = [f"{number} " + chat(1000 + number) for number in range(8)]
    work = [one + chat(more) + "rest" for more in range(6) for one in chats] + ["hi", "Hello"] * 50
    choice.shuffle(work)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda text: encode(model, text), work))
    assert found == [encode(plain, text) for text in work]


def test_integers_are_shared_where_numpy_is_there(plain: tiktoken.Encoding, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Some words, and 中文 of them. " * 60_000
    expected = plain.encode_ordinary(text)
    monkeypatch.setattr(kimi, "_threads", lambda: 2)
    monkeypatch.setattr(kimi, "_MANY", 1000)
    model = kt.load().model
    assert isinstance(model._engine, kimi.Splintr)
    ids = model.encode_ordinary(text)
    assert ids == expected
    assert {type(index) for index in ids} == {int}
    assert len({id(index) for index in ids}) == len(set(ids))
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert model.encode_ordinary(text) == expected
