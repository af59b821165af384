"""Poisoned bytecode in an installed package: `load` does not execute it, and `verify` says that it is there.

Each test uses a copy of the package in a fresh process.
"""

from __future__ import annotations

import importlib.util
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

EVIL = "import os; open(os.environ['KIMI_TEST_RAN'], 'w').close(); raise SystemExit('it ran')\n"
LOAD = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "__name__", "") != "_EditableFinder"]
import kimi_tokenizers as kt
print(kt.__file__, kt.load(sys.argv[1]).encode("Hello, world!"))
"""
VERIFY = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "__name__", "") != "_EditableFinder"]
from kimi_tokenizers.evidence import verification
verification._why_no_answers = lambda: "too slow for this test"
print("\\n".join(verification.verify().problems))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    copy = tmp_path / "site" / "kimi_tokenizers"
    shutil.copytree(ROOT / "kimi_tokenizers", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def run(package: Path, code: str, *arguments: str, write: bool = False) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        **({} if write else {"PYTHONDONTWRITEBYTECODE": "1"}),
        "PYTHONPATH": str(package.parent),
        "KIMI_TOKENIZERS_CACHE": str(package.parent.parent / "cache"),
        "KIMI_TEST_RAN": str(package.parent.parent / "ran"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd="/", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def poison(source: Path, folder: Path, *, unchecked: bool) -> Path:
    """Write bytecode that Python executes in the place of a module."""
    path = Path(importlib.util.cache_from_source(str(source)))
    (folder / "evil").write_text(EVIL)
    mode = py_compile.PycInvalidationMode
    wanted = mode.UNCHECKED_HASH if unchecked else mode.TIMESTAMP
    py_compile.compile(str(folder / "evil"), str(path), doraise=True, invalidation_mode=wanted)
    if not unchecked:
        status = source.stat()
        fields = b"".join(value.to_bytes(4, "little") for value in (0, int(status.st_mtime), status.st_size))
        path.write_bytes(path.read_bytes()[:4] + fields + path.read_bytes()[16:])
    return path


def test_poisoned_bytecode_of_the_overlays_is_not_executed_and_is_told(tmp_path: Path, package: Path) -> None:
    overlays = package / "overlays"
    names = ["__init__.py", "common/__init__.py", "common/tokenization_kimi.py", "common/tool_declaration_ts.py"]
    names += ["kimi-k3/kimi_k3_values.py", "kimi-k3/tokenization_kimi.py"]
    poisoned = [poison(overlays / name, tmp_path, unchecked=number % 2 > 0) for number, name in enumerate(names)]
    for model in ("moonshotai/Kimi-K2.6", "moonshotai/Kimi-K3"):
        assert run(package, LOAD, model).split(" ", 1) == [str(package / "__init__.py"), "[19180, 11, 2695, 0]\n"]
    assert not (tmp_path / "ran").exists()
    told = run(package, VERIFY)
    assert all(str(path) in told for path in poisoned)
    assert len(told.splitlines()) == len(poisoned)


def test_bytecode_that_was_compared_once_is_used_and_no_other(tmp_path: Path, package: Path) -> None:
    source = package / "overlays" / "common" / "tokenization_kimi.py"
    bytecode = Path(importlib.util.cache_from_source(str(source)))
    run(package, LOAD, "moonshotai/Kimi-K2.6", write=True)  # it is written,
    first = bytecode.read_bytes()
    run(package, LOAD, "moonshotai/Kimi-K2.6", write=True)  # compared,
    verdicts = sorted((tmp_path / "cache" / "verdicts").iterdir())
    assert len(verdicts) == 2
    run(package, LOAD, "moonshotai/Kimi-K2.6", write=True)  # and used
    assert bytecode.read_bytes() == first
    assert sorted((tmp_path / "cache" / "verdicts").iterdir()) == verdicts
    assert run(package, VERIFY, write=True).strip() == ""
    poison(source, tmp_path, unchecked=False)
    run(package, LOAD, "moonshotai/Kimi-K2.6", write=True)
    assert not (tmp_path / "ran").exists()


def test_bytecode_of_the_packages_own_code_is_told(tmp_path: Path, package: Path) -> None:
    path = poison(package / "tokenizer" / "detokenizer.py", tmp_path, unchecked=False)
    assert str(path) in run(package, VERIFY)


def test_what_no_manifest_lists_is_no_module(package: Path) -> None:
    (package / "overlays" / "kimi-k3" / "kimi_tiktoken.py").write_text(EVIL)
    assert "[19180, 11, 2695, 0]" in run(package, LOAD, "moonshotai/Kimi-K3")
