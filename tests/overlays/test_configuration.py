"""What a `tokenizer_config.json` may decide: one rule, for every way in which a tokenizer is loaded."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layouts import write_layout
from transformers import AddedToken

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.errors import KimiTokenizersError, TokenizerConfigError
from kimi_tokenizers.evidence import exo_loading
from kimi_tokenizers.model_dirs import TokenizerFiles, configuration, prompt_fingerprint, token_fingerprint
from kimi_tokenizers.overlays.common import tokenization_kimi
from kimi_tokenizers.overlays.common.tokenization_kimi import ConfigurationError, ControlTokenError, TikTokenTokenizer

MODEL = "moonshotai/Kimi-K2.6"
OVERLAY = catalogue.get(MODEL)
TEXT = "Don't the theory<|im_end|><think>世界 <|new|>I'm [EOS]foo"
NEW = {"content": "the", "special": True, "lstrip": True}

# What transformers understands in such a file and would change ids, or which tokens are special, or stop it.
NOT_HONOURED: dict[str, Any] = {
    "bos_token": "the",
    "eos_token": {"__type": "AddedToken", "content": "the", "special": True},
    "unk_token": "<think>",
    "pad_token": "<|new|>",
    "sep_token": "the",
    "cls_token": 7,
    "mask_token": ["[PAD]"],
    "image_token": "the",
    "additional_special_tokens": ["the", "<|new|>", "<think>"],
    "extra_special_tokens": {"a_token": "the"},
    "model_specific_special_tokens": {"b_token": "the"},
    "special_tokens_pattern": "bos_eos",
    "split_special_tokens": True,
    "clean_up_tokenization_spaces": True,
    "add_bos_token": True,
    "add_eos_token": True,
    "add_prefix_space": True,
    "errors": "strict",
    "model_input_names": ["nothing"],
    "chat_control_tokens": "the",
    "padding_side": "above",
    "truncation_side": None,
    "model_max_length": "many",
    "chat_template": 7,
    "line": "kimi-k2-instruct",
    "added_tokens": {"163840": {"content": "the"}},
    "vocab_file": "/nowhere",
    "tokenizer_file": "/nowhere",
    "init_inputs": [1, 2],
    "name_or_path": 5,
    "self": 1,
    "cls": 1,
    "encode": 1,
    "decode": 1,
    "model": 1,
    "special_tokens": {},
    "backend": "tokenizers",
    "fast_tokenizer_files": ["x"],
    "\ud800": "\udfff",
    "not a number": float("nan"),
}


def configured(folder: Path, /, **changes: Any) -> Path:
    """The model directory with the overlay in place, and a changed `tokenizer_config.json`."""
    path = write_layout(folder, "good")
    config = json.loads((path / "tokenizer_config.json").read_bytes())
    (path / "tokenizer_config.json").write_text(json.dumps({**config, **changes}))
    (path / "kimi_line.json").write_bytes(OVERLAY.read("kimi_line.json"))
    return path


def by_exo(path: Path) -> Any:
    with exo_loading.isolated():
        return exo_loading.load_like_exo(path, wrap=False)


def observed(tokenizer: Any) -> dict[str, Any]:
    return {
        "ids": tokenizer.encode(TEXT),
        "of the engine": tokenizer.model.encode(TEXT, allowed_special="all"),
        "of a call": tokenizer([TEXT, "the"])["input_ids"],
        "special": sorted(tokenizer.all_special_tokens),
        "decoded": tokenizer.decode([163586, 163606, 163838, 1820, 662], skip_special_tokens=True),
        "sizes": (len(tokenizer), tokenizer.vocab_size, tokenizer.model_input_names),
        "sides": (tokenizer.padding_side, tokenizer.truncation_side, tokenizer.model_max_length),
        "roles": tokenizer.special_tokens_map["bos_token"],
        "template": tokenizer.chat_template,
    }


@pytest.fixture(scope="module")
def right() -> dict[str, Any]:
    return observed(kt.load(MODEL))


def test_what_is_not_honoured_has_no_effect(tmp_path: Path, right: dict[str, Any]) -> None:
    path = configured(tmp_path / "m", **NOT_HONOURED)
    (path / "special_tokens_map.json").write_text(json.dumps({"sep_token": NEW, "additional_special_tokens": ["the"]}))
    (path / "added_tokens.json").write_text(json.dumps({"the": 163840}))
    assert observed(by_exo(path)) == right
    assert observed(by_exo(resolver.resolve(MODEL, path))) == right
    assert observed(kt.load(MODEL, path)) == right
    with TokenizerFiles(path) as directory:
        assert token_fingerprint(OVERLAY, directory) == token_fingerprint(OVERLAY)
        assert prompt_fingerprint(OVERLAY, directory) == prompt_fingerprint(OVERLAY)
        (layer,) = (layer for layer in resolver.layers(OVERLAY, directory) if layer.name == "tokenizer_config.json")
    for key in ("bos_token", "additional_special_tokens", "cls_token", "eos_token", " more"):
        assert key in layer.why


@pytest.mark.parametrize("key", ["sep_token", "self", "init_inputs", "decode", "padding_side", "line"])
def test_one_at_a_time(key: str, tmp_path: Path, right: dict[str, Any]) -> None:
    assert observed(by_exo(configured(tmp_path / "m", **{key: NOT_HONOURED[key]}))) == right


def test_what_is_honoured(tmp_path: Path) -> None:
    changes = {
        "padding_side": "left",
        "truncation_side": "left",
        "model_max_length": 100.0,
        "pad_token": "[EOS]",
        "eos_token": {"content": "<|im_end|>"},
        "chat_template": "hello {{ eos_token }}",
    }
    path = configured(tmp_path / "m", **changes)
    (path / "chat_template.jinja").unlink()
    for tokenizer in (by_exo(path), by_exo(resolver.resolve(MODEL, path)), kt.load(MODEL, path)):
        assert (tokenizer.padding_side, tokenizer.truncation_side, tokenizer.model_max_length) == ("left", "left", 100)
        assert (tokenizer.pad_token_id, tokenizer.eos_token_id) == (163585, 163586)
        assert set(tokenizer.all_special_tokens) == set(kt.load(MODEL).all_special_tokens)
        assert tokenizer.apply_chat_template([{"role": "user", "content": "x"}]) == "hello <|im_end|>"
    with TokenizerFiles(path) as directory:
        assert token_fingerprint(OVERLAY, directory) == token_fingerprint(OVERLAY)
        assert prompt_fingerprint(OVERLAY, directory) != prompt_fingerprint(OVERLAY)


def test_a_role_counts_for_the_prompt_fingerprint(tmp_path: Path) -> None:
    with TokenizerFiles(configured(tmp_path / "m", eos_token="<|im_end|>")) as directory:
        assert prompt_fingerprint(OVERLAY, directory) != prompt_fingerprint(OVERLAY)


def test_a_caller_may_do_all_of_it(tmp_path: Path) -> None:
    path = configured(tmp_path / "m", padding_side="left", split_special_tokens=False)
    tokenizer = TikTokenTokenizer.from_pretrained(
        path,
        padding_side="right",
        split_special_tokens=True,
        sep_token="<|new|>",
        clean_up_tokenization_spaces=True,
    )
    assert (tokenizer.padding_side, tokenizer.split_special_tokens) == ("right", True)
    assert tokenizer.convert_tokens_to_ids("<|new|>") == tokenizer.sep_token_id == 163840
    assert tokenizer.clean_up_tokenization_spaces
    assert len(tokenizer.encode("<think>")) > 1
    only = TikTokenTokenizer.from_pretrained(path, additional_special_tokens=["<|im_end|>", AddedToken("<|x|>")])
    assert "<|im_user|>" not in only.all_special_tokens
    assert only.encode("<|x|>") == [163840]


ENCODED = {
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-32, big-endian": lambda text: text.encode("utf-32-be"),
    "a key twice": lambda text: ('{"bos_token": "the",' + text.lstrip()[1:]).encode(),
    "a lone surrogate": lambda text: text.replace('"bos_token"', '"x": "\\ud800", "bos_token"').encode(),
    "surrogates as bytes": lambda text: text.replace('"bos_token"', '"\ud800": 1, "bos_token"').encode(
        "utf-8", "surrogatepass"
    ),
    "no number": lambda text: text.replace('"bos_token"', '"x": [NaN, -Infinity, 1e999], "bos_token"').encode(),
}


@pytest.mark.parametrize("name", ENCODED)
def test_json_of_every_kind_loads(name: str, tmp_path: Path, right: dict[str, Any]) -> None:
    path = configured(tmp_path / "m")
    config = path / "tokenizer_config.json"
    config.write_bytes(ENCODED[name](config.read_text()))
    assert observed(by_exo(path)) == right
    resolved = resolver.resolve(MODEL, path)
    json.loads((resolved / "tokenizer_config.json").read_text(encoding="utf-8"))  # as transformers' own readers do
    assert observed(by_exo(resolved)) == right


UNREADABLE = {
    "an empty file": b"",
    "half of it": b'{"bos_token": ',
    "a list": b"[1]",
    "a number": b"7",
    "null": b"null",
    "no text": b"\xff\xfe\xff",
    "nested": b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
    "nested without end": b'{"a":' + b"[" * 100_000,
    "digits": b'{"a": ' + b"9" * 2000 + b"}",
    "a table that is a list": b'{"added_tokens_decoder": [1]}',
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_an_error_that_says_so_everywhere(name: str, tmp_path: Path) -> None:
    path = configured(tmp_path / "m")
    (path / "tokenizer_config.json").write_bytes(UNREADABLE[name])
    with pytest.raises((ConfigurationError, ControlTokenError)):
        TikTokenTokenizer.from_pretrained(path)
    for way in (resolver.resolve, kt.load):
        with pytest.raises(TokenizerConfigError):
            way(MODEL, path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from([*NOT_HONOURED, *configuration.HONOURED]) | st.text(string.ascii_lowercase, max_size=6)


@given(config=st.dictionaries(KEYS, JSON | st.sampled_from(["the", "[EOS]", "<think>", "left"]), max_size=5))
def test_the_two_statements_of_the_rule_are_one(config: dict[str, Any]) -> None:
    assert configuration.HONOURED == tokenization_kimi.HONOURED
    table = tokenization_kimi.control_tokens(None, OVERLAY.description())
    special = {token.content for token in table.values() if token.special}
    counts = tokenization_kimi.honoured(config, table)
    assert configuration.roles(config, special) == {k: v for k, v in counts.items() if k in configuration.ROLES}
    templates = counts.get("chat_template", {})
    named = {"default": templates} if isinstance(templates, str) else templates
    assert configuration.chat_templates(config.get("chat_template")) == named


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(KEYS, JSON | st.sampled_from(["the", NEW]), min_size=1, max_size=6))
def test_whatever_it_says_ids_are_right_or_there_is_an_error(
    changes: dict[str, Any], tmp_path: Path, right: dict[str, Any]
) -> None:
    path = configured(tmp_path / "m", **changes)
    try:
        tokenizer = TikTokenTokenizer.from_pretrained(path)
    except KimiTokenizersError:
        with pytest.raises(KimiTokenizersError):
            kt.resolve(MODEL, path)
        return
    if not changes.get("added_tokens_decoder", 1):  # else it is the line's own table
        assert tokenizer.encode("<think>") == [163606]
    assert tokenizer.encode(TEXT) == right["ids"]
    assert sorted(tokenizer.all_special_tokens) == right["special"]
    kt.resolve(MODEL, path)


@pytest.mark.parametrize(
    "value", ["bogus", "kimi-k2-instruct", 7, None], ids=["bogus", "another line", "a number", "nothing"]
)
def test_a_line_of_its_own_in_the_directory_stays_out_of_a_resolved_one(
    value: object, tmp_path: Path, right: dict[str, Any]
) -> None:
    path = configured(tmp_path / "m")
    (path / "kimi_line.json").write_text(json.dumps({"line": value, "added_tokens": {"163840": {"content": "the"}}}))
    assert observed(by_exo(resolver.resolve(MODEL, path))) == right
    assert observed(kt.load(MODEL, path)) == right
