"""exo finding, downloading and loading a Kimi K2 model while upstream changes its layout: without us, and with us.

The hub is ours, on loopback; the downloader and the loader perform exo 0.3.70's rules. Where exo is changed, it is by
the lines in this block.
"""

# What exo adds, as it has to be in exo 0.3.70
#
# to `download_shard`, when it has the list of the repo's files and before it computes sizes and progress from it (a
# file that is left out later, in the loop that fetches, is waited for forever: the shard never counts as complete):
#
#     file_list = [file for file in file_list if not kimi_tokenizers.provides(model_id, file.path)]
#
# to `load_tokenizer_for_model_id`, as its first line:
#
#     model_path = kimi_tokenizers.resolve(model_id, model_path)
#
# and once in every process that loads models, for ids without `kimi-k2` in them, which go through AutoTokenizer:
#
#     kimi_tokenizers.register()
#
# All do nothing for any other model. The zero-change way is in the environment:
#
#     EXO_MODELS_READ_ONLY_DIRS=<target of `kimi-tokenizers view`>

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from exo_downloader import download_shard, ensure_model, listed_files
from hub import Hub, files_of
from layouts import WEIGHTS, fast_tokenizer_json, small_tokenizer_json, write_layout

import kimi_tokenizers
from kimi_tokenizers import catalogue, view
from kimi_tokenizers.evidence.exo_loading import isolated, load_like_exo
from kimi_tokenizers.model_dirs import TokenizerFiles, exo, fingerprint
from kimi_tokenizers.resolver import cache

MODEL = "moonshotai/Kimi-K2.6"
FOLDER = "moonshotai--Kimi-K2.6"
SLOW = ("tiktoken.model", "tokenization_kimi.py")  # what upstream deleted


# -- exo, with the lines that it adds ------------------------------------------------------------


def download(model_id: str, hub: Hub, env: dict[str, str]) -> Path:
    """exo's downloader, its list filtered where the line above would be."""
    return ensure_model(model_id, hub.url, env, skip=kimi_tokenizers.provides)


def load(model_id: str, model_path: Path) -> Any:
    """exo's loader."""
    model_path = kimi_tokenizers.resolve(model_id, model_path)
    return load_like_exo(model_path)


# -- what there is -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The files of the repo: "good", and "broken" as on 2026-05-11 but for the large `tokenizer.json`."""
    folder = tmp_path_factory.mktemp("layouts")
    return {layout: files_of(write_layout(folder / layout, layout)) for layout in ("good", "broken")}


@pytest.fixture
def hub(layouts: dict[str, dict[str, bytes]]) -> Iterator[Hub]:
    with Hub() as running:
        running.publish(MODEL, layouts["good"])
        yield running


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))
    return {"HOME": str(tmp_path), "EXO_DEFAULT_MODELS_DIR": str(tmp_path / "models")}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where exo downloads the model to."""
    return tmp_path / "models" / FOLDER


@pytest.fixture(autouse=True)
def _one_load_after_the_other() -> Iterator[None]:
    with isolated():
        yield


def write(directory: Path, files: dict[str, bytes]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)


def check(tokenizer: Any) -> None:
    """It is the tokenizer of Kimi-K2.6, wrapped as exo wraps it."""
    assert type(tokenizer).__name__ == "TokenizerWrapper"
    assert tokenizer.encode("Hello, world!<|im_end|><think>") == [19180, 11, 2695, 0, 163586, 163606]
    assert tokenizer.decode([19180, 11, 2695, 0]) == "Hello, world!"
    prompt = "<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>assistant<|im_middle|><think>"
    assert tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False) == prompt
    assert 163586 in tokenizer.eos_token_ids


def break_off(hub: Hub, env: dict[str, str], target: Path, files: dict[str, bytes]) -> None:
    """A download of the good layout that broke off early. exo remembers the list of files for a day."""
    listed_files(MODEL, hub.url, exo.file_list_cache(MODEL, env))
    write(target, {name: files[name] for name in ("config.json", "tiktoken.model")})


# -- as long as nothing happens ------------------------------------------------------------------


def test_the_good_layout_loads_without_us(hub: Hub, env: dict[str, str]) -> None:
    check(load_like_exo(ensure_model(MODEL, hub.url, env)))


def test_the_good_layout_loads_with_us(hub: Hub, env: dict[str, str], target: Path) -> None:
    model_path = download(MODEL, hub, env)
    check(load(MODEL, model_path))
    assert model_path == target
    assert exo.is_complete(target)
    assert not any((target / name).exists() for name in (*SLOW, "tool_declaration_ts.py"))  # not downloaded


# -- where the line in the downloader has to be -----------------------------------------------------


@pytest.mark.parametrize("gone", [(), SLOW], ids=["nothing is gone", "the slow tokenizer is gone"])
def test_a_list_that_is_filtered_before_sizes_are_computed_is_completed(
    gone: tuple[str, ...], hub: Hub, env: dict[str, str], layouts: dict[str, dict[str, bytes]]
) -> None:
    listed_files(MODEL, hub.url, exo.file_list_cache(MODEL, env))  # remembered for a day
    hub.publish(MODEL, {name: content for name, content in layouts["good"].items() if name not in gone})
    progress = download_shard(MODEL, hub.url, env, skip=kimi_tokenizers.provides)
    assert progress.is_complete
    assert not set(SLOW) & set(progress.files)
    assert exo.find_model(MODEL, env) == progress.target
    check(load(MODEL, progress.target))


def test_a_file_that_is_skipped_where_it_would_be_fetched_is_waited_for_forever(hub: Hub, env: dict[str, str]) -> None:
    for _ in range(3):  # however often it is tried
        progress = download_shard(MODEL, hub.url, env, skip_late=kimi_tokenizers.provides)
        assert not progress.is_complete
        missing = {name for name, (there, total) in progress.files.items() if there != total}
        assert missing == {name for name in progress.files if kimi_tokenizers.provides(MODEL, name)} >= set(SLOW)
    assert download_shard(MODEL, hub.url, env, skip=kimi_tokenizers.provides).is_complete


def test_without_us_the_good_layout_counts_as_complete(hub: Hub, env: dict[str, str]) -> None:
    assert download_shard(MODEL, hub.url, env).is_complete


GENERIC = """
import sys
import kimi_tokenizers
from pathlib import Path
from mlx_lm.tokenizer_utils import load
if sys.argv[2] == "register":
    kimi_tokenizers.register()
extra = {"trust_remote_code": False}
tokenizer = load(Path(sys.argv[1]), tokenizer_config_extra=extra, eos_token_ids=None)
print(tokenizer.encode("<think>Hello", add_special_tokens=False))
"""


@pytest.mark.parametrize("layout", ["good", "broken"])
def test_an_id_without_our_name_goes_through_auto_tokenizer_and_needs_register(
    layout: str, tmp_path: Path, layouts: dict[str, dict[str, bytes]]
) -> None:
    """exo's generic path, as for a conversion whose id does not say what it is."""
    model_path = tmp_path / "somebody--my-own-model"
    write(model_path, layouts[layout])
    without, with_us = (
        subprocess.run([sys.executable, "-c", GENERIC, model_path, what], capture_output=True, text=True, check=False)
        for what in ("nothing", "register")
    )
    assert with_us.stdout == "[163606, 19180]\n", with_us.stderr
    if layout == "broken":
        assert without.stdout != with_us.stdout


# -- a list from before, a repo from after -------------------------------------------------------


def test_a_stale_list_without_us(
    hub: Hub, env: dict[str, str], target: Path, layouts: dict[str, dict[str, bytes]]
) -> None:
    break_off(hub, env, target, layouts["good"])
    hub.publish(MODEL, layouts["broken"])
    with pytest.raises(FileNotFoundError) as caught:
        ensure_model(MODEL, hub.url, env)
    assert str(caught.value) == f"File not found: {hub.url}/{MODEL}/resolve/main/tokenization_kimi.py"
    with pytest.raises(FileNotFoundError, match=r"tokenization_kimi\.py"):  # the weights have come: now it is loaded
        load_like_exo(ensure_model(MODEL, hub.url, env))


def test_a_stale_list_with_us(
    hub: Hub, env: dict[str, str], target: Path, layouts: dict[str, dict[str, bytes]]
) -> None:
    break_off(hub, env, target, layouts["good"])
    hub.publish(MODEL, layouts["broken"])
    model_path = download(MODEL, hub, env)
    assert exo.is_complete(model_path)
    assert sum(hub.asked_for(method, name) for method in ("GET", "HEAD") for name in SLOW) == 0
    check(load(MODEL, model_path))


def test_a_stale_list_and_not_a_file_yet_with_us(
    hub: Hub, env: dict[str, str], layouts: dict[str, dict[str, bytes]]
) -> None:
    listed_files(MODEL, hub.url, exo.file_list_cache(MODEL, env))
    hub.publish(MODEL, layouts["broken"])
    with pytest.raises(FileNotFoundError, match=r"resolve/main/tiktoken\.model$"):
        ensure_model(MODEL, hub.url, env)
    check(load(MODEL, download(MODEL, hub, env)))


# -- a list and a repo from after ----------------------------------------------------------------


def test_the_broken_layout_without_us(hub: Hub, env: dict[str, str], layouts: dict[str, dict[str, bytes]]) -> None:
    hub.publish(MODEL, layouts["broken"])
    model_path = ensure_model(MODEL, hub.url, env)
    with pytest.raises(FileNotFoundError, match=r"tokenization_kimi\.py"):
        load_like_exo(model_path)


def test_the_fast_class_by_the_name_of_the_slow_file_without_us(
    hub: Hub, env: dict[str, str], layouts: dict[str, dict[str, bytes]]
) -> None:
    """What helpful people did next."""
    hub.publish(MODEL, layouts["broken"] | {"tokenizer.json": small_tokenizer_json()})
    model_path = ensure_model(MODEL, hub.url, env)
    (model_path / "tokenization_kimi_fast.py").rename(model_path / "tokenization_kimi.py")
    with pytest.raises(AttributeError) as caught:
        load_like_exo(model_path)
    assert str(caught.value) == "module 'tokenization_kimi' has no attribute 'TikTokenTokenizer'"
    with (model_path / "tokenization_kimi.py").open("a") as stream:
        stream.write("\nTikTokenTokenizer = TikTokenTokenizerFast\n")
    with pytest.raises(AttributeError) as caught:
        load_like_exo(model_path, wrap=False).encode("Hello")
    assert str(caught.value) == "'NoneType' object has no attribute 'encode'"


def test_the_broken_layout_with_us(hub: Hub, env: dict[str, str], layouts: dict[str, dict[str, bytes]]) -> None:
    broken = layouts["broken"] | {"tokenizer.json": fast_tokenizer_json().read_bytes()}
    hub.publish(MODEL, broken)
    model_path = download(MODEL, hub, env)
    check(load(MODEL, model_path))
    assert files_of(model_path) == broken


def test_the_tokenizer_is_resolved_apart_from_the_weights(
    hub: Hub, env: dict[str, str], layouts: dict[str, dict[str, bytes]]
) -> None:
    hub.publish(MODEL, layouts["broken"])
    model_path = download(MODEL, hub, env)
    resolved = kimi_tokenizers.resolve(MODEL, model_path)
    assert resolved != model_path
    assert not list(resolved.glob("*.safetensors*"))
    assert all((model_path / name).exists() for name in WEIGHTS)


def test_without_the_hub_with_us(hub: Hub, env: dict[str, str], layouts: dict[str, dict[str, bytes]]) -> None:
    hub.publish(MODEL, layouts["broken"])
    download(MODEL, hub, env)
    hub.stop()
    check(load(MODEL, download(MODEL, hub, env)))


# -- the size check ------------------------------------------------------------------------------


def mend_by_hand(target: Path, files: dict[str, bytes]) -> None:
    """The workaround that went around: the old files put into the model directory, made read-only."""
    write(target, {name: files[name] for name in ("tokenizer_config.json", "tokenization_kimi.py", "tiktoken.model")})
    for path in target.iterdir():
        path.chmod(0o444)


def test_the_size_check_removes_what_was_mended_by_hand(
    hub: Hub, env: dict[str, str], target: Path, layouts: dict[str, dict[str, bytes]]
) -> None:
    """In spite of 444: what counts is the right to write to the directory. Files that are not listed stay."""
    mend_by_hand(target, layouts["good"])
    hub.publish(MODEL, layouts["broken"])
    ensure_model(MODEL, hub.url, env)
    config = (target / "tokenizer_config.json").read_bytes()
    assert config == layouts["broken"]["tokenizer_config.json"] != layouts["good"]["tokenizer_config.json"]
    assert json.loads(config)["auto_map"]["AutoTokenizer"][0] is None
    assert (target / "tokenization_kimi.py").read_bytes() == layouts["good"]["tokenization_kimi.py"]


def test_an_old_file_mended_by_hand_is_replaced_by_another_edition(
    hub: Hub, env: dict[str, str], target: Path, layouts: dict[str, dict[str, bytes]]
) -> None:
    """Without us: once upstream lists the file again, and its edition does not load."""
    mend_by_hand(target, layouts["good"])
    hub.publish(MODEL, layouts["broken"] | {"tokenization_kimi.py": b"class TikTokenTokenizerFast: ...\n"})
    model_path = ensure_model(MODEL, hub.url, env)
    with pytest.raises(AttributeError, match="no attribute 'TikTokenTokenizer'"):
        load_like_exo(model_path)
    check(load(MODEL, model_path))


def test_the_size_check_with_us(
    hub: Hub, env: dict[str, str], target: Path, layouts: dict[str, dict[str, bytes]]
) -> None:
    """There is nothing of ours in the model directory that it could remove."""
    write(target, {"tokenizer_config.json": layouts["good"]["tokenizer_config.json"]})
    hub.publish(MODEL, layouts["broken"])
    model_path = download(MODEL, hub, env)
    assert (target / "tokenizer_config.json").read_bytes() == layouts["broken"]["tokenizer_config.json"]
    check(load(MODEL, model_path))


# -- the zero-change way -------------------------------------------------------------------------


def test_a_view_in_a_read_only_dir_needs_no_change_to_exo(
    hub: Hub, env: dict[str, str], tmp_path: Path, layouts: dict[str, dict[str, bytes]]
) -> None:
    hub.publish(MODEL, layouts["broken"])
    model_path = ensure_model(MODEL, hub.url, env)
    with pytest.raises(FileNotFoundError):
        load_like_exo(model_path)
    view.make(tmp_path / "view", [tmp_path / "models"])
    env["EXO_MODELS_READ_ONLY_DIRS"] = str(tmp_path / "view")
    hub.requests.clear()
    found = ensure_model(MODEL, hub.url, env)
    assert found == tmp_path / "view" / FOLDER
    check(load_like_exo(found))
    assert hub.requests == []
    assert {name: (found / name).read_bytes() for name in WEIGHTS} == {name: layouts["good"][name] for name in WEIGHTS}
    assert files_of(model_path) == layouts["broken"]


def test_a_view_outlives_what_upstream_does_next(
    hub: Hub, env: dict[str, str], tmp_path: Path, layouts: dict[str, dict[str, bytes]]
) -> None:
    """Whatever upstream publishes and however stale the list is: a model in a read-only dir is not downloaded."""
    ensure_model(MODEL, hub.url, env)
    view.make(tmp_path / "view", [tmp_path / "models"])
    env["EXO_MODELS_READ_ONLY_DIRS"] = str(tmp_path / "view")
    hub.publish(MODEL, layouts["broken"])
    exo.file_list_cache(MODEL, env).unlink()
    check(load_like_exo(ensure_model(MODEL, hub.url, env)))
    hub.stop()
    check(load_like_exo(ensure_model(MODEL, hub.url, env)))


def test_a_view_and_the_added_lines_get_along(hub: Hub, env: dict[str, str], tmp_path: Path) -> None:
    download(MODEL, hub, env)
    view.make(tmp_path / "view", [tmp_path / "models"])
    env["EXO_MODELS_READ_ONLY_DIRS"] = str(tmp_path / "view")
    found = download(MODEL, hub, env)
    assert found == tmp_path / "view" / FOLDER
    check(load(MODEL, found))


# -- a cluster, and the others -------------------------------------------------------------------


def test_nodes_that_downloaded_different_layouts_agree(
    hub: Hub, env: dict[str, str], tmp_path: Path, layouts: dict[str, dict[str, bytes]]
) -> None:
    nodes = {}
    for layout in ("good", "broken"):
        hub.publish(MODEL, layouts[layout])
        node = {"HOME": str(tmp_path), "EXO_DEFAULT_MODELS_DIR": str(tmp_path / layout)}
        nodes[layout] = download(MODEL, hub, node)
    overlay = catalogue.get(MODEL)
    assert len({fingerprint.token_fingerprint(overlay, TokenizerFiles(path)) for path in nodes.values()}) == 1
    assert len({fingerprint.prompt_fingerprint(overlay, TokenizerFiles(path)) for path in nodes.values()}) == 1
    text = "<|im_user|>user<|im_middle|>你好, world<|im_end|><think>"
    first, second = (load(MODEL, path).encode(text) for path in nodes.values())
    assert first == second


def test_other_models_are_downloaded_as_ever(hub: Hub, env: dict[str, str], tmp_path: Path) -> None:
    other = "mlx-community/Qwen3-8B-4bit"
    files = {
        "config.json": b"{}",
        "tokenization_kimi.py": b"theirs",
        "tiktoken.model": b"theirs, too",
        "model.safetensors.index.json": b'{"weight_map": {"a": "model.safetensors"}}',
        "model.safetensors": b"weights",
    }
    hub.publish(other, files)
    model_path = download(other, hub, env)
    assert files_of(model_path) == files
    assert kimi_tokenizers.resolve(other, model_path) == model_path
    assert not (tmp_path / "cache").exists()
