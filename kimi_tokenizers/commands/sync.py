"""`sync`, `sync --watch` and `restore`: the overlay in place and back, and what was done, file by file."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from kimi_tokenizers.commands.output import emit, emit_problems, emit_report
from kimi_tokenizers.commands.tables import emit_rest, table, verdict
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.model_dirs import Found, Model, find_models
from kimi_tokenizers.sync import (
    Change,
    Given,
    Outcome,
    Plan,
    can_be_immutable,
    restore_model,
    sync_model,
    watch,
)

_HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


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
    dry_run: bool = arguments.dry_run
    found, outcomes = _each(
        arguments,
        lambda model: sync_model(
            model, dry_run=dry_run, lock=arguments.lock, healthy_too=arguments.all, force=arguments.force
        ),
        lambda outcome: _say_synced(
            outcome, dry_run=dry_run, files=dry_run or arguments.verbose, in_full=arguments.verbose
        ),
    )
    if arguments.json:
        _emit_outcomes(found, outcomes, dry_run=dry_run)
    else:
        emit_rest(found)
        changed = [outcome for outcome in outcomes if outcome.plan and outcome.plan.writes]
        if changed and arguments.lock and not dry_run:
            emit(lock_says())
        _say_sum("changed" if not dry_run else "to be changed", len(changed), outcomes)
    return _exit_status(found, outcomes)


def _each(
    arguments: argparse.Namespace, handle: Callable[[Model], Outcome], say: Callable[[Outcome], None]
) -> tuple[Found, list[Outcome]]:
    """Find models and handle one after the other; what came of each is said at once, except in JSON."""
    found = find_models(arguments.paths, hf_cache=arguments.hf_cache, model_ids=arguments.model)
    outcomes = []
    with Waiting("working", len(found.models)) as waiting:
        for model in found.models:
            waiting.next(model.model_id)
            outcomes.append(handle(model))
            if not arguments.json:
                say(outcomes[-1])
    if outcomes and all(outcome.model.in_view for outcome in outcomes):
        found.problems.append("Nothing but views was found, which this command leaves alone. Name the models dirs.")
    return found, outcomes


def _watch(arguments: argparse.Namespace) -> int:
    """Keep the overlay applied until SIGTERM or SIGINT comes; say what was changed, and what is wrong once.

    The exit status says how it was in the end: 1 where there was no model, or what is wrong with one was still wrong.
    """
    said: dict[Path, str | None] = {}

    def sync_and_say(model: Model) -> None:
        outcome = sync_model(model, lock=arguments.lock, healthy_too=arguments.all, force=arguments.force)
        changed = outcome.plan is not None and outcome.plan.writes
        wrong = outcome.problem or outcome.warning
        if changed or model.path not in said or (wrong and wrong != said[model.path]):
            _say_synced(outcome, dry_run=False, files=True)
        said[model.path] = wrong

    def ready(paths: Sequence[Path]) -> None:
        emit(f"watching {', '.join(str(path) for path in paths)}")
        found = find_models(arguments.paths, hf_cache=arguments.hf_cache, model_ids=arguments.model)
        emit_problems(found.problems)

    watch(arguments.paths, sync_and_say, hf_cache=arguments.hf_cache, model_ids=arguments.model, ready=ready)
    emit("stopped")
    return 1 if not said or any(said.values()) else 0


def _restore(arguments: argparse.Namespace) -> int:
    found, outcomes = _each(
        arguments,
        lambda model: restore_model(model, force=arguments.force),
        lambda outcome: _say_restored(outcome, files=arguments.verbose),
    )
    if arguments.json:
        _emit_outcomes(found, outcomes)
    else:
        emit_rest(found)
        _say_sum("restored", sum(bool(outcome.given) for outcome in outcomes), outcomes)
    return _exit_status(found, outcomes)


def _exit_status(found: Found, outcomes: Sequence[Outcome]) -> int:
    return 1 if found.problems or not outcomes or any(one.problem or one.warning for one in outcomes) else 0


def _emit_outcomes(found: Found, outcomes: Sequence[Outcome], **more: bool) -> None:
    models = [outcome.as_json() for outcome in outcomes]
    places = [place.as_json() for place in found.places]
    emit_report(_exit_status(found, outcomes) == 0, found.problems, **more, places=places, models=models)


def _say_synced(outcome: Outcome, *, dry_run: bool, files: bool, in_full: bool = False) -> None:
    head = _head(outcome)
    if outcome.problem is not None:
        _say_failed(outcome.problem, head)
    elif outcome.skipped is not None:
        emit(f"{head}: {outcome.skipped}")
    elif outcome.plan is not None and not outcome.plan.writes:
        emit(f"{head}: nothing to do, the overlay is in place")
    elif outcome.plan is not None:
        emit(f"{head}: {verdict('would be changed' if dry_run else 'changed')}, {_number(outcome.plan.writes)}")
        for line in table([_of_change(change) for change in _listed(outcome.plan, dry_run)] if files else []):
            emit(line if in_full else _HASH.sub(r"\1…", line))
    if outcome.warning is not None:
        emit_problems([f"{outcome.model.model_id}: {outcome.warning}."])


def _listed(plan: Plan, dry_run: bool) -> Sequence[Change]:
    return plan.changes if dry_run else plan.writes


def _number(files: Sequence[object]) -> str:
    return "1 file" if len(files) == 1 else f"{len(files)} files"


def _say_restored(outcome: Outcome, *, files: bool) -> None:
    head = _head(outcome)
    if outcome.problem is not None:
        _say_failed(outcome.problem, head)
    elif outcome.skipped is not None:
        emit(f"{head}: {outcome.skipped}")
    elif not outcome.given:
        emit(f"{head}: nothing to restore")
    else:
        emit(f"{head}: {verdict('restored')}, {_number(outcome.given)}")
        # What stays beside, or could not be given back, is always said.
        shown_files = [file for file in outcome.given if files or file.kept or file.problem]
        for line in table([_of_given(file) for file in shown_files]):
            emit(line)


def _head(outcome: Outcome) -> str:
    return f"{outcome.model.model_id}  {outcome.model.path}"


def _say_failed(problem: str, head: str) -> None:
    emit(f"{head}: {verdict('FAILED')}")
    emit_problems([problem])


def _of_change(change: Change) -> tuple[str, ...]:
    if change.action == "keep":
        return "  keep", change.name, f"the content is right already: {change.found}"
    lost = f"; `restore` could not give back {change.lost}; then --force is needed" if change.lost else ""
    return f"  {change.action}", change.name, f"{change.why}; found: {change.found}{lost}"


def _of_given(file: Given) -> tuple[str, ...]:
    more = f" and {len(file.kept) - 20:,} more" if len(file.kept) > 20 else ""
    kept = f"; kept beside it: {', '.join(file.kept[:20])}{more}" if file.kept else ""
    return f"  {file.action}", file.name, file.what + kept


def _say_sum(what: str, number: int, outcomes: Sequence[Outcome]) -> None:
    failed = sum(outcome.problem is not None for outcome in outcomes)
    if outcomes:
        emit(f"{number} {what}, {len(outcomes) - number - failed} unchanged, {failed} failed")
