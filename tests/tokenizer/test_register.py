"""`register`: what `AutoTokenizer.from_pretrained` returns after it, in a process of its own.

It changes transformers for the rest of a process. So one process loads all the directories there are here, and the
tests look at what it reported.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import OVERLAYS
from hub import Hub, files_of
from layouts import K3_TOKENS, hf_snapshot, small_tokenizer_json, write_layout

from kimi_tokenizers import resolver, view
from kimi_tokenizers.model_dirs import TokenizerFiles
from kimi_tokenizers.resolver import cache
from kimi_tokenizers.tokenizer import registration

TEXT = "Hello, world!<|im_end|><think>"
KIMI = [19180, 11, 2695, 0, 163586, 163606]

PROGRAM = """\
import json, os, sys, warnings
from pathlib import Path

before = set(sys.modules)
import kimi_tokenizers as kt
from transformers import AutoTokenizer

original = AutoTokenizer.from_pretrained.__func__
kt.register()
once = AutoTokenizer.from_pretrained.__func__
kt.register()
twice = AutoTokenizer.from_pretrained.__func__

def report(name, arguments, directory):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if directory:
            os.chdir(directory)
        try:
            tokenizer = AutoTokenizer.from_pretrained(*arguments[0], **arguments[1])
        except Exception as error:
            found = {"error": type(error).__name__, "module": type(error).__module__, "message": str(error)}
        else:
            ids = tokenizer.encode(sys.argv[2])
            found = {
                "class": type(tokenizer).__name__,
                "module": type(tokenizer).__module__,
                "ids": ids,
                "name": tokenizer.name_or_path,
                "side": tokenizer.padding_side,
                "length": tokenizer.model_max_length,
                "chat": tokenizer.chat_template and tokenizer.apply_chat_template(
                    [{"role": "user", "content": "Hi"}], tokenize=False
                ),
            }
    ours = [w for w in caught if "kimi-tokenizers" in str(w.message)]
    found["warnings"] = [f"{w.category.__name__} {w.filename} {w.message}" for w in ours]
    return name, found

cases = json.loads(sys.argv[1])
result = dict(report(*case) for case in cases)
result["path"] = report("", [[Path(cases[0][1][0][0])], {}], None)[1]
result["not text"] = report("", [[7], {}], None)[1]

tokenizer = AutoTokenizer.from_pretrained(*cases[0][1][0])
tokenizer.save_pretrained(sys.argv[3])
result["saved"] = report("", [[sys.argv[3]], {}], None)[1]
result["patched"] = [once is not original, twice is once, once.__doc__ == original.__doc__]
print("RESULT" + json.dumps(result))
"""

HOSTILE = "raise SystemExit('downloaded Python ran')\n"


def write_tiny(folder: Path, **change: Any) -> Path:
    """Another model: a real fast tokenizer of four tokens."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(small_tokenizer_json().decode())).save_pretrained(
        folder
    )
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("register")


@pytest.fixture(scope="module")
def directories(folder: Path) -> dict[str, Path]:
    """Name of a case -> directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(cache.CACHE_VARIABLE, str(folder / "cache"))
        return _directories(folder)


def _directories(folder: Path) -> dict[str, Path]:
    exo_name = "moonshotai--Kimi-K2.6"
    result = {layout: write_layout(folder / layout / exo_name, layout) for layout in ("good", "broken", "fast_only")}
    result["instruct"] = write_layout(folder / "mlx-community--Kimi-K2-Instruct-4bit", "broken", "kimi-k2-instruct")
    result["bare name"] = write_layout(folder / "Kimi-K2.6", "broken")
    result["plain"] = write_layout(folder / "plain" / "model", "good")
    result["plain broken"] = write_layout(folder / "plain" / "broken", "broken")
    result["plain instruct"] = write_layout(folder / "plain" / "instruct", "good", "kimi-k2-instruct")
    result["snapshot"] = hf_snapshot(folder / "hub", "moonshotai/Kimi-K2.6", "broken")
    result["resolved"] = resolver.resolve("moonshotai/Kimi-K2-Instruct", result["instruct"])
    target = folder / "views"
    view.make(target, [folder / "broken"])
    result["view"] = target / exo_name
    result["hostile"] = write_layout(folder / "hostile" / exo_name, "broken")
    for name in ("tokenization_kimi.py", "tokenization_kimi_fast.py", "tool_declaration_ts.py"):
        (result["hostile"] / name).write_text(HOSTILE)
    result["own template"] = write_layout(folder / "own" / exo_name, "broken")
    (result["own template"] / "chat_template.jinja").write_text("own: {{ messages[0].content }}")

    result["tiny"] = write_tiny(folder / "tiny")
    result["tiny named qwen"] = write_tiny(folder / "mlx-community--Qwen3-8B-4bit")
    result["tiny named kimi"] = write_tiny(folder / "tiny-kimi" / exo_name)
    result["k3"] = write_tiny(folder / "k3" / exo_name)
    shutil.copy(write_layout(folder / "k3-layout", "k3") / "config.json", result["k3"])
    (result["k3"] / "tokenizer.json").unlink()
    table = {str(index): {"content": name, "special": True} for index, name in K3_TOKENS.items()}
    result["plain k3"] = write_tiny(folder / "plain-k3", added_tokens_decoder=table, custom="tokenization_kimi")
    result["plain empty"] = folder / "nothing"
    result["plain empty"].mkdir()
    result["plain damaged"] = write_tiny(folder / "damaged")
    (result["plain damaged"] / "tokenizer_config.json").write_bytes(b"{")
    result["damaged"] = write_layout(folder / "damaged-kimi" / exo_name, "good")
    (result["damaged"] / "tokenizer_config.json").write_bytes(b"{")
    write_tiny(result["good"] / "below")
    for name, line in (("ranks and type", "kimi-k2.6"), ("ranks and a type of two lines", "kimi-k2-instruct")):
        result[name] = write_layout(folder / "ranks" / line.upper(), "good", line).rename(folder / name)
        for file in result[name].iterdir():
            if file.name not in ("config.json", "tiktoken.model"):
                file.unlink()
    return result


@pytest.fixture(scope="module")
def results(directories: dict[str, Path], folder: Path) -> dict[str, Any]:
    cases: list[tuple[str, list[Any], str | None]] = []
    cases += [(name, [[str(path)], {}], None) for name, path in directories.items() if name != "hostile"]
    good, broken = str(directories["good"]), str(directories["broken"])
    cases += [
        ("arguments", [[good], {"padding_side": "left", "model_max_length": 5, "use_fast": True}], None),
        ("trusted", [[str(directories["hostile"])], {"trust_remote_code": True, "use_fast": False}], None),
        ("keyword", [[], {"pretrained_model_name_or_path": good + "/"}], None),
        ("here", [["."], {}], broken),
        ("subfolder", [[good], {"subfolder": "below"}], None),
        ("hub", [["moonshotai/Kimi-K2.6"], {"local_files_only": True}], str(folder)),
        ("hub, in the cache", [["moonshotai/Kimi-K2.5"], {}], str(folder)),
    ]
    hf_snapshot(folder / "hf" / "hub", "moonshotai/Kimi-K2.5", "broken", "kimi-k2.5")
    environment = {
        **os.environ,
        "PYTHONPATH": str(OVERLAYS.parent),
        cache.CACHE_VARIABLE: str(folder / "cache"),
        "HF_HOME": str(folder / "hf"),
        "HF_MODULES_CACHE": str(folder / "hf-modules"),
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-c", PROGRAM, json.dumps(cases), TEXT, str(folder / "saved")]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reported: dict[str, Any] = json.loads(done.stdout.partition("RESULT")[2])
    return reported


@pytest.mark.parametrize(
    "case",
    [
        "good",
        "broken",
        "fast_only",
        "bare name",
        "plain",
        "plain broken",
        "snapshot",
        "view",
        "trusted",
        "own template",
        "arguments",
        "keyword",
        "here",
        "path",
        "saved",
    ],
)
def test_a_directory_of_kimi_k2_6(case: str, results: dict[str, Any]) -> None:
    found = results[case]
    assert "error" not in found, found
    assert found["class"] == "TikTokenTokenizer"
    assert found["module"] == "kimi_tokenizers.overlays.common.tokenization_kimi"
    assert found["ids"] == KIMI
    assert found["warnings"] == []
    expected = "<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>assistant<|im_middle|><think>"
    assert found["chat"] == ("own: Hi" if case == "own template" else expected)


@pytest.mark.parametrize("case", ["instruct", "plain instruct", "resolved"])
def test_a_directory_of_kimi_k2_instruct(case: str, results: dict[str, Any]) -> None:
    """By its folder, its control tokens, or the overlay's own file: there, `<think>` is plain text."""
    found = results[case]
    assert found["module"] == "kimi_tokenizers.overlays.common.tokenization_kimi"
    assert found["ids"][:5] == KIMI[:5]
    assert found["ids"][5:] == [27, 39964, 29]


@pytest.mark.parametrize("case", ["good", "view", "resolved", "snapshot"])
def test_the_tokenizer_is_named_after_the_directory(
    case: str, results: dict[str, Any], directories: dict[str, Path]
) -> None:
    assert results[case]["name"] == str(directories[case])


def test_arguments_reach_the_tokenizer(results: dict[str, Any]) -> None:
    assert (results["arguments"]["side"], results["arguments"]["length"]) == ("left", 5)


@pytest.mark.parametrize("case", ["tiny", "tiny named qwen", "subfolder"])
def test_other_models_are_left_to_transformers(case: str, results: dict[str, Any]) -> None:
    found = results[case]
    assert "error" not in found, found
    assert found["class"] != "TikTokenTokenizer"
    assert found["module"].startswith("transformers.")
    assert found["warnings"] == []


@pytest.mark.parametrize(("case", "contradiction"), [("k3", "kimi_k3"), ("tiny named kimi", "tokenizer.json")])
def test_another_vocabulary_in_a_folder_named_like_k2_is_left_to_transformers_with_a_warning(
    case: str, contradiction: str, results: dict[str, Any]
) -> None:
    found = results[case]
    assert ("error" in found) is (case == "k3"), found  # of which nothing is there that transformers could load
    assert not found["module"].startswith("kimi_tokenizers")
    (warning,) = found["warnings"]
    assert warning.startswith("RuntimeWarning <string> ")  # the line that asked for the tokenizer
    assert contradiction in warning
    assert "kimi-k2.6" in warning


def test_rank_table_and_model_type_identify_a_folder_of_any_name(results: dict[str, Any]) -> None:
    assert results["ranks and type"]["module"].startswith("kimi_tokenizers")
    assert results["ranks and type"]["ids"] == KIMI


def test_where_they_do_not_tell_the_line_the_error_says_what_would(
    results: dict[str, Any], directories: dict[str, Path]
) -> None:
    found = results["ranks and a type of two lines"]
    assert found["error"] == "UnknownModelError"
    for part in (str(directories["ranks and a type of two lines"]), "'kimi_k2'", "kimi-k2-thinking", "added_tokens"):
        assert part in found["message"]


def test_a_model_id_is_found_in_the_cache(results: dict[str, Any]) -> None:
    found = results["hub, in the cache"]
    assert found["module"].startswith("kimi_tokenizers"), found
    assert (found["ids"], found["name"]) == (KIMI, "moonshotai/Kimi-K2.5")


def test_a_model_id_is_found_on_the_hub(directories: dict[str, Path], folder: Path) -> None:
    online = folder / "online"
    with Hub() as hub:
        hub.publish("moonshotai/Kimi-K2.6", files_of(directories["broken"]))
        script = "import sys; import kimi_tokenizers as kt; from transformers import AutoTokenizer; kt.register()\n" + (
            "t = AutoTokenizer.from_pretrained('moonshotai/Kimi-K2.6'); print(type(t).__name__, t.encode(sys.argv[1]))"
        )
        environment = {**os.environ, cache.CACHE_VARIABLE: str(folder / "cache"), "HF_HUB_OFFLINE": "0"}
        environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(online), "HF_HUB_DISABLE_XET": "1"}
        command = [sys.executable, "-c", script, TEXT]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.stdout == f"TikTokenTokenizer {KIMI}\n", done.stderr[-2000:]
        assert not any("safetensors" in request or ".py" in request for request in hub.requests)


def test_k3_in_a_plain_folder_is_left_to_transformers(results: dict[str, Any]) -> None:
    assert results["plain k3"].get("module", "").startswith("transformers.")
    assert results["plain k3"]["warnings"] == []


@pytest.mark.parametrize("case", ["plain empty", "plain damaged", "hub", "not text"])
def test_what_transformers_cannot_load_is_its_own_error(case: str, results: dict[str, Any]) -> None:
    assert not results[case]["module"].startswith("kimi_tokenizers")
    assert "error" in results[case]


def test_a_damaged_directory_of_ours_is_our_error(results: dict[str, Any], directories: dict[str, Path]) -> None:
    assert results["damaged"]["error"] == "TokenizerConfigError"
    assert str(directories["damaged"] / "tokenizer_config.json") in results["damaged"]["message"]


def test_registering_twice_changes_nothing(results: dict[str, Any]) -> None:
    assert results["patched"] == [True, True, True]


def test_nothing_is_written_into_the_directories(results: dict[str, Any], directories: dict[str, Path]) -> None:
    assert not list(directories["good"].glob("__pycache__"))
    assert not (directories["broken"] / "tiktoken.model").exists()


# -- which line a directory is of ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("good", "kimi-k2.6"),
        ("instruct", "kimi-k2-instruct"),
        ("plain", "kimi-k2.6"),
        ("plain broken", "kimi-k2.6"),
        ("plain instruct", "kimi-k2-instruct"),
        ("resolved", "kimi-k2-instruct"),
        ("snapshot", "kimi-k2.6"),
        ("tiny", None),
        ("tiny named qwen", None),
        ("plain k3", None),
        ("plain empty", None),
        ("plain damaged", None),
    ],
)
def test_identify(case: str, line: str | None, directories: dict[str, Path]) -> None:
    overlay = registration.identify(TokenizerFiles(directories[case]))
    assert (overlay and overlay.line) == line


@pytest.mark.parametrize("content", [b"", b"[]", b'{"line": "kimi-k9"}', b'{"line": ["kimi-k2.6"]}', b"{}"])
def test_a_line_file_that_says_nothing_known(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "kimi_line.json").write_bytes(content)
    assert registration.identify(TokenizerFiles(tmp_path)) is None


def test_identify_by_a_link_of_another_name(directories: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(directories["plain"])
    overlay = registration.identify(TokenizerFiles(tmp_path / "current"))
    assert overlay is not None
    assert overlay.line == "kimi-k2.6"
