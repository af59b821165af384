"""`cache`: where the per-user cache is, what is in it, and whether it is used; `--clean` empties it."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from kimi_tokenizers.commands.output import coloured, emit, emit_problems, emit_report
from kimi_tokenizers.commands.tables import emit_detail, table
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.resolver import CacheContents, cache_contents, clean_cache

_KINDS = {
    "resolved": "tokenizer files of models",
    "leftover": "leftovers of killed processes",
    "verdict": "verdicts of the guard",
}


def run(arguments: argparse.Namespace) -> int:
    """Print what is in the cache, or clean it and print what went."""
    if arguments.dry_run and not arguments.clean:
        arguments.wrong_usage("--dry-run goes with --clean")
    if arguments.all and not arguments.clean:
        arguments.wrong_usage("--all goes with --clean")
    cleaned = arguments.clean and not arguments.dry_run
    with Waiting("cleaning" if cleaned else "looking"):
        contents, problems = clean_cache(everything=arguments.all) if cleaned else (cache_contents(), [])
    if not contents.used:
        problems = [*problems, f"The cache {contents.path!r} is not used: {contents.why}."]
    if arguments.json:
        flags = {"cleaned": cleaned, "dry_run": arguments.dry_run}
        emit_report(not problems, problems, **asdict(contents), size=contents.size, **flags)
    else:
        _say(contents, cleaned=cleaned, clean=arguments.clean, everything=arguments.all)
        emit_problems(problems)
    return 1 if problems else 0


def _say(contents: CacheContents, *, cleaned: bool, clean: bool, everything: bool) -> None:
    emit(f"{contents.path} ({contents.source})")
    word = coloured("used", "green") if contents.used else coloured("not used", "red")
    emit(f"  {word}: {contents.why}")
    rows = []
    for kind, what in _KINDS.items():
        items = [item for item in contents.items if item.kind == kind]
        if items:
            rows.append((f"  {what}", f"{len(items):,}", _bytes(sum(item.size for item in items))))
    for line in table(rows):
        emit(line)
    if contents.left:
        emit_detail(f"Not ours, and left alone: {', '.join(contents.left)}")
    if clean:
        going = [item for item in contents.items if everything or not item.in_use]
        number = f"{len(going):,} entries, {_bytes(sum(item.size for item in going))}"
        emit(f"{number} {'removed' if cleaned else 'would be removed'}")
        kept = len(contents.items) - len(going)
        if kept:
            emit_detail(f"{kept:,} handed out within the last hour, and kept: --all removes them, too")


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size:,} bytes"
