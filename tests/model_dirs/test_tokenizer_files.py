"""Each tokenizer file is read once, with a look at kind and size first: what was checked is what is used."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from layouts import write_layout

import kimi_tokenizers as kt
from kimi_tokenizers import view
from kimi_tokenizers.errors import KimiTokenizersError, ModelDirError
from kimi_tokenizers.model_dirs import TokenizerFiles, parse_json, tokenizer_files

MODEL = "moonshotai/Kimi-K2.6"
CONFIG = "tokenizer_config.json"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return write_layout(tmp_path / "models" / "moonshotai--Kimi-K2.6", "good")


def other_vocabulary(model_dir: Path) -> bytes:
    """A configuration that the guard refuses."""
    config = json.loads((model_dir / CONFIG).read_bytes())
    config["added_tokens_decoder"]["163586"]["content"] = "<|of_another_model|>"
    return json.dumps(config).encode()


# -- once ----------------------------------------------------------------------------------------


def test_what_was_read_stays_as_it_was_whatever_becomes_of_the_directory(model_dir: Path) -> None:
    before = (model_dir / CONFIG).read_bytes()
    with TokenizerFiles(model_dir) as directory:
        assert directory.read(CONFIG) == before
        assert directory.read("added_tokens.json") is None
        (model_dir / CONFIG).write_bytes(other_vocabulary(model_dir))
        (model_dir / "added_tokens.json").write_text("{}")
        assert directory.read(CONFIG) == before
        assert directory.object(CONFIG) == json.loads(before)
        assert directory.read("added_tokens.json") is None


def test_files_are_looked_up_in_the_directory_that_was_opened(model_dir: Path) -> None:
    with TokenizerFiles(model_dir) as directory:
        model_dir.rename(model_dir.with_name("elsewhere"))
        write_layout(model_dir, "good")
        (model_dir / "chat_template.jinja").write_text("of the new one")
        assert directory.text("chat_template.jinja") != "of the new one"


def by_resolving(model_dir: Path, target: Path) -> dict[str, Any]:
    return json.loads((kt.resolve(MODEL, model_dir) / CONFIG).read_bytes())  # type: ignore[no-any-return]


def by_a_view(model_dir: Path, target: Path) -> dict[str, Any]:
    (model,) = view.make(target, [model_dir.parent]).models
    if model.problem is not None:
        raise KimiTokenizersError(model.problem)
    return json.loads((target / model.folder / CONFIG).read_bytes())  # type: ignore[no-any-return]


@pytest.mark.parametrize("way", [by_resolving, by_a_view])
def test_a_file_that_changes_right_after_it_was_read_is_not_read_again(
    way: Callable[[Path, Path], dict[str, Any]], model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, original = other_vocabulary(model_dir), tokenizer_files.OpenFile.read

    def read(self: tokenizer_files.OpenFile) -> bytes:
        data = original(self)
        if self.path.name == CONFIG:
            (model_dir / CONFIG).write_bytes(other)
        return data

    monkeypatch.setattr(tokenizer_files.OpenFile, "read", read)
    found = way(model_dir, tmp_path / "view")
    assert found["added_tokens_decoder"]["163586"]["content"] == "<|im_end|>"
    with pytest.raises(KimiTokenizersError, match="of_another_model"):
        way(model_dir, tmp_path / "view")


def test_load_uses_what_the_guard_has_seen(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, original = other_vocabulary(model_dir), tokenizer_files.OpenFile.read

    def read(self: tokenizer_files.OpenFile) -> bytes:
        data = original(self)
        if self.path.name == CONFIG:
            (model_dir / CONFIG).write_bytes(other)
        return data

    monkeypatch.setattr(tokenizer_files.OpenFile, "read", read)
    assert kt.load(MODEL, model_dir).encode("<|im_end|>") == [163586]


# -- kind and size -------------------------------------------------------------------------------

NAMES = {
    "chat_template.jinja": 2**20,
    "additional_chat_templates/tool_use.jinja": 2**20,
    CONFIG: 16 * 2**20,
    "config.json": 16 * 2**20,
    "added_tokens.json": 16 * 2**20,
    "tiktoken.model": 16 * 2**20,
    "tokenizer.json": 32 * 2**20,
}


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 10**12)


def to_a_weight(path: Path) -> None:
    weight = path.with_name("disk.safetensors")
    weight.touch()
    os.truncate(weight, 200_000_000)
    path.symlink_to(weight)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("make", "size"), [(sparse, "1,000,000,000,000"), (to_a_weight, "200,000,000")])
def test_what_is_too_large_is_refused_with_its_size_and_the_limit(
    name: str, make: Callable[[Path], None], size: str, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = model_dir / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    monkeypatch.setattr(tokenizer_files.OpenFile, "read", _only_small(tokenizer_files.OpenFile.read))
    with pytest.raises(ModelDirError) as caught:
        kt.resolve(MODEL, model_dir)
    for said in (str(path), size, f"{NAMES[name]:,}"):
        assert said in str(caught.value)


def _only_small(read: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    def checked(file: Any) -> bytes:
        assert file.status.st_size < 10**8  # what is too large is never read
        return read(file)

    return checked


def test_a_linked_folder_of_templates_is_none(model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "tool_use.jinja").write_text("x")
    (model_dir / "additional_chat_templates").symlink_to(tmp_path / "elsewhere")
    assert not (kt.resolve(MODEL, model_dir) / "additional_chat_templates").exists()


def test_named_templates_are_taken_along(model_dir: Path) -> None:
    folder = model_dir / "additional_chat_templates"
    folder.mkdir()
    (folder / "tool_use.jinja").write_text("x")
    (folder / "evil.py").write_text("x")
    entry = kt.resolve(MODEL, model_dir)
    assert os.listdir(entry / "additional_chat_templates") == ["tool_use.jinja"]
    assert kt.resolve(MODEL, model_dir) == entry


def test_json_of_too_many_values_is_not_parsed() -> None:
    """Empty lists take twenty times as much memory as they take bytes."""
    for data in (b"[" + b"[]," * 1_500_000 + b"[]]", "[" + "[]," * 1_500_000 + "[]]"):
        with pytest.raises(ValueError, match="more than 3,000,000 values"):
            parse_json(data)


# -- private files -------------------------------------------------------------------------------


def test_a_private_file_behind_a_link_is_not_copied_or_linked_for_others(model_dir: Path, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("{}")
    secret.chmod(0o600)
    (model_dir / "x.json").symlink_to(secret)
    (model_dir / "added_tokens.json").symlink_to(secret)  # it may be read: it has the name of a tokenizer file
    entry = kt.resolve(MODEL, model_dir)
    (model,) = view.make(tmp_path / "view", [model_dir.parent]).models
    shown = tmp_path / "view" / model.folder
    assert not (entry / "x.json").exists()
    assert (shown / "x.json").is_symlink()
    for folder in (entry, shown):
        assert (folder / "added_tokens.json").stat().st_mode & 0o777 == 0o400
        assert (folder / "config.json").stat().st_mode & 0o777 == 0o444
