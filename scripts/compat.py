"""Run the tests with what this package supports, and write a table for the README.

    uv run python scripts/compat.py                    every Python of this machine with the newest of everything, and
                                                       one Python with every minor version of transformers
    uv run python scripts/compat.py --transformers 5.0 5.1        these only
    uv run python scripts/compat.py --readme           and put the table into README.md

Each combination gets an environment of its own, made by uv. Exit status 1 if a test fails in one of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from interpreters import interpreters

from kimi_tokenizers.commands.output import emit, emit_lines, escape_errors

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- compat: begin -->", "<!-- compat: end -->"

# What behaves differently from version to version; the rest of the suite does not depend on them.
TRANSFORMERS_TESTS = (
    *("tokenizer", "chat_templates", "kimi_k3", "prompt", "plain_text", "register", "saving"),
    *("offsets", "assistant_masks"),
)
TESTS = (*TRANSFORMERS_TESTS, "loader", "encoding", "remembered", "exo_loading", "splintr")
MLX_TESTS = ("exo_standalone", "load_mlx", "detokenizer")
SHOWN = ("transformers", "tiktoken", "tokenizers", "mlx-lm", "splintr-rs")

SUPPORTED = range(10, 15)  # Python 3.10 to 3.14
EXO = 13  # what exo runs on: every minor version of transformers is tried on this one
NOT_PASSED_ON = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")  # the tests start many processes
TIMEOUT = 3600  # seconds for the tests of a combination
MLX = ("mlx-lm>=0.31", "mlx[cpu]; platform_system == 'Linux'")  # it needs transformers 5
OLDEST = ("transformers==4.57.*", "tiktoken==0.12.*")
EXOS = ("transformers==5.6.2", "tiktoken==0.12.*", *MLX)
NEWEST = ("transformers", "tiktoken", *MLX)


class Combination(NamedTuple):
    """A Python (its minor version) and what is installed with it."""

    minor: int
    requirements: tuple[str, ...]


class Outcome(NamedTuple):
    """The version of each package, and what pytest said at the end. What could not be tried has no versions."""

    python: str
    versions: dict[str, str]
    said: str


def uv(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["uv", *arguments], capture_output=True, text=True, check=False, input=settings.get("stdin", "")
    )


def pythons() -> dict[int, str]:
    """Minor version -> path of the supported Pythons on this machine."""
    found = interpreters()
    return {minor: found[3, minor].path for minor in SUPPORTED if (3, minor) in found}


def minors() -> list[str]:
    """The minor versions of transformers from 4.57 to the newest, as the registry has them."""
    newest = _resolved("transformers")
    if newest is None:
        return []
    found = []
    for major in range(4, newest[0] + 1):
        for minor in itertools.count(57 if major == 4 else 0):
            if _resolved(f"transformers=={major}.{minor}.*") is None:
                break
            found.append(f"{major}.{minor}")
    return found


def _resolved(requirement: str) -> tuple[int, ...] | None:
    """The newest version that satisfies a requirement; None if there is none."""
    compiled = uv("pip", "compile", "--quiet", "--no-deps", "--no-header", "--no-annotate", "-", stdin=requirement)
    match = re.search(r"transformers==([\d.]+)", compiled.stdout)
    return tuple(map(int, match[1].strip(".").split("."))) if match else None


def combinations(found: dict[int, str], chosen: list[str] | None) -> Iterator[Combination]:
    """What to try on these Pythons; with `chosen`, these versions of transformers on one Python."""
    one = EXO if EXO in found else max(found)
    if chosen is None:
        yield Combination(min(found), OLDEST)
        yield Combination(one, EXOS)
        yield from (Combination(minor, NEWEST) for minor in sorted(found))
    for version in minors() if chosen is None else chosen:
        yield Combination(one, (f"transformers=={version}.*", "tiktoken"))


def run(python: str, requirements: tuple[str, ...]) -> tuple[dict[str, str], str]:
    """Install the requirements and run the tests: package -> version, and what pytest said at the end."""
    installed: dict[str, str] = {}
    folder = Path(tempfile.mkdtemp(prefix="kimi-compat-"))
    try:
        interpreter = str(folder / "bin" / "python")
        packages = [str(ROOT), *requirements, "splintr-rs", "hypothesis", "pytest", "pytest-xdist"]
        made = uv("venv", "--quiet", "--python", python, str(folder), "--clear")
        if made.returncode == 0:
            made = uv("pip", "install", "--quiet", "--python", interpreter, *packages)
        if made.returncode != 0:
            return {}, f"cannot be installed: {' '.join(made.stderr.split())[-200:]}"
        listed = json.loads(uv("pip", "list", "--python", interpreter, "--format", "json").stdout)
        installed = {entry["name"]: entry["version"] for entry in listed}
        names = TRANSFORMERS_TESTS if len(requirements) == 2 else (*TESTS, *MLX_TESTS)
        files = [str(next((ROOT / "tests").rglob(f"test_{name}.py"))) for name in names]
        # Not `python -m pytest`, which would put the checkout before what is installed.
        done = subprocess.run(
            [str(folder / "bin" / "pytest"), "-q", "-m", "", "-p", "no:cacheprovider", *files],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
        for line in lines:
            if line.startswith(("FAILED", "ERROR")):
                emit(line, sys.stderr)
        return installed, re.sub(r"(, \d+ warnings?)?( in [\d.]+s.*)|=+ ?", "", lines[-1] if lines else "no output")
    except subprocess.TimeoutExpired:
        return installed, f"not done after {TIMEOUT} s"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def rows(outcomes: list[Outcome]) -> list[str]:
    """The table. Neighbours on one Python of which the same can be said share a row."""
    table = [f"| Python | {' | '.join(SHOWN)} | tests |", "| --- " * (len(SHOWN) + 2) + "|"]

    def alike(outcome: Outcome) -> tuple[str, bool, str]:
        return outcome.python, "mlx-lm" in outcome.versions, outcome.said

    for (python, _, said), group in itertools.groupby(outcomes, alike):
        several = list(group)
        cells = []
        for name in SHOWN:
            ends = dict.fromkeys(several[place].versions.get(name, "–") for place in (0, -1))
            cells.append(" to ".join(ends))
        table.append(f"| {python} | {' | '.join(cells)} | {said} |")
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    parser.add_argument("--transformers", nargs="+", metavar="MINOR", help="try only these versions, as 5.0 5.1")
    options = parser.parse_args()
    found = pythons()
    if not found:
        emit("There is no Python 3.10 to 3.14 here that can be found. Put one on the PATH.", sys.stderr)
        return 2
    outcomes = []
    for minor, requirements in combinations(found, options.transformers):
        emit(f"Python 3.{minor} with {', '.join(requirements)} …", sys.stderr)
        outcome = Outcome(f"3.{minor}", *run(found[minor], requirements))
        emit(f"  {outcome.versions.get('transformers', '–')}: {outcome.said}", sys.stderr)
        outcomes.append(outcome)
    failed = [outcome for outcome in outcomes if not re.fullmatch(r"\d+ passed", outcome.said)]
    missing = sorted(set(SUPPORTED) - set(found))
    table = rows([*outcomes, *(Outcome(f"3.{minor}", {}, "not on this machine") for minor in missing)])
    emit_lines("\n".join(table))
    if options.readme:
        text = README.read_text(encoding="utf-8")
        if BEGIN not in text or END not in text:
            emit(f"README.md has no place for the table: put {BEGIN} and {END} there.", sys.stderr)
            return 2
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        README.write_text("\n".join([before + BEGIN, *table, END + after]), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    escape_errors()
    raise SystemExit(main())
