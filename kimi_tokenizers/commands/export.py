"""`export`: a tokenizer.json with exactly the ids of a line."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from kimi_tokenizers.commands.output import emit, emit_report
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.tokenizer import export_fast

FORMAT = "tokenizer.json"


def run(arguments: argparse.Namespace) -> int:
    """Write the file and its chat template, and say what the format cannot express."""
    places: list[str] = arguments.out
    if len(places) > 2 or (len(places) == 2 and places[0] != FORMAT):
        arguments.wrong_usage(f"give one place to write to; the only format is {FORMAT}")
    out = places[-1] if places else FORMAT
    with Waiting("exporting") as waiting:
        done = export_fast(
            arguments.model, out, overwrite=arguments.force, dry_run=arguments.dry_run, progress=waiting.next
        )
    if arguments.json:
        details = asdict(done) | {"files": [str(file) for file in done.files]}
        emit_report(True, model=arguments.model, dry_run=arguments.dry_run, **details)
        return 0
    for file in done.files:
        emit(f"{'would write' if arguments.dry_run else 'wrote'} {file}")
    if done.compared:
        emit(f"{done.compared:,} texts compared with tiktoken: equal ids")
    emit("What the format cannot express:")
    for limit in done.limits:
        emit(f"- {limit}")
    return 0
