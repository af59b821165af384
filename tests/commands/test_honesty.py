"""Never a false all-clear: whatever found nothing to examine says where it looked, and exits with 1."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from layouts import write_layout
from sync_directories import FOLDER, broken

from kimi_tokenizers.commands import main

SEARCHING = (["status"], ["explain"], ["sync"], ["sync", "--dry-run"], ["restore"], ["view", "{0}/view"])


@pytest.fixture(autouse=True)
def _empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EXO_MODELS_DIRS", "EXO_MODELS_READ_ONLY_DIRS", "EXO_HOME", "XDG_DATA_HOME", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EXO_DEFAULT_MODELS_DIR", str(tmp_path / "typo"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no-hub"))
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path / "cache"))


def filled(command: list[str], tmp_path: Path) -> list[str]:
    return [word.format(tmp_path) for word in command]


@pytest.mark.parametrize("command", SEARCHING, ids=" ".join)
@pytest.mark.parametrize("exists", [False, True])
def test_nothing_found_is_1_and_names_the_place_and_its_variable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], exists: bool
) -> None:
    if exists:
        write_layout(tmp_path / "typo" / "mlx-community--Qwen3-8B-4bit", "empty")
    command = filled(command, tmp_path)
    assert main(command) == 1
    said = capsys.readouterr().err
    assert f"{str(tmp_path / 'typo')!r} (EXO_DEFAULT_MODELS_DIR)" in said
    assert main([*command, "--json"]) == 1
    report: Any = json.loads(capsys.readouterr().out)
    assert list(report)[:2] == ["schema", "ok"]
    assert report["ok"] is False
    assert any(f"{str(tmp_path / 'typo')!r} (EXO_DEFAULT_MODELS_DIR)" in problem for problem in report["problems"])
    assert not (tmp_path / "view").exists()


@pytest.mark.parametrize("command", [*SEARCHING[:-1]], ids=" ".join)
def test_the_cache_and_a_model_that_are_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    write_layout(tmp_path / "typo" / FOLDER, "good")
    assert main([*command, "--hf-cache"]) == 1
    assert f"{str(tmp_path / 'no-hub')!r} (HF_HUB_CACHE) cannot be read" in capsys.readouterr().err
    assert main([*command, "--model", "moonshotai/Kimi-K2.5"]) == 1
    said = capsys.readouterr().err
    assert f"Kimi-K2.5 was not found in {str(tmp_path / 'typo')!r} (EXO_DEFAULT_MODELS_DIR)" in said
    assert main(command) == 0  # and nothing else is wrong


def test_a_view_names_the_places_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_layout(tmp_path / "models" / FOLDER, "good")
    view = ["view", str(tmp_path / "view"), "--from", str(tmp_path / "models")]
    assert main(view) == 0
    assert main([*view, "--from", str(tmp_path / "missing")]) == 1
    assert f"{str(tmp_path / 'missing')!r} is not there" in capsys.readouterr().err


def test_exo_may_have_been_told_of_the_view_before_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_layout(tmp_path / "typo" / FOLDER, "good")
    monkeypatch.setenv("EXO_MODELS_READ_ONLY_DIRS", str(tmp_path / "view"))
    assert main(["view", str(tmp_path / "view")]) == 0


def test_nothing_but_views_is_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken(tmp_path / "models")
    assert main(["view", str(tmp_path / "view"), "--from", str(tmp_path / "models")]) == 0
    for command in ("sync", "restore"):
        assert main([command, str(tmp_path / "view")]) == 1
        assert "Nothing but views" in capsys.readouterr().err


def test_what_was_examined_and_needs_nothing_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken(tmp_path / "models")
    assert main(["restore", str(tmp_path / "models")]) == 0
    assert "nothing to restore" in capsys.readouterr().out
    assert main(["sync", str(tmp_path / "models")]) == 0
    assert main(["sync", str(tmp_path / "models")]) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_an_empty_corpus_compares_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "image").write_bytes(b"\0\1")
    assert main(["parity", "tiktoken", "--samples", "0", "--corpus", str(tmp_path / "corpus")]) == 1
    assert "There is no text to compare" in capsys.readouterr().err


def test_no_standard_input_is_not_an_empty_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["count"]) == 1
    assert "There is no standard input" in capsys.readouterr().err


def test_sync_says_a_line_for_each_model_and_files_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(tmp_path / "models")
    models = str(tmp_path / "models")
    assert main(["sync", "--dry-run", models]) == 0
    assert "  create   tiktoken.model" in capsys.readouterr().out
    assert main(["sync", models]) == 0
    line, total = capsys.readouterr().out.splitlines()
    assert line.endswith(": changed, 5 files")
    assert total == "1 changed, 0 unchanged, 0 failed"
    assert main(["restore", "--verbose", models]) == 0
    assert "tokenizer_config.json" in capsys.readouterr().out


@pytest.mark.parametrize(("output", "said"), [("> /dev/full", "cannot be written: No space left"), (">&-", "")])
def test_output_that_cannot_be_written_is_no_traceback(tmp_path: Path, output: str, said: str) -> None:
    write_layout(tmp_path / "models" / FOLDER, "broken")
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m kimi_tokenizers status "$0" {output}', str(tmp_path / "models")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", "no such file", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert list(report) == ["schema", "ok", "problems"]
    assert (report["schema"], report["ok"]) == (1, False)
    assert "no such file" in report["problems"][0]
