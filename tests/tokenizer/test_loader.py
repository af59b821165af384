"""`load` with model directories in every state: honoured, ignored or refused, and never executed or written to."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import NAMED, OVERLAYS, control_names
from encoding_texts import GOLDEN

import kimi_tokenizers as kt
from kimi_tokenizers.errors import (
    KimiTokenizersError,
    ModelDirError,
    TokenizerConfigError,
    VocabularyMismatchError,
)
from kimi_tokenizers.resolver import cache

MODEL = "moonshotai/Kimi-K2.6"
HELLO = [{"role": "user", "content": "Hi"}]
HI = "<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>assistant<|im_middle|><think>"

# What upstream's revision 81bcaaa left behind: no slow tokenizer, and a config that names the fast one alone.
BROKEN_AUTO_MAP = {"AutoTokenizer": [None, "tokenization_kimi_fast.TikTokenTokenizerFast"]}

PLANTED = """
import pathlib
pathlib.Path({marker!r}).write_text("executed")
class TikTokenTokenizer: ...
class TikTokenTokenizerFast: ...
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    path = tmp_path / "moonshotai--Kimi-K2.6"
    path.mkdir()
    return path


@pytest.fixture
def broken(model_dir: Path) -> Path:
    """A directory in upstream's broken layout."""
    config = packaged_config()
    config["auto_map"] = BROKEN_AUTO_MAP
    config["tokenizer_class"] = "TikTokenTokenizerFast"
    write_config(model_dir, config)
    (model_dir / "tokenization_kimi_fast.py").write_text("class TikTokenTokenizerFast: ...\n")
    (model_dir / "config.json").write_text(
        json.dumps({"model_type": "kimi_k25", "text_config": {"vocab_size": 163840}})
    )
    (model_dir / "model.safetensors.index.json").write_text('{"weight_map": {}}')
    return model_dir


def packaged_config(line: str = "kimi-k2.6") -> dict[str, Any]:
    config: dict[str, Any] = json.loads((OVERLAYS / line / "tokenizer_config.json").read_text("utf-8"))
    return config


def write_config(model_dir: Path, config: Any) -> None:
    (model_dir / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")


def write_table(model_dir: Path, table: Any) -> None:
    write_config(model_dir, {"added_tokens_decoder": table})


def entry(name: str, special: bool = True, **flags: bool) -> dict[str, Any]:
    flags = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False, **flags}
    return {"content": name, "special": special, **flags}


def table(*without: str, **added: str) -> dict[str, Any]:
    """The packaged table without some names, with others: `_163600="<|x|>"`."""
    result = {str(index): entry(name, special) for name, (index, special) in NAMED.items() if name not in without}
    return {**result, **{key[1:]: entry(name) for key, name in added.items()}}


def state(folder: Path) -> dict[str, tuple[int, int, str]]:
    return {
        str(path): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [folder, *sorted(folder.rglob("*"))]
    }


def check_golden(tokenizer: Any, line: str = "kimi-k2.6") -> None:
    for row in GOLDEN:
        if row["line"] == line:
            assert tokenizer.encode(row["text"], row["special"] == "all") == row["ids"]


# Without a directory


def test_the_default_model() -> None:
    tokenizer = kt.load()
    assert tokenizer.name_or_path == MODEL
    check_golden(tokenizer)
    assert tokenizer.apply_chat_template(HELLO) == HI


@pytest.mark.parametrize(
    ("model_id", "think", "media", "template"),
    [
        ("moonshotai/Kimi-K2-Base", False, False, True),
        ("mlx-community/Kimi-K2-Instruct-4bit", False, False, True),
        ("moonshotai/Kimi-K2-Instruct-0905", False, False, True),
        ("mlx-community/Kimi-K2-Thinking", True, False, True),
        ("mlx-community/Kimi-K2.5", True, True, True),
        ("mlx-community/Kimi-K2.6-mlx-DQ3_K_M-q8", True, True, True),
        ("moonshotai/Kimi-K2.7-Code", True, True, False),
    ],
)
def test_the_lines_differ(model_id: str, think: bool, media: bool, template: bool) -> None:
    tokenizer = kt.load(model_id)
    assert (tokenizer.encode("<think>") == [163606]) == think
    assert (tokenizer.encode("<|media_pad|>") == [163605]) == media
    assert (tokenizer.chat_template is not None) == template
    assert tokenizer.name_or_path == model_id
    assert tokenizer.decode(163606) == ("<think>" if think else "<|reserved_token_163606|>")


def test_two_tokenizers_share_nothing_that_changes() -> None:
    first, second = kt.load(), kt.load()
    first.add_tokens(["<|new|>"])
    first.get_vocab().clear()
    assert len(second) == len(kt.load()) == 163840
    assert second.encode("<|new|>") != [163840]


# With a directory


def test_upstreams_broken_layout(broken: Path) -> None:
    before = state(broken)
    tokenizer = kt.load(MODEL, broken)
    check_golden(tokenizer)
    assert type(tokenizer).__name__ == "TikTokenTokenizer"
    assert tokenizer.apply_chat_template(HELLO) == HI
    assert tokenizer.special_tokens == control_names(NAMED)
    assert state(broken) == before


def test_an_empty_directory(model_dir: Path) -> None:
    for path in (model_dir, str(model_dir), f"{model_dir}/"):
        check_golden(kt.load(MODEL, path))
    assert list(model_dir.iterdir()) == []


def test_a_directory_reached_by_a_link_and_files_that_are_links(broken: Path, tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    (broken / "tokenizer_config.json").rename(blob)
    (broken / "tokenizer_config.json").symlink_to(blob)
    (broken / "chat_template.jinja").symlink_to(tmp_path / "nowhere")  # as if there were none
    link = tmp_path / "link"
    link.symlink_to(broken)
    assert kt.load(MODEL, link).apply_chat_template(HELLO) == HI


@pytest.mark.slow
def test_planted_python_is_never_executed(broken: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for name in ("tokenization_kimi", "tool_declaration_ts", "tokenization_kimi_fast", "tiktoken", "transformers"):
        (broken / f"{name}.py").write_text(PLANTED.format(marker=str(marker)))
    check_golden(kt.load(MODEL, broken))
    code = f"""
        import sys
        import kimi_tokenizers as kt
        tokenizer = kt.load({MODEL!r}, {str(broken)!r})
        assert tokenizer.encode("Hello, world!") == [19180, 11, 2695, 0]
        assert not [path for path in sys.path if path == {str(broken)!r}]
        assert not {{"tokenization_kimi", "tool_declaration_ts"}} & set(sys.modules)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(OVERLAYS.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert not marker.exists()


def test_load_needs_no_network(broken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a network connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    check_golden(kt.load(MODEL, broken))


# Its chat template


def test_its_own_template_wins(broken: Path) -> None:
    (broken / "chat_template.jinja").write_text("own: {{ messages[0].content }} é", "utf-8")
    config = {**packaged_config(), "chat_template": "inside"}
    write_config(broken, config)
    assert kt.load(MODEL, broken).apply_chat_template(HELLO) == "own: Hi é"


@pytest.mark.parametrize("model_id", [MODEL, "moonshotai/Kimi-K2-Thinking", "moonshotai/Kimi-K2-Instruct"])
def test_a_template_inside_the_config_is_honoured(model_dir: Path, model_id: str) -> None:
    write_config(model_dir, {"chat_template": "inside: {{ messages[0].content }}"})
    assert kt.load(model_id, model_dir).apply_chat_template(HELLO) == "inside: Hi"
    (model_dir / "chat_template.jinja").write_text("own: {{ messages[0].content }}")
    assert kt.load(model_id, model_dir).apply_chat_template(HELLO) == "own: Hi"


@pytest.mark.parametrize("template", [None, 5, {}, []])
def test_something_else_in_the_place_of_a_template(model_dir: Path, template: Any) -> None:
    write_config(model_dir, {"chat_template": template})
    assert kt.load(MODEL, model_dir).apply_chat_template(HELLO) == HI


def test_an_empty_template_of_its_own_is_a_template(model_dir: Path) -> None:
    (model_dir / "chat_template.jinja").write_text("")
    assert kt.load(MODEL, model_dir).apply_chat_template(HELLO) == ""


# Its control-token table


def test_a_name_that_the_built_in_table_does_not_have(model_dir: Path) -> None:
    write_table(model_dir, table(_163600="<|extra|>", _163700="<|plain|>"))
    tokenizer = kt.load(MODEL, model_dir)
    assert tokenizer.encode("<|extra|><|plain|>") == [163600, 163700]
    assert tokenizer.decode([163600, 163601]) == "<|extra|><|im_middle|>"
    assert tokenizer.convert_tokens_to_ids("<|extra|>") == 163600
    assert tokenizer.decode([163600], skip_special_tokens=True) == ""
    assert "<|reserved_token_163600|>" not in tokenizer.get_vocab()
    assert len(tokenizer) == len(tokenizer.get_vocab()) == 163840
    assert 163600 not in kt.load(MODEL).encode("<|extra|>")


def test_a_name_that_is_not_special_there(model_dir: Path) -> None:
    write_table(model_dir, {**table(), "163600": entry("<|extra|>", special=False)})
    tokenizer = kt.load(MODEL, model_dir)
    assert tokenizer.encode("<|extra|>") == [163600]
    assert tokenizer.decode([163600], skip_special_tokens=True) == "<|extra|>"


@pytest.mark.parametrize("special", [False, True])
def test_whether_a_new_name_in_the_place_of_another_lines_is_special(model_dir: Path, special: bool) -> None:
    """163606 is `<think>` in other lines, and free in this one."""
    media = [name for name in NAMED if "media" in name]
    write_table(model_dir, {**table("<think>", "</think>", *media), "163606": entry("<|own|>", special)})
    tokenizer = kt.load("moonshotai/Kimi-K2-Instruct", model_dir)
    assert tokenizer.encode("<|own|>") == [163606]
    assert tokenizer.decode([163606], skip_special_tokens=True) == ("" if special else "<|own|>")


def test_a_table_without_think_makes_it_plain_text(model_dir: Path) -> None:
    write_table(model_dir, table("<think>", "</think>"))
    tokenizer = kt.load(MODEL, model_dir)
    expected = kt.load("moonshotai/Kimi-K2-Instruct").encode("<think>hm</think>")
    assert 163606 not in expected
    assert tokenizer.encode("<think>hm</think>") == expected
    assert tokenizer.decode([163606]) == "<|reserved_token_163606|>"
    assert "<think>" not in tokenizer.get_vocab()


def test_a_table_with_think_makes_it_one_id(model_dir: Path) -> None:
    write_table(model_dir, table(_163600="<|extra|>"))  # not the very table of another line, which is refused
    assert kt.load("moonshotai/Kimi-K2-Instruct", model_dir).encode("<think></think>") == [163606, 163607]


def test_what_every_line_has_stays_whatever_the_table_leaves_out(model_dir: Path) -> None:
    write_table(model_dir, {"163600": entry("<|extra|>")})
    tokenizer = kt.load(MODEL, model_dir)
    assert tokenizer.encode("<|im_end|>[EOS]<|tool_call_begin|><|extra|>") == [163586, 163585, 163597, 163600]


@pytest.mark.parametrize("content", [{}, {"added_tokens_decoder": {}}, {"added_tokens_decoder": None}, {"x": [1]}])
def test_a_config_without_a_table(model_dir: Path, content: Any) -> None:
    write_config(model_dir, content)
    assert kt.load(MODEL, model_dir).special_tokens == control_names(NAMED)


def test_reserved_names_in_the_table_are_no_contradiction(model_dir: Path) -> None:
    write_table(model_dir, table(_163600="<|reserved_token_163600|>", _163837="<|reserved_token_163837|>"))
    tokenizer = kt.load(MODEL, model_dir)
    assert tokenizer.special_tokens == control_names(NAMED)


CONTRADICTIONS = {
    "another name": {"163586": entry("<|end_of_msg|>")},
    "two names exchanged": {"163586": entry("<|im_user|>"), "163587": entry("<|im_end|>")},
    "a known name at another id": {"163600": entry("<|im_end|>")},
    "think at another id": {"163700": entry("<think>")},
    "a media name elsewhere": {"163606": entry("<|media_pad|>")},
    "a name twice": {"163600": entry("<|x|>"), "163700": entry("<|x|>")},
    "a reserved name at another id": {"163600": entry("<|reserved_token_163608|>")},
    "a known id called reserved": {"163586": entry("<|reserved_token_163586|>")},
    "an ordinary id": {"5": entry("<|x|>")},
    "an ordinary id by its own name": {"5": entry("&")},
    "a control token that is an ordinary token": {"163600": entry("hello")},
    "a negative id": {"-1": entry("<|x|>")},
    "an id far out": {str(2**40): entry("<|x|>")},
    "an id of 5,000 digits": {"1" * 5000: entry("<|x|>")},
    "an id that is no number": {"x": entry("<|x|>")},
    "no content": {"163600": {"special": True}},
    "a number as content": {"163600": {"content": 5}},
    "an empty name": {"163600": entry("")},
    "a list as an entry": {"163600": ["<|x|>"]},
    "null as an entry": {"163600": None},
    "a name that strips": {"163600": entry("<|x|>", lstrip=True)},
    "a name that is a single word": {"163600": entry("<|x|>", single_word=True)},
    "a lone surrogate": {"163600": entry("\ud800")},
    "the tokens of K3": {
        "163586": entry("<|end_of_msg|>"),
        "163587": entry("<|open|>"),
        "163588": entry("<|close|>"),
        "163589": entry("<|sep|>"),
    },
}


@pytest.mark.parametrize("entries", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_a_table_that_contradicts_what_is_known_is_refused(model_dir: Path, entries: dict[str, Any]) -> None:
    write_table(model_dir, {**table(), **entries})
    before = state(model_dir)
    with pytest.raises(KimiTokenizersError) as caught:
        kt.load(MODEL, model_dir)
    assert isinstance(caught.value, ValueError)
    assert "tokenizer_config.json" in str(caught.value)
    assert state(model_dir) == before


def test_the_refusal_of_another_vocabulary_names_both_sides(model_dir: Path) -> None:
    write_table(model_dir, CONTRADICTIONS["another name"])
    with pytest.raises(VocabularyMismatchError) as caught:
        kt.load(MODEL, model_dir)
    for part in ("163586", "<|end_of_msg|>", "<|im_end|>", "kimi-k2.6", str(model_dir)):
        assert part in str(caught.value)


@pytest.mark.parametrize("table", [[], [1], "x", 5, True], ids=repr)
def test_a_table_that_is_not_an_object(model_dir: Path, table: Any) -> None:
    write_table(model_dir, table)
    if not table:
        check_golden(kt.load(MODEL, model_dir))
        return
    with pytest.raises(TokenizerConfigError, match=r"`added_tokens_decoder` in .* is a JSON .*, not an object"):
        kt.load(MODEL, model_dir)


# A directory that cannot be used

NOT_A_CONFIG = {
    "not JSON": b"not json",
    "empty": b"",
    "cut off": b'{"added_tokens_decoder": {',
    "NUL bytes": b"\0" * 100,
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "nested too deep": b"[" * 100_000 + b"]" * 100_000,
    "a web page": b"<!doctype html><title>404</title>",
    "a list": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "a number": b"5",
}


@pytest.mark.parametrize("content", NOT_A_CONFIG.values(), ids=NOT_A_CONFIG.keys())
def test_a_config_that_is_not_a_json_object(model_dir: Path, content: bytes) -> None:
    path = model_dir / "tokenizer_config.json"
    path.write_bytes(content)
    with pytest.raises(TokenizerConfigError, match=r"is not JSON|holds a JSON .*, not an object") as caught:
        kt.load(MODEL, model_dir)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, ValueError)


@contextlib.contextmanager
def in_place(path: Path, kind: str) -> Iterator[None]:
    """Something that is not a file, in the place of one."""
    if kind == "directory":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "socket":
        with working_directory(path.parent):
            server = socket.socket(socket.AF_UNIX)
            server.bind(path.name)  # a socket's path is limited to 100 bytes
        server.close()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "100 MB":
        with path.open("wb") as file:
            file.truncate(100_000_000)
    yield


@contextlib.contextmanager
def working_directory(path: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.mark.parametrize("kind", ["directory", "FIFO", "socket", "device", "loop", "100 MB"])
@pytest.mark.parametrize("name", ["tokenizer_config.json", "chat_template.jinja"])
def test_what_is_not_a_small_file(model_dir: Path, name: str, kind: str) -> None:
    descriptors = len(os.listdir("/dev/fd"))
    with in_place(model_dir / name, kind):
        with pytest.raises(ModelDirError) as caught:
            kt.load(MODEL, model_dir)
        assert name in str(caught.value)
        assert isinstance(caught.value, OSError)
    assert len(os.listdir("/dev/fd")) == descriptors  # none is left open


def test_a_template_that_is_not_text(model_dir: Path) -> None:
    (model_dir / "chat_template.jinja").write_bytes(b"caf\xe9")
    with pytest.raises(ModelDirError, match=r"chat_template\.jinja.* is not UTF-8"):
        kt.load(MODEL, model_dir)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelDirError, match="No such file or directory") as caught:
        kt.load(MODEL, tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in str(caught.value)
    assert isinstance(caught.value, KimiTokenizersError)
    assert isinstance(caught.value, OSError)


def test_a_file_as_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below", f"{tmp_path}/file/"):
        with pytest.raises(ModelDirError, match="Not a directory"):
            kt.load(MODEL, path)


@pytest.mark.parametrize("path", ["a\0b", "\0", "x" * 10_000, "y/" * 5_000], ids=["NUL", "only NUL", "long", "deep"])
def test_a_path_that_cannot_be(path: str) -> None:
    with pytest.raises(ModelDirError, match="cannot be used") as caught:
        kt.load(MODEL, path)
    assert len(str(caught.value)) < 1000


UNREADABLE = """
import os, sys
import kimi_tokenizers as kt
from kimi_tokenizers.errors import ModelDirError
kt.load("moonshotai/Kimi-K2.6").apply_chat_template([{"role": "user", "content": "Hi"}])
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
try:
    os.listdir(sys.argv[1]) if sys.argv[2] == "directory" else open(os.path.join(sys.argv[1], sys.argv[2]))
except PermissionError:
    pass
else:
    sys.exit("it can be read after all")
try:
    kt.load("moonshotai/Kimi-K2.6", sys.argv[1])
except ModelDirError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["directory", "tokenizer_config.json", "chat_template.jinja"])
def test_unreadable(what: str) -> None:
    """In a process that is not root, which may read everything."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own temporary directories are closed to others
        Path(folder).chmod(0o755)
        check_unreadable(Path(folder, "model"), what)


def check_unreadable(broken: Path, what: str) -> None:
    broken.mkdir()
    write_config(broken, packaged_config())
    (broken / "chat_template.jinja").write_text("own")
    path = broken if what == "directory" else broken / what
    path.chmod(0)
    try:
        result = subprocess.run(
            [sys.executable, "-c", UNREADABLE, str(broken), what],
            env={**os.environ, "PYTHONPATH": str(OVERLAYS.parent)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        path.chmod(0o755)
    assert result.returncode == 0, result.stderr
    assert "Permission denied" in result.stdout
    assert str(path) in result.stdout


def test_the_id_is_checked_before_the_directory(tmp_path: Path) -> None:
    from kimi_tokenizers.errors import UnknownModelError

    with pytest.raises(UnknownModelError):
        kt.load("moonshotai/Kimi-K3.1-Pro", tmp_path / "nowhere")
