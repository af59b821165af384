"""`return_offsets_mapping`: where in a text its tokens lie, with everything else as it is without offsets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from encoding_texts import outcome, texts
from hypothesis import example, given, settings
from hypothesis import strategies as st

import kimi_tokenizers as kt
from kimi_tokenizers.overlays.common.tokenization_kimi import (
    Prompt,
    Segment,
    TextTypeError,
    TikTokenTokenizer,
)

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

OPTIONS: dict[str, list[Any]] = {
    "padding": [True, "max_length"],
    "truncation": [True, "only_first", "only_second", "longest_first"],
    "max_length": [None, 1, 2, 5, 9],
    "stride": [1, 2],
    "pad_to_multiple_of": [4],
    "padding_side": ["left", "right"],
    "add_special_tokens": [True, False],
    "return_attention_mask": [True, False],
    "return_token_type_ids": [True],
    "return_special_tokens_mask": [True],
    "return_overflowing_tokens": [True],
    "return_length": [True],
    "return_tensors": ["np"],
}
options: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"verbose": st.just(False)}, optional={key: st.sampled_from(values) for key, values in OPTIONS.items()}
)
emoji = "👩‍👩‍👧"
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
written = st.one_of(
    texts.map(lambda text: PAIR.sub("😀", text)),
    st.lists(st.sampled_from(["世界", emoji, "é", " a", "<|im_end|>", "𝒳"])).map("".join),
)


def expected(tokenizer: Any, text: str, ids: list[int]) -> list[tuple[int, int]]:
    """Offsets by the definition: from the character with a token's first byte to the one with its last."""
    characters = [n for n, character in enumerate(text) for _ in utf8(character)]
    spans, at = [], 0
    for index in ids:
        after = at + len(tokenizer.model.decode_single_token_bytes(index))
        spans.append((characters[at], characters[after - 1] + 1))
        at = after
    assert at == len(characters)
    return spans


def utf8(character: str) -> bytes:
    return "\ufffd".encode() if "\ud800" <= character <= "\udfff" else character.encode()


@settings(max_examples=60)
@given(written, st.booleans())
@example("Hello 世界" + emoji + " I'm<|im_end|>", False)
@example("a\ud800b", False)
def test_a_span_is_the_characters_of_a_tokens_bytes(tokenizer: TikTokenTokenizer, text: str, split: bool) -> None:
    encoded = tokenizer(text, return_offsets_mapping=True, split_special_tokens=split)
    spans = encoded["offset_mapping"]
    assert encoded["input_ids"] == tokenizer.encode(text, allow_special_tokens=not split)
    assert spans == expected(tokenizer, text, encoded["input_ids"])
    end = 0
    for start, after in spans:  # they leave nothing out, and go on where the last one ended, or inside its character
        assert start in (end, end - 1)
        assert after > start
        end = after
    assert end == len(text)


def test_a_pair_of_surrogates_is_one_character_to_the_engine_and_two_to_python(tokenizer: TikTokenTokenizer) -> None:
    encoded = tokenizer("a\ud83d\ude00b\ud800c", return_offsets_mapping=True)
    assert encoded["input_ids"] == tokenizer.encode("a😀b\ufffdc")
    assert encoded["offset_mapping"] == [(0, 1), (1, 3), (1, 3), (3, 4), (4, 5), (5, 6)]
    apart = Prompt([Segment("\ud83d", False), Segment("\ude00", False)])
    assert {*tokenizer(apart, return_offsets_mapping=True)["offset_mapping"]} == {(0, 1), (1, 2)}


def test_control_tokens_in_plain_segments_of_a_prompt(tokenizer: TikTokenTokenizer) -> None:
    prompt = Prompt([Segment("<|im_end|>", False), Segment("<|im_end|>", True), Segment("a", False)])
    encoded = tokenizer(prompt, return_offsets_mapping=True)
    assert encoded["input_ids"] == tokenizer.encode(prompt)
    assert encoded["offset_mapping"][-2:] == [(10, 20), (20, 21)]
    assert encoded["offset_mapping"] == expected(tokenizer, prompt, encoded["input_ids"])


def test_added_tokens() -> None:
    tokenizer = kt.load("moonshotai/Kimi-K2.6")
    tokenizer.add_tokens(["<é界>"])
    encoded = tokenizer("a<é界>b", return_offsets_mapping=True)
    assert encoded["offset_mapping"] == [(0, 1), (1, 5), (5, 6)]


# In every form that transformers takes

OVERFLOWING = {"pad_to_multiple_of": 4, "truncation": True, "return_overflowing_tokens": True, "max_length": 1}


def plain(value: Any) -> Any:
    """A result as lists, with the types of arrays."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), plain(value.tolist())
    if hasattr(value, "items"):
        return {name: plain(item) for name, item in value.items()}
    return [*map(plain, value)] if isinstance(value, list) else value


def check(tokenizer: TikTokenTokenizer, arguments: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Everything is as without offsets, and the offsets are those of the ids that are left."""
    without = outcome(lambda: plain(tokenizer(*arguments, **kwargs)))
    with_offsets = outcome(lambda: plain(tokenizer(*arguments, return_offsets_mapping=True, **kwargs)))
    if not isinstance(with_offsets, dict):
        assert with_offsets == without
        return
    offsets = with_offsets.pop("offset_mapping")
    assert with_offsets == without
    if "return_tensors" in kwargs:
        return
    ids, spans = with_offsets["input_ids"], offsets
    if not ids or isinstance(ids[0], int):
        ids, spans = [ids], [spans]
    assert [len(one) for one in ids] == [len(one) for one in spans]
    for one, places in zip(ids, spans, strict=True):
        for index, (start, end) in zip(one, places, strict=True):
            assert end > start or (start == end == 0 and index == tokenizer.pad_token_id)


@settings(max_examples=60)
@given(written, st.one_of(st.none(), written), options, st.booleans())
def test_a_text_or_a_pair(
    tokenizer: TikTokenTokenizer, first: str, second: str | None, kwargs: dict[str, Any], split: bool
) -> None:
    check(tokenizer, (first,) if second is None else (first, second), {**kwargs, "split_special_tokens": split})


@settings(max_examples=60)
@given(st.lists(written, min_size=1, max_size=3), options, st.sampled_from(["texts", "two lists", "tuples", "lists"]))
@example(["", "0000", "a"], {**OVERFLOWING, "return_tensors": "np"}, "texts")
@example(["", "0000", "a"], OVERFLOWING, "texts")
def test_a_batch(tokenizer: TikTokenTokenizer, batch: list[str], kwargs: dict[str, Any], kind: str) -> None:
    others = [text[::-1] for text in batch]
    pairs = list(zip(batch, others, strict=True))
    forms: dict[str, tuple[Any, ...]] = {
        "texts": (batch,),
        "two lists": (batch, others),
        "tuples": (pairs,),
        "lists": ([*map(list, pairs)],),
    }
    check(tokenizer, forms[kind], kwargs)


words = st.lists(st.one_of(written, st.sampled_from(["Hello", " ", "<|im_end|>"])), min_size=1, max_size=3)


@settings(max_examples=60)
@given(st.lists(words, min_size=1, max_size=3), options, st.sampled_from(["one", "two", "batch", "tuples", "pairs"]))
def test_words(tokenizer: TikTokenTokenizer, batch: list[list[str]], kwargs: dict[str, Any], kind: str) -> None:
    forms: dict[str, tuple[Any, ...]] = {
        "one": (batch[0],),
        "two": (batch[0], batch[-1]),
        "batch": (batch,),
        "tuples": ([*map(tuple, batch)],),
        "pairs": ([(one, one[::-1]) for one in batch],),
    }
    check(tokenizer, forms[kind], {**kwargs, "is_split_into_words": True})


def test_each_sequence_has_offsets_of_its_own_text(tokenizer: TikTokenTokenizer) -> None:
    encoded = tokenizer(
        ["a b c", ""],
        ["x y", "世"],
        return_offsets_mapping=True,
        padding=True,
        padding_side="left",
        return_tensors="np",
    )
    assert encoded["offset_mapping"].tolist() == [
        [[0, 1], [1, 3], [3, 5], [0, 1], [1, 3]],
        [[0, 0], [0, 0], [0, 0], [0, 0], [0, 1]],
    ]
    encoded = tokenizer(["Hello", "世界 a"], is_split_into_words=True, return_offsets_mapping=True)
    assert encoded["offset_mapping"] == [(0, 5), (0, 2), (2, 4)]


@pytest.mark.parametrize("side", ["left", "right"])
def test_truncation_on_either_side(side: str) -> None:
    tokenizer = kt.load("moonshotai/Kimi-K2.6")
    tokenizer.truncation_side = side
    encoded = tokenizer("a b c d", return_offsets_mapping=True, truncation=True, max_length=2)
    assert encoded["offset_mapping"] == ([(3, 5), (5, 7)] if side == "left" else [(0, 1), (1, 3)])


@pytest.mark.parametrize("ids", [[1, 2], [[1, 2], [3]], ["a", [1]]])
def test_ids_have_no_offsets(tokenizer: TikTokenTokenizer, ids: Any) -> None:
    with pytest.raises((TextTypeError, ValueError)):  # transformers 4 refuses some of them first
        tokenizer(ids, return_offsets_mapping=True)
    with pytest.raises(TextTypeError, match="offsets of texts only"):
        tokenizer.encode([1, 2], return_offsets_mapping=True)
