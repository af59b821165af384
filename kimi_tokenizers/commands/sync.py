"""`sync`, `sync --watch` and `restore`: the overlay in place and back, and what was done, file by file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kimi_tokenizers.commands.tables import emit, emit_json, emit_rest, shown, table
from kimi_tokenizers.model_dirs import Found, Model, find_models
from kimi_tokenizers.sync import (
    REPORT_SCHEMA,
    Change,
    Given,
    Outcome,
    can_be_immutable,
    restore_model,
    sync_model,
    watch,
)


def run(arguments: argparse.Namespace) -> int:
    """Sync or restore models and print what was done."""
    if arguments.command == "restore":
        return _restore(arguments)
    if not arguments.watch:
        return _sync(arguments)
    if arguments.dry_run or arguments.json:
        arguments.wrong_usage("--watch goes with neither --dry-run nor --json")
    return _watch(arguments)


def lock_says() -> str:
    """What locking protects against, and what it does not."""
    if can_be_immutable():
        return (
            "Our files are immutable: nothing replaces or removes them, exo included, before `sync --no-lock`, "
            "`restore` or `chflags nouchg`. exo then keeps them, although their sizes differ from upstream's."
        )
    return (
        "Our files are read-only. That protects against programs that write into them, but not against exo: it removes "
        "a file whose size differs from upstream's and downloads it again, for which a right on the directory is "
        "enough. Files that upstream does not list are left alone. `sync --watch` puts ours back."
    )


def _sync(arguments: argparse.Namespace) -> int:
    found = find_models(arguments.paths, hf_cache=arguments.hf_cache, model_ids=arguments.model)
    dry_run: bool = arguments.dry_run
    outcomes = [
        sync_model(model, dry_run=dry_run, lock=arguments.lock, healthy_too=arguments.all) for model in found.models
    ]
    if arguments.json:
        _emit_outcomes(found, outcomes)
    else:
        for outcome in outcomes:
            _say_synced(outcome, dry_run=dry_run)
        emit_rest(found)
        changed = [outcome for outcome in outcomes if outcome.plan and outcome.plan.writes]
        if changed and arguments.lock and not dry_run:
            emit(lock_says())
        _say_sum("changed" if not dry_run else "to be changed", len(changed), outcomes)
    return _exit_status(found, outcomes)


def _watch(arguments: argparse.Namespace) -> int:
    """Keep the overlay applied until SIGTERM or SIGINT comes; say what was changed, and what is wrong once."""
    said: dict[Path, str | None] = {}

    def sync_and_say(model: Model) -> None:
        outcome = sync_model(model, lock=arguments.lock, healthy_too=arguments.all)
        changed = outcome.plan is not None and outcome.plan.writes
        if changed or model.path not in said or (outcome.problem and outcome.problem != said[model.path]):
            _say_synced(outcome, dry_run=False)
        said[model.path] = outcome.problem

    watch(
        arguments.paths,
        sync_and_say,
        hf_cache=arguments.hf_cache,
        model_ids=arguments.model,
        ready=lambda paths: emit(f"watching {', '.join(shown(str(path)) for path in paths)}"),
    )
    emit("stopped")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    found = find_models(arguments.paths, hf_cache=arguments.hf_cache, model_ids=arguments.model)
    outcomes = [restore_model(model, force=arguments.force) for model in found.models]
    if arguments.json:
        _emit_outcomes(found, outcomes)
    else:
        for outcome in outcomes:
            _say_restored(outcome)
        emit_rest(found)
        _say_sum("restored", sum(bool(outcome.given) for outcome in outcomes), outcomes)
    return _exit_status(found, outcomes)


def _exit_status(found: Found, outcomes: Sequence[Outcome]) -> int:
    return 1 if found.problems or any(outcome.problem for outcome in outcomes) else 0


def _emit_outcomes(found: Found, outcomes: Sequence[Outcome]) -> None:
    models = [outcome.as_json() for outcome in outcomes]
    ok = _exit_status(found, outcomes) == 0
    emit_json({"schema": REPORT_SCHEMA, "ok": ok, "problems": found.problems, "models": models})


def _say_synced(outcome: Outcome, *, dry_run: bool) -> None:
    head = _head(outcome)
    if outcome.problem is not None:
        _say_failed(outcome.problem, head)
    elif outcome.skipped is not None:
        emit(f"{head}: {outcome.skipped}")
    elif outcome.plan is not None and not outcome.plan.writes:
        emit(f"{head}: nothing to do, the overlay is in place")
    elif outcome.plan is not None:
        emit(f"{head}: {'would be changed' if dry_run else 'changed'}")
        for line in table(
            [_of_change(change) for change in (outcome.plan.changes if dry_run else outcome.plan.writes)]
        ):
            emit(line)


def _say_restored(outcome: Outcome) -> None:
    head = _head(outcome)
    if outcome.problem is not None:
        _say_failed(outcome.problem, head)
    elif outcome.skipped is not None:
        emit(f"{head}: {outcome.skipped}")
    elif not outcome.given:
        emit(f"{head}: nothing to restore")
    else:
        emit(f"{head}: restored")
        for line in table([_of_given(file) for file in outcome.given]):
            emit(line)


def _head(outcome: Outcome) -> str:
    return f"{shown(outcome.model.model_id)}  {shown(str(outcome.model.path))}"


def _say_failed(problem: str, head: str) -> None:
    emit(f"{head}: FAILED")
    emit(f"kimi-tokenizers: {shown(problem)}", sys.stderr)


def _of_change(change: Change) -> tuple[str, ...]:
    return f"  {change.action}", change.name, f"{change.why}; found: {change.found}"


def _of_given(file: Given) -> tuple[str, ...]:
    kept = f"; kept beside it: {', '.join(file.kept)}" if file.kept else ""
    return f"  {file.action}", file.name, file.what + kept


def _say_sum(what: str, number: int, outcomes: Sequence[Outcome]) -> None:
    failed = sum(outcome.problem is not None for outcome in outcomes)
    if outcomes:
        emit(f"{number} {what}, {len(outcomes) - number - failed} unchanged, {failed} failed")
