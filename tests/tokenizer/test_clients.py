"""What other programs do with the tokenizer: those that are installed here; the README lists others that were tried."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import llguidance.tiktoken
import mlx_lm.tokenizer_utils
import pytest
import tiktoken
from conftest import NAMED
from datasets.fingerprint import Hasher
from layouts import write_layout
from transformers import AutoTokenizer
from transformers.convert_slow_tokenizer import TikTokenConverter, convert_slow_tokenizer

import kimi_tokenizers as kt
from kimi_tokenizers.overlays.common.tokenization_kimi import PAT_STR, TikTokenTokenizer

TEXT = "Don't<|im_end|><think>世界 I'm 👩‍👩‍👧 12345\n\n\t x</think>"


@pytest.fixture(scope="module")
def fast(tokenizer: TikTokenTokenizer) -> Any:
    """Made by transformers, which asks for our converter."""
    return convert_slow_tokenizer(tokenizer)


# Streaming detokenizers


def test_mlx_lm_streams_from_a_directory_with_the_fast_layout(
    fast: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", AutoTokenizer.from_pretrained)
    kt.register()
    model_dir = write_layout(tmp_path / "Kimi-K2.6", "good", tokenizer_json=fast.to_str().encode())
    wrapper = mlx_lm.tokenizer_utils.load(model_dir)
    assert isinstance(wrapper._tokenizer, TikTokenTokenizer)
    assert isinstance(wrapper.detokenizer, mlx_lm.tokenizer_utils.BPEStreamingDetokenizer)
    detokenizer = wrapper.detokenizer
    for token in wrapper.encode(TEXT):
        detokenizer.add_token(token)
    detokenizer.finalize()
    assert detokenizer.text == TEXT


def test_the_vocabulary_that_detokenizers_read(tokenizer: TikTokenTokenizer) -> None:
    assert tokenizer.vocab == tokenizer.get_vocab()
    assert len(tokenizer.vocab) == max(tokenizer.vocab.values()) + 1 == 163840


# What upstream's class has


def test_attributes_of_upstreams_class(tokenizer: TikTokenTokenizer) -> None:
    assert Path(tokenizer.vocab_file).name == "tiktoken.model"
    assert tokenizer.n_words == 163840
    assert (tokenizer.bos_id, tokenizer.eos_id) == (163584, 163585)
    assert (tokenizer.unk_id, tokenizer.pad_id) == (163838, 163839)
    assert tokenizer.model.eot_token == 163585
    assert tokenizer.encoder == tokenizer.get_vocab()
    assert [tokenizer.decoder[index] for index in range(163840)] == tokenizer.convert_ids_to_tokens(range(163840))
    assert [tokenizer.byte_decoder[tokenizer.byte_encoder[byte]] for byte in range(256)] == list(range(256))


def test_what_llama_cpps_converter_reads(tokenizer: TikTokenTokenizer) -> None:
    """The ranks and the control tokens are all the ids, each once."""
    ids = [*tokenizer.model._mergeable_ranks.values(), *tokenizer.special_tokens.values()]
    assert sorted(ids) == list(range(tokenizer.vocab_size))


def test_a_token_that_was_added_is_in_the_tables() -> None:
    tokenizer = kt.load()
    before = tokenizer.encoder
    tokenizer.add_tokens(["<|new|>"])
    assert tokenizer.encoder["<|new|>"] == tokenizer.vocab["<|new|>"] == 163840
    assert tokenizer.decoder[163840] == "<|new|>"
    assert tokenizer.n_words == 163841
    assert "<|new|>" not in before


# Conversion


def test_convert_slow_tokenizer_is_exact(fast: Any, tokenizer: TikTokenTokenizer, plain: tiktoken.Encoding) -> None:
    assert fast.get_vocab(with_added_tokens=True) == tokenizer.get_vocab()
    assert fast.encode(TEXT).ids == plain.encode(TEXT, allowed_special="all")
    ids = [163586, 163606, *plain.encode("世界"), 163600]
    assert fast.decode(ids, skip_special_tokens=False) == tokenizer.decode(ids)
    assert fast.decode(ids, skip_special_tokens=True) == tokenizer.decode(ids, skip_special_tokens=True)


def test_it_is_what_transformers_makes_when_told_everything(fast: Any, tokenizer: TikTokenTokenizer) -> None:
    names = sorted(tokenizer.special_tokens, key=tokenizer.special_tokens.__getitem__)
    arguments = {"vocab_file": tokenizer.vocab_file, "pattern": PAT_STR, "extra_special_tokens": names}
    theirs = json.loads(TikTokenConverter(**arguments, additional_special_tokens=names).converted().to_str())
    ours = json.loads(fast.to_str())
    for part in ("model", "normalizer", "pre_tokenizer", "decoder"):
        assert ours[part] == theirs[part]
    assert {token["id"]: token["content"] for token in ours["added_tokens"]} == {
        token["id"]: token["content"] for token in theirs["added_tokens"]
    }
    special = {token["content"] for token in ours["added_tokens"] if token["special"]}
    assert special == {name for name, (_, is_special) in NAMED.items() if is_special}


def test_the_converter_is_ours_whichever_is_imported_first() -> None:
    script = """
import sys
import kimi_tokenizers as kt
kt.load()
assert "transformers.convert_slow_tokenizer" not in sys.modules  # it takes 30 ms
import transformers.convert_slow_tokenizer as module
print(module.SLOW_TO_FAST_CONVERTERS["TikTokenTokenizer"].__module__)
"""
    assert (
        subprocess.check_output([sys.executable, "-c", script], text=True) == "kimi_tokenizers.tokenizer.conversion\n"
    )


def test_another_class_of_the_same_name_is_converted_as_before(tokenizer: TikTokenTokenizer, tmp_path: Path) -> None:
    (tmp_path / "ranks").write_text("".join(f"{letter}= {rank}\n" for rank, letter in enumerate(["YQ=", "Yg="])))
    stranger = type("TikTokenTokenizer", (), {})()
    stranger.model = None
    stranger.vocab_file = str(tmp_path / "ranks")
    stranger.extra_special_tokens = stranger.additional_special_tokens = ["<end>"]
    assert convert_slow_tokenizer(stranger).get_vocab() == {"a": 0, "b": 1, "<end>": 2}


def test_llguidance(tokenizer: TikTokenTokenizer) -> None:
    guide = llguidance.tiktoken.lltokenizer_from_encoding(tokenizer.model)
    assert guide.vocab_size == 163840
    assert guide.eos_token == 163585
    text = "Don't 世界 12345\n\n\t x"
    assert guide.tokenize_str(text) == tokenizer.encode(text)


# Fingerprints of datasets, copies and pickles


def test_a_fingerprint_does_not_change_with_use() -> None:
    tokenizer = kt.load()
    fingerprint, size = Hasher.hash(tokenizer), len(pickle.dumps(tokenizer))
    assert size < 100_000
    for use in (
        tokenizer.get_vocab,
        lambda: (tokenizer.encoder, tokenizer.decoder, tokenizer.vocab, tokenizer.all_special_ids, len(tokenizer)),
        lambda: tokenizer(["a b", TEXT], padding=True, truncation=True, max_length=4),
        lambda: tokenizer.decode(tokenizer.encode(TEXT * 1000), skip_special_tokens=True),
        lambda: tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=True),
        lambda: tokenizer.model.special_tokens_set,
    ):
        use()
        assert Hasher.hash(tokenizer) == fingerprint
        assert len(pickle.dumps(tokenizer)) == size
    for twin in (kt.load(), copy.deepcopy(tokenizer), copy.copy(tokenizer), pickle.loads(pickle.dumps(tokenizer))):
        assert Hasher.hash(twin) == fingerprint
        assert twin.encode(TEXT) == tokenizer.encode(TEXT)
        assert twin.get_vocab() == tokenizer.get_vocab()
    assert Hasher.hash(kt.load("moonshotai/Kimi-K2-Instruct")) != fingerprint
    tokenizer.add_tokens(["<|new|>"])
    assert Hasher.hash(tokenizer) != fingerprint
    assert pickle.loads(pickle.dumps(tokenizer)).encode("a<|new|>") == [64, 163840]


READ = """
import pickle, sys
if sys.argv[2:]:
    sys.modules["kimi_tokenizers"] = None  # it cannot be imported
    sys.path.insert(0, sys.argv[2])
print(pickle.load(open(sys.argv[1], "rb")).encode("Hello, world!<|im_end|>"))
"""

WRITE = """
import pickle, sys
sys.modules["kimi_tokenizers"] = None
sys.path.insert(0, sys.argv[1])
from kimi.tokenization_kimi import TikTokenTokenizer
from transformers.convert_slow_tokenizer import convert_slow_tokenizer

tokenizer = TikTokenTokenizer.from_pretrained(sys.argv[1] + "/kimi")
tokenizer.get_vocab()
with open(sys.argv[1] + "/pickle", "wb") as file:
    pickle.dump(tokenizer, file)
try:
    convert_slow_tokenizer(tokenizer)
except ValueError as error:
    print(type(error).__name__, error)
"""


def test_a_pickle_is_read_by_another_process(tokenizer: TikTokenTokenizer, tmp_path: Path) -> None:
    (tmp_path / "pickle").write_bytes(pickle.dumps(tokenizer))
    command = [sys.executable, "-c", READ, str(tmp_path / "pickle")]
    assert json.loads(subprocess.check_output(command, text=True)) == [19180, 11, 2695, 0, 163586]


def test_a_class_that_stands_alone_is_pickled_with_the_ranks_and_refuses_a_wrong_conversion(tmp_path: Path) -> None:
    write_layout(tmp_path / "kimi", "good")
    said = subprocess.check_output([sys.executable, "-c", WRITE, str(tmp_path)], text=True)
    assert said.startswith("VocabFileError transformers cannot convert this tokenizer")
    (tmp_path / "kimi" / "tiktoken.model").unlink()
    command = [sys.executable, "-c", READ, str(tmp_path / "pickle"), str(tmp_path)]
    assert json.loads(subprocess.check_output(command, text=True)) == [19180, 11, 2695, 0, 163586]
    assert (tmp_path / "pickle").stat().st_size < 2_500_000
