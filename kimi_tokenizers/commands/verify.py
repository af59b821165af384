"""`verify`: is the package itself fine in this environment?"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from kimi_tokenizers.commands.output import coloured, emit, emit_report
from kimi_tokenizers.commands.tables import mark, table
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.evidence import Verification, verify


def run(arguments: argparse.Namespace) -> int:
    """Check the package and print what was checked, and with which versions.

    The exit status, and `ok` in the JSON, speak of what was checked; `not_checked` says what was not.
    """
    with Waiting("checking"):
        result = verify()
    if arguments.json:
        emit_report(not result.problems, **asdict(result))
    else:
        _say(result)
    return 1 if result.problems else 0


def _say(result: Verification) -> None:
    rows = [(line, prints["tokens"][:16], prints["prompts"][:16]) for line, prints in result.fingerprints.items()]
    for line in table(rows, ("line", "fingerprint of token ids", "fingerprint of prompts")):
        emit(line)
    for problem in result.problems:
        emit(f"{coloured(mark(False), 'bold red')} {problem}")
    emit(f"{result.files} packaged files and {result.answers} known answers checked with")
    emit("  " + ", ".join(f"{name} {version}" for name, version in result.versions.items()))
    for what in result.not_checked:
        emit(f"{coloured('NOT CHECKED', 'yellow')}: {what}")
    if result.problems:
        emit(f"{len(result.problems)} problems")
    else:
        emit(coloured("what was checked is fine" if result.not_checked else "all fine", "green"))
