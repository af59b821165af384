"""Run the tests with the oldest and the newest of what this package supports, and write a table for the README.

    uv run python scripts/compat.py                    every combination that this machine has a Python for
    uv run python scripts/compat.py --readme           and put the table into README.md

Each combination gets an environment of its own, made by uv with the Pythons that are there already.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- compat: begin -->", "<!-- compat: end -->"

# What behaves differently from version to version; the rest of the suite does not depend on them.
TESTS = ("encoding", "tokenizer", "loader", "chat_templates", "exo_loading", "exo_standalone", "register")
SHOWN = ("transformers", "tiktoken", "tokenizers", "mlx-lm")


@dataclass(frozen=True)
class Combination:
    """A Python and the requirements that pin it down; "newest" is whatever the index has."""

    python: str
    requirements: tuple[str, ...]


OLD = ("transformers==4.57.*", "tiktoken==0.12.*")
COMBINATIONS = (
    Combination("3.10", OLD),
    Combination("3.11", OLD),
    Combination("3.13", ("transformers==5.6.2", "tiktoken==0.12.*", "mlx-lm>=0.31")),
    Combination("3.10", ("transformers", "tiktoken", "mlx-lm>=0.31")),
    Combination("3.13", ("transformers", "tiktoken", "mlx-lm>=0.31")),
    Combination("3.14", ("transformers", "tiktoken", "mlx-lm>=0.31")),
)


def uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["uv", *arguments], capture_output=True, text=True, check=False)


def pythons() -> dict[str, str]:
    """Version -> path of the Pythons on this machine, one for each minor version."""
    listed = uv("python", "list", "--only-installed", "--output-format", "json")
    entries = json.loads(listed.stdout or "[]")
    return {".".join(entry["version"].split(".")[:2]): entry["path"] for entry in reversed(entries)}


def run(combination: Combination, python: str) -> tuple[str, str]:
    """The row of one combination: the versions that were installed, and what the tests said."""
    folder = Path(tempfile.mkdtemp(prefix="kimi-compat-"))
    try:
        interpreter = str(folder / "bin" / "python")
        mlx = any(requirement.startswith("mlx-lm") for requirement in combination.requirements)
        packages = [str(ROOT), *combination.requirements, "hypothesis", "pytest", "pytest-xdist"]
        packages += ["mlx[cpu]; platform_system == 'Linux'", "gigatoken"] if mlx else ["gigatoken"]
        made = uv("venv", "--quiet", "--python", python, str(folder), "--clear")
        if made.returncode == 0:
            made = uv("pip", "install", "--quiet", "--compile-bytecode", "--python", interpreter, *packages)
        if made.returncode != 0:
            return "", f"cannot be installed: {made.stderr.strip().splitlines()[-1]}"
        listed = json.loads(uv("pip", "list", "--python", interpreter, "--format", "json").stdout)
        installed = {entry["name"]: entry["version"] for entry in listed}
        versions = ", ".join(f"{name} {installed[name]}" for name in SHOWN if name in installed)
        names = [name for name in TESTS if mlx or name != "exo_standalone"]  # it needs mlx-lm's wrapper
        tests = [f"tests/test_{name}.py" for name in names]
        done = subprocess.run(
            [interpreter, "-m", "pytest", "-q", "-m", "", "-p", "no:cacheprovider", *tests],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip()[-200:]
        return versions, re.sub(r" in [\d.]+s.*| \(\d+:.*|=+ ?", "", last)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    found = pythons()
    rows, failed = [], 0
    for combination in COMBINATIONS:
        if combination.python not in found:
            rows.append(f"| {combination.python} | {', '.join(combination.requirements)} | not on this machine |")
        else:
            versions, outcome = run(combination, found[combination.python])
            failed += not re.fullmatch(r"\d+ passed(, \d+ warnings?)?", outcome)
            rows.append(f"| {combination.python} | {versions} | {outcome} |")
        print(rows[-1], flush=True)
    table = "\n".join(["| Python | versions | tests |", "| --- | --- | --- |", *rows])
    if options.readme:
        text = README.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        README.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
