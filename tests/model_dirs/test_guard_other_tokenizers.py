"""The guard knows directories of other tokenizers without a `tiktoken.model`: by their `config.json` and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from layouts import write_layout

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import VocabularyMismatchError
from kimi_tokenizers.model_dirs import TokenizerFiles, check_vocabulary

LINES = {line: overlay.models[0] for line, overlay in catalogue.overlays().items()}
K26 = catalogue.get("moonshotai/Kimi-K2.6")


def check(path: Path, line: str = "kimi-k2.6") -> None:
    with TokenizerFiles(path) as directory:
        check_vocabulary(catalogue.overlays()[line], directory)


@pytest.mark.parametrize(
    "name",
    [
        *("merges.txt", "vocab.txt", "tokenizer.model", "tokenizer.model.v3", "spiece.model", "tekken.json"),
        *("sentencepiece.bpe.model", "qwen.tiktoken", "vocab.bpe", "source.spm"),
    ],
)
def test_files_of_other_tokenizers(name: str, tmp_path: Path) -> None:
    path = write_layout(tmp_path / "model", "empty")
    (path / name).write_bytes(b"x")
    with pytest.raises(VocabularyMismatchError, match="another kind of tokenizer"):
        check(path)


@pytest.mark.parametrize("content", [{}, {"a": 0, "b": 1}, [1], {"a": "b"}, {"a": None}])
def test_a_vocab_json_of_another(content: object, tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text(json.dumps(content))
    (tmp_path / "merges.txt").write_text("a b\n")
    with pytest.raises(VocabularyMismatchError, match=r"vocab\.json"):
        check(tmp_path)


def test_a_vocab_json_with_the_same_vocabulary(tmp_path: Path) -> None:
    vocab = {token: index for token, index in kt.load().get_vocab().items() if index < catalogue.N_RANKS}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab))
    (tmp_path / "merges.txt").write_text("a b\n")
    check(tmp_path)


@pytest.mark.parametrize(
    "config",
    [
        {"architectures": ["Qwen2ForCausalLM"]},
        {"architectures": ["LlamaForCausalLM"], "vocab_size": 163840},
        {"architectures": "MistralForCausalLM"},
        {"architectures": ["DeepseekV2ForCausalLM"]},
        {"architectures": ["DeepseekV32ForCausalLM"]},
        {"architectures": ["KimiK3ForConditionalGeneration"]},
        {"architectures": ["KimiVLForConditionalGeneration"]},
        {"architectures": [7]},
        {"model_type": "kimi_k25", "text_config": {"model_type": "qwen3"}},
        {"model_type": "kimi_k25", "text_config": {"model_type": "llama", "vocab_size": 163840}},
        {"model_type": "kimi_k25", "text_config": {"architectures": ["Qwen3ForCausalLM"]}},
        {"llm_config": {"model_type": "qwen2"}},
        {"eos_token_id": 151645},
        {"eos_token_id": [163586, 2]},
        {"bos_token_id": 1},
        {"pad_token_id": 128004},
        {"text_config": {"eos_token_id": 2}},
        {"media_placeholder_token_id": 163603},
        {"media_placeholder_token_id": 151655},
        {"eos_token_id": 163840},
        {"architectures": ["LlamaForCausalLMEagle3"], "vocab_size": 128256},
        {"architectures": ["LlamaForCausalLMEagle3"], "model_type": "llama"},
    ],
)
def test_a_config_of_another(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(VocabularyMismatchError, match=r"config\.json"):
        check(tmp_path)


@pytest.mark.parametrize(
    ("line", "config"),
    [
        ("kimi-k2.6", {"model_type": "kimi_k25", "architectures": ["KimiK25ForConditionalGeneration"]}),
        ("kimi-k2.6", {"model_type": "kimi_k25", "text_config": {"model_type": "deepseek_v3"}}),
        ("kimi-k2.6", {"eos_token_id": [163585, 163586], "pad_token_id": 0, "media_placeholder_token_id": 163605}),
        ("kimi-k2.6", {"bos_token_id": None, "eos_token_id": 163586, "pad_token_id": -1, "quantization": {"bits": 4}}),
        ("kimi-k2-instruct", {"model_type": "kimi_k2", "architectures": ["DeepseekV3ForCausalLM"]}),
        ("kimi-k3", {"model_type": "kimi_k3", "architectures": ["KimiK3ForConditionalGeneration"]}),
        ("kimi-k3", {"architectures": ["KimiWhateverForCausalLM"], "text_config": {"model_type": "kimi_linear"}}),
        ("kimi-linear", {"model_type": "kimi_linear", "architectures": ["KimiLinearForCausalLM"]}),
        ("kimi-vl", {"model_type": "kimi_vl", "text_config": {"model_type": "deepseek_v3", "pad_token_id": 163838}}),
        ("moonlight", {"model_type": "deepseek_v3", "architectures": ["DeepseekV3ForCausalLM"]}),
        # Draft models that propose tokens of this vocabulary have whatever architecture their makers liked.
        ("kimi-k2.6", {"architectures": ["LlamaForCausalLMEagle3"], "model_type": "llama", "vocab_size": 163840}),
        ("kimi-k2.6", {"architectures": ["DFlashDraftModel"], "model_type": "qwen3", "vocab_size": 163840}),
        ("kimi-k2.6", {"model_type": "llama", "draft_vocab_size": 32000, "vocab_size": 163840, "bos_token_id": 1}),
    ],
)
def test_a_config_of_its_own(line: str, config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    check(tmp_path, line)


@pytest.mark.parametrize(
    "entry",
    [
        {"content": "the"},
        {"content": ""},
        {"content": "<|x|>", "lstrip": True},
        {"content": "<|x|>", "single_word": 1},
        {"content": "\ud800"},
        {"content": "<|reserved_token_5|>"},
        "the",
    ],
)
def test_names_that_the_tokenizer_cannot_take(entry: object, tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": {"163700": entry}}))
    with pytest.raises(VocabularyMismatchError):
        check(tmp_path)


def test_a_newer_lines_name_at_another_id(tmp_path: Path) -> None:
    table = {"added_tokens_decoder": {"163700": {"content": "<think>"}}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(table))
    with pytest.raises(VocabularyMismatchError, match="163700 is '<think>'"):
        check(tmp_path, "kimi-k2-instruct")


def test_register_leaves_another_tokenizers_directory_to_transformers(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    path = tmp_path / "moonshotai--Kimi-K2.6"
    path.mkdir()
    (path / "vocab.json").write_text(json.dumps({"a": 0, "b": 1, "ab": 2}))
    (path / "merges.txt").write_text("#version: 0.2\na b\n")
    (path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    kt.register()
    with pytest.warns(RuntimeWarning, match="leaves this directory to transformers"):
        tokenizer = AutoTokenizer.from_pretrained(path)
    assert tokenizer.encode("ab") == [2]
