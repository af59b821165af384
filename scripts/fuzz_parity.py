"""Nightly: a million fuzzed strings, and ours and the independent engines must give the same ids for each.

    fuzz_parity.py [--strings N] [--seed S] [--engine NAME…] [--line LINE…]

The strings are shared out among the model lines, whose control tokens differ.

Exit status 1 if anything differs, or an engine is not installed. The seed is printed: a failure can be had again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kimi_tokenizers import catalogue
from kimi_tokenizers.commands.output import emit, escape_errors
from kimi_tokenizers.commands.parity import print_report
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.evidence import ENGINES, compare


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the engines on fuzzed strings.")
    parser.add_argument("--strings", type=int, default=1_000_000, help="how many strings (default: a million)")
    parser.add_argument("--seed", type=int, default=int(time.time()) // 86_400, help="default: another one every day")
    parser.add_argument("--engine", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--line", nargs="+", choices=catalogue.LINES, default=list(catalogue.LINES))
    given = parser.parse_args()
    good = True
    for engine, line in itertools.product(given.engine, given.line):
        model = catalogue.overlays()[line].models[0]
        try:
            report = compare(engine, model=model, count=-(-given.strings // len(given.line)), seed=given.seed)
        except KimiTokenizersError as error:
            emit(f"{engine}, {line}: {error}", sys.stderr)
            good = False
            continue
        part = report.parts["generated text"]
        summary = {
            "engine": report.kind,
            "line": line,
            "ours": report.engine,
            "seed": given.seed,
            "strings": part.compared,
        }
        summary |= {"characters": part.characters, "differences": report.differences, "seconds": report.seconds}
        emit(json.dumps(summary))
        if not report.ok:
            print_report(report)
            good = False
    return 0 if good else 1


if __name__ == "__main__":
    escape_errors()
    raise SystemExit(main())
