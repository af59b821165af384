"""Fingerprints: equal where, and only where, ids or prompts are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from layouts import write_layout

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import TokenizerConfigError
from kimi_tokenizers.model_dirs import TokenizerFiles, fingerprint
from kimi_tokenizers.overlays.common.tokenization_kimi import PAT_STR

MODEL = "moonshotai/Kimi-K2.6"
OVERLAY = catalogue.get(MODEL)
Fingerprint = Callable[..., str]


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return write_layout(tmp_path / "moonshotai--Kimi-K2.6", "good")


def edit_table(model_dir: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    path = model_dir / "tokenizer_config.json"
    config = json.loads(path.read_text())
    edit(config["added_tokens_decoder"])
    path.write_text(json.dumps(config))


def test_the_pattern_in_it_is_the_tokenizers() -> None:
    assert hashlib.sha256(PAT_STR.encode()).hexdigest() == fingerprint.PATTERN_SHA256


def test_of_tokens_tells_the_lines_apart_that_differ_in_ids() -> None:
    prints = {line: fingerprint.token_fingerprint(overlay) for line, overlay in catalogue.overlays().items()}
    assert prints["kimi-k2.5"] == prints["kimi-k2.6"] == prints["kimi-k2.7-code"]
    assert prints["kimi-k2-instruct"] == prints["kimi-linear"]
    assert len(set(prints.values())) == len(prints) - 3


def test_of_prompts_tells_the_lines_apart_that_differ_in_prompts() -> None:
    prints = {line: fingerprint.prompt_fingerprint(overlay) for line, overlay in catalogue.overlays().items()}
    bare = {line for line, overlay in catalogue.overlays().items() if "chat_template.jinja" not in overlay.files}
    bare.remove("kimi-k3")  # which has a chat encoder
    assert len({prints[line] for line in bare}) == 1
    assert len(set(prints.values())) == len(prints) - len(bare) + 1


@pytest.mark.parametrize("of", [fingerprint.token_fingerprint, fingerprint.prompt_fingerprint])
@pytest.mark.parametrize("layout", ["good", "broken", "fast_only", "empty", "partial"])
def test_every_layout_of_a_line_has_the_same(of: Fingerprint, layout: str, tmp_path: Path) -> None:
    assert of(OVERLAY, TokenizerFiles(write_layout(tmp_path / "model", layout))) == of(OVERLAY)


def test_it_is_a_sha_256() -> None:
    assert len(bytes.fromhex(fingerprint.token_fingerprint(OVERLAY))) == 32
    assert len(bytes.fromhex(fingerprint.prompt_fingerprint(OVERLAY))) == 32


def test_a_name_of_the_directorys_own_changes_it(model_dir: Path) -> None:
    edit_table(model_dir, lambda table: table.update({"163700": {"content": "<|own|>"}}))
    assert fingerprint.token_fingerprint(OVERLAY, TokenizerFiles(model_dir)) != fingerprint.token_fingerprint(OVERLAY)
    assert fingerprint.prompt_fingerprint(OVERLAY, TokenizerFiles(model_dir)) == fingerprint.prompt_fingerprint(OVERLAY)


def test_a_name_that_the_directory_leaves_out_changes_it(model_dir: Path) -> None:
    edit_table(model_dir, lambda table: table.pop("163606"))
    assert 163606 not in kt.load(MODEL, model_dir).encode("<think>")
    assert fingerprint.token_fingerprint(OVERLAY, TokenizerFiles(model_dir)) != fingerprint.token_fingerprint(OVERLAY)


def test_a_name_that_every_line_has_may_be_left_out(model_dir: Path) -> None:
    """The tokenizer has it all the same, and so the ids are equal."""
    edit_table(model_dir, lambda table: table.pop("163586"))
    assert kt.load(MODEL, model_dir).encode("<|im_end|>") == [163586]
    assert fingerprint.token_fingerprint(OVERLAY, TokenizerFiles(model_dir)) == fingerprint.token_fingerprint(OVERLAY)


def test_reserved_names_change_nothing(model_dir: Path) -> None:
    edit_table(model_dir, lambda table: table.update({"163700": {"content": "<|reserved_token_163700|>"}}))
    assert fingerprint.token_fingerprint(OVERLAY, TokenizerFiles(model_dir)) == fingerprint.token_fingerprint(OVERLAY)


@pytest.mark.parametrize("entry", [None, 7, [], {}, {"special": True}])
def test_a_table_that_is_damaged(entry: object, model_dir: Path) -> None:
    edit_table(model_dir, lambda table: table.update({"163700": entry}))
    with pytest.raises(TokenizerConfigError) as caught:
        fingerprint.token_fingerprint(OVERLAY, TokenizerFiles(model_dir))
    assert str(model_dir / "tokenizer_config.json") in str(caught.value)


def test_a_template_of_the_directorys_own_changes_it(model_dir: Path) -> None:
    (model_dir / "chat_template.jinja").write_text("own é", encoding="utf-8")
    assert fingerprint.prompt_fingerprint(OVERLAY, TokenizerFiles(model_dir)) != fingerprint.prompt_fingerprint(OVERLAY)
    assert fingerprint.token_fingerprint(OVERLAY, TokenizerFiles(model_dir)) == fingerprint.token_fingerprint(OVERLAY)
