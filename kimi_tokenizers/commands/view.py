"""`view`: a directory of links to the models with the overlay in front, and the line that makes exo use it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kimi_tokenizers.commands.output import coloured, emit, emit_problems, emit_report
from kimi_tokenizers.errors import ViewError
from kimi_tokenizers.model_dirs import Place, nothing_in, places
from kimi_tokenizers.view import ViewedModel, ViewReport, environment_lines, make, remove


def run(arguments: argparse.Namespace) -> int:
    """Make, update or remove a view and print what was done."""
    if arguments.remove and (arguments.sources or arguments.model):
        arguments.wrong_usage("--remove takes the whole view away; it goes with neither --from nor --model")
    problems: list[str] = []
    if arguments.remove:
        report, lines = remove(arguments.target, dry_run=arguments.dry_run), []
    else:
        report, problems = _make(arguments)
        lines = environment_lines(arguments.target)
    models = (*report.models, *report.removed)
    ok = not problems and not any(model.problem for model in models)
    if arguments.json:
        emit_report(
            ok,
            problems,
            target=report.target,
            dry_run=arguments.dry_run,
            models=[_as_json(model) for model in report.models],
            removed=[_as_json(model) for model in report.removed],
            environment=lines,
        )
    else:
        _say(report, lines, dry_run=arguments.dry_run)
        emit_problems(problems)
    return 0 if ok else 1


def _as_json(model: ViewedModel) -> dict[str, Any]:
    result = asdict(model)
    return {"model": result.pop("model_id"), "path": result.pop("source"), **result}


def _make(arguments: argparse.Namespace) -> tuple[ViewReport, list[str]]:
    """Make the view; and what could not be looked at, or that there was nothing to view."""
    quiet = arguments.json or not sys.stderr.isatty()
    looked = places(arguments.sources)
    try:
        report = make(
            arguments.target,
            [place.path for place in looked],
            arguments.model,
            dry_run=arguments.dry_run,
            progress=None if quiet else lambda line: emit(line, sys.stderr),
        )
    except ViewError as error:
        if any(place.path.is_dir() for place in looked):
            raise
        raise ViewError(f"{error} {_looked_in(looked)}") from error
    problems = [
        f"The models dir {place} is not there, so nothing in it is viewed."
        for place in looked
        if place.wanted and not place.path.is_dir() and not _is_same(place.path, arguments.target)
    ]
    if not report.models:
        problems.append(f"No Kimi model that an overlay serves was found. {_looked_in(looked)}")
    return report, problems


def _looked_in(looked: Sequence[Place]) -> str:
    for place in looked:
        place.problem = None if place.path.is_dir() else "there is no such directory"
    return nothing_in(looked)


def _is_same(path: Path, target: Path) -> bool:
    """Whether a place is the view itself, which exo may have been told of already."""
    return path.absolute() == target.absolute()


def _say(report: ViewReport, lines: Sequence[str], *, dry_run: bool) -> None:
    models = [*report.models, *report.removed]
    for model in models:
        state = "removed" if model in report.removed else _state(model)
        done = "would change" if dry_run else "changed"
        emit(f"{model.model_id}: {state}, {len(model.changes)} entries {done}")
        for change in model.changes if dry_run else ():
            emit(f"  {change.action} {change.path}")
        if model.problem:
            emit(coloured("  problem: ", "bold red", sys.stderr) + model.problem, sys.stderr)
    if lines and any(not model.problem for model in models):
        emit("To make exo use it, set this for exo, and start exo again:")
        for line in lines:
            emit(f"  {line}")


def _state(model: ViewedModel) -> str:
    return "complete" if model.complete else "left out" if model.problem else "not complete yet"
