"""`explain`: each file's layer and why, what exo would do next, and the command that mends it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from layouts import write_layout

from kimi_tokenizers import catalogue
from kimi_tokenizers.commands import main
from kimi_tokenizers.model_dirs import exo

MODEL = "moonshotai/Kimi-K2.6"
FOLDER = "moonshotai--Kimi-K2.6"
OVERLAY = catalogue.get(MODEL)


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """exo's default models dir."""
    monkeypatch.setenv("EXO_DEFAULT_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "models"


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Exit status, the one model, its files by name."""
    status = main(["explain", "--json", *arguments])
    report = json.loads(capsys.readouterr().out)
    assert list(report)[:3] == ["schema", "ok", "problems"]
    assert report["ok"] == (status == 0)
    [model] = report["models"]
    return status, model, {file["name"]: file for file in model["files"]}


def exos_list(models: Path, sizes: dict[str, int], age: float = 60) -> Path:
    """Write exo's list of the repo's files, and return it."""
    path = exo.file_list_cache(MODEL, {"EXO_DEFAULT_MODELS_DIR": str(models)})
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([{"type": "file", "path": name, "size": size} for name, size in sizes.items()]))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_layers_and_why(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_layout(models / FOLDER, "broken")
    status, model, files = explained(capsys)
    assert (status, model["state"], model["guard"]) == (1, "broken", None)
    assert files["tokenization_kimi.py"]["layer"] == "overlay"
    assert files["tokenization_kimi.py"]["found"] == "missing"
    assert (files["tokenizer_config.json"]["layer"], files["tokenizer_config.json"]["why"]) == (
        "overlay",
        "the model's own does not name the slow tokenizer, or not as transformers reads it",
    )
    assert files["chat_template.jinja"]["layer"] == "directory"
    assert (files["tokenization_kimi_fast.py"]["layer"], files["tokenization_kimi_fast.py"]["why"]) == (
        "none",
        "downloaded Python never runs",
    )
    assert not any(name.endswith(".safetensors") for name in files)
    assert model["next"] == f"kimi-tokenizers sync --model {MODEL}"


def test_what_exo_would_do_from_its_own_list(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_dir = write_layout(models / FOLDER, "good")
    next(model_dir.glob("*.safetensors")).unlink()  # so exo downloads
    (model_dir / "tool_declaration_ts.py").unlink()
    (model_dir / "kimi_line.json").write_bytes(OVERLAY.read("kimi_line.json"))
    sizes = {
        "tiktoken.model": OVERLAY.files["tiktoken.model"].size,
        "tokenizer_config.json": 7,
        "config.json": 100_000,
        "tool_declaration_ts.py": 5,
    }
    path = exos_list(models, sizes)
    _, model, files = explained(capsys)
    assert model["upstream"]["path"] == str(path)
    assert {name: files[name]["exo"] for name in (*sizes, "tokenization_kimi.py", "kimi_line.json")} == {
        "tiktoken.model": "keep",
        "tokenizer_config.json": "re-download",
        "config.json": "re-download",
        "tool_declaration_ts.py": "download",
        "tokenization_kimi.py": "never touched",
        "kimi_line.json": "never touched",
    }
    assert "7 upstream" in files["tokenizer_config.json"]["exo_why"]
    (model_dir / "tokenization_kimi.py").unlink()
    assert explained(capsys)[2]["tokenization_kimi.py"]["exo"] == "404"


def test_a_complete_model_is_not_downloaded_again(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_dir = write_layout(models / FOLDER, "good")
    exos_list(models, {"tokenizer_config.json": 7, "tiktoken.model": OVERLAY.files["tiktoken.model"].size})
    status, model, files = explained(capsys)
    assert (status, model["complete"], model["next"]) == (0, True, None)
    assert "for complete" in model["exo"]
    assert files["tokenizer_config.json"]["exo"] == "keep"
    assert "if it were: re-download" in files["tokenizer_config.json"]["exo_why"]
    (model_dir / "tokenization_kimi.py").unlink()
    file = explained(capsys)[2]["tokenization_kimi.py"]
    assert file["exo"] == "nothing"
    assert "if it were: 404" in file["exo_why"]


def test_without_exos_list_the_manifest_is_asked_and_named(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_dir = write_layout(models / FOLDER, "partial")
    _, model, files = explained(capsys)
    assert "the overlay's manifest: moonshotai/Kimi-K2.6 at b5aabbfb2022" in model["upstream"]["source"]
    assert files["tokenization_kimi.py"]["exo"] == "download"
    assert files["tokenizer_config.json"]["exo"] == "keep"  # by its hash
    assert files["config.json"]["exo"] == "not known"  # it differs, and sizes are not known
    assert files["generation_config.json"]["exo"] == "not known"
    model_dir.rename(models / "somebody--Kimi-K2.6-4bit")  # of a conversion the manifest knows nothing
    _, model, files = explained(capsys)
    assert model["upstream"]["source"].startswith("nothing")
    assert files["tokenization_kimi.py"]["exo"] == "not known"


@pytest.mark.parametrize("content", ["", "{", "[3]", '[{"type": "file"}]', "null", "[" * 100_000])
def test_a_damaged_list_is_said_to_be(models: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    write_layout(models / FOLDER, "broken")
    exos_list(models, {}).write_text(content)
    _, model, _ = explained(capsys)
    assert "cannot be used" in model["upstream"]["source"]


def test_an_old_list_is_said_to_be(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_layout(models / FOLDER, "broken")
    exos_list(models, {"tiktoken.model": 1}, age=25 * 3600)
    assert "older than a day" in explained(capsys)[1]["upstream"]["source"]


def test_the_guards_objection_and_places_that_exo_does_not_look_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model_dir = write_layout(tmp_path / "elsewhere" / FOLDER, "k3")
    status, model, files = explained(capsys, str(model_dir))
    assert (status, model["state"]) == (1, "refused")
    assert "kimi_k3" in model["guard"]
    assert model["exo"].startswith("It is in none of exo's models dirs")
    assert {file["layer"] for file in files.values()} == {"none"}
    assert "No command mends it" in model["advice"]


def test_for_people_it_fits_80_columns_and_changes_nothing(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_layout(models / FOLDER, "broken")
    before = sorted(os.listdir(models / FOLDER))
    assert main(["explain"]) == 1
    said = capsys.readouterr().out
    assert "tokenization_kimi.py" in said
    assert f"Next: kimi-tokenizers sync --model {MODEL}" in said
    assert all(len(line) <= 80 for line in said.splitlines() if str(models) not in line)
    assert sorted(os.listdir(models / FOLDER)) == before
