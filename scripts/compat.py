"""Run the tests with the oldest and the newest of what this package supports, and write a table for the README.

    uv run python scripts/compat.py                    every combination that this machine has a Python for
    uv run python scripts/compat.py --readme           and put the table into README.md

Each combination gets an environment of its own, made by uv with the Pythons that are there already.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- compat: begin -->", "<!-- compat: end -->"

# What behaves differently from version to version; the rest of the suite does not depend on them.
TESTS = (
    *("encoding", "tokenizer", "loader", "chat_templates", "kimi_k3", "prompt", "plain_text", "exo_loading"),
    *("register", "engine"),
)
MLX_TESTS = ("exo_standalone", "load_mlx", "detokenizer")
SHOWN = ("transformers", "tiktoken", "tokenizers", "mlx-lm", "gigatoken")

SUPPORTED = range(10, 15)  # Python 3.10 to 3.14: the oldest and the newest that are here are tried
TIMEOUT = 1800  # seconds for the tests of a combination
NEWEST_MLX = ("mlx-lm>=0.31", "mlx[cpu]; platform_system == 'Linux'")  # it needs transformers 5
REQUIREMENTS = (
    ("transformers==4.57.*", "tiktoken==0.12.*"),
    ("transformers==5.6.2", "tiktoken==0.12.*", *NEWEST_MLX),
    ("transformers", "tiktoken", *NEWEST_MLX),
)


def uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["uv", *arguments], capture_output=True, text=True, check=False)


def pythons() -> dict[int, str]:
    """Minor version -> path of the supported Pythons on this machine."""
    listed = uv("python", "list", "--only-installed", "--output-format", "json")
    found: dict[int, str] = {}
    for entry in json.loads(listed.stdout or "[]"):
        major, minor = map(int, entry["version"].split(".")[:2])
        if major == 3 and minor in SUPPORTED and entry.get("implementation", "cpython") == "cpython":
            found.setdefault(minor, entry["path"])
    return found


def run(python: str, requirements: tuple[str, ...]) -> tuple[dict[str, str], str]:
    """Install the requirements and run the tests: package -> version, and what pytest said at the end."""
    folder = Path(tempfile.mkdtemp(prefix="kimi-compat-"))
    try:
        interpreter = str(folder / "bin" / "python")
        packages = [str(ROOT), *requirements, "gigatoken", "hypothesis", "pytest", "pytest-xdist"]
        made = uv("venv", "--quiet", "--python", python, str(folder), "--clear")
        if made.returncode == 0:
            made = uv("pip", "install", "--quiet", "--compile-bytecode", "--python", interpreter, *packages)
        if made.returncode != 0:
            return {}, f"cannot be installed: {' '.join(made.stderr.split())[-200:]}"
        listed = json.loads(uv("pip", "list", "--python", interpreter, "--format", "json").stdout)
        installed = {entry["name"]: entry["version"] for entry in listed}
        names = [*TESTS, *(MLX_TESTS if "mlx-lm" in installed else ())]
        files = [str(next((ROOT / "tests").rglob(f"test_{name}.py"))) for name in names]
        # Not `python -m pytest`, which would put the checkout before what is installed.
        done = subprocess.run(
            [str(folder / "bin" / "pytest"), "-q", "-m", "", "-p", "no:cacheprovider", *files],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
        for line in lines:
            if line.startswith(("FAILED", "ERROR")):
                print(line, file=sys.stderr)
        return installed, re.sub(r"(, \d+ warnings?)?( in [\d.]+s.*)|=+ ?", "", lines[-1] if lines else "no output")
    except subprocess.TimeoutExpired:
        return installed, f"not done after {TIMEOUT} s"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    found = pythons()
    if not found:
        print("There is no Python 3.10 to 3.14 here that uv can find. Put one on the PATH.", file=sys.stderr)
        return 2
    table = [f"| Python | {' | '.join(SHOWN)} | tests |", "| --- " * (len(SHOWN) + 2) + "|"]
    failed = 0
    for minor in sorted({min(found), max(found)}):
        for requirements in REQUIREMENTS:
            print(f"Python 3.{minor} with {', '.join(requirements)} …", file=sys.stderr, flush=True)
            installed, outcome = run(found[minor], requirements)
            failed += not re.fullmatch(r"\d+ passed", outcome)
            cells = [f"3.{minor}", *(installed.get(name, "–") for name in SHOWN), outcome]
            table.append(f"| {' | '.join(cells)} |")
    for minor in sorted({min(SUPPORTED), max(SUPPORTED)} - set(found)):
        table.append(f"| 3.{minor} {'| – ' * len(SHOWN)}| not on this machine |")
    print("\n".join(table))
    if options.readme:
        text = README.read_text(encoding="utf-8")
        if BEGIN not in text or END not in text:
            print(f"README.md has no place for the table: put {BEGIN} and {END} there.", file=sys.stderr)
            return 2
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        README.write_text("\n".join([before + BEGIN, *table, END + after]), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
