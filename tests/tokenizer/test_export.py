"""`export_fast` and `kimi-tokenizers export`: a tokenizer.json with exactly tiktoken's ids."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiktoken
from tokenizers import Tokenizer

import kimi_tokenizers as kt
from kimi_tokenizers.commands import main
from kimi_tokenizers.errors import ExportError
from kimi_tokenizers.tokenizer import export

TEXT = "Don't<|im_end|><think>世界 I'm 12345\n\n\t x"


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], plain: tiktoken.Encoding) -> None:
    assert main(["export", "--json", "tokenizer.json", str(tmp_path)]) == 0
    report = json.loads(capsys.readouterr().out)
    written = [tmp_path / "tokenizer.json", tmp_path / "chat_template.jinja"]
    assert report["files"] == list(map(str, written)) == sorted(map(str, tmp_path.iterdir()), reverse=True)
    assert report["compared"] > 450
    assert "whitespace" in report["limits"][0]
    assert Tokenizer.from_file(str(written[0])).encode(TEXT).ids == plain.encode(TEXT, allowed_special="all")
    assert written[1].read_text() == kt.load().chat_template


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("mine")
    with pytest.raises(ExportError, match="there already"):
        kt.export_fast("moonshotai/Kimi-K2.6", tmp_path)
    (tmp_path / "chat_template.jinja").write_text("mine")
    with pytest.raises(ExportError, match=r"chat_template\.jinja"):
        kt.export_fast("moonshotai/Kimi-K2.6", tmp_path / "other.json", dry_run=True)
    assert {file.read_text() for file in tmp_path.iterdir()} == {"mine"}


def test_a_dry_run_writes_nothing_and_says_what_k3_lacks(tmp_path: Path) -> None:
    done = kt.export_fast("moonshotai/Kimi-K3", tmp_path, dry_run=True)
    assert done.files == (tmp_path / "tokenizer.json",)
    assert "segments" in done.limits[-1]
    assert not list(tmp_path.iterdir())


def test_a_file_with_other_ids_is_not_handed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = export.fast_tokenizer

    def without_pattern(tokenizer: object) -> Tokenizer:
        made = right(tokenizer)  # type: ignore[arg-type]
        made.pre_tokenizer = made.pre_tokenizer[1]
        return made

    monkeypatch.setattr(export, "fast_tokenizer", without_pattern)
    with pytest.raises(ExportError, match="other ids than tiktoken"):
        kt.export_fast("moonshotai/Kimi-K2.6", tmp_path)
    assert not list(tmp_path.iterdir())


def test_two_places_are_wrong_usage() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["export", "one", "two"])
    assert stopped.value.code == 2


def test_a_place_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="Cannot write"):
        export._write(tmp_path / "missing" / "tokenizer.json", b"{}")
