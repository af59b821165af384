"""`view`: a directory of links to the models with the overlay in front, and the line that makes exo use it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict

from kimi_tokenizers.commands.tables import coloured, emit, emit_json, shown
from kimi_tokenizers.model_dirs import models_dirs
from kimi_tokenizers.view import ViewedModel, ViewReport, environment_lines, make, remove


def run(arguments: argparse.Namespace) -> int:
    """Make, update or remove a view and print what was done."""
    if arguments.remove and (arguments.sources or arguments.model):
        arguments.wrong_usage("--remove takes the whole view away; it goes with neither --from nor --model")
    if arguments.remove:
        report, lines = remove(arguments.target, dry_run=arguments.dry_run), []
    else:
        report, lines = _make(arguments), environment_lines(arguments.target)
    ok = not any(model.problem for model in (*report.models, *report.removed))
    if arguments.json:
        emit_json({**asdict(report), "environment": lines, "dry_run": arguments.dry_run, "ok": ok})
    else:
        _say(report, lines, dry_run=arguments.dry_run)
    return 0 if ok else 1


def _make(arguments: argparse.Namespace) -> ViewReport:
    quiet = arguments.json or not sys.stderr.isatty()
    return make(
        arguments.target,
        arguments.sources or models_dirs(),
        arguments.model,
        dry_run=arguments.dry_run,
        progress=None if quiet else lambda line: emit(shown(line), sys.stderr),
    )


def _say(report: ViewReport, lines: Sequence[str], *, dry_run: bool) -> None:
    models = [*report.models, *report.removed]
    for model in models:
        state = "removed" if model in report.removed else _state(model)
        done = "would change" if dry_run else "changed"
        emit(f"{shown(model.model_id)}: {state}, {len(model.changes)} entries {done}")
        for change in model.changes if dry_run else ():
            emit(f"  {change.action} {shown(change.path)}")
        if model.problem:
            emit(coloured("  problem: ", "bold red", sys.stderr) + shown(model.problem), sys.stderr)
    if not models:
        emit("There are no Kimi K2 models there.")
    elif lines and any(not model.problem for model in models):
        emit("To make exo use it, set this for exo, and start exo again:")
        for line in lines:
            emit(f"  {line}")


def _state(model: ViewedModel) -> str:
    return "complete" if model.complete else "left out" if model.problem else "not complete yet"
