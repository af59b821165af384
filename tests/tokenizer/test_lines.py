"""Every line, through every way to a tokenizer: ids, padding, transformers' own loading, sync and views."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from conftest import OVERLAYS, PATTERN, golden
from layouts import write_layout
from transformers import AutoTokenizer

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue, testing
from kimi_tokenizers.commands import main
from kimi_tokenizers.evidence import isolated, load_like_exo
from kimi_tokenizers.overlays.common.tokenization_kimi import ChatTemplateError, TikTokenTokenizer

NEW = ("kimi-linear", "kimi-vl", "moonlight")
TEXT = "<|im_system|>a<|media_start|><|media_begin|><think>[PAD][UNK]<|tool_call_end|><|reserved_token_163595|>人工 end"
HELLO = [{"role": "user", "content": "Hi"}]

# Ids of the control tokens in TEXT that the line has, in their order.
EXPECTED = {
    "kimi-linear": [163594, 163839, 163838, 163599],
    "kimi-vl": [163594, 163602, 163838, 163839, 163595],
    "moonlight": [163594, 163838, 163839, 163595],
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def _caches(cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", cache)


def model_of(line: str) -> str:
    return catalogue.overlays()[line].models[0]


def directory(tmp_path: Path, line: str, layout: str = "good") -> Path:
    return write_layout(tmp_path / model_of(line).replace("/", "--"), layout, line)


def control(ids: list[int]) -> list[int]:
    return [index for index in ids if index >= 163584]


@pytest.mark.parametrize("line", NEW)
def test_control_tokens(line: str) -> None:
    tokenizer = kt.load(model_of(line))
    assert control(tokenizer.encode(TEXT)) == EXPECTED[line]
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT
    swapped = line != "kimi-linear"
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id) == ((163838, 163839) if swapped else (163839, 163838))
    assert tokenizer.convert_tokens_to_ids("no such token") == tokenizer.unk_token_id
    padded = tokenizer(["a", "a b c"], padding=True)["input_ids"]
    assert tokenizer.pad_token_id in (padded[0][0], padded[0][-1])
    assert len(tokenizer) == tokenizer.vocab_size == 163840


@pytest.mark.parametrize("line", NEW)
def test_ids_are_those_of_plain_tiktoken(line: str, ranks: dict[bytes, int]) -> None:
    table = json.loads((OVERLAYS / line / "tokenizer_config.json").read_text())["added_tokens_decoder"]
    names = {str(i): f"<|reserved_token_{i}|>" for i in range(163584, 163840)}
    names |= {index: entry["content"] for index, entry in table.items()}
    plain = tiktoken.Encoding(
        "plain",
        pat_str=PATTERN,
        mergeable_ranks=ranks,
        special_tokens={name: int(index) for index, name in names.items()},
    )
    tokenizer = kt.load(model_of(line))
    for text in (TEXT, *names.values(), "".join(names.values())):
        assert tokenizer.encode(text) == plain.encode(text, allowed_special="all")


@pytest.mark.parametrize("line", catalogue.LINES)
def test_the_checks_for_other_projects_pass(tmp_path: Path, line: str) -> None:
    testing.check_tokenizer(kt.load(model_of(line)), line)
    if line == "moonlight":  # in a process that has loaded downloaded Python before
        AutoTokenizer.from_pretrained(kt.resolve(model_of(line), directory(tmp_path, line)), trust_remote_code=True)
    if line in (*NEW, "kimi-k2.6", "kimi-k3"):  # the other lines are loaded as Kimi-K2.6 is; each takes a process
        for check in testing.checks_of_model_dir(directory(tmp_path, line)).values():
            check()


@pytest.mark.parametrize("line", NEW)
def test_transformers_loads_a_resolved_directory(tmp_path: Path, line: str) -> None:
    front = kt.resolve(model_of(line), directory(tmp_path, line))
    assert_like(line, AutoTokenizer.from_pretrained(front, trust_remote_code=True))


@pytest.mark.parametrize("line", ["kimi-vl", "moonlight"])
@pytest.mark.parametrize("module", ["tokenization_moonshot", "tokenization_kimi"])
def test_the_class_is_found_under_either_name(tmp_path: Path, line: str, module: str) -> None:
    model_dir = directory(tmp_path, line)
    config = json.loads((model_dir / "tokenizer_config.json").read_text())
    config |= {"auto_map": {"AutoTokenizer": [f"{module}.TikTokenTokenizer", None]}, "own": 1}
    (model_dir / "tokenizer_config.json").write_text(json.dumps(config))
    front = kt.resolve(model_of(line), model_dir)
    assert json.loads((front / "tokenizer_config.json").read_text())["own"] == 1  # the model's own is in front
    assert_like(line, AutoTokenizer.from_pretrained(front, trust_remote_code=True))


def assert_like(line: str, tokenizer: Any) -> None:
    assert type(tokenizer).__name__ == "TikTokenTokenizer"
    assert control(tokenizer.encode(TEXT)) == EXPECTED[line]
    assert tokenizer.pad_token_id == kt.load(model_of(line)).pad_token_id


@pytest.mark.parametrize("line", NEW)
@pytest.mark.parametrize("layout", ["good", "broken"])
def test_registered_it_needs_no_remote_code(
    tmp_path: Path, line: str, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original: Callable[..., Any] = AutoTokenizer.from_pretrained.__func__
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", classmethod(original))
    kt.register()
    assert_like(line, AutoTokenizer.from_pretrained(directory(tmp_path, line, layout)))


@pytest.mark.parametrize("line", ["kimi-k2-instruct", "kimi-k2-thinking"])
@pytest.mark.parametrize("way", ["registered", "view"])
def test_chats_of_the_older_models(tmp_path: Path, line: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every golden row, of a directory without a template of its own: by AutoTokenizer, and by exo's steps."""
    model_dir = directory(tmp_path / "models", line, "broken")
    (model_dir / "chat_template.jinja").unlink()
    rows = [row for row in golden("k2_old_chat") if row["line"] == line]
    if way == "registered":
        original: Callable[..., Any] = AutoTokenizer.from_pretrained.__func__
        monkeypatch.setattr(AutoTokenizer, "from_pretrained", classmethod(original))
        kt.register()
        tokenizer: Any = AutoTokenizer.from_pretrained(model_dir)
    else:
        assert main(["view", str(tmp_path / "view"), "--from", str(tmp_path / "models")]) == 0
        with isolated():
            tokenizer = load_like_exo(tmp_path / "view" / model_dir.name)
    found = [
        tokenizer.apply_chat_template(
            row["messages"], tools=row["tools"], add_generation_prompt=row["add_generation_prompt"], tokenize=False
        )
        for row in rows
    ]
    assert len(rows) > 20
    assert found == [row["text"] for row in rows]


@pytest.mark.parametrize("line", NEW)
def test_saved_and_loaded_it_is_the_same(tmp_path: Path, line: str) -> None:
    kt.load(model_of(line)).save_pretrained(tmp_path)
    again = TikTokenTokenizer.from_pretrained(tmp_path)
    assert_like(line, again)
    again.save_pretrained(tmp_path)
    assert_like(line, TikTokenTokenizer.from_pretrained(tmp_path))


@pytest.mark.parametrize("line", [*NEW, "kimi-k2.7-code"])
def test_there_is_no_built_in_template(tmp_path: Path, line: str) -> None:
    model = model_of(line)
    with pytest.raises(ChatTemplateError, match=f"none is built in for {line}\\. Put the model's own.*moonshotai/"):
        kt.load(model).apply_chat_template(HELLO)
    own = kt.load(model, directory(tmp_path, line)).apply_chat_template(HELLO)
    assert own == "<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>assistant<|im_middle|>"


@pytest.mark.parametrize(
    ("line", "name", "provided"),
    [
        ("kimi-vl", "tokenization_moonshot.py", True),
        ("moonlight", "tokenization_moonshot.py", True),
        ("kimi-linear", "tokenization_moonshot.py", False),
        ("kimi-linear", "tokenization_kimi.py", True),
        ("kimi-k2.6", "tokenization_moonshot.py", False),
        ("kimi-vl", "tokenizer_config.json", False),
        ("kimi-vl", "chat_template.jinja", False),
    ],
)
def test_provides(line: str, name: str, provided: bool) -> None:
    assert kt.provides(model_of(line), name) is provided


@pytest.mark.parametrize("line", ["kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6"])
def test_a_line_file_of_an_earlier_version(tmp_path: Path, line: str) -> None:
    (tmp_path / "tiktoken.model").symlink_to(OVERLAYS / "common" / "tiktoken.model")
    (tmp_path / "kimi_line.json").write_text(json.dumps({"line": line}))
    assert TikTokenTokenizer(tmp_path / "tiktoken.model").special_tokens == kt.load(model_of(line)).special_tokens


@pytest.mark.parametrize(
    "table",
    [
        {},
        [],
        7,
        None,
        {"163584": None},
        {"x": "[BOS]"},
        {"163584": "[BOS]", "163585": "[BOS]"},
        {"5": "[BOS]"},
        {"163840": "[BOS]"},
        {"163584": {"content": "[BOS]", "lstrip": True}},
    ],
)
def test_a_damaged_table_in_a_line_file(tmp_path: Path, table: object) -> None:
    (tmp_path / "tiktoken.model").symlink_to(OVERLAYS / "common" / "tiktoken.model")
    (tmp_path / "kimi_line.json").write_text(json.dumps({"line": "kimi-vl", "control_tokens": table}))
    with pytest.raises(kt.KimiTokenizersError, match=r"kimi_line\.json.*Delete the file"):
        TikTokenTokenizer(tmp_path / "tiktoken.model")
