"""The streaming detokenizer, in mlx-lm's real wrapper."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlx_lm.tokenizer_utils import NaiveStreamingDetokenizer, StreamingDetokenizer, TokenizerWrapper

import kimi_tokenizers as kt
from kimi_tokenizers.tokenizer.detokenizer import KimiStreamingDetokenizer


@pytest.fixture(scope="module")
def wrapper() -> TokenizerWrapper:
    return kt.load_mlx()


def stream(wrapper: TokenizerWrapper, ids: list[int]) -> list[str]:
    """The segments that a server would send."""
    detokenizer = wrapper.detokenizer
    segments = []
    for index in ids:
        detokenizer.add_token(index)
        segments.append(detokenizer.last_segment)
    detokenizer.finalize()
    segments.append(detokenizer.last_segment)
    assert detokenizer.tokens == ids
    assert detokenizer.text == "".join(segments)
    assert detokenizer.offset == len(detokenizer.text)
    return segments


def test_load_mlx_hands_out_fresh_streaming_detokenizers(wrapper: TokenizerWrapper) -> None:
    first, second = wrapper.detokenizer, wrapper.detokenizer
    assert isinstance(first, KimiStreamingDetokenizer)
    assert isinstance(first, StreamingDetokenizer)
    first.add_token(19180)
    assert (first.text, second.text) == ("Hello", "")


@given(ids=st.lists(st.integers(0, 163_839), max_size=60))
def test_the_text_is_what_decode_gives(wrapper: TokenizerWrapper, ids: list[int]) -> None:
    assert "".join(stream(wrapper, ids)) == wrapper.decode(ids)


@given(data=st.binary(max_size=40))
def test_bytes_that_are_no_utf8_become_what_decode_makes_of_them(wrapper: TokenizerWrapper, data: bytes) -> None:
    ids = [wrapper.model.encode_single_token(bytes([byte])) for byte in data]
    assert "".join(stream(wrapper, ids)) == wrapper.decode(ids) == data.decode("utf-8", "replace")


@given(text=st.text(max_size=60))
def test_no_segment_splits_a_character(wrapper: TokenizerWrapper, text: str) -> None:
    segments = stream(wrapper, wrapper.encode(text, add_special_tokens=False))
    assert "".join(segments) == text
    assert ("\ufffd" in "".join(segments)) == ("\ufffd" in text)


def test_control_tokens_are_part_of_the_text_as_in_decode(wrapper: TokenizerWrapper) -> None:
    assert stream(wrapper, [163606, 64, 163607, 163586]) == ["<think>", "a", "</think>", "<|im_end|>", ""]


def test_an_incomplete_character_is_held_back_until_it_is_certain(wrapper: TokenizerWrapper) -> None:
    ids = [wrapper.model.encode_single_token(bytes([byte])) for byte in "👋".encode()]
    assert stream(wrapper, ids) == ["", "", "", "👋", ""]
    assert stream(wrapper, [*ids[:3], 64]) == ["", "", "", "\ufffda", ""]
    assert stream(wrapper, ids[:3]) == ["", "", "", "\ufffd"]


def test_interleaved_streams_do_not_mix(wrapper: TokenizerWrapper) -> None:
    texts = ["héllo 世界 👩‍👩‍👧 end", "другой поток\n\nданных", "plain"]
    queues = [wrapper.encode(text, add_special_tokens=False) for text in texts]
    detokenizers = [wrapper.detokenizer for _ in texts]
    results = ["", "", ""]
    choice = random.Random(1)
    while any(queues):
        turn = choice.choice([turn for turn in range(3) if queues[turn]])
        detokenizers[turn].add_token(queues[turn].pop(0))
        results[turn] += detokenizers[turn].last_segment
    for turn in range(3):
        detokenizers[turn].finalize()
        results[turn] += detokenizers[turn].last_segment
    assert results == texts


def test_reset_begins_a_new_text(wrapper: TokenizerWrapper) -> None:
    detokenizer = wrapper.detokenizer
    detokenizer.add_token(wrapper.model.encode_single_token(b"\xf0"))
    detokenizer.reset()
    detokenizer.add_token(64)
    assert (detokenizer.text, detokenizer.tokens, detokenizer.last_segment) == ("a", [64], "a")


def test_it_agrees_with_mlx_lms_own_on_ordinary_text(wrapper: TokenizerWrapper) -> None:
    text = "def f():\n    return '世界'  # комментарий 🚀\n" * 3
    ids = wrapper.encode(text, add_special_tokens=False)
    naive = NaiveStreamingDetokenizer(wrapper._tokenizer)
    for index in ids:
        naive.add_token(index)
    naive.finalize()
    assert "".join(stream(wrapper, ids)) == naive.text == text


def test_mlx_lms_own_has_only_what_is_new_of_a_long_line_decoded(
    wrapper: TokenizerWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode_bytes, handed = wrapper.model.decode_bytes, []
    monkeypatch.setattr(wrapper.model, "decode_bytes", lambda ids: handed.append(len(ids)) or decode_bytes(ids))
    ids = (wrapper.encode("not one line break, 世界 🚀 👩‍👩‍👧; ", add_special_tokens=False) * 100)[:1500]
    streams = [NaiveStreamingDetokenizer(wrapper._tokenizer) for _ in range(3)]
    handed.clear()
    for position, index in enumerate(ids):
        for stream in streams:
            stream.add_token(index)
            assert stream.text == decode_bytes(ids[: position + 1]).decode("utf-8", "replace").rstrip("\ufffd")
    assert sum(handed) < 3 * (300 * 300 / 2 + 1500)


@pytest.mark.parametrize("seed", range(6))
def test_decode_of_a_list_that_grew_is_of_what_it_is_now(wrapper: TokenizerWrapper, seed: int) -> None:
    choice = random.Random(seed)

    def some(count: int) -> list[int]:
        return [choice.randrange(choice.choice((256, 163_840))) for _ in range(count)]

    lists = [some(250 + 5 * number) for number in range(choice.choice((1, 3, 20)))]
    for _ in range(30):
        ids = choice.choice(lists)
        ids += some(choice.randrange(4))
        if choice.random() < 0.2:
            ids[choice.randrange(len(ids))] = 64
        elif choice.random() < 0.1:
            del ids[choice.randrange(len(ids))]
        expected = b"".join(map(wrapper.model.decode_single_token_bytes, ids)).decode("utf-8", "replace")
        assert wrapper.decode(ids) == expected
    ids.append(163_840)
    with pytest.raises(KeyError, match=f"position {len(ids) - 1}"):
        wrapper.decode(ids)


def test_threads_that_decode_growing_lists_do_not_mix_them(wrapper: TokenizerWrapper) -> None:
    def run(number: int) -> bool:
        ids, right = [number] * 300, True
        for length in range(300, 600):
            ids.append(number)
            right &= wrapper.decode(ids) == wrapper.decode([number]) * (length + 1)
        return right

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(run, range(64, 76)))


def test_an_id_outside_the_vocabulary_is_an_error(wrapper: TokenizerWrapper) -> None:
    with pytest.raises(KeyError):
        wrapper.detokenizer.add_token(163_840)
