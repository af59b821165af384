"""A prompt that remembers its segments: a text like any other, but its ids are those of its segments."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kimi_tokenizers as kt
from kimi_tokenizers.overlays.common.tokenization_kimi import Prompt, Segment

TOKENIZER: Any = kt.load("moonshotai/Kimi-K3")
SEGMENTS = st.lists(
    st.tuples(st.sampled_from(["<|open|>", "<|sep|>", "a", " b", "", "é\n", "<|media_pad|>x"]), st.booleans())
)


def ids_of(segments: Any) -> list[int]:
    return [index for text, markup in segments for index in TOKENIZER.encode(text, allow_special_tokens=markup)]


@given(SEGMENTS, SEGMENTS, st.text())
def test_it_is_its_text(segments: Any, more: Any, text: str) -> None:
    prompt = Prompt(segments)
    plain = "".join(part for part, _ in segments)
    assert (prompt, hash(prompt), len(prompt), json.dumps(prompt)) == (
        plain,
        hash(plain),
        len(plain),
        json.dumps(plain),
    )
    for twin in (pickle.loads(pickle.dumps(prompt)), copy.copy(prompt), copy.deepcopy(prompt)):
        assert (type(twin), twin, twin.segments) == (Prompt, plain, prompt.segments)
    for other in (
        prompt[:],
        prompt[1:],
        prompt.strip(),
        f"{prompt}",
        "".join([prompt]),
        prompt * 1,
        str(prompt),
        prompt.replace("é", "e"),
    ):
        assert type(other) is str
    assert prompt[:] == str(prompt) == plain
    joined = prompt + Prompt(more)
    assert (joined, joined.segments) == (plain + Prompt(more), prompt.segments + Prompt(more).segments)
    assert (prompt + text).segments == prompt.segments + Prompt([Segment(text, False)]).segments
    assert (text + prompt).segments == Prompt([Segment(text, False)]).segments + prompt.segments
    added = prompt
    added += text
    assert type(added) is Prompt
    assert added == plain + text


@given(SEGMENTS, SEGMENTS)
def test_its_ids_are_those_of_its_segments(segments: Any, more: Any) -> None:
    prompt, ids, model = Prompt(segments), ids_of(segments), TOKENIZER.model
    assert TOKENIZER.encode(prompt) == TOKENIZER.encode(prompt, add_special_tokens=False) == ids
    assert TOKENIZER(prompt)["input_ids"] == ids
    assert TOKENIZER([prompt, prompt + Prompt(more), "<|sep|>"])["input_ids"] == [ids, ids + ids_of(more), [163589]]
    assert TOKENIZER.tokenize(prompt) == TOKENIZER.convert_ids_to_tokens(ids)
    for everything in ({"allowed_special": "all"}, {"allowed_special": "all", "disallowed_special": ()}):
        assert model.encode(prompt, **everything) == ids
        assert model.encode_batch([prompt], **everything) == [ids]
        assert model.encode_to_numpy(prompt, **everything).tolist() == ids
    assert model.encode_ordinary(prompt) == model.encode_ordinary(str(prompt))
    assert TOKENIZER.encode(prompt, allow_special_tokens=False) == model.encode_ordinary(str(prompt))


def test_a_long_one_and_one_with_a_long_run() -> None:
    for text in (" " * 1_000_000, "word <|sep|> " * 40_000):
        prompt = Prompt([("<|open|>", True), (text, False), ("<|sep|>", True)])
        expected = [163587, *TOKENIZER.encode(text, allow_special_tokens=False), 163589]
        assert TOKENIZER.encode(prompt) == TOKENIZER.model.encode(prompt, allowed_special="all") == expected


def test_batches_and_arrays_keep_the_segments() -> None:
    model = kt.load("moonshotai/Kimi-K3").model
    text = "some <|sep|> text " * 20_000
    prompt = Prompt([("<|open|>", True), (text, False), ("<|sep|>", True)])
    expected = [163587, *model._core_bpe.encode_ordinary(text), 163589]
    assert model.encode(prompt, allowed_special="all") == expected
    assert model.encode_batch([prompt, "x"], allowed_special="all") == [expected, model.encode("x")]
    assert np.array_equal(model.encode_to_numpy(prompt, allowed_special="all"), expected)


def test_nothing_but_text_can_be_added() -> None:
    with pytest.raises(TypeError):
        Prompt([("a", False)]) + 5  # type: ignore[operator]
