"""The package as it is released, built from a copy of the checkout, and an environment that is not the tests' own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def copy_source(target: Path) -> Path:
    """A copy of what git keeps, so that building leaves nothing in the checkout."""
    names = (
        *("pyproject.toml", "MANIFEST.in", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
        *("LICENSE", "LICENSE-Modified-MIT", "NOTICE", "kimi_tokenizers", "overlays", "scripts", "tests"),
    )
    target.mkdir(parents=True)
    for path in (ROOT / name for name in names):
        if not path.exists():  # an sdist has overlays/ inside the package
            continue
        if path.is_dir():
            shutil.copytree(path, target / path.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, target)
    return target


def build(kind: str, source: Path, target: Path) -> Path:
    """Build a "wheel", an "sdist" or an "editable" with the project's own build backend; the built file."""
    target.mkdir(parents=True)
    code = f"import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]))"
    run = subprocess.run(
        [sys.executable, "-c", code, str(target)], cwd=source, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return target / run.stdout.splitlines()[-1]


def make_environment(
    home: Path, requirements: list[str], *, left_out: re.Pattern[str] | None = None
) -> tuple[Path, Path]:
    """A virtual environment with some of the distributions that are installed here and all that these require.

    Nothing is downloaded: their files are linked, or copied, but for those whose path the pattern `left_out` matches.
    Returns its Python, and the folder of its packages.
    """
    venv.create(home, symlinks=True, with_pip=False)
    python = home / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    for distribution in _closure(requirements):
        for file in distribution.files or ():
            source = Path(str(distribution.locate_file(file)))
            if left_out is not None and left_out.match(file.as_posix()):
                continue
            if ".." not in file.parts and "__pycache__" not in file.parts and source.is_file():
                (packages / file).parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(source, packages / file)
                except OSError:
                    shutil.copy(source, packages / file)
    return python, packages


def _closure(requirements: list[str]) -> list[metadata.Distribution]:
    todo = [Requirement(requirement) for requirement in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    found = {}
    while todo:
        requirement = todo.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        found[key[0]] = distribution = metadata.distribution(requirement.name)
        for text in distribution.requires or ():
            required = Requirement(text)
            extras = ("", *requirement.extras)
            if required.marker is None or any(required.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(required)
    return list(found.values())
