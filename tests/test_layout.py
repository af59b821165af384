"""The layout: folders by subject, modules that can be read in one sitting, and imports in one direction."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "kimi_tokenizers"
FOLDERS = ("catalogue", "commands", "evidence", "model_dirs", "resolver", "sync", "tokenizer", "view")
LONGEST_MODULE = 350
LONGEST_FUNCTION = 50
# exo executes it out of a model directory; it says at its top why it is one file.
ONE_FILE = (PACKAGE / "overlays" / "common" / "tokenization_kimi.py").resolve()

# In a checkout the overlays are behind a link.
SOURCES = sorted({path.resolve() for folder in (PACKAGE, PACKAGE / "overlays") for path in folder.rglob("*.py")})


def test_the_first_level_is_what_users_import_and_a_folder_for_each_thing_that_the_project_does() -> None:
    files = {
        "__init__.py",
        "__main__.py",
        "errors.py",
        "escaping.py",
        "lazy.py",
        "py.typed",
        "testing.py",
        "version.py",
    }
    assert {path.name for path in PACKAGE.iterdir()} - {"__pycache__"} == {*files, *FOLDERS, "overlays"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_says_what_it_is_for_what_it_may_import_and_what_it_must_never_do(folder: str) -> None:
    docstring = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text("utf-8"))) or ""
    assert "may import" in docstring
    assert "must never" in docstring


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_read_in_one_sitting_and_a_function_fits_on_a_screen(path: Path) -> None:
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= LONGEST_MODULE or path == ONE_FILE
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= LONGEST_FUNCTION] == []


# Where all output goes through; and two processes of our own, whose standard output is what they answer, in ASCII.
WRITERS = {"commands/output.py", "commands/on_node.py", "model_dirs/reading_python.py"}


def writes(source: str) -> list[str]:
    """What a module writes past `commands.output` with."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            stream = re.match(r"sys\.(__)?std(out|err)(__)?\.(write|writelines|buffer)$", name)
            if stream or re.match(r"traceback\.print_|warnings\.showwarning|faulthandler\.|rich\.", name):
                found.append(name)
        elif isinstance(node, ast.Name) and node.id in ("print", "pprint", "Console", "print_exc"):
            found.append(node.id)
        elif isinstance(node, ast.Call) and re.match(r"os\.write\([12],", ast.unparse(node)):
            found.append("os.write")
    return found


@pytest.mark.parametrize("path", [*SOURCES, *sorted((ROOT / "scripts").glob("*.py"))], ids=lambda path: path.stem)
def test_all_that_is_written_goes_through_one_module(path: Path) -> None:
    if path not in {PACKAGE / name for name in WRITERS}:
        assert writes(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "print('x')",
        "print('x', file=sys.stderr)",
        "sys.stdout.write('x')",
        "sys.stderr.writelines(['x'])",
        "sys.__stderr__.write('x')",
        "sys.stdout.buffer.write(b'x')",
        "say = sys.stderr.write",
        "Console().print('x')",
        "rich.print('x')",
        "traceback.print_exc()",
        "os.write(2, b'x')",
    ],
)
def test_what_is_written_past_it_is_found(line: str) -> None:
    assert writes(f"def say():\n    {line}\n")


@pytest.mark.parametrize(
    ("module", "statement", "broken"),
    [
        ("", "", ""),
        ("sync/disk.py", "from kimi_tokenizers.view import make", "Imports run in one direction"),
        ("catalogue/lookup.py", "from kimi_tokenizers.resolver import resolve", "Imports run in one direction"),
        ("view/making.py", "from kimi_tokenizers.model_dirs.exo import folder_name", "model_dirs is used through"),
        ("resolver/layering.py", "import transformers", "the standard library is enough"),
        ("sync/journal.py", "import tiktoken.core", "the standard library is enough"),
        ("commands/tables.py", "import mlx_lm", "The command line imports none"),
    ],
)
def test_an_import_against_the_direction_is_found(tmp_path: Path, module: str, statement: str, broken: str) -> None:
    shutil.copytree(PACKAGE, tmp_path / "kimi_tokenizers", ignore=shutil.ignore_patterns("__pycache__", "*.model"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    if module:
        with (tmp_path / "kimi_tokenizers" / module).open("a", encoding="utf-8") as file:
            file.write(f"\n\ndef later() -> None:\n    {statement}\n")
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False)
    report = [line for line in done.stdout.splitlines() if line.endswith((" KEPT", " BROKEN"))]
    assert len(report) == 11, done.stdout + done.stderr
    assert [broken in line for line in report if line.endswith(" BROKEN")] == ([True] if broken else [])
    assert done.returncode == bool(broken)
