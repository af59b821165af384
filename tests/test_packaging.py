"""The package as others get it: a wheel, a wheel imported from its zip, an editable install."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What every kind of install must do; prints one JSON object.
USE = """
import hashlib, importlib.util, json, pathlib, sys, tempfile
import kimi_tokenizers as kt
from kimi_tokenizers.evidence import verification

result = verification.verify()
tokenizer = kt.load()
folder = tempfile.mkdtemp()
tokenizer.save_pretrained(folder)
saved = type(tokenizer).from_pretrained(folder)
print(json.dumps({
    "problems": result.problems,
    "files": result.files,
    "home": kt.__file__,
    "ids": tokenizer.encode("Hello, world!<think>"),
    "saved": saved.encode("Hello, world!<think>"),
    "vocab": hashlib.sha256(pathlib.Path(folder, "tiktoken.model").read_bytes()).hexdigest(),
    "overlays_on_path": importlib.util.find_spec("overlays") is not None,
}))
"""

USE_PLUGIN = """
import tiktoken

k2, k2_5 = tiktoken.get_encoding("kimi_k2"), tiktoken.get_encoding("kimi_k2_5")
assert (k2.name, k2.n_vocab, k2_5.n_vocab) == ("kimi_k2", 163840, 163840)
assert k2.encode("<think>", allowed_special="all") == [27, 39964, 29]
assert k2_5.encode("<think><|im_end|>", allowed_special="all") == [163606, 163586]
assert k2_5.encode("<|reserved_token_163700|>Hello, world!", allowed_special="all") == [163700, 19180, 11, 2695, 0]
"""


def build(kind: str, source: Path, target: Path) -> Path:
    """Build a "wheel" or "editable" with the project's own build backend; the built file."""
    target.mkdir()
    code = f"import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]))"
    run = subprocess.run(
        [sys.executable, "-c", code, str(target)], cwd=source, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return target / run.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the build needs, so that building leaves nothing in the checkout."""
    copy = tmp_path_factory.mktemp("source") / "kimi-tokenizers"
    copy.mkdir()
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    for name in ("kimi_tokenizers", "overlays"):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", source, tmp_path_factory.mktemp("built") / "wheel")


def use(tmp_path: Path, code: str = USE, **environment: str) -> dict[str, object]:
    answer = made_by(tmp_path, code, **environment)
    assert isinstance(answer, dict)
    return answer


def made_by(tmp_path: Path, code: str, **environment: str) -> Any:
    """Run code in a fresh process in which what is under test comes first; what it printed last, as JSON."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def assert_works(answer: dict[str, object]) -> None:
    home = answer.pop("home")
    files = answer.pop("files")
    assert isinstance(files, int)
    assert files > 20, home
    assert answer == {
        "problems": [],
        "ids": [19180, 11, 2695, 0, 163606],
        "saved": [19180, 11, 2695, 0, 163606],
        "vocab": "b6c497a7469b33ced9c38afb1ad6e47f03f5e5dc05f15930799210ec050c5103",
        "overlays_on_path": False,
    }


def test_the_wheel_is_small_and_holds_the_rank_table_once(wheel: Path) -> None:
    assert wheel.stat().st_size < 3_000_000
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith("tiktoken.model")] == [
        "kimi_tokenizers/overlays/common/tiktoken.model"
    ]
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"kimi_tokenizers", "tiktoken_ext"}
    assert "kimi_tokenizers/py.typed" in names
    assert {name.rsplit("/", 1)[1] for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}


def test_the_wheel_holds_every_file_of_overlays(wheel: Path) -> None:
    packaged = {
        name.removeprefix("kimi_tokenizers/"): zipfile.ZipFile(wheel).read(name)
        for name in zipfile.ZipFile(wheel).namelist()
        if name.startswith("kimi_tokenizers/overlays/")
    }
    kept = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in (ROOT / "overlays").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packaged == kept


def test_an_installed_wheel_works(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    answer = use(tmp_path, USE_PLUGIN + USE, PYTHONPATH=str(tmp_path / "site"))
    assert str(answer["home"]).startswith(str(tmp_path))
    assert_works(answer)


def test_a_wheel_works_without_being_unpacked(wheel: Path, tmp_path: Path) -> None:
    # But for tiktoken's plugin: Python finds no namespace package in a zip without entries for directories.
    answer = use(tmp_path, PYTHONPATH=str(wheel))
    assert ".whl" in str(answer["home"])
    assert_works(answer)


def test_an_installed_wheel_and_one_that_is_not_unpacked_make_the_one_file_of_the_clone(
    wheel: Path, tmp_path: Path
) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "import hashlib, json, kimi_tokenizers; from kimi_tokenizers.commands.one_file import one_file\n"
        "print(json.dumps([kimi_tokenizers.__file__, hashlib.sha256(one_file()).hexdigest()]))"
    )
    homes, sums = zip(
        *(made_by(tmp_path, code, PYTHONPATH=str(path)) for path in (tmp_path / "site", wheel, ROOT)), strict=True
    )
    assert [str(home).startswith(str(path)) for home, path in zip(homes, (tmp_path, wheel, ROOT), strict=True)] == [
        True
    ] * 3
    assert len(set(sums)) == 1


def test_an_editable_install_works(source: Path, tmp_path: Path) -> None:
    editable = build("editable", source, tmp_path / "editable")
    zipfile.ZipFile(editable).extractall(tmp_path / "site")
    # As `site` does for the site-packages of an environment: it runs the .pth file of the editable install. The
    # checkout may be installed so itself, under the same name, and must not be found first.
    site = str(tmp_path / "site")
    preamble = (
        "import site, sys\n"
        "for name in [name for name in sys.modules if name.startswith('__editable__')]: del sys.modules[name]\n"
        f"sys.path.insert(0, {site!r})\n"
        "before = set(map(id, sys.meta_path))\n"
        f"site.addsitedir({site!r})\n"
        "sys.meta_path.sort(key=lambda finder: id(finder) in before)\n"
    )
    answer = use(tmp_path, preamble + USE_PLUGIN + USE)
    assert str(answer["home"]).startswith(str(source))
    assert_works(answer)
