"""`adapt`: a fast tokenizer gets the `.model` that exo needs; and the fast layout with the overlay in front."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import golden
from layouts import fast_tokenizer_json, small_tokenizer_json, write_layout
from tokenizers import Tokenizer
from transformers import AddedToken, PreTrainedTokenizerFast

import kimi_tokenizers as kt
from kimi_tokenizers.evidence import exo_loading

ROWS = golden("encode")


@pytest.fixture(scope="module")
def fast() -> Any:
    return kt.adapt(PreTrainedTokenizerFast(tokenizer_file=str(fast_tokenizer_json())))


def edited(change: Any) -> PreTrainedTokenizerFast:
    """A fast tokenizer of the line but for one change to its tokenizer.json."""
    value = json.loads(fast_tokenizer_json().read_text(encoding="utf-8"))
    change(value)
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(value)))


def as_instruct(value: Any) -> None:
    """In Kimi-K2-Instruct these have no names, and `<think>` is plain text."""
    for entry in value["added_tokens"]:
        if 163602 <= entry["id"] <= 163607:
            entry["content"] = f"<|reserved_token_{entry['id']}|>"


@pytest.fixture(scope="module")
def instruct() -> Any:
    return kt.adapt(edited(as_instruct))


def test_every_golden_row_is_exact(fast: Any, instruct: Any) -> None:
    models = {"kimi-k2.6": fast.model, "kimi-k2-instruct": instruct.model}
    assert len(ROWS) > 400
    for row in ROWS:
        model = models[row["line"]]
        if row["special"] == "all":
            ids = model.encode(row["text"], allowed_special="all")
        else:
            ids = model.encode(row["text"], disallowed_special=())
            assert model.encode_ordinary(row["text"]) == ids
        assert ids == row["ids"]
        assert model.decode(ids) == row["text"]


def test_the_model_is_as_tiktokens(fast: Any, plain: Any) -> None:
    text = "a<|im_end|>b<think>"
    assert fast.model.n_vocab == plain.n_vocab == 163840
    assert fast.model.special_tokens_set == plain.special_tokens_set
    some = {"<|im_end|>"}
    assert fast.model.encode(text, allowed_special=some, disallowed_special=()) == plain.encode(
        text, allowed_special=some, disallowed_special=()
    )
    with pytest.raises(ValueError, match="disallowed special token"):
        fast.model.encode(text)


def test_it_is_the_same_tokenizer_and_exo_can_encode_with_it() -> None:
    tokenizer: Any = PreTrainedTokenizerFast(tokenizer_file=str(fast_tokenizer_json()))
    tokenizer.model = None
    before = tokenizer("Hello, world!<think>")["input_ids"]
    assert kt.adapt(tokenizer) is tokenizer
    assert tokenizer("Hello, world!<think>")["input_ids"] == before == [19180, 11, 2695, 0, 163606]
    assert tokenizer.model.encode("Hello, world!<think>", allowed_special="all") == before

    tokenizer.add_tokens([AddedToken("<|mine|>", normalized=False)])
    assert kt.adapt(tokenizer).model.encode("<|mine|>", allowed_special="all") == [163840]

    tokenizer.model = None
    exo_loading.replace_encode(tokenizer)
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'encode'"):
        tokenizer.encode("Hello, world!")
    kt.adapt(tokenizer)
    assert tokenizer.encode("Hello, world!<|im_end|>", add_special_tokens=False) == [19180, 11, 2695, 0, 163586]


def test_control_tokens_are_the_tokenizers_own(instruct: Any) -> None:
    model = instruct.model
    assert model.encode("<think>", allowed_special="all") == [27, 39964, 29]
    assert model.encode("<|reserved_token_163606|><|im_end|>", allowed_special="all") == [163606, 163586]


class Vocabulary:
    """A tokenizer, as far as `adapt` goes, with this vocabulary."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self._vocabulary = vocabulary

    def get_vocab(self) -> dict[str, int]:
        return self._vocabulary


def test_a_vocabulary_without_reserved_tokens_will_do(fast: Any) -> None:
    named = {token: index for token, index in fast.get_vocab().items() if "reserved_token" not in token}
    assert len(named) < 163840
    model = kt.adapt(Vocabulary(named)).model  # type: ignore[attr-defined]
    assert model.encode("<|reserved_token_163700|>[EOS]", allowed_special="all") == [163700, 163585]


def test_another_vocabulary_is_refused_and_left_alone(fast: Any) -> None:
    swapped = fast.get_vocab()
    swapped["Hello"], swapped["Ġworld"] = swapped["Ġworld"], swapped["Hello"]
    tokenizer = Vocabulary(swapped)
    with pytest.raises(kt.KimiTokenizersError, match=r"says that id 2695 is 'Hello', but in Kimi K2 it is 'Ġworld'"):
        kt.adapt(tokenizer)
    assert not hasattr(tokenizer, "model")
    small = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(small_tokenizer_json().decode()))
    with pytest.raises(kt.KimiTokenizersError, match="another model"):
        kt.adapt(small)


def test_other_control_tokens_are_refused(fast: Any) -> None:
    vocabulary = fast.get_vocab()
    k3 = {"<|open|>" if token == "<|im_user|>" else token: index for token, index in vocabulary.items()}
    with pytest.raises(kt.KimiTokenizersError, match=r"163587 is '<\|open\|>'"):
        kt.adapt(Vocabulary(k3))
    none = {token: index for token, index in vocabulary.items() if index < 163584}
    with pytest.raises(kt.KimiTokenizersError, match=r"lacks the control tokens \[BOS\], "):
        kt.adapt(Vocabulary(none))


def test_what_is_no_tokenizer_is_refused() -> None:
    with pytest.raises(TypeError, match="got str"):
        kt.adapt("tokenizer.json")


def test_the_fast_layout_gets_our_tokenizer(tmp_path: Path) -> None:
    model_dir = write_layout(tmp_path / "moonshotai--Kimi-K2.6", "fast_only")
    assert not (model_dir / "tiktoken.model").exists()
    tokenizer = kt.load("moonshotai/Kimi-K2.6", model_dir)
    assert tokenizer.model.encode("Hello, world!<think>", allowed_special="all") == [19180, 11, 2695, 0, 163606]
    front = kt.resolve("moonshotai/Kimi-K2.6", model_dir)
    with exo_loading.isolated():
        loaded = exo_loading.load_like_exo(front, wrap=False)
    assert loaded.encode("Hello, world!<think>") == [19180, 11, 2695, 0, 163606]


def test_the_fast_layout_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    model_dir = write_layout(tmp_path / "moonshotai--Kimi-K2.6", "broken", tokenizer_json=small_tokenizer_json())
    with pytest.raises(kt.KimiTokenizersError, match=r"tokenizer\.json"):
        kt.load("moonshotai/Kimi-K2.6", model_dir)
    with pytest.raises(kt.KimiTokenizersError, match=r"tokenizer\.json"):
        kt.resolve("moonshotai/Kimi-K2.6", model_dir)
