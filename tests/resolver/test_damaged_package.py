"""exo asks `provides` and `resolve` for every model: a damaged install must not get in the way of anybody else's.

Each damage is done to a copy of the package, which a fresh process then uses.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT

STRANGERS = ["mlx-community/Qwen3-8B-4bit", "a/b", "x", "", "None", "a" * 10_000, "a/\0", "../kimi", "\ud800/kimi"]
STRANGERS_LIKE_OURS = [
    *("moonshotai/Kimi-Dev-72B", "moonshotai/Kimi-Audio-7B", "moonshotai/Kimi-V2", "moonshotai/Kimi-K20"),
    *("x/Kimi-K2", "x/Kimi-K2.9-4bit", "x/Kimi-K2-Vision", "x/Kimi-K2.6-distill-Qwen", "x/Kimi-K3.1-Pro"),
    *("kimi-k2.6", "moonshotai/Kimi-K2.6/x", "moonshotai/Kimi-K2.6\0", "kimi"),
]

ASK = """
import json, sys
# An editable install would find what is missing in the copy.
sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "__name__", "") != "_EditableFinder"]
import kimi_tokenizers as kt

def outcome(function, *arguments):
    try:
        return str(function(*arguments))
    except Exception as error:
        return f"{type(error).__name__}: {error}"

print(json.dumps([
    [outcome(kt.provides, model_id, "tokenization_kimi.py"), outcome(kt.resolve, model_id, "nowhere")]
    for model_id in json.loads(sys.argv[1])
]))
"""

Damage = Callable[[Path], None]


def ask(package: Path, model_ids: list[str], cwd: Path) -> list[list[str]]:
    """What `provides` and `resolve` come to for each id in a process that finds this copy of the package."""
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    arguments = [sys.executable, "-c", ASK, json.dumps(model_ids)]
    done = subprocess.run(arguments, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[list[str]] = json.loads(done.stdout)
    return answers


@pytest.fixture
def package(tmp_path: Path) -> Path:
    copy = tmp_path / "site" / "kimi_tokenizers"
    shutil.copytree(ROOT / "kimi_tokenizers", copy, ignore=shutil.ignore_patterns("__pycache__", "*.model"))
    return copy


def manifests(content: bytes | None) -> Damage:
    """Every manifest has this content, or is missing."""

    def damage(package: Path) -> None:
        for path in package.glob("overlays/*/overlay.toml"):
            path.unlink()
            if content is not None:
                path.write_bytes(content)

    return damage


def folders_for_manifests(package: Path) -> None:
    for path in package.glob("overlays/*/overlay.toml"):
        path.unlink()
        path.mkdir()


def empty_overlays(package: Path) -> None:
    shutil.rmtree(package / "overlays")
    (package / "overlays").mkdir()


def break_python(package: Path, kept: tuple[str, ...]) -> None:
    for path in package.rglob("*.py"):
        if not path.relative_to(package).as_posix().startswith(kept):
            path.write_text("this is no Python")


DAMAGES: dict[str, Damage] = {
    "manifests missing": manifests(None),
    "manifests empty": manifests(b""),
    "manifests not TOML": manifests(b"<html>"),
    "manifests not text": manifests(b"\xff\xfe\0"),
    "manifests without end": manifests(b"a = " + b"[" * 100_000),
    "manifests of other types": manifests(b'line = 1\nmodels = 2\nupstream = "x"\nfile = [3]\n'),
    "folders in the place of manifests": folders_for_manifests,
    "overlays missing": lambda p: shutil.rmtree(p / "overlays"),
    "overlays empty": empty_overlays,
    "overlays' Python broken": lambda p: break_python(p / "overlays", kept=("nothing",)),
    "all Python broken but the catalogue's": lambda p: break_python(
        p, kept=("__init__.py", "errors.py", "escaping.py", "version.py", "catalogue/")
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_others_models_are_let_through_and_ours_are_an_error(damage: str, package: Path, tmp_path: Path) -> None:
    DAMAGES[damage](package)
    strangers = STRANGERS + STRANGERS_LIKE_OURS
    ours = ["moonshotai/Kimi-K2.6", "moonshotai/Kimi-K2.7-Code", "x/kimi-k2-instruct-4bit"]
    answers = ask(package, strangers + ours, tmp_path)
    assert {
        key: answer for key, answer in zip(strangers, answers, strict=False) if answer != ["False", "nowhere"]
    } == {}
    for provided, resolved in answers[len(strangers) :]:
        if damage == "all Python broken but the catalogue's":
            assert provided.startswith(("OverlayError: ", "SyntaxError: "))
        elif damage != "overlays' Python broken":
            assert provided.startswith("OverlayError: The packaged manifest")
            assert resolved == provided
            assert "Reinstall kimi-tokenizers" in provided


def test_a_model_without_our_name_in_it_needs_nothing_of_the_package(package: Path, tmp_path: Path) -> None:
    for folder in [path for path in package.iterdir() if path.is_dir()]:
        shutil.rmtree(folder)
    strangers = [model_id for model_id in STRANGERS if "kimi" not in model_id]
    assert ask(package, strangers, tmp_path) == [["False", "nowhere"]] * len(strangers)


def test_one_lines_damage_is_not_anothers(package: Path, tmp_path: Path) -> None:
    (package / "overlays" / "kimi-k2-thinking" / "overlay.toml").unlink()
    (good, resolved), (bad, _) = ask(package, ["moonshotai/Kimi-K2.6", "moonshotai/Kimi-K2-Thinking"], tmp_path)
    assert good == "True"
    assert resolved.startswith("ModelDirError")  # there is no such directory, which is looked at now
    assert bad.startswith("OverlayError: The packaged manifest 'kimi-k2-thinking/overlay.toml'")


@pytest.mark.parametrize("model_id", [None, 5, b"moonshotai/Kimi-K2.6", ["moonshotai/Kimi-K2.6"], Path("a/kimi")])
def test_what_is_no_text_is_nobodys_id(model_id: object, tmp_path: Path) -> None:
    import kimi_tokenizers as kt

    assert kt.provides(model_id, "tokenization_kimi.py") is False  # type: ignore[arg-type]
    assert kt.resolve(model_id, tmp_path) == tmp_path  # type: ignore[arg-type]
