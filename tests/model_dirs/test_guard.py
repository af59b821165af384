"""The guard: what a model directory says of itself, and when that is another vocabulary than the overlay's."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from layouts import fast_tokenizer_json, small_tokenizer_json, write_layout

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.errors import (
    KimiTokenizersError,
    ModelDirError,
    TokenizerConfigError,
    VocabularyMismatchError,
)
from kimi_tokenizers.model_dirs import TokenizerFiles, guard, tokenizer_files
from kimi_tokenizers.resolver import cache

MODEL = "moonshotai/Kimi-K2.6"
LINES = {
    "kimi-k2-instruct": "moonshotai/Kimi-K2-Instruct",
    "kimi-k2-thinking": "moonshotai/Kimi-K2-Thinking",
    "kimi-k2.5": "moonshotai/Kimi-K2.5",
    "kimi-k2.6": MODEL,
}
RANKS_SHA256 = "b6c497a7469b33ced9c38afb1ad6e47f03f5e5dc05f15930799210ec050c5103"


@pytest.fixture(autouse=True)
def cache_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cache"
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(path))
    return path


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "moonshotai--Kimi-K2.6"
    path.mkdir(parents=True)
    return path


@pytest.fixture(scope="session")
def rank_table() -> bytes:
    return catalogue.get(MODEL).read("tiktoken.model")


@pytest.fixture(scope="session")
def valid() -> dict[str, Any]:
    """The parsed `tokenizer.json` of the line. A test changes copies of the part that it changes."""
    value: dict[str, Any] = json.loads(fast_tokenizer_json().read_bytes())
    return {**value, "model": {**value["model"], "merges": []}}  # which are most of it, and not the vocabulary


def state_of(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    """Everything below a folder that a write would change."""
    state = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        state[str(path)] = (status.st_ino, status.st_mode, status.st_mtime_ns, digest)
    return state


def refuse(
    model_dir: Path,
    cache_root: Path,
    *mentioned: str,
    error: type[KimiTokenizersError] = VocabularyMismatchError,
    model_id: str = MODEL,
) -> str:
    """Assert that the directory is refused for `model_id` with nothing written. Returns the message."""
    before = state_of(model_dir)
    with pytest.raises(error) as caught:
        resolver.resolve(model_id, model_dir)
    assert type(caught.value) is error
    for text in mentioned:
        assert text in str(caught.value)
    assert state_of(model_dir) == before
    assert not (cache_root / "resolved").exists()
    return str(caught.value)


def accept(model_dir: Path, model_id: str = MODEL) -> Path:
    before = state_of(model_dir)
    entry = resolver.resolve(model_id, model_dir)
    assert state_of(model_dir) == before
    assert hashlib.sha256((entry / "tiktoken.model").read_bytes()).hexdigest() == RANKS_SHA256
    return entry


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


# -- tiktoken.model ------------------------------------------------------------------------------


def test_another_rank_table(model_dir: Path, cache_root: Path, rank_table: bytes) -> None:
    other = rank_table.replace(b"\nIg== 1\n", b"\nIg== 2\n", 1)
    assert other != rank_table
    (model_dir / "tiktoken.model").write_bytes(other)
    sums = (hashlib.sha256(other).hexdigest(), RANKS_SHA256)
    refuse(model_dir, cache_root, str(model_dir / "tiktoken.model"), "kimi-k2.6", "Nothing was changed", *sums)


def test_a_rank_table_with_more_in_it(model_dir: Path, cache_root: Path, rank_table: bytes) -> None:
    (model_dir / "tiktoken.model").write_bytes(rank_table + b"AAAAAAAAAAAAAAAA 163584\n")
    refuse(model_dir, cache_root, f"has {len(rank_table) + 24:,} bytes", RANKS_SHA256)


def test_something_else_by_the_name_of_the_rank_table(model_dir: Path, cache_root: Path) -> None:
    (model_dir / "tiktoken.model").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    refuse(model_dir, cache_root, RANKS_SHA256)


@pytest.mark.parametrize("size", [0, 1, 100_000, 2_795_285, 2_795_286])
def test_the_beginning_of_the_rank_table_is_a_broken_download_of_it(
    size: int, model_dir: Path, rank_table: bytes
) -> None:
    (model_dir / "tiktoken.model").write_bytes(rank_table[:size])
    accept(model_dir)


def test_a_huge_rank_table(model_dir: Path, cache_root: Path) -> None:
    (model_dir / "tiktoken.model").touch()
    os.truncate(model_dir / "tiktoken.model", 200_000_000)
    refuse(model_dir, cache_root, "more than 16,777,216 bytes", error=ModelDirError)


# -- tokenizer.json ------------------------------------------------------------------------------


def test_the_tokenizer_json_of_the_line(model_dir: Path) -> None:
    shutil.copy(fast_tokenizer_json(), model_dir / "tokenizer.json")
    for model_id in (MODEL, LINES["kimi-k2-instruct"]):  # which leaves ids without a name that are named here
        assert not (accept(model_dir, model_id) / "tokenizer.json").exists()


def change_vocab(value: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    vocab = dict(value["model"]["vocab"])
    change(vocab)
    return {**value, "model": {**value["model"], "vocab": vocab}}


def change_added(value: dict[str, Any], index: int, **change: Any) -> dict[str, Any]:
    added = [entry | change if entry["id"] == index else entry for entry in value["added_tokens"]]
    assert added != value["added_tokens"]
    return {**value, "added_tokens": added}


def test_two_ranks_swapped(model_dir: Path, cache_root: Path, valid: dict[str, Any]) -> None:
    def swap(vocab: dict[str, Any]) -> None:
        vocab["Hello"], vocab["Ġworld"] = vocab["Ġworld"], vocab["Hello"]

    write_json(model_dir / "tokenizer.json", change_vocab(valid, swap))
    mine = valid["model"]["vocab"]
    theirs, ours = ("says that id", "has {} for that token")
    message = refuse(model_dir, cache_root, str(model_dir / "tokenizer.json"), theirs)
    sides = [
        (f"id {mine['Ġworld']} is 'Hello'", ours.format(mine["Hello"])),
        (f"id {mine['Hello']} is 'Ġworld'", ours.format(mine["Ġworld"])),
    ]
    assert any(left in message and right in message for left, right in sides)


def test_a_token_that_is_not_there(model_dir: Path, cache_root: Path, valid: dict[str, Any]) -> None:
    write_json(model_dir / "tokenizer.json", change_vocab(valid, lambda vocab: vocab.pop("Hello")))
    refuse(model_dir, cache_root, "has 163,583 tokens below id 163,584", "the overlay kimi-k2.6 has 163,584")


def test_a_token_that_is_not_ours(model_dir: Path, cache_root: Path, valid: dict[str, Any]) -> None:
    def rename(vocab: dict[str, Any]) -> None:
        vocab["HelloHelloHello"] = vocab.pop("Hello")

    write_json(model_dir / "tokenizer.json", change_vocab(valid, rename))
    refuse(model_dir, cache_root, "is 'HelloHelloHello'", "has None for that token")


def test_a_token_that_is_not_bytes(model_dir: Path, cache_root: Path, valid: dict[str, Any]) -> None:
    """A character that stands for no byte, as in SentencePiece's vocabularies."""

    def rename(vocab: dict[str, Any]) -> None:
        vocab["▁Hello"] = vocab.pop("ĠHello")

    write_json(model_dir / "tokenizer.json", change_vocab(valid, rename))
    refuse(model_dir, cache_root, "is '▁Hello'")


def test_a_control_token_renamed(model_dir: Path, cache_root: Path, valid: dict[str, Any]) -> None:
    write_json(model_dir / "tokenizer.json", change_added(valid, 163586, content="<|end_of_msg|>"))
    refuse(model_dir, cache_root, "says that id 163586 is '<|end_of_msg|>'", "kimi-k2.6 says that it is '<|im_end|>'")


def test_a_control_token_renamed_in_the_vocabulary_alone(
    model_dir: Path, cache_root: Path, valid: dict[str, Any]
) -> None:
    def add(vocab: dict[str, Any]) -> None:
        vocab.pop("<|im_end|>", None)
        vocab["<|end_of_msg|>"] = 163586

    write_json(model_dir / "tokenizer.json", change_vocab(valid, add))
    refuse(model_dir, cache_root, "id 163586 is '<|end_of_msg|>'", "'<|im_end|>'")


def test_a_control_token_with_another_id(model_dir: Path, cache_root: Path, valid: dict[str, Any]) -> None:
    """Its own id has gone to nobody, so only the name contradicts."""
    value = {**valid, "added_tokens": [entry for entry in valid["added_tokens"] if entry["id"] != 163600]}
    write_json(model_dir / "tokenizer.json", change_added(value, 163586, id=163600))
    refuse(model_dir, cache_root, "'<|im_end|>' is id 163600", "says that it is 163586")


def test_an_added_token_in_the_place_of_a_rank(model_dir: Path, cache_root: Path, valid: dict[str, Any]) -> None:
    """Only its entry among the added tokens says so; the vocabulary itself is as it should be."""
    value = {**valid, "added_tokens": [*valid["added_tokens"], {"id": 5, "content": "<|five|>"}]}
    write_json(model_dir / "tokenizer.json", value)
    refuse(model_dir, cache_root, "id 5 is '<|five|>'", "has names for the ids 163584 to 163839")


def test_a_tokenizer_json_without_control_tokens(model_dir: Path, valid: dict[str, Any]) -> None:
    """What a directory does not say is no contradiction."""
    write_json(model_dir / "tokenizer.json", {**valid, "added_tokens": None})
    accept(model_dir)


def test_another_tokenizer_altogether(model_dir: Path, cache_root: Path) -> None:
    (model_dir / "tokenizer.json").write_bytes(small_tokenizer_json())
    refuse(model_dir, cache_root, "id 0 is 'a'", "has 64 for that token")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"\xff\xfe\x00",
        b"\x00" * 1000,
        b"null",
        b"[]",
        b"{}",
        b'{"model": null}',
        b'{"model": {"vocab": null}}',
        b'{"model": {"vocab": ["a", "b"]}}',
        b'{"model": {"vocab": [["a", -1.5]], "type": "Unigram"}}',
        b'{"model": {"vocab": {"a": [1]}}}',
        b'{"model": {"vocab": {"a": null}}}',
        b'{"model": {"vocab": {"a": Infinity}}}',
        b'{"model": {"vocab": {}}, "added_tokens": 7}',
        b'{"model": {"vocab": {}}, "added_tokens": [7]}',
        b'{"model": {"vocab": {}}, "added_tokens": [{"id": 7}]}',
        b'{"model": {"vocab": {}}, "added_tokens": [{"id": [], "content": "x"}]}',
        b'{"model": ' + b"[" * 100_000,
        b'{"model": {"vocab": {"a": ' + b"9" * 10_000 + b"}}}",
    ],
    ids=range(20),
)
def test_garbage_by_the_name_of_tokenizer_json(content: bytes, model_dir: Path, cache_root: Path) -> None:
    (model_dir / "tokenizer.json").write_bytes(content)
    refuse(
        model_dir,
        cache_root,
        str(model_dir / "tokenizer.json"),
        "not the tokenizer.json of a BPE tokenizer",
        "Restore the model's own file",
        error=ModelDirError,
    )


def test_a_tokenizer_json_of_200_megabytes(model_dir: Path, cache_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused for its size, without reading it."""
    (model_dir / "tokenizer.json").touch()
    os.truncate(model_dir / "tokenizer.json", 200_000_000)

    def parse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(json, "loads", parse)
    with pytest.raises(ModelDirError, match="200,000,000 bytes, more than 33,554,432 bytes") as caught:
        guard.check_vocabulary(catalogue.get(MODEL), TokenizerFiles(model_dir))
    assert "Restore the model's own file" in str(caught.value)
    assert not (cache_root / "resolved").exists()


# -- config.json ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "theirs"),
    [
        ({"vocab_size": 151936}, "vocab_size 151936"),
        ({"vocab_size": "163840"}, "vocab_size '163840'"),
        ({"vocab_size": []}, "vocab_size []"),
        ({"text_config": {"vocab_size": 151936}}, "vocab_size 151936"),
        ({"vocab_size": 163840, "text_config": {"vocab_size": 1}}, "vocab_size 1"),
        ({"vocab_size": 1, "text_config": {"vocab_size": 163840}}, "vocab_size 1"),
    ],
)
def test_another_vocabulary_size(config: dict[str, Any], theirs: str, model_dir: Path, cache_root: Path) -> None:
    write_json(model_dir / "config.json", config)
    refuse(model_dir, cache_root, str(model_dir / "config.json"), theirs, "kimi-k2.6 has 163,840 ids")


@pytest.mark.parametrize(
    "model_type", ["kimi_k3", "kimi_linear", "kimi_vl", "qwen3", "deepseek_v32", "", 7, ["kimi_k2"]]
)
def test_the_model_type_of_another(model_type: object, model_dir: Path, cache_root: Path) -> None:
    write_json(model_dir / "config.json", {"vocab_size": 163840, "model_type": model_type})
    refuse(model_dir, cache_root, f"has model_type {model_type!r}", "is for kimi_k2")


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"vocab_size": 163840, "model_type": "kimi_k2"},
        {"model_type": "kimi_k25", "text_config": {"model_type": "kimi_k2", "vocab_size": 163840}},
        {"model_type": "deepseek_v3", "vocab_size": 163840},
        {"vocab_size": None, "text_config": None, "model_type": None},
    ],
)
def test_configurations_that_contradict_nothing(config: dict[str, Any], model_dir: Path) -> None:
    write_json(model_dir / "config.json", config)
    accept(model_dir)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "holds a JSON list, not an object"),
        (b"null", "holds a JSON NoneType, not an object"),
    ],
    ids=range(6),
)
def test_damaged_configurations(name: str, content: bytes, said: str, model_dir: Path, cache_root: Path) -> None:
    (model_dir / name).write_bytes(content)
    with pytest.raises(TokenizerConfigError) as caught:
        resolver.resolve(MODEL, model_dir)
    assert str(model_dir / name) in str(caught.value)
    assert said in str(caught.value)
    assert not (cache_root / "resolved").exists()


# -- tokenizer_config.json -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "theirs", "ours"),
    [
        ({"163586": {"content": "<|end_of_msg|>"}}, "id 163586 is '<|end_of_msg|>'", "'<|im_end|>'"),
        ({"163587": {"content": "<|im_end|>"}}, "id 163587 is '<|im_end|>'", "'<|im_user|>'"),
        ({"163700": {"content": "<|im_end|>"}}, "'<|im_end|>' is id 163700", "it is 163586"),
        ({"163586": {"content": "<|reserved_token_163586|>"}}, "163586 is '<|reserved", "'<|im_end|>'"),
        ({"163700": {"content": "<|reserved_token_163701|>"}}, "_163701|>' is id 163700", "it is 163701"),
        ({"163606": {"content": "<|open|>"}}, "id 163606 is '<|open|>'", "'<think>'"),
        ({"5": {"content": "<|five|>"}}, "id 5 is '<|five|>'", "names for the ids 163584 to 163839"),
        ({"-1": {"content": "<|x|>"}}, "id -1 is '<|x|>'", "names for the ids 163584 to 163839"),
        ({"first": {"content": "<|x|>"}}, "the id 'first'", "has integers"),
        ({"9" * 5000: {"content": "<|x|>"}}, "the id '999", "has integers"),
        ({"163586": "<|end_of_msg|>"}, "id 163586 is '<|end_of_msg|>'", "'<|im_end|>'"),
        ({"163840": {"content": "<|x|>"}}, "id 163840 is '<|x|>'", "names for the ids 163584 to 163839"),
        ({"163586": {}}, "id 163586 is None", "names for the ids"),
        ({"163700": 7}, "id 163700 is 7", "names for the ids"),
        ({"163700": {"content": ["x"]}}, "id 163700 is ['x']", "names for the ids"),
        ({"163700": {"content": "x"}, "163701": {"content": "x"}}, "'x' is id 163701", "it is 163700"),
    ],
)
def test_a_control_token_table_that_contradicts(
    table: dict[str, Any], theirs: str, ours: str, model_dir: Path, cache_root: Path
) -> None:
    write_json(model_dir / "tokenizer_config.json", {"added_tokens_decoder": table})
    refuse(model_dir, cache_root, str(model_dir / "tokenizer_config.json"), theirs, ours, "kimi-k2.6")


def test_a_control_token_table_that_is_no_table(model_dir: Path, cache_root: Path) -> None:
    write_json(model_dir / "tokenizer_config.json", {"added_tokens_decoder": [1]})
    refuse(model_dir, cache_root, "`added_tokens_decoder`", "is a JSON list", error=TokenizerConfigError)


@pytest.mark.parametrize(
    "table",
    [
        None,
        {},
        {"163586": {"content": "<|im_end|>"}},
        {"163700": {"content": "<|of_this_conversion|>"}},
        {"163700": {"content": "<|reserved_token_163700|>"}},
    ],
)
def test_tables_that_contradict_nothing(table: object, model_dir: Path) -> None:
    write_json(model_dir / "tokenizer_config.json", {"added_tokens_decoder": table})
    accept(model_dir)


def test_think_may_have_a_name_where_the_line_leaves_it_reserved(model_dir: Path) -> None:
    table = {"163606": {"content": "<think>"}, "163607": {"content": "</think>"}}
    write_json(model_dir / "tokenizer_config.json", {"added_tokens_decoder": table})
    accept(model_dir, LINES["kimi-k2-instruct"])


@pytest.mark.parametrize("line", LINES)
def test_k3_in_a_folder_named_like_k2(line: str, tmp_path: Path, cache_root: Path) -> None:
    model_dir = write_layout(tmp_path / LINES[line].replace("/", "--"), "k3", line)
    refuse(model_dir, cache_root, "kimi_k3", line, model_id=LINES[line])
    (model_dir / "config.json").unlink()  # its control tokens are those of K3 all the same
    refuse(model_dir, cache_root, "163586 is '<|end_of_msg|>'", "'<|im_end|>'", model_id=LINES[line])


# -- missing files, and what is no file ----------------------------------------------------------


def test_an_empty_directory_contradicts_nothing(model_dir: Path) -> None:
    accept(model_dir)


EXAMINED = ("tiktoken.model", "tokenizer.json", "config.json", "tokenizer_config.json")
READ_LATER = ("chat_template.jinja",)


@pytest.mark.parametrize("name", [*EXAMINED, *READ_LATER])
@pytest.mark.parametrize("kind", ["fifo", "directory", "loop", "long loop", "socket"])
def test_what_is_no_file(kind: str, name: str, model_dir: Path, cache_root: Path) -> None:
    """A typed error that names it; a FIFO does not block."""
    path = model_dir / name
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(name)
    elif kind == "long loop":
        path.symlink_to("other")
        (model_dir / "other").symlink_to(name)
    else:
        import socket

        here = os.open(".", os.O_RDONLY)
        os.chdir(model_dir)  # the path of a socket must be short
        try:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(name)
        finally:
            os.fchdir(here)
            os.close(here)
    descriptors = len(os.listdir("/dev/fd"))
    with pytest.raises(ModelDirError) as caught:
        resolver.resolve(MODEL, model_dir)
    assert str(path) in str(caught.value)
    assert not (cache_root / "resolved").exists()
    assert len(os.listdir("/dev/fd")) == descriptors


@pytest.mark.parametrize("name", [*EXAMINED, *READ_LATER])
def test_a_dangling_link_is_a_missing_file(name: str, model_dir: Path) -> None:
    (model_dir / name).symlink_to("nowhere")
    accept(model_dir)


def test_a_model_directory_that_is_a_link_to_itself(model_dir: Path) -> None:
    (model_dir / "loop").symlink_to("loop")
    with pytest.raises(ModelDirError, match="cannot be used"):
        resolver.resolve(MODEL, model_dir / "loop")


@pytest.mark.parametrize("name", ["tiktoken.model", "config.json", "tokenizer_config.json", "chat_template.jinja"])
def test_a_link_that_leaves_the_directory_is_read_and_never_written(
    name: str, model_dir: Path, tmp_path: Path, rank_table: bytes
) -> None:
    """As in Hugging Face's cache, where the files are links into a shared store."""
    store = tmp_path / "store"
    write_layout(store, "good")
    (model_dir / name).symlink_to(store / name)
    before = state_of(store)
    accept(model_dir)
    assert state_of(store) == before


@pytest.mark.parametrize("name", EXAMINED)
def test_a_model_directory_that_vanishes_in_between(
    name: str, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typed error, or what would be found in an empty directory: nothing else."""
    write_layout(model_dir, "good")
    shutil.copy(fast_tokenizer_json(), model_dir / "tokenizer.json")
    original = TokenizerFiles.opened

    def opened(self: TokenizerFiles, of: str) -> Any:
        if of == name:
            shutil.rmtree(model_dir, ignore_errors=True)
        return original(self, of)

    monkeypatch.setattr(TokenizerFiles, "opened", opened)
    with pytest.raises(ModelDirError) as caught:
        resolver.resolve(MODEL, model_dir)
    assert str(model_dir) in str(caught.value)


# -- names ---------------------------------------------------------------------------------------


def test_names_with_line_breaks_and_names_that_are_not_utf_8(model_dir: Path) -> None:
    names = [b"two\nlines.json", b"\xff\xfe.json", b"\xc3.jinja", b"tab\t'quote\".json"]
    templates = os.path.join(os.fsencode(model_dir), b"additional_chat_templates")
    os.mkdir(templates)
    for folder, name in [(os.fsencode(model_dir), name) for name in names] + [(templates, b"\xc3\n.jinja")]:
        Path(os.fsdecode(os.path.join(folder, name))).write_bytes(b"{}")
    first = accept(model_dir)
    assert os.listdir(os.fsencode(first / "additional_chat_templates")) == [b"\xc3\n.jinja"]
    assert set(names).isdisjoint(os.listdir(os.fsencode(first)))  # they are nothing that a tokenizer is read from
    assert accept(model_dir) == first


@pytest.mark.parametrize("name", [b"two\nlines", b"\xff\xfe"])
def test_a_model_directory_with_such_a_name(name: bytes, tmp_path: Path) -> None:
    model_dir = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    model_dir.mkdir()
    accept(model_dir)
    write_json(model_dir / "config.json", {"vocab_size": 1})
    with pytest.raises(VocabularyMismatchError) as caught:
        resolver.resolve(MODEL, model_dir)
    assert "\n" not in str(caught.value)
    assert str(caught.value).encode()  # can be printed


# -- remembering ---------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read since it was cleared."""
    names: list[str] = []
    original = tokenizer_files.OpenFile.read

    def read(self: tokenizer_files.OpenFile) -> bytes:
        names.append(self.path.name)
        return original(self)

    monkeypatch.setattr(guard, "_TICK", 0)  # what the tests write is settled at once
    monkeypatch.setattr(tokenizer_files.OpenFile, "read", read)
    return names


LARGE = ["tiktoken.model", "tokenizer.json"]


@pytest.fixture
def complete(model_dir: Path) -> Path:
    write_layout(model_dir, "good")
    shutil.copy(fast_tokenizer_json(), model_dir / "tokenizer.json")
    return model_dir


def test_large_files_are_read_once(complete: Path, opened: list[str]) -> None:
    overlay = catalogue.get(MODEL)
    guard.check_vocabulary(overlay, TokenizerFiles(complete))
    assert [name for name in opened if name in LARGE] == LARGE
    opened.clear()
    guard.check_vocabulary(overlay, TokenizerFiles(complete))
    assert [name for name in opened if name in LARGE] == []


def test_a_file_that_has_only_just_changed_is_read_again(
    complete: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one tick of the file system's clock it could change once more and look the same."""
    monkeypatch.setattr(guard, "_TICK", 10**15)
    overlay = catalogue.get(MODEL)
    for _ in range(2):
        guard.check_vocabulary(overlay, TokenizerFiles(complete))
    assert [name for name in opened if name in LARGE] == LARGE * 2


def test_an_edited_file_is_examined_again(complete: Path, opened: list[str], valid: dict[str, Any]) -> None:
    overlay = catalogue.get(MODEL)
    guard.check_vocabulary(overlay, TokenizerFiles(complete))
    path = complete / "tokenizer.json"
    before = path.stat()
    text = path.read_bytes()
    path.write_bytes(text.replace(b"<|im_end|>", b"<|im_END|>"))  # as long as before
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # and as old
    opened.clear()
    with pytest.raises(VocabularyMismatchError, match=r"<\|im_END\|>"):
        guard.check_vocabulary(overlay, TokenizerFiles(complete))
    path.write_bytes(text)
    guard.check_vocabulary(overlay, TokenizerFiles(complete))
    assert [name for name in opened if name in LARGE] == ["tokenizer.json"] * 2


def test_a_replaced_file_is_examined_again(complete: Path, rank_table: bytes) -> None:
    overlay = catalogue.get(MODEL)
    guard.check_vocabulary(overlay, TokenizerFiles(complete))
    (complete / "new").write_bytes(b"x" + rank_table[1:])
    (complete / "new").replace(complete / "tiktoken.model")
    with pytest.raises(VocabularyMismatchError, match=RANKS_SHA256):
        guard.check_vocabulary(overlay, TokenizerFiles(complete))


def test_what_has_passed_for_one_line_is_examined_for_another(complete: Path, valid: dict[str, Any]) -> None:
    """`<think>` is reserved in one line and named in the other."""
    for name in ("tokenizer_config.json", "chat_template.jinja"):  # they are of one of them
        (complete / name).unlink()
    write_json(complete / "tokenizer.json", change_added(valid, 163606, content="<|of_this_conversion|>"))
    guard.check_vocabulary(catalogue.get(LINES["kimi-k2-instruct"]), TokenizerFiles(complete))
    with pytest.raises(VocabularyMismatchError, match="of_this_conversion"):
        guard.check_vocabulary(catalogue.get(MODEL), TokenizerFiles(complete))


def test_without_a_cache_every_call_examines(model_dir: Path, opened: list[str], cache_root: Path) -> None:
    write_layout(model_dir, "good")
    cache_root.write_bytes(b"")  # a file where the cache should be
    overlay = catalogue.get(MODEL)
    for _ in range(2):
        opened.clear()
        guard.check_vocabulary(overlay, TokenizerFiles(model_dir))
        assert [name for name in opened if name in LARGE] == ["tiktoken.model"]


def test_a_refusal_is_not_remembered_as_a_pass(model_dir: Path, cache_root: Path) -> None:
    (model_dir / "tokenizer.json").write_bytes(small_tokenizer_json())
    assert refuse(model_dir, cache_root) == refuse(model_dir, cache_root)


def test_load_asks_the_guard_too(model_dir: Path) -> None:
    (model_dir / "tokenizer.json").write_bytes(small_tokenizer_json())
    with pytest.raises(VocabularyMismatchError, match="id 0 is 'a'"):
        kt.load(MODEL, model_dir)


# -- the override --------------------------------------------------------------------------------


def test_the_override_goes_on_and_says_so(model_dir: Path) -> None:
    write_json(model_dir / "config.json", {"vocab_size": 7})
    with pytest.warns(RuntimeWarning, match="token ids may be wrong") as caught:
        entry = resolver.resolve(MODEL, model_dir, override_guard=True)
    (warning,) = caught
    assert warning.filename == __file__
    assert "vocab_size 7" in str(warning.message)
    assert "163,840" in str(warning.message)
    assert (entry / "tokenization_kimi.py").exists()


def test_the_override_warns_of_everything(model_dir: Path) -> None:
    (model_dir / "tiktoken.model").write_bytes(b"another")
    write_json(model_dir / "config.json", {"vocab_size": 7, "model_type": "kimi_k3"})
    with pytest.warns(RuntimeWarning) as caught:
        resolver.resolve(MODEL, model_dir, override_guard=True)
    said = " ".join(str(warning.message) for warning in caught)
    assert RANKS_SHA256 in said
    assert "vocab_size 7" in said


def test_the_override_is_not_remembered(model_dir: Path) -> None:
    (model_dir / "tiktoken.model").write_bytes(b"another")
    with pytest.warns(RuntimeWarning):
        resolver.resolve(MODEL, model_dir, override_guard=True)
    with pytest.raises(VocabularyMismatchError):
        resolver.resolve(MODEL, model_dir)


def test_the_override_is_silent_where_nothing_contradicts(model_dir: Path) -> None:
    write_layout(model_dir, "good")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resolver.resolve(MODEL, model_dir, override_guard=True)


def test_the_override_does_not_cover_damaged_files(model_dir: Path) -> None:
    write_json(model_dir / "config.json", {"vocab_size": 7})
    (model_dir / "tokenizer_config.json").write_bytes(b"{")
    with pytest.warns(RuntimeWarning, match="vocab_size"), pytest.raises(TokenizerConfigError):
        resolver.resolve(MODEL, model_dir, override_guard=True)
