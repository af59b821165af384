"""Independent engines agree: ours, `tokenizers` through a conversion of the rank table, and gigatoken."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from kimi_tokenizers.evidence import parity, samples
from kimi_tokenizers.evidence.reference import ENGINES, open_reference

ROOT = Path(__file__).resolve().parents[2]
FUZZED = 20_000
MIXED_BYTES = 8_000_000


def test_engines_agree_on_fuzzed_strings(tokenizer: Any) -> None:
    engines = {name: open_reference(name) for name in ENGINES}
    names = sorted(tokenizer.special_tokens)
    texts: dict[bool, list[str]] = {True: [], False: []}
    for sample in samples.generated(FUZZED, 5, names):
        texts[sample.control].append(sample.text)
    assert sum(map(len, texts.values())) == FUZZED
    for control, some in texts.items():
        ours = [tokenizer.encode(text, allow_special_tokens=control) for text in some]
        for name, engine in engines.items():
            assert engine.encode is not None
            theirs = engine.encode(some, control)
            different = [text for text, left, right in zip(some, ours, theirs, strict=True) if left != right]
            assert different == [], name


def mixed_text(folder: Path) -> list[tuple[Path, int]]:
    """At least 8 MB of source code, prose in many scripts, JSON and logs: what lies on the machine, and made ones."""
    roots = [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))]
    made = folder / "made.log"
    with made.open("w", encoding="utf-8") as stream:
        names = [f"<|reserved_token_{index}|>" for index in range(163584, 163840)]
        for number, sample in enumerate(samples.generated(20_000, 50, names)):
            print(f"2026-05-11T12:{number % 60:02}:00.{number:06}Z INFO worker[{number}]: {sample.text!r}", file=stream)
            print(sample.text, file=stream)
    kinds = (".py", ".pyi", ".json", ".txt", ".md", ".rst", ".html", ".js", ".po", ".h", ".csv", ".tcl", ".msg")
    found = [entry for entry in samples.corpus_files(roots) if entry[0].suffix in kinds]
    chosen, size = [(made, made.stat().st_size)], made.stat().st_size
    for suffix in kinds:  # of every kind, then more of what there is most of
        for path, length in [entry for entry in found if entry[0].suffix == suffix][
            : 10_000 if suffix == ".py" else 500
        ]:
            if length < 2_000_000 and size < MIXED_BYTES + 2_000_000:
                chosen.append((path, length))
                size += length
    while size < MIXED_BYTES:  # a machine with hardly anything on it
        chosen.append(chosen[0])
        size += chosen[0][1]
    return chosen


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_engines_agree_on_megabytes_of_mixed_text(tmp_path: Path, engine: str) -> None:
    report = parity.compare(engine, corpus=mixed_text(tmp_path), count=0)
    assert report.shown == []
    assert report.ok
    assert report.parts["corpus"].characters > 0.9 * MIXED_BYTES


def test_the_nightly_script_compares_engines() -> None:
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "scripts" / "fuzz_parity.py",
            "--strings",
            "20",
            "--seed",
            "1",
            "--engine",
            "tiktoken",
            "gigatoken",
            "--line",
            "kimi-k2.6",
            "kimi-k3",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"differences": 0') == 4
    assert done.stdout.count('"strings": 10') == 4  # shared out among the lines
