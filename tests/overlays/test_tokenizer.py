"""`TikTokenTokenizer` as users of transformers see it: equal to what transformers' own slow path makes of it."""

from __future__ import annotations

import copy
import inspect
import json
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tiktoken
import transformers
from conftest import NAMED, OVERLAYS, as_text, control_names, golden
from encoding_texts import GOLDEN, outcome, texts
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import AddedToken, BatchEncoding, PreTrainedTokenizer

import kimi_tokenizers as kt
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.overlays.common.tokenization_kimi import (
    ChatTemplateError,
    ControlTokenError,
    TextTypeError,
    TikTokenTokenizer,
    TokenIdError,
    VocabFileError,
)

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

TRANSFORMERS = tuple(map(int, transformers.__version__.split(".")[:2]))
CHAT = golden("chat")
OLD_CHAT = golden("k2_old_chat")
VOCAB_FILE = OVERLAYS / "common" / "tiktoken.model"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
UNSUPPORTED = {
    "type": "function",
    "function": {"name": "f", "parameters": {"properties": {"x": {"oneOf": [{}]}}, "type": "object"}},
}


def byte_characters() -> list[str]:
    """The character that GPT-2 writes for each byte: printable ones as themselves, the others from U+0100 on."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    result, shift = [], 0
    for byte in range(256):
        result.append(chr(byte) if byte in printable else chr(256 + shift))
        shift += byte not in printable
    return result


CHARACTERS = byte_characters()
BYTES = {character: byte for byte, character in enumerate(CHARACTERS)}


class Reference(PreTrainedTokenizer):  # type: ignore[misc, unused-ignore]
    """The least that transformers asks of a tokenizer, on a plain encoding. Everything else is transformers' own."""

    model_input_names = ["input_ids", "attention_mask"]  # noqa: RUF012

    def __init__(self, plain: tiktoken.Encoding, **kwargs: Any) -> None:
        self.plain = plain
        self.control = control_names(NAMED)
        self.ids = {"".join(CHARACTERS[b] for b in token): rank for token, rank in plain._mergeable_ranks.items()}
        self.tokens = {index: token for token, index in self.ids.items()}
        special = [name for name, (_, special) in NAMED.items() if special]
        super().__init__(
            bos_token="[BOS]",
            eos_token="[EOS]",
            unk_token="[UNK]",
            pad_token="[PAD]",
            additional_special_tokens=[name for name in special if name not in ("[BOS]", "[EOS]", "[UNK]", "[PAD]")],
            added_tokens_decoder={
                index: AddedToken(name, normalized=False, special=name in special)
                for name, index in self.control.items()
            },
            **kwargs,
        )
        self.special_tokens_pattern = "none"  # transformers 5.0 and 5.1 put tokens around every text, as BERT's

    @property
    def vocab_size(self) -> int:
        return 163840

    def get_vocab(self) -> dict[str, int]:
        return {**self.ids, **self.control, **getattr(self, "_added_tokens_encoder", {})}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return [self.tokens[index] for index in self.plain.encode_ordinary(text)]

    def _convert_token_to_id(self, token: str) -> int:
        return self.ids.get(token, self.control.get(token, 163838))

    def _convert_id_to_token(self, index: int) -> str:
        return self.tokens[index]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        joined = b"".join(
            token.encode() if token in self._added_tokens_encoder else bytes(BYTES[c] for c in token)
            for token in tokens
        )
        return joined.decode("utf-8", "replace")


@pytest.fixture(scope="session")
def reference(plain: tiktoken.Encoding) -> Reference:
    return Reference(plain)


def plain_data(result: Any) -> Any:
    """A result as comparable data: arrays as (dtype, lists), encodings as dicts."""
    if isinstance(result, (dict, BatchEncoding)):
        return {key: plain_data(value) for key, value in result.items()}
    if isinstance(result, np.ndarray):
        return str(result.dtype), plain_data(result.tolist())
    if isinstance(result, list):
        return [plain_data(item) for item in result]
    return result


def both(tokenizer: Any, reference: Any, call: Callable[[Any], Any]) -> tuple[Any, Any]:
    return outcome(lambda: plain_data(call(tokenizer))), outcome(lambda: plain_data(call(reference)))


# __call__ and encode


def subsets(choices: dict[str, list[Any]]) -> SearchStrategy[dict[str, Any]]:
    """Some of the keyword arguments, each with one of its values."""
    return st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in choices.items()})


OPTIONS: dict[str, list[Any]] = {
    "padding": [False, True, "longest", "max_length", "do_not_pad"],
    "truncation": [False, True, "only_first", "only_second", "longest_first"],
    "max_length": [None, 1, 2, 5, 9],
    "stride": [0, 1, 2],
    "pad_to_multiple_of": [None, 4],
    "padding_side": [None, "left", "right"],
    "add_special_tokens": [True, False],
    "return_attention_mask": [None, True, False],
    "return_token_type_ids": [None, True],
    "return_special_tokens_mask": [False, True],
    "return_overflowing_tokens": [False, True],
    "return_length": [False, True],
    "return_tensors": [None, "np"],
    "verbose": [False],
}
options = subsets(OPTIONS)
# transformers 4 forgets `split_special_tokens` on the way of a batch; what must come of it is tested further down.
with_split = subsets({**OPTIONS, "split_special_tokens": [False, True]})
batches = st.lists(texts, min_size=1, max_size=3)
words = st.lists(st.one_of(texts, st.sampled_from(["Hello", "world", " ", "<|im_end|>"])), min_size=1, max_size=4)


@settings(max_examples=150)
@given(texts, with_split)
@example("", {"return_tensors": "np"})
@example("a b c d", {"truncation": True, "max_length": 2, "stride": 1, "return_overflowing_tokens": True})
@example("<|im_end|>a<think>", {"return_special_tokens_mask": True})
def test_one_text(tokenizer: TikTokenTokenizer, reference: Reference, text: str, kwargs: dict[str, Any]) -> None:
    ours, theirs = both(tokenizer, reference, lambda t: t(text, **kwargs))
    assert ours == theirs


@settings(max_examples=150)
@given(texts, texts, with_split)
def test_a_pair(
    tokenizer: TikTokenTokenizer, reference: Reference, first: str, second: str, kwargs: dict[str, Any]
) -> None:
    ours, theirs = both(tokenizer, reference, lambda t: t(first, second, **kwargs))
    assert ours == theirs


@settings(max_examples=150)
@given(batches, options)
def test_a_batch(tokenizer: TikTokenTokenizer, reference: Reference, batch: list[str], kwargs: dict[str, Any]) -> None:
    ours, theirs = both(tokenizer, reference, lambda t: t(batch, **kwargs))
    assert ours == theirs


@given(batches, options, st.booleans())
def test_a_batch_of_pairs(
    tokenizer: TikTokenTokenizer, reference: Reference, batch: list[str], kwargs: dict[str, Any], tuples: bool
) -> None:
    def call(t: Any) -> Any:
        if tuples:
            return t([(text, text[::-1]) for text in batch], **kwargs)
        return t(batch, [text[::-1] for text in batch], **kwargs)

    ours, theirs = both(tokenizer, reference, call)
    assert ours == theirs


@given(words, options)
def test_words(tokenizer: TikTokenTokenizer, reference: Reference, text: list[str], kwargs: dict[str, Any]) -> None:
    ours, theirs = both(tokenizer, reference, lambda t: t(text, is_split_into_words=True, **kwargs))
    assert ours == theirs


@given(st.lists(words, min_size=1, max_size=3), options)
def test_a_batch_of_words(
    tokenizer: TikTokenTokenizer, reference: Reference, batch: list[list[str]], kwargs: dict[str, Any]
) -> None:
    ours, theirs = both(tokenizer, reference, lambda t: t(batch, is_split_into_words=True, **kwargs))
    assert ours == theirs


@given(texts, texts, options)
def test_target_texts(
    tokenizer: TikTokenTokenizer, reference: Reference, text: str, target: str, kwargs: dict[str, Any]
) -> None:
    ours, theirs = both(tokenizer, reference, lambda t: t(text, text_target=target, **kwargs))
    assert ours == theirs
    ours, theirs = both(tokenizer, reference, lambda t: t(text_target=target, **kwargs))
    assert ours == theirs


@given(texts, with_split)
def test_encode_takes_the_same_arguments(
    tokenizer: TikTokenTokenizer, reference: Reference, text: str, kwargs: dict[str, Any]
) -> None:
    ours, theirs = both(tokenizer, reference, lambda t: t.encode(text, **kwargs))
    assert ours == theirs


@given(texts, texts)
def test_encode_a_pair(tokenizer: TikTokenTokenizer, reference: Reference, first: str, second: str) -> None:
    ours, theirs = both(tokenizer, reference, lambda t: t.encode(first, text_pair=second))
    assert ours == theirs


@given(texts, st.booleans())
def test_tokenize(tokenizer: TikTokenTokenizer, reference: Reference, text: str, split: bool) -> None:
    assert tokenizer.tokenize(text, split_special_tokens=split) == reference.tokenize(text, split_special_tokens=split)


@pytest.mark.parametrize(
    ("text", "kwargs"),
    [
        ("<|im_end|>", {}),
        (["<|im_end|>"], {}),
        (["a", "<|im_end|>"], {"padding": True}),
        (["<|im_end|>"], {"is_split_into_words": True}),
        ([["<|im_end|>", "a"]], {"is_split_into_words": True}),
        ([["<|im_end|>"], ["a"]], {"is_split_into_words": True, "padding": True}),
        ([("<|im_end|>", "<|im_end|>")], {}),
        (["<|im_end|>"], {"text_pair": ["<|im_end|>"]}),
        ("a", {"text_pair": "<|im_end|>"}),
        (None, {"text_target": "<|im_end|>"}),
        (None, {"text_target": ["<|im_end|>"]}),
    ],
)
def test_split_special_tokens_holds_for_every_shape(tokenizer: TikTokenTokenizer, text: Any, kwargs: Any) -> None:
    """Text of a user must not become a control token by being in a batch. (In transformers 4 it would.)"""
    assert 163586 in np.ravel(tokenizer(text, **{"padding": True, **kwargs})["input_ids"])
    ids = np.ravel(tokenizer(text, split_special_tokens=True, **{"padding": True, **kwargs})["input_ids"])
    assert 163586 not in ids
    assert tokenizer.encode("<|im_end|>", allow_special_tokens=False)[0] in ids


def test_split_special_tokens_as_an_attribute(fresh: TikTokenTokenizer) -> None:
    expected = fresh.encode("<|im_end|>", allow_special_tokens=False)
    fresh.split_special_tokens = True
    assert fresh.encode("<|im_end|>") == expected
    assert fresh("<|im_end|>")["input_ids"] == expected
    assert fresh(["<|im_end|>"])["input_ids"] == [expected]
    assert fresh.convert_tokens_to_ids(fresh.tokenize("<|im_end|>")) == expected


def test_upstream_signature_of_encode(tokenizer: TikTokenTokenizer) -> None:
    assert tokenizer.encode("<|im_end|>", True) == [163586]
    assert 163586 not in tokenizer.encode("<|im_end|>", False)
    assert list(inspect.signature(TikTokenTokenizer.encode).parameters)[1:3] == ["text", "allow_special_tokens"]


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_batch_is_what_its_texts_are(fresh: TikTokenTokenizer, side: str) -> None:
    fresh.truncation_side = side
    batch = ["one two three four five", "", "<|im_end|> and more", "short"]
    arguments = {"truncation": True, "max_length": 3}
    expected = [fresh(text, **arguments) for text in batch]
    assert fresh(batch, **arguments).data == {key: [one[key] for one in expected] for key in expected[0]}
    assert fresh(tuple(batch), **arguments)["input_ids"] == [one["input_ids"] for one in expected]


def test_a_batch_that_is_too_long_for_the_model_is_warned_of(
    fresh: TikTokenTokenizer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    fresh.model_max_length = 2
    fresh(["one", "one two three four"])
    assert "longer than the specified maximum" in caplog.text


def test_a_batch_of_a_tokenizer_that_adds_tokens() -> None:
    class WithBos(TikTokenTokenizer):
        def build_inputs_with_special_tokens(self, token_ids_0: list[int], token_ids_1: Any = None) -> list[int]:
            return [163584, *token_ids_0, *(token_ids_1 or [])]

    class WithBosIfAny(TikTokenTokenizer):
        def build_inputs_with_special_tokens(self, token_ids_0: list[int], token_ids_1: Any = None) -> list[int]:
            return [163584, *token_ids_0, *(token_ids_1 or [])] if token_ids_0 else []

    for new in (WithBos, WithBosIfAny):
        tokenizer = new(OVERLAYS / "common" / "tiktoken.model")
        assert tokenizer(["Hello, world!", "Hello"])["input_ids"] == [[163584, 19180, 11, 2695, 0], [163584, 19180]]
        assert tokenizer(["Hello"], add_special_tokens=False)["input_ids"] == [[19180]]


@pytest.mark.parametrize("arguments", [{}, {"truncation": True, "max_length": 1}])
@pytest.mark.parametrize("tokens", [["Hello", "Ġworld"], ("Hello", "Ġworld"), ["Hello"]], ids=str)
def test_what_a_list_means_to_encode(
    tokenizer: TikTokenTokenizer, reference: Reference, tokens: Any, arguments: dict[str, Any]
) -> None:
    """In transformers 4 it is the tokens of one text, in 5 it is a batch of texts."""
    ours, theirs = both(tokenizer, reference, lambda t: t.encode(tokens, **arguments))
    assert ours == theirs


def test_ids_are_taken_as_they_are(tokenizer: TikTokenTokenizer) -> None:
    assert tokenizer.encode([5, 6, 163586]) == [5, 6, 163586]


def test_padding_sides_and_mask(tokenizer: TikTokenTokenizer) -> None:
    batch = ["Hello, world!", "Hi"]
    right = tokenizer(batch, padding=True, return_tensors="np")
    left = tokenizer(batch, padding=True, padding_side="left", return_tensors="np")
    assert right["input_ids"].tolist() == [[19180, 11, 2695, 0], [18699, 163839, 163839, 163839]]
    assert left["input_ids"].tolist() == [[19180, 11, 2695, 0], [163839, 163839, 163839, 18699]]
    assert right["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 0, 0, 0]]
    assert left["attention_mask"].tolist() == [[1, 1, 1, 1], [0, 0, 0, 1]]


def test_pad_of_ids(tokenizer: TikTokenTokenizer, reference: Reference) -> None:
    ids = {"input_ids": [[1, 2, 3], [4]]}
    ours, theirs = both(tokenizer, reference, lambda t: t.pad(copy.deepcopy(ids), pad_to_multiple_of=4))
    assert ours == theirs


def test_what_exo_asks_of_encode(tokenizer: TikTokenTokenizer) -> None:
    ids = tokenizer.encode("Hello, world!", add_special_tokens=False)
    assert type(ids) is list
    assert {type(index) for index in ids} == {int}
    assert tokenizer.decode(ids) == "Hello, world!"
    assert tokenizer.encode("") == []
    assert tokenizer.decode(tokenizer.encode("<|test|>Hello<|end|>")) == "<|test|>Hello<|end|>"


# Bad text

BAD_TEXTS: list[Any] = [
    None,
    b"bytes",
    bytearray(b"x"),
    5,
    1.5,
    object,
    {"a": 1},
    {"a"},
    [None],
    [b"a"],
    ["a", None],
    [("a", None)],
]


@pytest.mark.parametrize("text", BAD_TEXTS, ids=repr)
def test_what_is_not_text_is_a_typed_error(tokenizer: TikTokenTokenizer, text: Any) -> None:
    for call in (tokenizer, tokenizer.encode, lambda text: tokenizer(["a"], text)):
        if text is None and call not in (tokenizer, tokenizer.encode):
            continue
        with pytest.raises(TextTypeError, match="Text must be a str, got") as caught:
            call(text)
        assert isinstance(caught.value, TypeError)
        assert isinstance(caught.value, KimiTokenizersError)
    with pytest.raises(TextTypeError, match="Text must be a str, got"):
        tokenizer.tokenize(text)
    if text is not None:
        with pytest.raises(TextTypeError):
            tokenizer(text_target=text)


def test_the_error_for_bytes_says_what_to_do(tokenizer: TikTokenTokenizer) -> None:
    with pytest.raises(TextTypeError, match=r"got bytes: .*Decode the bytes first"):
        tokenizer.encode(b"Hello")


@pytest.mark.parametrize("text", [None, b"abc", b"x" * 10_000, 5, ["a"]], ids=["None", "bytes", "long", "int", "list"])
def test_the_encoding_refuses_what_is_not_text(tokenizer: TikTokenTokenizer, text: Any) -> None:
    with pytest.raises(TypeError):
        tokenizer.model.encode(text, allowed_special="all")
    with pytest.raises(TypeError):
        tokenizer.model.encode_ordinary(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("\ud83d", "\ufffd"), ("a\udc00b", "a\ufffdb"), ("\ud83d\ude00", "\U0001f600"), ("\ude00\ud83d", "\ufffd\ufffd")],
    ids=ascii,
)
def test_surrogates_are_what_tiktoken_makes_of_them(
    tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding, text: str, meant: str
) -> None:
    assert tokenizer.encode(text) == plain.encode(text) == plain.encode(meant)
    assert tokenizer.decode(tokenizer.encode(text)) == meant
    long = " " * 9000 + text
    assert tokenizer.encode(long) == plain.encode(long)


# The vocabulary


def test_the_whole_vocabulary(tokenizer: TikTokenTokenizer, reference: Reference) -> None:
    vocab = tokenizer.get_vocab()
    assert len(vocab) == len(tokenizer) == tokenizer.vocab_size == 163840
    assert vocab == {**reference.ids, **reference.control}
    tokens, ids = list(vocab), list(vocab.values())
    assert sorted(ids) == list(range(163840))
    assert tokenizer.convert_tokens_to_ids(tokens) == ids
    assert tokenizer.convert_ids_to_tokens(ids) == tokens
    assert [tokenizer.convert_ids_to_tokens(index) for index in ids[-300:]] == tokens[-300:]
    assert [tokenizer.convert_tokens_to_ids(token) for token in tokens[-300:]] == ids[-300:]
    for token, index in zip(tokens, ids, strict=True):
        assert (
            tokenizer.convert_tokens_to_string([token]) == tokenizer.decode([index]) == tokenizer.model.decode([index])
        )


def test_get_vocab_hands_out_copies(tokenizer: TikTokenTokenizer) -> None:
    tokenizer.get_vocab().clear()
    assert len(tokenizer.get_vocab()) == 163840


def test_special_tokens(tokenizer: TikTokenTokenizer, reference: Reference) -> None:
    assert tokenizer.special_tokens == control_names(NAMED)
    assert set(tokenizer.all_special_tokens) == {name for name, (_, special) in NAMED.items() if special}
    assert set(tokenizer.all_special_ids) == set(reference.all_special_ids)
    assert (tokenizer.bos_token, tokenizer.bos_token_id) == ("[BOS]", 163584)
    assert (tokenizer.eos_token, tokenizer.eos_token_id) == ("[EOS]", 163585)
    assert (tokenizer.unk_token, tokenizer.unk_token_id) == ("[UNK]", 163838)
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("[PAD]", 163839)
    named = {index: token for index, token in tokenizer.added_tokens_decoder.items() if "reserved" not in token.content}
    assert {token.content: (index, token.special) for index, token in named.items()} == NAMED


@given(st.text(max_size=6))
@example("")
@example("Ġ")
@example("hello world")
@example("\ud800")
def test_unknown_tokens(tokenizer: TikTokenTokenizer, token: str) -> None:
    expected = tokenizer.get_vocab().get(token, 163838)
    assert tokenizer.convert_tokens_to_ids(token) == expected
    assert tokenizer.convert_tokens_to_ids([token, "a"]) == [expected, 64]


@given(
    st.lists(
        st.sampled_from(["Ġ", "hello", "<|im_end|>", "<|reserved_token_163700|>", "漢", "ä½ł", "\ud800"]), max_size=5
    )
)
def test_tokens_to_string_takes_anything(tokenizer: TikTokenTokenizer, tokens: list[str]) -> None:
    text = tokenizer.convert_tokens_to_string(tokens)
    assert text.count("<|im_end|>") == tokens.count("<|im_end|>")
    assert text.count("hello") == tokens.count("hello")
    assert text.count("漢") == tokens.count("漢")  # not a character that stands for a byte: it stands for itself


# Ids to text


@given(st.lists(st.integers(0, 163839), max_size=12), st.booleans())
def test_decode_any_ids(
    tokenizer: TikTokenTokenizer, reference: Reference, plain: tiktoken.Encoding, ids: list[int], skip: bool
) -> None:
    kept = [index for index in ids if not skip or index not in reference.all_special_ids]
    expected = plain.decode(kept)
    assert tokenizer.decode(ids, skip_special_tokens=skip) == expected
    assert tokenizer.decode(tuple(ids), skip_special_tokens=skip) == expected
    assert tokenizer.decode(np.array(ids, dtype=np.int64), skip_special_tokens=skip) == expected
    assert tokenizer.decode([np.int32(index) for index in ids], skip_special_tokens=skip) == expected
    assert tokenizer.decode([np.array(index) for index in ids], skip_special_tokens=skip) == expected
    assert tokenizer.decode(ids, skip_special_tokens=skip, spaces_between_special_tokens=False) == expected
    assert tokenizer.batch_decode([ids, [64]], skip_special_tokens=skip) == [expected, "a"]
    assert tokenizer.batch_decode(np.array([ids, ids]), skip_special_tokens=skip) == [expected, expected]
    assert (
        tokenizer.convert_tokens_to_string(tokenizer.convert_ids_to_tokens(ids, skip_special_tokens=skip)) == expected
    )
    assert tokenizer.convert_ids_to_tokens(ids, skip_special_tokens=skip) == reference.convert_ids_to_tokens(
        ids, skip_special_tokens=skip
    )


@given(texts, st.booleans())
def test_decode_of_encode(tokenizer: TikTokenTokenizer, text: str, allow: bool) -> None:
    assert tokenizer.decode(tokenizer.encode(text, allow)) == as_text(text)


def test_decode_one_id(tokenizer: TikTokenTokenizer) -> None:
    for index in (64, np.int64(64), np.uint32(64), np.array(64)):
        assert tokenizer.decode(index) == "a"
    assert tokenizer.decode(163586) == "<|im_end|>"
    assert tokenizer.decode(163586, skip_special_tokens=True) == ""
    assert tokenizer.decode(163606, skip_special_tokens=True) == "<think>"
    assert tokenizer.decode([]) == ""


def test_decode_where_a_special_token_has_no_id(fresh: TikTokenTokenizer) -> None:
    fresh.unk_token = None
    fresh.pad_token = "no such token"
    assert fresh.decode([1, 2, 163586], skip_special_tokens=True) == '"#'


def test_decode_a_batch(tokenizer: TikTokenTokenizer) -> None:
    for batch in ([[64], [64, 65]], [np.array([64]), np.array([64, 65])], ((64,), (64, 65))):
        assert tokenizer.decode(batch) == ["a", "ab"]
    assert tokenizer.decode(np.array([[64, 65], [65, 64]])) == ["ab", "ba"]
    assert tokenizer.decode([[163586, 64]], skip_special_tokens=True) == ["a"]


def test_decode_cleans_up_only_on_request(tokenizer: TikTokenTokenizer) -> None:
    text = "a , b . c ? I 'm , it 's n't ' x !"
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=True) == "a, b. c? I'm, it'sn't'x!"


@pytest.mark.parametrize(
    "ids", [163840, -1, -100, [64, -100], [163840], [2**32 + 64], [2**70], [[64], [-1]], np.array([-100])], ids=repr
)
@pytest.mark.parametrize("skip", [False, True])
def test_ids_that_do_not_exist(tokenizer: TikTokenTokenizer, ids: Any, skip: bool) -> None:
    with pytest.raises(TokenIdError, match=r"There is no token with id -?\d+ \(at position \d\)") as caught:
        tokenizer.decode(ids, skip_special_tokens=skip)
    assert isinstance(caught.value, KimiTokenizersError)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(TokenIdError):
        tokenizer.batch_decode([ids])


@pytest.mark.parametrize(
    "ids", [None, "hello", "", b"hi", ["a"], [None], [1.5], 1.5, {"input_ids": [1]}, {1}, object], ids=repr
)
@pytest.mark.parametrize("skip", [False, True])
def test_what_is_not_ids(tokenizer: TikTokenTokenizer, ids: Any, skip: bool) -> None:
    with pytest.raises(TokenIdError):
        tokenizer.decode(ids, skip_special_tokens=skip)


def test_tokens_of_ids_that_do_not_exist(tokenizer: TikTokenTokenizer) -> None:
    for index in (-1, 163840, 2**40):
        with pytest.raises(TokenIdError):
            tokenizer.convert_ids_to_tokens(index)
        with pytest.raises(TokenIdError):
            tokenizer.convert_ids_to_tokens([64, index])


# Adding tokens


ADDED = {
    "a name in a name": (["foo", "foobar", "[", "<|new|>", "<|new|>er"], False),
    "overlapping, in another order": (["<|new|>er", "<|new|>", "foobar", "oba", "foob", "barf", "a b"], True),
    "ordinary tokens": (["hello", "漢", "a"], False),
}


@pytest.fixture(scope="module", params=ADDED)
def extended(request: pytest.FixtureRequest, plain: tiktoken.Encoding) -> tuple[TikTokenTokenizer, Reference]:
    """A tokenizer and a reference to which the same tokens were added."""
    tokens, special = ADDED[request.param]
    ours, theirs = kt.load(), Reference(plain)
    assert ours.add_tokens(tokens, special_tokens=special) == theirs.add_tokens(tokens, special_tokens=special)
    assert len(ours) == len(theirs)
    assert ours.get_vocab() == theirs.get_vocab()
    return ours, theirs


added_texts = st.lists(
    st.one_of(
        st.sampled_from(["foobarfoo", " foo", "hello", "<|new|>", "er", "a b", "[", "[BOS]", "漢字漢", " " * 9000]),
        texts,
    ),
    max_size=6,
).map("".join)


@given(added_texts)
@example("foobarfoobafoob")
@example("[BOS]<|new|>er<|new|>[")
@example("<|newer|><|new|>" + "x" * 5000)
def test_added_tokens(extended: tuple[TikTokenTokenizer, Reference], text: str) -> None:
    ours, theirs = extended
    ids = ours.encode(text)
    assert ids == theirs.encode(text)
    assert ours(text)["input_ids"] == ids
    assert ours.tokenize(text) == theirs.tokenize(text)
    assert ours.model.encode(text, allowed_special="all") == ids
    assert ours.model.encode_to_numpy(as_text(text), allowed_special="all").tolist() == ids
    assert ours.decode(ids) == as_text(text)


def test_a_longer_name_counts_before_a_shorter_one_it_begins_with(
    fresh: TikTokenTokenizer, plain: tiktoken.Encoding
) -> None:
    fresh.add_tokens(["[", "<|im_end|>!"])
    assert fresh.encode("[BOS][<|im_end|>!<|im_end|>") == [163584, fresh.convert_tokens_to_ids("["), 163840, 163586]
    assert fresh.encode("[BOS]<|im_end|>!", allow_special_tokens=False) == plain.encode_ordinary("[BOS]<|im_end|>!")
    with pytest.raises(ValueError, match="disallowed special token"):
        fresh.model.encode("a[BOS]")


@pytest.mark.parametrize(("name", "text"), [("😀", "x\ud83d\ude00y"), ("a\ufffdb", "a\ud800b")], ids=ascii)
@pytest.mark.parametrize("filler", ["", "x" * 5000], ids=["short", "long"])
def test_an_added_token_is_found_where_surrogates_make_it(
    fresh: TikTokenTokenizer, name: str, text: str, filler: str
) -> None:
    fresh.add_tokens([name])
    assert 163840 in fresh.encode(filler + text)


def test_add_tokens_and_special_tokens(fresh: TikTokenTokenizer) -> None:
    assert fresh.add_tokens(["<|new|>", "<|im_end|>"]) == 1
    assert fresh.add_special_tokens({"additional_special_tokens": ["<|newer|>"]}) == 1
    assert len(fresh) == 163842
    assert fresh.vocab_size == 163840
    assert fresh.encode("a<|new|><|newer|>b<|im_end|>") == [64, 163840, 163841, 65, 163586]
    assert fresh.decode([64, 163840, 163841]) == "a<|new|><|newer|>"
    assert fresh.decode([64, 163840, 163841], skip_special_tokens=True) == "a<|new|>"
    assert fresh.convert_tokens_to_ids("<|newer|>") == 163841
    assert fresh.add_tokens([]) == 0
    with pytest.raises(TokenIdError):
        fresh.decode([163842])


def test_a_token_that_eats_whitespace_is_refused(fresh: TikTokenTokenizer) -> None:
    with pytest.raises(ControlTokenError, match="lstrip"):
        fresh.add_tokens([AddedToken("<mask>", lstrip=True)])
    assert fresh.encode("a <mask>") == kt.load().encode("a <mask>")


# Files


def same(first: TikTokenTokenizer, second: TikTokenTokenizer) -> None:
    """Both answer alike, in ids, text, vocabulary and chat."""
    for row in GOLDEN:
        assert first.encode(row["text"], row["special"] == "all") == second.encode(row["text"], row["special"] == "all")
    assert first.get_vocab() == second.get_vocab()
    assert first.special_tokens == second.special_tokens
    assert set(first.all_special_tokens) == set(second.all_special_tokens)
    assert [
        {index: (token.content, token.special) for index, token in tokenizer.added_tokens_decoder.items()}
        for tokenizer in (first, second)
    ] == [{index: (token.content, token.special) for index, token in first.added_tokens_decoder.items()}] * 2
    assert first.chat_template == second.chat_template
    assert first.model_max_length == second.model_max_length
    assert first.padding_side == second.padding_side


@pytest.mark.parametrize("prefix", [None, "x"])
def test_save_vocabulary(tokenizer: TikTokenTokenizer, tmp_path: Path, prefix: str | None) -> None:
    (path,) = tokenizer.save_vocabulary(str(tmp_path), prefix)
    assert Path(path).name == ("x-" if prefix else "") + "tiktoken.model"
    assert Path(path).read_bytes() == VOCAB_FILE.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == [Path(path).name]  # no temporary file is left


@pytest.mark.parametrize("line", ["kimi-k2-instruct", "kimi-k2.6"])
def test_save_and_load(lines: dict[str, TikTokenTokenizer], tmp_path: Path, line: str) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    lines[line].save_pretrained(first)
    once = TikTokenTokenizer.from_pretrained(first)
    same(lines[line], once)
    once.save_pretrained(second)
    twice = TikTokenTokenizer.from_pretrained(second)
    same(lines[line], twice)
    assert ("<think>" in twice.special_tokens) == (line != "kimi-k2-instruct")
    twice.save_pretrained(second)  # into the directory it was loaded from
    same(lines[line], TikTokenTokenizer.from_pretrained(second))
    assert (second / "tiktoken.model").read_bytes() == VOCAB_FILE.read_bytes()


@pytest.mark.slow
def test_save_and_load_what_was_changed(fresh: TikTokenTokenizer, tmp_path: Path) -> None:
    fresh.add_tokens(["<|new|>"])
    fresh.add_special_tokens({"pad_token": "<|newer|>"})
    fresh.model_max_length = 4096
    fresh.chat_template = "{{ messages }}"
    fresh.save_pretrained(tmp_path)
    again = TikTokenTokenizer.from_pretrained(tmp_path)
    same(fresh, again)
    assert again.encode("<|new|><|newer|>") == [163840, 163841]
    assert again.pad_token_id == 163841


@pytest.mark.slow
def test_pickle_and_copy(tokenizer: TikTokenTokenizer) -> None:
    same(tokenizer, pickle.loads(pickle.dumps(tokenizer)))
    same(tokenizer, copy.deepcopy(tokenizer))


def test_its_class_is_made_once_and_found_by_its_name(tokenizer: TikTokenTokenizer) -> None:
    module = sys.modules[TikTokenTokenizer.__module__]
    assert (module.__name__, TikTokenTokenizer.__qualname__) == (TikTokenTokenizer.__module__, "TikTokenTokenizer")
    assert module.TikTokenTokenizer is TikTokenTokenizer is type(tokenizer)
    assert issubclass(TikTokenTokenizer, PreTrainedTokenizer)
    assert (TikTokenTokenizer.__doc__ or "").startswith("The tokenizer of the Kimi K2 line")
    with pytest.raises(AttributeError, match="has no attribute 'Other'"):
        _ = module.Other


@pytest.mark.parametrize("line", ["kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6"])
def test_built_from_the_rank_table_alone(lines: dict[str, TikTokenTokenizer], line: str) -> None:
    alone = TikTokenTokenizer(str(VOCAB_FILE), line=line)
    assert alone.special_tokens == lines[line].special_tokens
    assert set(alone.all_special_tokens) == set(lines[line].all_special_tokens)
    assert alone.get_vocab() == lines[line].get_vocab()


def test_without_a_line_it_is_that_of_the_newest(tokenizer: TikTokenTokenizer) -> None:
    alone = TikTokenTokenizer(VOCAB_FILE)
    assert alone.special_tokens == tokenizer.special_tokens
    assert alone.chat_template is None


def test_upstream_constructor_arguments() -> None:
    parameters = inspect.signature(TikTokenTokenizer.__init__).parameters
    assert list(parameters)[1:8] == [
        *("vocab_file", "bos_token", "eos_token", "unk_token", "pad_token"),
        *("additional_special_tokens", "added_tokens_decoder"),
    ]
    assert [parameters[name].default for name in ("bos_token", "eos_token")] == ["[BOS]", "[EOS]"]
    tokenizer = TikTokenTokenizer(
        str(VOCAB_FILE),
        bos_token=AddedToken("[BOS]", special=True),
        eos_token="<|im_end|>",
        pad_token=None,
        unk_token=None,
        additional_special_tokens=["<|im_user|>"],
    )
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == (163584, 163586)
    assert tokenizer.pad_token is None
    assert tokenizer.encode("<|im_user|>") == [163587]
    assert tokenizer.convert_tokens_to_ids("no such token") is None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-100], "not the rank table of Kimi K2: 2,795,186 bytes"),
        (lambda data: data.replace(b"IQ== 0\n", b"IQ== 1\n", 1), "truncated, edited"),
        (lambda data: b"\xff\xfe" + data, "2,795,288 bytes"),
        (lambda data: b"", ": 0 bytes"),
        (lambda data: data.replace(b"\n", b"\r\n"), "expected 2,795,286 bytes"),
    ],
    ids=["truncated", "edited", "not UTF-8", "empty", "line ends"],
)
def test_a_damaged_rank_table_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    path = tmp_path / "tiktoken.model"
    path.write_bytes(damage(VOCAB_FILE.read_bytes()))
    with pytest.raises(VocabFileError, match=message) as caught:
        TikTokenTokenizer(str(path))
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, KimiTokenizersError)


def test_a_missing_rank_table(tmp_path: Path) -> None:
    with pytest.raises(VocabFileError, match=r"Cannot read the rank table .*No such file"):
        TikTokenTokenizer(tmp_path / "tiktoken.model")
    with pytest.raises(VocabFileError, match=r"Cannot read the rank table .*[Dd]irectory"):
        TikTokenTokenizer(tmp_path)
    with pytest.raises(VocabFileError, match=r"has no tiktoken\.model"):
        TikTokenTokenizer(None)
    with pytest.raises(VocabFileError, match=r"NUL|null"):
        TikTokenTokenizer("a\0b")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"line": 5}', '{"line": "kimi-k3"}', '{"line": ["x"]}', "\ud800"])
def test_a_bad_line_file_beside_the_rank_table(tmp_path: Path, content: str) -> None:
    (tmp_path / "tiktoken.model").symlink_to(VOCAB_FILE)
    (tmp_path / "kimi_line.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(ControlTokenError, match=r"kimi_line\.json"):
        TikTokenTokenizer(tmp_path / "tiktoken.model")


# Chat


@pytest.mark.parametrize("row", CHAT, ids=range(len(CHAT)))
def test_golden_chat_row(lines: dict[str, TikTokenTokenizer], row: dict[str, Any]) -> None:
    tokenizer = lines[row["line"]]
    arguments = {
        key: row[key] for key in ("tools", "add_generation_prompt", "thinking", "preserve_thinking") if key in row
    }
    before = copy.deepcopy(row)
    assert tokenizer.apply_chat_template(row["messages"], **arguments) == row["text"]
    assert row == before  # the caller's messages and tools are left as they were
    ids = tokenizer.apply_chat_template(row["messages"], tokenize=True, return_dict=False, **arguments)
    assert ids == tokenizer.encode(row["text"])
    encoding = tokenizer.apply_chat_template(row["messages"], tokenize=True, return_dict=True, **arguments)
    assert encoding["input_ids"] == ids
    assert encoding["attention_mask"] == [1] * len(ids)
    if not row["thinking"]:
        arguments.pop("thinking")
        assert tokenizer.apply_chat_template(row["messages"], enable_thinking=False, **arguments) == row["text"]


HELLO = [{"role": "user", "content": "Hi"}]
HI = "<|im_user|>user<|im_middle|>Hi<|im_end|>"
PROMPT = "<|im_assistant|>assistant<|im_middle|><think>"


def test_signature_of_apply_chat_template() -> None:
    parameters = inspect.signature(TikTokenTokenizer.apply_chat_template).parameters
    assert [(p.name, p.default) for p in list(parameters.values())[1:7]] == [
        ("conversation", inspect.Parameter.empty),
        ("tools", None),
        ("tokenize", False),
        ("add_generation_prompt", True),
        ("thinking", None),
        ("preserve_thinking", None),
    ]
    assert list(parameters.values())[7].kind is inspect.Parameter.VAR_KEYWORD


def test_chat_defaults(tokenizer: TikTokenTokenizer) -> None:
    assert tokenizer.apply_chat_template(HELLO) == HI + PROMPT
    assert tokenizer.apply_chat_template(HELLO, None, True, return_dict=False) == tokenizer.encode(HI + PROMPT)
    assert tokenizer.apply_chat_template(HELLO, add_generation_prompt=False) == HI


@pytest.mark.parametrize(
    ("arguments", "thinks"),
    [
        ({}, True),
        ({"thinking": True, "enable_thinking": True}, True),
        ({"enable_thinking": None}, True),
        ({"thinking": None}, True),
        ({"thinking": False}, False),
        ({"enable_thinking": False}, False),
        ({"thinking": True, "enable_thinking": False}, False),
        ({"thinking": False, "enable_thinking": True}, False),
    ],
)
def test_thinking(tokenizer: TikTokenTokenizer, arguments: dict[str, Any], thinks: bool) -> None:
    text = tokenizer.apply_chat_template(HELLO, **arguments)
    assert text == HI + PROMPT + ("" if thinks else "</think>")


def test_preserve_thinking(tokenizer: TikTokenTokenizer) -> None:
    messages = [*HELLO, {"role": "assistant", "content": "Ho", "reasoning_content": "hm"}, *HELLO]
    assert "<think>hm</think>" not in tokenizer.apply_chat_template(messages)
    assert "<think>hm</think>" in tokenizer.apply_chat_template(messages, preserve_thinking=True)
    assert "<think>hm</think>" in tokenizer.apply_chat_template(messages, preserve_thinking=True, thinking=False)


def get_weather(city: str) -> str:
    """The weather of a city

    Args:
        city: Where.
    """
    return city


def test_tools_as_functions(tokenizer: TikTokenTokenizer) -> None:
    text = tokenizer.apply_chat_template(HELLO, tools=[get_weather])
    assert text.startswith("<|im_system|>tool_declare<|im_middle|># Tools\n")
    assert "// The weather of a city\ntype get_weather = (_: {\n  // Where.\n  city: string\n}) => any;" in text


def test_tools_without_a_typescript_form_are_json(tokenizer: TikTokenTokenizer) -> None:
    text = tokenizer.apply_chat_template(HELLO, tools=[WEATHER, UNSUPPORTED])
    compact = json.dumps([WEATHER, UNSUPPORTED], separators=(",", ":"), sort_keys=True)
    assert text == f"<|im_system|>tool_declare<|im_middle|>{compact}<|im_end|>{HI}{PROMPT}"


@pytest.mark.parametrize("tools", [None, [], ()])
def test_no_tools(tokenizer: TikTokenTokenizer, tools: Any) -> None:
    assert tokenizer.apply_chat_template(HELLO, tools=tools) == HI + PROMPT


def test_continue_final_message(tokenizer: TikTokenTokenizer) -> None:
    messages = [*HELLO, {"role": "assistant", "content": "Well, the"}]
    text = tokenizer.apply_chat_template(messages, continue_final_message=True)
    assert text == f"{HI}<|im_assistant|>assistant<|im_middle|><think></think>Well, the"


def test_a_batch_of_conversations(tokenizer: TikTokenTokenizer) -> None:
    other = [{"role": "user", "content": "Ho, ho"}]
    rendered = tokenizer.apply_chat_template([HELLO, other])
    assert rendered == [HI + PROMPT, HI.replace("Hi", "Ho, ho") + PROMPT]
    batch = tokenizer.apply_chat_template([HELLO, other], tokenize=True, padding=True, return_dict=True)
    assert batch["input_ids"] == tokenizer(rendered, padding=True)["input_ids"]
    assert tokenizer.apply_chat_template([HELLO, other], tokenize=True, return_dict=False) == [
        tokenizer.encode(text) for text in rendered
    ]


def test_chat_template_as_an_argument(tokenizer: TikTokenTokenizer) -> None:
    assert tokenizer.apply_chat_template(HELLO, chat_template="{{ messages[0].content }}!") == "Hi!"


def test_a_line_without_a_template_says_so(lines: dict[str, TikTokenTokenizer]) -> None:
    """What Kimi-K2.7-Code's template says is not known, and another's is not passed off as it."""
    line = "kimi-k2.7-code"
    with pytest.raises(ChatTemplateError, match=r"has no chat template.*Put the model's own.*chat_template=") as caught:
        lines[line].apply_chat_template(HELLO)
    assert isinstance(caught.value, KimiTokenizersError)
    assert "kimi-k2.7-code" in str(caught.value)
    assert "moonshotai/Kimi-K2.7-Code" in str(caught.value)  # where it is to be had
    assert lines[line].apply_chat_template(HELLO, chat_template="{{ messages[0].content }}") == "Hi"


@pytest.mark.parametrize("given", [{}, {"thinking": True}, {"thinking": False}, {"preserve_thinking": False}])
def test_a_template_is_told_of_thinking_only_what_the_caller_says(
    tokenizer: TikTokenTokenizer, given: dict[str, bool]
) -> None:
    shows = "{{ thinking is defined }} {{ thinking }} {{ preserve_thinking is defined }} {{ preserve_thinking }}"
    expected = " ".join(f"{name in given} {given.get(name, '')}" for name in ("thinking", "preserve_thinking"))
    assert tokenizer.apply_chat_template(HELLO, chat_template=shows, **given) == expected


@pytest.mark.parametrize("row", OLD_CHAT, ids=range(len(OLD_CHAT)))
def test_golden_row_of_the_older_chats(lines: dict[str, TikTokenTokenizer], row: dict[str, Any]) -> None:
    tokenizer, arguments = lines[row["line"]], {name: row[name] for name in ("tools", "add_generation_prompt")}
    assert tokenizer.apply_chat_template(row["messages"], **arguments) == row["text"]
    ids = tokenizer.apply_chat_template(row["messages"], tokenize=True, return_dict=False, **arguments)
    assert ids == tokenizer.encode(row["text"])


# Alone in a model directory

ALONE = """
import json, sys
from importlib.abc import MetaPathFinder
from pathlib import Path

class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "kimi_tokenizers":
            raise ModuleNotFoundError("refused", name=name)

sys.meta_path.insert(0, Refuse())
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], trust_remote_code=True)
rows = [json.loads(line) for line in Path(sys.argv[2]).read_text("utf-8").splitlines()]
for row in rows:
    if row["line"] == "kimi-k2.6":
        assert tokenizer.encode(row["text"], row["special"] == "all") == row["ids"], row
print(type(tokenizer).__name__, tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False))
"""


@pytest.mark.slow
def test_auto_tokenizer_with_remote_code_and_without_this_package(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for name in ("tiktoken.model", "tokenization_kimi.py", "tool_declaration_ts.py"):
        (model / name).write_bytes((OVERLAYS / "common" / name).read_bytes())
    for name in ("tokenizer_config.json", "chat_template.jinja"):
        (model / name).write_bytes((OVERLAYS / "kimi-k2.6" / name).read_bytes())
    result = subprocess.run(
        [sys.executable, "-c", ALONE, str(model), str(Path(__file__).parents[1] / "golden" / "encode.jsonl")],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            "HF_HOME": str(tmp_path / "hf"),
            "HF_HUB_OFFLINE": "1",
            "PATH": "/usr/bin:/bin",
            "PYTHONIOENCODING": "utf-8",
        },
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == f"TikTokenTokenizer {HI}{PROMPT}"
