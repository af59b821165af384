"""The package as others get it: a wheel, a wheel imported from its zip, an editable install."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from building import build, copy_source
from conftest import ROOT

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


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_source(tmp_path_factory.mktemp("source") / "kimi-tokenizers")


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", source, tmp_path_factory.mktemp("built") / "wheel")


@pytest.fixture(scope="module")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", source, folder / "built")) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.glob("kimi_tokenizers-*"))


@pytest.fixture(scope="module")
def about(wheel: Path) -> Message:
    """The wheel's metadata."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


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
    assert "kimi_tokenizers/tokenizer/known_answers.jsonl" in names
    assert len(names) == len(set(names))


def test_both_licences_are_in_the_wheel_and_the_expression_names_both(wheel: Path, about: Message) -> None:
    with zipfile.ZipFile(wheel) as archive:
        texts = {name.rsplit("/", 1)[1]: archive.read(name) for name in archive.namelist() if "/licenses/" in name}
    names = {"LICENSE", "LICENSE-Modified-MIT", "NOTICE"}
    assert texts == {name: (ROOT / name).read_bytes() for name in names}
    assert set(about.get_all("License-File") or ()) == names
    assert about["License-Expression"] == "MIT AND LicenseRef-Moonshot-Modified-MIT"
    assert b"Copyright (c) 2026 The kimi-tokenizers authors" in texts["LICENSE"]
    added = b'you shall prominently display "Kimi K2" on the user interface'
    for condition in (b"Copyright (c) 2025 Moonshot AI", b"100 million monthly active users", added):
        assert condition in b" ".join(texts["LICENSE-Modified-MIT"].split())
    for data in re.findall(r"^- (overlays/\S+?),", texts["NOTICE"].decode(), re.MULTILINE):
        assert (ROOT / "kimi_tokenizers" / data).is_file()


def test_pyinstaller_finds_the_hooks_by_their_entry_point(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        info = next(name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name)
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
        assert "kimi_tokenizers/tokenizer/pyinstaller/hook-kimi_tokenizers.py" in archive.namelist()
    assert "[pyinstaller40]\nhook-dirs = kimi_tokenizers.tokenizer.pyinstaller:get_hook_dirs\n" in entry_points


def test_the_metadata_says_what_it_is_for_and_where_it_lives(about: Message) -> None:
    classifiers = about.get_all("Classifier") or []
    for minor in (10, 11, 12, 13, 14):
        assert f"Programming Language :: Python :: 3.{minor}" in classifiers
    assert not [text for text in classifiers if text.startswith("License ::")]  # the expression says it
    assert about["Requires-Python"] == ">=3.10"  # and no end: what depends on the version is looked at when it runs
    assert about["Author"] == "The kimi-tokenizers authors"
    urls = dict(url.split(", ") for url in about.get_all("Project-URL") or ())
    assert set(urls) >= {"Homepage", "Source", "Issues", "Changelog"}
    assert all(url.startswith(urls["Source"]) for url in urls.values())


def test_the_readme_has_no_link_that_leads_nowhere_outside_the_repository(about: Message) -> None:
    """On an index page a relative link is broken. Links to files of the repository name files that there are."""
    readme = str(about.get_payload())
    home = dict(url.split(", ") for url in about.get_all("Project-URL") or ())["Source"]
    raw = home.replace("github.com", "raw.githubusercontent.com")
    links = re.findall(r"\]\(([^)]+)\)", readme)
    assert [link for link in links if not link.startswith("https://")] == []
    here = [link for link in links if link.startswith((home, raw))]
    assert len(here) >= 4
    for link in here:
        path = link.removeprefix(f"{home}/blob/main/").removeprefix(f"{raw}/main/")
        assert link.endswith("/releases") or (ROOT / path).is_file(), link
    mentioned = set(re.findall(r"https://(?:raw\.githubusercontent|github)\.com/[\w-]+/[\w-]+", readme))
    assert mentioned <= {home, raw}
    assert f"git+{home}" in readme


def test_the_sdist_has_the_tests_and_the_overlays_once(sdist: Path) -> None:
    names = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*") if path.is_file()}
    kept = {
        path.relative_to(ROOT).as_posix()
        for folder in ("tests", "scripts", "kimi_tokenizers/overlays")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert kept <= names
    assert not [name for name in names if name.startswith("overlays/") or "__pycache__" in name]
    assert len([name for name in names if name.endswith("tiktoken.model")]) == 1
    assert names >= {"LICENSE", "LICENSE-Modified-MIT", "NOTICE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
    assert not any(path.is_symlink() for path in sdist.rglob("*"))


def test_the_sdist_builds_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    def contents(path: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    assert contents(build("wheel", sdist, tmp_path / "wheel")) == contents(wheel)


def test_the_tests_run_from_the_sdist(sdist: Path) -> None:
    """Some of them, of the kinds that read the data and the files beside the package."""
    chosen = ("tests/catalogue/test_toml.py", "tests/scripts/test_release_notes.py")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *chosen]
    environment = {**os.environ, "PYTHONPATH": str(sdist)}
    done = subprocess.run(command, cwd=sdist, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_the_wheel_holds_every_file_of_overlays(wheel: Path) -> None:
    packaged = {
        name.removeprefix("kimi_tokenizers/"): zipfile.ZipFile(wheel).read(name)
        for name in zipfile.ZipFile(wheel).namelist()
        if name.startswith("kimi_tokenizers/overlays/")
    }
    kept = {
        path.relative_to(ROOT / "kimi_tokenizers").as_posix(): path.read_bytes()
        for path in sorted((ROOT / "kimi_tokenizers" / "overlays").rglob("*"))
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
