"""The resolver: which layer each file comes from, for every line and layout, and what exo makes of the result."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import py_compile
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from conftest import OVERLAYS
from layouts import hf_snapshot, write_layout

from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.errors import ModelDirError, UnknownModelError, VocabularyMismatchError
from kimi_tokenizers.evidence.exo_loading import isolated, load_like_exo
from kimi_tokenizers.model_dirs import TokenizerFiles
from kimi_tokenizers.resolver import cache

MODELS = {
    "kimi-k2-instruct": "mlx-community/Kimi-K2-Instruct-4bit",
    "kimi-k2-thinking": "moonshotai/Kimi-K2-Thinking",
    "kimi-k2.5": "mlx-community/Kimi-K2.5",
    "kimi-k2.6": "moonshotai/Kimi-K2.6",
}
MODEL = MODELS["kimi-k2.6"]
WITH_TEMPLATE = ("kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6")
DEFAULT_SYSTEM = "<|im_system|>system<|im_middle|>You are Kimi, an AI assistant created by Moonshot AI.<|im_end|>"

HI = [{"role": "user", "content": "Hi"}]
OURS = dict.fromkeys(("tiktoken.model", "tokenization_kimi.py", "tool_declaration_ts.py", "kimi_line.json"), "overlay")
BEHIND = dict.fromkeys(("chat_template.jinja", "config.json", "generation_config.json"), "directory")

# Layout -> where each file comes from. What is not named is in no layer.
EXPECTED: dict[str, dict[str, str]] = {
    "good": OURS | BEHIND | {"tokenizer_config.json": "directory"},
    "broken": OURS | BEHIND | {"tokenizer_config.json": "overlay"},
    "fast_only": OURS | BEHIND | {"tokenizer_config.json": "overlay"},
    "empty": OURS | {"tokenizer_config.json": "overlay"},
    "partial": OURS | BEHIND | {"tokenizer_config.json": "directory"},
    "snapshot": OURS | BEHIND | {"tokenizer_config.json": "directory"},
    "broken_snapshot": OURS | BEHIND | {"tokenizer_config.json": "overlay"},
    "read_only": OURS | BEHIND | {"tokenizer_config.json": "directory"},
}


@pytest.fixture(scope="module")
def cache_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for the whole module: it is keyed by content."""
    path = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(cache.CACHE_VARIABLE, str(path))
        yield path


@pytest.fixture(autouse=True)
def _use_cache(cache_root: Path) -> None:
    """Every test."""


def state_of(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    """Everything below a folder that a write would change."""
    state = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        state[str(path)] = (status.st_ino, status.st_mode, status.st_mtime_ns, digest)
    return state


def make(tmp_path: Path, layout: str, line: str) -> Path:
    """A model directory; what it lies in is `tmp_path / "models"`."""
    model_id = MODELS[line]
    models = tmp_path / "models"
    if layout in ("snapshot", "broken_snapshot"):
        return hf_snapshot(models, model_id, "good" if layout == "snapshot" else "broken", line)
    model_dir = write_layout(models / model_id.replace("/", "--"), "good" if layout == "read_only" else layout, line)
    if layout == "read_only":
        for path in [*model_dir.iterdir(), model_dir, models]:
            path.chmod(path.stat().st_mode & 0o555)
    return model_dir


def expected_layers(layout: str, line: str) -> dict[str, str]:
    expected = dict(EXPECTED[layout])
    if layout == "empty" and line in WITH_TEMPLATE:
        expected["chat_template.jinja"] = "overlay"
    return expected


_loaded: dict[str, Any] = {}


def loaded(entry: Path) -> Any:
    """What exo's steps 1 to 6 make of a resolved directory. Two of the same name hold the same bytes."""
    if entry.name not in _loaded:
        with isolated():
            _loaded[entry.name] = load_like_exo(entry, wrap=False)
    return _loaded[entry.name]


def prompt(line: str) -> str:
    text = "<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>assistant<|im_middle|>"
    before = {"kimi-k2-instruct": DEFAULT_SYSTEM + "\n", "kimi-k2-thinking": DEFAULT_SYSTEM}
    return before[line] + text if line in before else text + "<think>"


@pytest.mark.parametrize("layout", EXPECTED)
@pytest.mark.parametrize("line", MODELS)
def test_every_line_in_every_layout(line: str, layout: str, tmp_path: Path, plain: tiktoken.Encoding) -> None:
    model_dir = make(tmp_path, layout, line)
    overlay = catalogue.get(MODELS[line])
    before = state_of(tmp_path / "models")

    expected = expected_layers(layout, line)
    decided = resolver.layers(overlay, TokenizerFiles(model_dir))
    assert {layer.name: layer.origin for layer in decided} == expected
    assert len(decided) == len(expected)
    assert all(layer.why for layer in decided)

    entry = resolver.resolve(MODELS[line], model_dir)
    for name, origin in expected.items():
        content = overlay.read(name) if origin == "overlay" else (model_dir / name).read_bytes()
        assert (entry / name).read_bytes() == content, name
        assert not (entry / name).is_symlink()
    others = {path.name for path in entry.iterdir()} - set(expected)
    assert others <= {".kimi-tokenizers.json", "__pycache__"}

    tokenizer = loaded(entry)
    think = plain.encode_ordinary("<think>") if line == "kimi-k2-instruct" else [163606]
    assert tokenizer.encode("Hello, world!<|im_end|>") == [19180, 11, 2695, 0, 163586]
    assert tokenizer.encode("<think>") == think
    assert tokenizer.decode(tokenizer.encode("Grüße 你好 🙂")) == "Grüße 你好 🙂"
    assert len(tokenizer) == 163840
    if layout == "empty" and line not in WITH_TEMPLATE:
        with pytest.raises(ValueError, match="no chat template"):
            tokenizer.apply_chat_template(HI)
    else:
        assert tokenizer.apply_chat_template(HI) == prompt(line)

    assert resolver.resolve(MODELS[line], model_dir) == entry
    assert state_of(tmp_path / "models") == before
    (tmp_path / "models").chmod(0o755)


@pytest.mark.parametrize("line", MODELS)
def test_k3_in_a_folder_named_like_k2(line: str, tmp_path: Path) -> None:
    model_dir = make(tmp_path, "k3", line)
    before = state_of(model_dir)
    with pytest.raises(VocabularyMismatchError) as caught:
        resolver.resolve(MODELS[line], model_dir)
    for side in ("kimi_k3", line, str(model_dir)):
        assert side in str(caught.value)
    assert state_of(model_dir) == before
    assert resolver.describe(MODELS[line], model_dir) == {
        "line": line,
        "layers": [],
        "objection": str(caught.value),
    }


def test_describe_says_what_resolve_does(tmp_path: Path) -> None:
    model_dir = make(tmp_path, "broken", "kimi-k2.6")
    described = resolver.describe(MODEL, model_dir)
    assert described["line"] == "kimi-k2.6"
    assert described["objection"] is None
    assert {layer["name"]: layer["origin"] for layer in described["layers"]} == EXPECTED["broken"]
    assert json.loads(json.dumps(described)) == described


def test_describe_of_a_stranger(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError):
        resolver.describe("mlx-community/Qwen3-8B-4bit", tmp_path)


# -- the layers, one question at a time ----------------------------------------------------------


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return write_layout(tmp_path / "models" / "moonshotai--Kimi-K2.6", "good")


def origin(model_dir: Path, name: str, model_id: str = MODEL) -> str | None:
    layers = {layer.name: layer.origin for layer in resolver.layers(catalogue.get(model_id), TokenizerFiles(model_dir))}
    return layers.get(name)


def edit_config(model_dir: Path, **change: Any) -> None:
    path = model_dir / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def test_downloaded_python_is_never_in_front(model_dir: Path) -> None:
    hostile = "raise SystemExit('downloaded Python ran')\n"
    names = (
        "tokenization_kimi.py",
        "tool_declaration_ts.py",
        "sitecustomize.py",
        "tokenization_kimi_fast.py",
        "json.py",
    )
    for name in names:
        (model_dir / name).write_text(hostile)
    (model_dir / "encodings").mkdir()
    (model_dir / "encodings" / "__init__.py").write_text(hostile)
    entry = resolver.resolve(MODEL, model_dir)
    assert {path.name for path in entry.glob("*.py")} == {"tokenization_kimi.py", "tool_declaration_ts.py"}
    assert not (entry / "encodings").exists()
    assert loaded(entry).encode("Hello, world!") == [19180, 11, 2695, 0]


def test_the_line_is_that_of_the_id_whatever_the_directory_says(model_dir: Path) -> None:
    (model_dir / "kimi_line.json").write_text('{"line": "kimi-k2-instruct"}')
    edit_config(model_dir, added_tokens_decoder={})
    assert loaded(resolver.resolve(MODEL, model_dir)).encode("<think>") == [163606]


def test_a_damaged_rank_table_is_replaced(model_dir: Path) -> None:
    (model_dir / "tiktoken.model").write_bytes((model_dir / "tiktoken.model").read_bytes()[:1000])
    assert loaded(resolver.resolve(MODEL, model_dir)).encode("Hello, world!") == [19180, 11, 2695, 0]


@pytest.mark.parametrize(
    "slots",
    [
        ["tokenization_kimi.TikTokenTokenizer", None],
        [None, "tokenization_kimi.TikTokenTokenizer"],
        "tokenization_kimi.TikTokenTokenizer",
    ],
)
def test_a_config_that_names_the_slow_class_is_the_directorys(slots: object, model_dir: Path) -> None:
    edit_config(model_dir, auto_map={"AutoTokenizer": slots})
    assert origin(model_dir, "tokenizer_config.json") == "directory"


@pytest.mark.parametrize(
    "auto_map",
    [
        None,
        {},
        [],
        "tokenization_kimi.TikTokenTokenizer",
        {"AutoTokenizer": None},
        {"AutoTokenizer": [None, "tokenization_kimi_fast.TikTokenTokenizerFast"]},
        {"AutoTokenizer": {"slow": "tokenization_kimi.TikTokenTokenizer"}},
        {"AutoConfig": "tokenization_kimi.TikTokenTokenizer"},
    ],
)
def test_a_config_that_does_not_name_it_is_not(auto_map: object, model_dir: Path) -> None:
    edit_config(model_dir, auto_map=auto_map)
    assert origin(model_dir, "tokenizer_config.json") == "overlay"


def test_a_broken_config_with_control_tokens_of_its_own_stays(tmp_path: Path) -> None:
    """They are the model's; and exo's loading gets along with the rest of that file."""
    model_dir = make(tmp_path, "broken", "kimi-k2.6")
    table = json.loads((model_dir / "tokenizer_config.json").read_text())["added_tokens_decoder"]
    edit_config(
        model_dir, added_tokens_decoder=table | {"163700": {"content": "<|of_this_conversion|>", "special": True}}
    )
    assert origin(model_dir, "tokenizer_config.json") == "directory"
    tokenizer = loaded(resolver.resolve(MODEL, model_dir))
    assert tokenizer.encode("<|of_this_conversion|><|im_end|>") == [163700, 163586]


def test_a_template_inside_the_config_wins_over_the_overlays(tmp_path: Path) -> None:
    model_dir = make(tmp_path, "broken", "kimi-k2.6")
    (model_dir / "chat_template.jinja").unlink()
    edit_config(model_dir, chat_template="inside: {{ messages[0].content }}")
    assert origin(model_dir, "tokenizer_config.json") == "directory"
    assert origin(model_dir, "chat_template.jinja") is None
    assert loaded(resolver.resolve(MODEL, model_dir)).apply_chat_template(HI) == "inside: Hi"


def test_named_templates_inside_the_config_win_over_the_overlays(tmp_path: Path) -> None:
    model_dir = make(tmp_path, "broken", "kimi-k2.6")
    (model_dir / "chat_template.jinja").unlink()
    named = {"rag": "rag: {{ messages[0].content }}", "default": "named: {{ messages[0].content }}"}
    edit_config(model_dir, chat_template=[{"name": name, "template": text} for name, text in named.items()])
    assert origin(model_dir, "chat_template.jinja") is None
    assert loaded(resolver.resolve(MODEL, model_dir)).apply_chat_template(HI) == "named: Hi"


def test_a_template_of_the_directorys_own_wins_over_both(model_dir: Path) -> None:
    edit_config(model_dir, chat_template="inside: {{ messages[0].content }}")
    (model_dir / "chat_template.jinja").write_text("own: {{ messages[0].content }} é", encoding="utf-8")
    assert origin(model_dir, "chat_template.jinja") == "directory"
    assert loaded(resolver.resolve(MODEL, model_dir)).apply_chat_template(HI) == "own: Hi é"


def test_an_edited_template_is_another_entry(model_dir: Path) -> None:
    first = resolver.resolve(MODEL, model_dir)
    (model_dir / "chat_template.jinja").write_text("own")
    second = resolver.resolve(MODEL, model_dir)
    assert (second / "chat_template.jinja").read_text() == "own"
    assert (first / "chat_template.jinja").read_text() != "own"


def test_a_template_that_is_not_utf_8(model_dir: Path) -> None:
    (model_dir / "chat_template.jinja").write_bytes(b"\xff")
    with pytest.raises(ModelDirError, match="is not UTF-8 text") as caught:
        resolver.resolve(MODEL, model_dir)
    assert str(model_dir / "chat_template.jinja") in str(caught.value)


def test_which_files_are_behind(model_dir: Path) -> None:
    """Only what is known to belong to a tokenizer: not whatever has the suffix of such a file."""
    behind = ("special_tokens_map.json", "preprocessor_config.json")
    not_behind = ("x.json", "second.jinja", ".hidden.json", "notes.txt", "other.safetensors.index.json")
    for name in (*behind, *not_behind):
        (model_dir / name).write_text("{}")
    (model_dir / "added_tokens.json").symlink_to("nowhere")
    decided = resolver.layers(catalogue.get(MODEL), TokenizerFiles(model_dir))
    found = {layer.name for layer in decided if layer.origin == "directory"}
    assert found == {*behind, "tokenizer_config.json", "chat_template.jinja", "config.json", "generation_config.json"}


@pytest.mark.parametrize(
    "files",
    [
        {"added_tokens.json": {"<|im_end|>": 163700, "Hello": 163701}},
        {"special_tokens_map.json": {"eos_token": "<|endoftext|>", "additional_special_tokens": ["Hello"]}},
        {"tokenizer_config.json": {}, "added_tokens.json": {"Hello": 163840}},
        {"tokenizer_config.json": {}, "special_tokens_map.json": {"additional_special_tokens": ["Hello"]}},
    ],
)
def test_token_files_of_old_formats_change_no_ids(files: dict[str, Any], model_dir: Path) -> None:
    """transformers reads them where `tokenizer_config.json` has no table; the overlay's always has one."""
    for name, value in files.items():
        (model_dir / name).write_text(json.dumps(value))
    tokenizer = loaded(resolver.resolve(MODEL, model_dir))
    assert tokenizer.encode("Hello, world!<|im_end|>") == [19180, 11, 2695, 0, 163586]
    assert tokenizer.eos_token_id == 163585
    assert len(tokenizer) == 163840


def test_a_small_file_that_is_a_symlink_loop_is_named(model_dir: Path) -> None:
    (model_dir / "added_tokens.json").symlink_to("added_tokens.json")
    with pytest.raises(ModelDirError) as caught:
        resolver.resolve(MODEL, model_dir)
    assert str(model_dir / "added_tokens.json") in str(caught.value)


@pytest.mark.parametrize("what", ["missing", "file", "nul", "loop", "fifo"])
def test_no_model_directory(what: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    if what == "file":
        path.touch()
    elif what == "nul":
        path = tmp_path / "mo\0del"
    elif what == "loop":
        path.symlink_to(path)
    elif what == "fifo":
        os.mkfifo(path)
    with pytest.raises(ModelDirError, match="cannot be used") as caught:
        resolver.resolve(MODEL, path)
    assert "config.json" in str(caught.value)  # what to give instead


def test_the_path_may_be_a_string_and_relative(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model_dir.parent)
    assert resolver.resolve(MODEL, model_dir.name) == resolver.resolve(MODEL, model_dir)


def test_two_directories_with_the_same_files_share_an_entry(tmp_path: Path) -> None:
    first = resolver.resolve(MODEL, make(tmp_path / "a", "good", "kimi-k2.6"))
    assert resolver.resolve(MODEL, make(tmp_path / "b", "snapshot", "kimi-k2.6")) == first


def test_a_mended_entry_loads(model_dir: Path) -> None:
    entry = resolver.resolve(MODEL, model_dir)
    (entry / "tokenization_kimi.py").unlink()
    (entry / "tokenization_kimi.py").write_text("raise SystemExit\n")
    assert resolver.resolve(MODEL, model_dir) == entry
    with isolated():
        assert load_like_exo(entry, wrap=False).encode("Hello, world!") == [19180, 11, 2695, 0]


def test_exos_steps_leave_no_bytecode(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (model_dir / "generation_config.json").write_text("{}")  # an entry that no other test has loaded from
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    entry = resolver.resolve(MODEL, model_dir)
    before = sorted(os.listdir(entry))
    with isolated():
        load_like_exo(entry, wrap=False)
    assert sorted(os.listdir(entry)) == before
    inode = entry.stat().st_ino
    assert resolver.resolve(MODEL, model_dir).stat().st_ino == inode


def test_bytecode_that_somebody_left_in_a_resolved_directory_never_runs(model_dir: Path, tmp_path: Path) -> None:
    """It names the very source that lies there, so Python would take it for up to date."""
    entry = resolver.resolve(MODEL, model_dir)
    source = entry / "tool_declaration_ts.py"
    status = source.stat()
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    compiled = py_compile.compile(str(tmp_path / "evil.py"), doraise=True)
    header = struct.pack("<III", 0, int(status.st_mtime), status.st_size)
    code = Path(str(compiled)).read_bytes()
    entry.chmod(0o755)
    (entry / "__pycache__").unlink()
    poisoned = Path(importlib.util.cache_from_source(str(source)))
    poisoned.parent.mkdir()
    poisoned.write_bytes(code[:4] + header + code[16:])
    again = resolver.resolve(MODEL, model_dir)
    with isolated():
        assert load_like_exo(again, wrap=False).encode("Hello, world!") == [19180, 11, 2695, 0]
    assert again == entry
    assert (again / "__pycache__").is_file()
    assert not (tmp_path / "ran").exists()


# -- strangers -----------------------------------------------------------------------------------

STRANGERS = [
    "mlx-community/Qwen3-8B-4bit",
    "mlx-community/Llama-3.3-70B-Instruct-4bit",
    "moonshotai/Kimi-K3.1-Pro",
    "moonshotai/Kimi-K20",
    "moonshotai/Kimi-VL",
    "moonshotai/Kimi-Linear",
    "moonshotai/Kimi-Dev-72B",
    "moonshotai/Moonlight",
    "",
    "x",
    "../../etc",
    "a" * 10_000,
    "moonshotai/Kimi-K2.6\0",
    "moonshotai/Kimi-K2.6/x",
]


@pytest.mark.parametrize("model_id", STRANGERS, ids=range(len(STRANGERS)))
def test_a_strangers_directory_comes_back_untouched(model_id: str, tmp_path: Path) -> None:
    """Not even looked at: it need not exist."""
    before = state_of(tmp_path)
    for path in (tmp_path, tmp_path / "nowhere"):
        assert resolver.resolve(model_id, path) == path
        assert resolver.resolve(model_id, str(path)) == path
    assert state_of(tmp_path) == before
    assert not any(resolver.provides(model_id, name) for name in (*OURS, "tokenizer_config.json"))


def in_fresh_process(program: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(OVERLAYS.parent)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LIGHT = """\
import sys
before = set(sys.modules)
import kimi_tokenizers as kt
kt.resolve(sys.argv[1], sys.argv[2])
kt.provides(sys.argv[1], "tokenization_kimi.py")
heavy = ("transformers", "tiktoken", "jinja2", "numpy", "tokenizers", "huggingface_hub", "mlx")
print(sorted(set(heavy) & {name.partition(".")[0] for name in set(sys.modules) - before}))
print(any(name.startswith("kimi_tokenizers.overlays.") for name in sys.modules))
"""


@pytest.mark.parametrize("model_id", ["mlx-community/Qwen3-8B-4bit", "moonshotai/Kimi-K3.1-Pro"])
def test_a_stranger_costs_no_heavy_import(model_id: str, tmp_path: Path) -> None:
    assert in_fresh_process(LIGHT, model_id, str(tmp_path)) == "[]\nFalse\n"


def test_resolving_costs_no_heavy_import_either(model_dir: Path) -> None:
    assert in_fresh_process(LIGHT, MODEL, str(model_dir)) == "[]\nFalse\n"


def test_importing_the_package_costs_nothing_heavy() -> None:
    program = """\
import sys
before = set(sys.modules)
import kimi_tokenizers
new = set(sys.modules) - before
print(sorted(name for name in new if name.startswith("kimi_tokenizers")))
print({"importlib.resources", "tomllib", "json", "hashlib"} & new)
"""
    expected = [f"kimi_tokenizers{name}" for name in ("", ".errors", ".escaping", ".version")]
    assert in_fresh_process(program) == f"{expected}\nset()\n"


# -- provides ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model_id", MODELS.values())
def test_what_a_downloader_can_skip(model_id: str) -> None:
    for name in ("tiktoken.model", "tokenization_kimi.py", "tool_declaration_ts.py"):
        assert resolver.provides(model_id, name)


@pytest.mark.parametrize(
    "name",
    [
        "chat_template.jinja",
        "tokenizer_config.json",
        "config.json",
        "model.safetensors.index.json",
        "model-00001-of-00002.safetensors",
        "tokenization_kimi_fast.py",
        "folder/tokenization_kimi.py",
        "TOKENIZATION_KIMI.PY",
        "",
    ],
)
def test_what_it_cannot(name: str) -> None:
    """The model's own wins over the overlay's, or there is no other."""
    assert not resolver.provides(MODEL, name)


@pytest.mark.parametrize("line", MODELS)
def test_what_is_skipped_is_there_after_resolve(line: str, tmp_path: Path) -> None:
    """A directory that a downloader filled with `provides` is as good as a whole one."""
    model_dir = make(tmp_path, "good", line)
    whole = resolver.resolve(MODELS[line], model_dir)
    for path in list(model_dir.iterdir()):
        if resolver.provides(MODELS[line], path.name):
            path.unlink()
    assert resolver.resolve(MODELS[line], model_dir) == whole


def test_a_kept_configuration_names_the_slow_tokenizer(model_dir: Path) -> None:
    """It is kept for the chat template in it; the fast class that it names is not there."""
    write_layout(model_dir, "broken")
    (model_dir / "chat_template.jinja").unlink()
    path = model_dir / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "chat_template": "its own {{ messages[0].content }}"}))
    resolved = json.loads((resolver.resolve(MODEL, model_dir) / "tokenizer_config.json").read_text())
    assert resolved["auto_map"] == {"AutoTokenizer": ["tokenization_kimi.TikTokenTokenizer", None]}
    assert resolved["tokenizer_class"] == "TikTokenTokenizer"
    assert resolved["chat_template"] == "its own {{ messages[0].content }}"
    assert {**config, "auto_map": 0, "tokenizer_class": 0} == {
        **{name: value for name, value in resolved.items() if name != "chat_template"},
        "auto_map": 0,
        "tokenizer_class": 0,
    }
