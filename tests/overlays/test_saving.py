"""A saved tokenizer stands alone, and comes back as it was: here, and where this package is not installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hub import Hub
from layouts import hf_snapshot, write_layout
from transformers import AddedToken, AutoTokenizer

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue
from kimi_tokenizers.evidence import exo_loading

TEXT = "Don't<|im_end|><think>世界 I'm"
IDS = [34838, 163586, 163606, 2243, 6806]
MORE = TEXT + " <|new|>foobarbaz<sep> theory"
MODELS = ("moonshotai/Kimi-K2.6", "moonshotai/Kimi-K3", "moonshotai/Moonlight-16B-A3B", "moonshotai/Kimi-K2-Instruct")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def observed(tokenizer: Any) -> dict[str, Any]:
    return {
        "ids": tokenizer.encode(MORE),
        "table": tokenizer.added_tokens_decoder,
        "special": set(tokenizer.all_special_tokens),
        "roles": {role: name for role, name in tokenizer.special_tokens_map.items() if isinstance(name, str)},
        "template": tokenizer.chat_template,
        "length": len(tokenizer),
        "sides": (tokenizer.padding_side, tokenizer.truncation_side, tokenizer.model_max_length),
    }


def with_more() -> Any:
    tokenizer = kt.load()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|new|>", "</think>"], "sep_token": "<sep>"})
    tokenizer.add_tokens(["foobarbaz", AddedToken("<|x|>", normalized=False)])
    tokenizer.pad_token = "[EOS]"
    tokenizer.padding_side = "left"
    tokenizer.model_max_length = 4096
    tokenizer.chat_template = {"default": "a", "tool_use": "b"}
    return tokenizer


@pytest.mark.parametrize("model", MODELS)
def test_everything_that_it_needs_is_written_and_nothing_else_is_said_to_be(model: str, tmp_path: Path) -> None:
    overlay = catalogue.get(model)
    saved = kt.load(model).save_pretrained(tmp_path / "a")
    found = contents(tmp_path / "a")
    assert sorted(Path(path).name for path in saved) == sorted(found)
    assert all(type(path) is str for path in saved)
    for name in found.keys() & set(overlay.always_ours):
        assert found[name] == overlay.read(name), name
    assert {"tiktoken.model", "kimi_line.json", "tokenization_kimi.py"} <= found.keys()
    config = json.loads(found["tokenizer_config.json"])
    assert config["auto_map"] == {"AutoTokenizer": ["tokenization_kimi.TikTokenTokenizer", None]}
    assert ("chat_template.jinja" in found) == ("chat_template.jinja" in overlay.files)


@pytest.mark.parametrize("model", MODELS[:2])
def test_saving_what_was_saved_changes_no_byte(model: str, tmp_path: Path) -> None:
    kt.load(model).save_pretrained(tmp_path / "a")
    again = AutoTokenizer.from_pretrained(tmp_path / "a", trust_remote_code=True)
    assert type(again).__module__.startswith("transformers_modules")
    again.save_pretrained(tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    again.save_pretrained(tmp_path / "a")  # over what it was loaded from
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("way", ["class", "load", "remote code", "register"])
def test_what_was_added_comes_back(way: str, tmp_path: Path) -> None:
    tokenizer = with_more()
    tokenizer.save_pretrained(tmp_path / "a")
    if way == "class":
        again = type(tokenizer).from_pretrained(tmp_path / "a")
    elif way == "load":
        again = kt.load(model_dir=tmp_path / "a")
    else:
        kt.register()
        again = AutoTokenizer.from_pretrained(
            tmp_path / "a", **{"trust_remote_code": True} if way != "register" else {}
        )
    assert observed(again) == observed(tokenizer)
    again.save_pretrained(tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_tokens_that_were_added_do_not_fit_a_model_without_a_place_for_them(tmp_path: Path) -> None:
    with_more().save_pretrained(tmp_path)
    kt.register()
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model_type": "kimi_k2", "vocab_size": 163840}))
    with (
        pytest.warns(RuntimeWarning, match="that were added"),
        pytest.raises(ValueError, match="trust_remote_code=True"),
    ):
        AutoTokenizer.from_pretrained(tmp_path, trust_remote_code=False)
    config.write_text(json.dumps({"model_type": "kimi_k2", "vocab_size": 163904}))
    assert len(AutoTokenizer.from_pretrained(tmp_path)) == 163844


def test_tokens_in_the_configuration_alone_are_an_error(tmp_path: Path) -> None:
    tokenizer = with_more()
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "kimi_line.json").write_bytes(catalogue.get(MODELS[0]).read("kimi_line.json"))
    with pytest.raises(kt.KimiTokenizersError, match="163840"):
        type(tokenizer).from_pretrained(tmp_path)


def test_a_registered_tokenizer_and_one_by_exos_steps_are_saved_alike(tmp_path: Path) -> None:
    kt.load().save_pretrained(tmp_path / "a")
    saved = contents(tmp_path / "a")  # exo's steps leave bytecode there
    with exo_loading.isolated():
        exo_loading.load_like_exo(tmp_path / "a", wrap=False).save_pretrained(tmp_path / "b")
    kt.register()
    registered = AutoTokenizer.from_pretrained(tmp_path / "b")
    assert registered.encode(TEXT) == IDS
    registered.save_pretrained(tmp_path / "c")
    assert saved == contents(tmp_path / "b") == contents(tmp_path / "c")


def test_an_existing_directory_and_links_in_it(tmp_path: Path) -> None:
    snapshot = hf_snapshot(tmp_path / "hub", "moonshotai/Kimi-K2.6", "good")
    blobs = contents(tmp_path / "hub" / "models--moonshotai--Kimi-K2.6" / "blobs")
    (snapshot / "additional_chat_templates").mkdir()
    (snapshot / "additional_chat_templates" / "old.jinja").write_text("old")
    (snapshot / "special_tokens_map.json").write_text("{}")
    tokenizer = kt.load()
    tokenizer.chat_template = None
    tokenizer.save_pretrained(snapshot)
    assert contents(tmp_path / "hub" / "models--moonshotai--Kimi-K2.6" / "blobs") == blobs
    again = type(tokenizer).from_pretrained(snapshot)
    assert again.chat_template is None
    assert again.encode(TEXT) == IDS
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        tokenizer.save_pretrained(tmp_path / "file")


def test_formats(tmp_path: Path) -> None:
    tokenizer = kt.load()
    kt.load().save_pretrained(tmp_path / "plain")
    tokenizer.save_pretrained(tmp_path / "legacy", legacy_format=True)
    assert contents(tmp_path / "legacy") == contents(tmp_path / "plain")
    with pytest.raises(ValueError, match="non legacy"):
        tokenizer.save_pretrained(tmp_path / "fast", legacy_format=False)
    saved = tokenizer.save_pretrained(tmp_path / "p", filename_prefix="p")
    assert {Path(path).name.removeprefix("p-") for path in saved} == contents(tmp_path / "plain").keys()
    inside = tokenizer.save_pretrained(tmp_path / "inside", save_jinja_files=False)
    assert "chat_template.jinja" not in {Path(path).name for path in inside}
    assert observed(type(tokenizer).from_pretrained(tmp_path / "inside")) == observed(tokenizer)


def test_unknown_keys_survive(tmp_path: Path) -> None:
    model_dir = write_layout(tmp_path / "moonshotai--Kimi-K2.6", "good")
    path = model_dir / "tokenizer_config.json"
    extra = {"of_theirs": {"a": [1, "é", "\ud800"]}, "processor_class": "X", "sep_token": "the", "bos_token": "the"}
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **extra}))
    kt.register()
    for tokenizer in (kt.load(model_dir=model_dir), AutoTokenizer.from_pretrained(model_dir)):
        tokenizer.save_pretrained(tmp_path / "saved")
        saved = json.loads((tmp_path / "saved" / "tokenizer_config.json").read_bytes())
        assert (saved["of_theirs"], saved["processor_class"]) == (extra["of_theirs"], "X")
        assert (saved.get("sep_token"), saved["bos_token"]) == (None, "[BOS]")
        assert tokenizer.encode(TEXT) == IDS


def test_what_is_pushed_to_the_hub(tmp_path: Path) -> None:
    """Through huggingface_hub itself, to a hub on loopback."""
    code = """
import sys, kimi_tokenizers as kt
tokenizer = kt.load()
tokenizer.save_pretrained(sys.argv[1], push_to_hub=True, repo_id="me/x")
tokenizer.push_to_hub("me/y")
"""
    with Hub() as hub:
        env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": "hf_made_up"}
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            env.pop(name, None)
        command = [sys.executable, "-c", code, str(tmp_path / "a")]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        pushed = [hub.revision(repo, "main") for repo in ("me/x", "me/y")]
    for found in pushed:
        assert found is not None
        uploaded = {name: content for name, content in found[1].items() if name not in (".gitattributes", "README.md")}
        assert uploaded == contents(tmp_path / "a")


PROGRAM = """
import json, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "kimi_tokenizers":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
from transformers import AutoTokenizer
result = {}
for folder in sys.argv[2:]:
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    tokenizer.save_pretrained(folder + "-again")
    result[folder] = [tokenizer.encode(sys.argv[1])]
    for model_type in [None, "kimi_k25", "kimi_k2"] if folder.endswith("k2") else [None, "kimi_k3"]:
        if model_type:
            with open(folder + "/config.json", "w") as file:
                json.dump({"model_type": model_type, "vocab_size": 163840}, file)
        try:
            result[folder].append(AutoTokenizer.from_pretrained(folder).encode(sys.argv[1]))
        except (ImportError, ValueError):  # which of them, and what it says, depends on the version of transformers
            result[folder].append("refused")
    import os; os.remove(folder + "/config.json")
print("RESULT" + json.dumps(result))
"""


def test_where_this_package_is_not_installed(tmp_path: Path) -> None:
    """With remote code it loads; without, transformers asks, or refuses where nobody can answer. No other ids."""
    for name, model in (("k2", MODELS[0]), ("k3", MODELS[1])):
        kt.load(model).save_pretrained(tmp_path / name)
    folders = [str(tmp_path / "k2"), str(tmp_path / "k3")]
    env = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", PROGRAM, TEXT, *folders]
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert "RESULT" in done.stdout, done.stderr
    result = json.loads(done.stdout.rpartition("RESULT")[2])
    assert result[folders[0]] == [IDS, *["refused"] * 3]
    assert result[folders[1]] == [kt.load(MODELS[1]).encode(TEXT), *["refused"] * 2]
    for folder in folders:
        assert contents(Path(folder)) == contents(Path(f"{folder}-again"))
