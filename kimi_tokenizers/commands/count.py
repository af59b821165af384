"""`count`: the tokens of files or standard input."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from kimi_tokenizers.commands.output import emit, emit_report
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.tokenizer import check_files, count_files


def run(arguments: argparse.Namespace) -> int:
    """Print the count of each file as soon as it is known, and their total."""
    files = arguments.files or ["-"]
    size = check_files(files)
    if "-" in files and sys.stdin.isatty():
        emit("counting what is typed; Ctrl-D ends it", sys.stderr)
    counts = []
    with Waiting("counting") as waiting:

        def progress(file: str, read: int) -> None:
            waiting.next(f"{100 * read // size}% {file}" if size else f"{read / 1e6:,.0f} MB {file}")

        for item in count_files(files, arguments.model, control_tokens=not arguments.plain, progress=progress):
            counts.append(item)
            if not arguments.json:
                emit(f"{item.tokens:>12,}  {item.path}")
    total = sum(item.tokens for item in counts)
    if arguments.json:
        emit_report(True, model=arguments.model, tokens=total, files=[asdict(item) for item in counts])
    elif len(counts) > 1:
        emit(f"{total:>12,}  total")
    return 0
