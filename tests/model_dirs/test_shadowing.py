"""What exo would import from a model directory is named, whatever it is; what repos really hold is not."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from layouts import write_layout

from kimi_tokenizers.errors import ModelDirError
from kimi_tokenizers.model_dirs import importable, uncompared, walking

# What lies beside the tokenizer in Moonshot's repos.
REPOS = {
    "kimi-k2-instruct": "configuration_deepseek.py modeling_deepseek.py docs/deploy_guidance.md figures/logo.png",
    "kimi-k2.6": "configuration_deepseek.py configuration_kimi_k25.py kimi_k25_processor.py modeling_deepseek.py "
    "kimi_k25_vision_processing.py media_utils.py modeling_kimi_k25.py docs/a.md .cache/huggingface/x.metadata",
    "kimi-k3": "encoding_k3.py configuration_kimi_k3.py modeling_kimi_k3.py kimi_k3_processor.py media_utils.py",
    "kimi-linear": "configuration_kimi.py modeling_kimi.py tokenization_kimi_fast.py",
    "kimi-vl": "configuration_kimi_vl.py image_processing_kimi_vl.py modeling_kimi_vl.py processing_kimi_vl.py "
    "tokenization_moonshot.py original/model.safetensors model-shards/x.py a.b.py 1.py README.md",
}


def put(model_dir: Path, *names: str) -> None:
    for name in names:
        path = model_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"raise SystemExit('it ran')\n")


@pytest.mark.parametrize("line", REPOS)
def test_what_repos_really_hold_is_harmless(tmp_path: Path, line: str) -> None:
    model_dir = write_layout(tmp_path / "model", "good", line)
    put(model_dir, *REPOS[line].split())
    assert importable(model_dir) == []


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("tiktoken.py", "tiktoken.py"),
        ("json.py", "json.py"),
        ("kimi_tokenizers.py", "kimi_tokenizers.py"),
        ("sitecustomize.py", "sitecustomize.py"),
        ("helper.py", "helper.py"),  # nobody can know here what else exo imports
        ("tiktoken.pyc", "tiktoken.pyc"),
        ("tiktoken.so", "tiktoken.so"),
        ("tiktoken.abi3.so", "tiktoken.abi3.so"),
        ("tiktoken.cpython-313-darwin.so", "tiktoken.cpython-313-darwin.so"),
        ("tokenization_kimi.so", "tokenization_kimi.so"),
        ("modeling_deepseek.so", "modeling_deepseek.so"),
        ("tiktoken/__init__.py", "tiktoken/"),
        ("tiktoken/__init__.abi3.so", "tiktoken/"),
        ("modeling_deepseek/__init__.py", "modeling_deepseek/"),
        ("transformers/models/kimi.py", "transformers/"),
        ("tiktoken_ext/mine.py", "tiktoken_ext/"),  # a plugin: tiktoken imports all there is of it
        ("mine-1.0.dist-info/entry_points.txt", "mine-1.0.dist-info"),
        ("mine.egg-info/entry_points.txt", "mine.egg-info"),
    ],
)
def test_what_would_be_imported_is_named(tmp_path: Path, name: str, named: str) -> None:
    model_dir = write_layout(tmp_path / "model", "good")
    put(model_dir, name)
    assert importable(model_dir) == [named]


def test_links_are_followed_as_python_does(tmp_path: Path) -> None:
    model_dir = write_layout(tmp_path / "model", "good")
    put(tmp_path, "elsewhere/package/__init__.py")
    (model_dir / "tiktoken").symlink_to(tmp_path / "elsewhere" / "package")
    (model_dir / "json.py").symlink_to(tmp_path / "elsewhere" / "package" / "__init__.py")
    (model_dir / "re.py").symlink_to("re.py")  # leads nowhere
    (model_dir / "ast.py").symlink_to(tmp_path / "missing")
    (model_dir / "circle").symlink_to(".")
    os.mkfifo(model_dir / "base64.py")
    assert importable(model_dir) == ["circle/", "json.py", "tiktoken/"]


# -- bytecode ------------------------------------------------------------------------------------------------

EVIL = "raise SystemExit('it ran')\n"


def compiled(model_dir: Path, source: str | None, *, unchecked: bool = False) -> Path:
    """Write bytecode that Python uses for `tool_declaration_ts.py`, of another source unless that is None."""
    module = model_dir / "tool_declaration_ts.py"
    path = Path(importlib.util.cache_from_source(str(module)))
    if source is None:
        py_compile.compile(str(module), str(path), doraise=True)
        return path
    other = model_dir / "other"
    other.write_text(source)
    mode = py_compile.PycInvalidationMode
    py_compile.compile(
        str(other), str(path), doraise=True, invalidation_mode=mode.UNCHECKED_HASH if unchecked else mode.TIMESTAMP
    )
    other.unlink()
    if not unchecked:
        status = module.stat()
        fields = b"".join(value.to_bytes(4, "little") for value in (0, int(status.st_mtime), status.st_size))
        path.write_bytes(path.read_bytes()[:4] + fields + path.read_bytes()[16:])
    return path


def runs(model_dir: Path) -> bool:
    """Whether Python executes the bytecode instead of the source."""
    spec = importlib.util.spec_from_file_location("tool_declaration_ts", model_dir / "tool_declaration_ts.py")
    assert spec is not None
    assert spec.loader is not None
    try:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    except SystemExit:
        return True
    return False


def stale(model_dir: Path) -> None:
    compiled(model_dir, EVIL)
    os.utime(model_dir / "tool_declaration_ts.py", (1, 1))


@pytest.mark.parametrize(
    ("write", "executed"),
    [
        (lambda model_dir: compiled(model_dir, None), False),  # exo's own
        (stale, False),
        (lambda model_dir: compiled(model_dir, EVIL), True),
        (lambda model_dir: compiled(model_dir, EVIL, unchecked=True), True),
        (lambda model_dir: compiled(model_dir, (model_dir / "tool_declaration_ts.py").read_text() + EVIL), True),
    ],
)
def test_bytecode_is_named_where_it_is_not_what_the_source_says(
    tmp_path: Path, write: Callable[[Path], None], executed: bool
) -> None:
    model_dir = write_layout(tmp_path / "model", "good")
    write(model_dir)
    assert runs(model_dir) == executed
    name = f"__pycache__/tool_declaration_ts.{sys.implementation.cache_tag}.pyc"
    assert importable(model_dir) == ([name] if executed else [])


def test_bytecode_of_another_python_cannot_be_told_and_is_named(tmp_path: Path) -> None:
    """Where it looks like what exo leaves that is said; it does not where it is used whatever the source says."""
    model_dir = write_layout(tmp_path / "model", "good")
    path = compiled(model_dir, None)
    for name in ("tool_declaration_ts.cpython-399.pyc", "modeling_deepseek.cpython-313.pyc", "tokenization_kimi.txt"):
        path.with_name(name).write_bytes(path.read_bytes())
    path.with_name("tokenization_kimi.cpython-313.pyc").write_bytes(b"x")
    cache = "__pycache__/"
    unchecked, looks_left = f"{cache}tool_declaration_ts.cpython-398.pyc", f"{cache}tool_declaration_ts.cpython-399.pyc"
    compiled(model_dir, EVIL, unchecked=True).rename(model_dir / unchecked)
    assert importable(model_dir) == [f"{cache}tokenization_kimi.cpython-313.pyc", unchecked, looks_left]
    assert uncompared(model_dir) == [looks_left]
    os.utime(model_dir / "tool_declaration_ts.py", (1, 1))
    assert uncompared(model_dir) == []
    assert importable(model_dir) == [f"{cache}tokenization_kimi.cpython-313.pyc", unchecked]


def test_a_limit_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model_dir = write_layout(tmp_path / "model", "good")
    monkeypatch.setattr(walking.Walk.__init__, "__defaults__", (5,))
    with pytest.raises(ModelDirError, match="more than 5 files and folders"):
        importable(model_dir)
