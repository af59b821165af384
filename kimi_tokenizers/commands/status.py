"""`status`, `sync` and `restore` as commands: what they print and how they exit.

The command line and `scripts/sync_overlays.py` both call these, so they cannot differ. Only the standard library is
needed. Every function returns the exit status: 0 fine, 1 something is wrong with what was examined.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kimi_tokenizers import disk, journal, report, status, sync, watching
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import Found, Model, find_models

STATUS_HELP = "Say for every Kimi model on this machine what is the matter with its tokenizer."
SYNC_HELP = "Put the overlay in place where a model needs it; what is replaced is kept for `restore`."
RESTORE_HELP = "Give back what `sync` replaced: content, mode, modification time and links."
EXIT_HELP = "Exit status: 0 fine, 1 something is wrong with what was examined, 2 wrong usage."

COMPARE_HELP = "Take the arguments for reports saved with --json, one a node, and say which nodes differ."
HF_CACHE_HELP = "Look in the Hugging Face cache as well."
MODEL_HELP = "Only this model, as owner/name. Can be given several times."
ALL_HELP = "Put the overlay over healthy models, too: then no downloaded Python runs."
DRY_RUN_HELP = "Say what would change, file by file, and change nothing."
LOCK_HELP = "Make our files immutable (macOS) or read-only (elsewhere), or mutable again. Left as they are by default."
WATCH_HELP = "Stay, and apply the overlay whenever exo changes something. Needs the [watch] extra."
FORCE_HELP = "Give back even what has changed since; the changed file is kept beside it."
DIRS_HELP = "Folders of model directories. None: exo's own."
COMPARE_NEEDS_FILES = "--compare needs the reports to compare"
WATCH_STANDS_ALONE = "--watch goes with neither --dry-run nor --json"
JSON_HELP = "Print JSON, for machines."


# -- status ----------------------------------------------------------------------------------------------


def run_status(
    paths: Sequence[str] = (),
    *,
    hf_cache: bool = False,
    model_ids: Sequence[str] = (),
    as_json: bool = False,
    compare: bool = False,
) -> int:
    """Print the status of models, or with `compare` how saved reports differ."""
    if compare:
        return _compare(paths, as_json=as_json)
    found = find_models(paths, hf_cache=hf_cache, model_ids=model_ids)
    result = status.report(found)
    if as_json:
        report.emit_json(result)
    else:
        for line in report.status(result):
            report.emit(line)
        _say_rest(found)
    return 0 if result["ok"] else 1


def _say_rest(found: Found) -> None:
    """What a search has to say besides the models it found."""
    if not found.models:
        report.emit(f"No Kimi models in {_places(found)}.")
    for hint in found.hints:
        report.emit(f"hint: {report.shown(hint)}")
    for problem in found.problems:
        report.emit(f"kimi-tokenizers: {report.shown(problem)}", sys.stderr)


def _places(found: Found) -> str:
    return ", ".join(report.shown(str(path)) for path in found.searched) or "exo's models dirs, as there are none"


def _compare(files: Sequence[str], *, as_json: bool) -> int:
    reports: dict[str, dict[str, Any]] = {}
    for file in files:
        node = Path(file).stem
        reports[node if node not in reports else file] = status.read_report(file)
    differences = status.compare(reports)
    failing = status.not_loading(reports)
    if as_json:
        report.emit_json(
            {"schema": status.SCHEMA, "nodes": list(reports), "differences": [asdict(item) for item in differences]}
            | {"not_loading": list(failing), "ok": not differences and not failing}
        )
    else:
        for item in differences:
            report.emit(f"{report.shown(item.model)}: the nodes differ in {_WHAT[item.what]}")
            for value, nodes in sorted(item.values.items()):
                report.emit(f"  {value[:16]}: {', '.join(map(report.shown, nodes))}")
        for node in failing:
            report.emit(f"{report.shown(node)}: not every model would load")
        if not differences and not failing:
            models = len({model["model"] for value in reports.values() for model in value["models"]})
            report.emit(f"All equal: {len(reports)} nodes, {models} models.")
    return 1 if differences or failing else 0


_WHAT = {"tokens": "token ids", "prompts": "prompt text", "state": "whether it would load"}


# -- sync ------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What became of one model. `plan` and `given` are None where there was nothing to do or it failed."""

    model: Model
    plan: sync.Plan | None = None
    given: tuple[sync.Given, ...] | None = None
    skipped: str | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        files = self.given if self.given is not None else self.plan.changes if self.plan is not None else ()
        return {
            "model": self.model.model_id,
            "path": str(self.model.path),
            "files": [asdict(file) for file in files],
            "skipped": self.skipped,
            "problem": self.problem,
        }


def run_sync(
    models_dirs: Sequence[str] = (),
    *,
    hf_cache: bool = False,
    model_ids: Sequence[str] = (),
    dry_run: bool = False,
    lock: bool | None = None,
    healthy_too: bool = False,
    as_json: bool = False,
) -> int:
    """Apply the overlay and print what was done."""
    found = find_models(models_dirs, hf_cache=hf_cache, model_ids=model_ids)
    outcomes = [sync_model(model, dry_run=dry_run, lock=lock, healthy_too=healthy_too) for model in found.models]
    if as_json:
        _emit_outcomes(found, outcomes)
    else:
        for outcome in outcomes:
            _say_synced(outcome, dry_run=dry_run)
        _say_rest(found)
        changed = [outcome for outcome in outcomes if outcome.plan and outcome.plan.writes]
        if changed and lock and not dry_run:
            report.emit(lock_says())
        _say_sum("changed" if not dry_run else "to be changed", len(changed), outcomes)
    return 1 if found.problems or any(outcome.problem for outcome in outcomes) else 0


def run_watch(
    models_dirs: Sequence[str] = (),
    *,
    hf_cache: bool = False,
    model_ids: Sequence[str] = (),
    lock: bool | None = None,
    healthy_too: bool = False,
) -> int:
    """Keep the overlay applied until SIGTERM or SIGINT comes; say what was changed, and what is wrong once."""
    said: dict[Path, str | None] = {}

    def sync_and_say(model: Model) -> None:
        outcome = sync_model(model, lock=lock, healthy_too=healthy_too)
        changed = outcome.plan is not None and outcome.plan.writes
        if changed or model.path not in said or (outcome.problem and outcome.problem != said[model.path]):
            _say_synced(outcome, dry_run=False)
        said[model.path] = outcome.problem

    watching.watch(
        models_dirs,
        sync_and_say,
        hf_cache=hf_cache,
        model_ids=model_ids,
        ready=lambda paths: report.emit(f"watching {', '.join(report.shown(str(path)) for path in paths)}"),
    )
    report.emit("stopped")
    return 0


def sync_model(model: Model, *, dry_run: bool = False, lock: bool | None = None, healthy_too: bool = False) -> Outcome:
    """Sync one model. What is wrong is its problem, and stops no other."""
    try:
        if model.in_view:
            return Outcome(model, skipped="it is in a view; `kimi-tokenizers view` keeps that up to date")
        sync.check_directory(model.path)
        if not healthy_too and not journal.is_half_done(model.path) and status.is_healthy(model):
            return Outcome(model, skipped="healthy, so it needs no overlay; --all applies it nevertheless")
        planned = sync.plan(model.overlay, model.path, lock=lock)
        return Outcome(model, plan=planned if dry_run else sync.apply(planned))
    except KimiTokenizersError as error:
        return Outcome(model, problem=str(error))


def lock_says() -> str:
    """What locking protects against, and what it does not."""
    if disk.can_be_immutable():
        return (
            "Our files are immutable: nothing replaces or removes them, exo included, before `sync --no-lock`, "
            "`restore` or `chflags nouchg`. exo then keeps them, although their sizes differ from upstream's."
        )
    return (
        "Our files are read-only. That protects against programs that write into them, and not against exo: it removes "
        "a file whose size differs from upstream's and downloads it anew, for which it needs a right on the directory "
        "alone. Files that upstream does not list are left alone. `sync --watch` puts ours back."
    )


def _say_synced(outcome: Outcome, *, dry_run: bool) -> None:
    head = f"{outcome.model.model_id}  {report.shown(str(outcome.model.path))}"
    if outcome.problem is not None:
        report.emit(f"{head}: FAILED")
        report.emit(f"kimi-tokenizers: {report.shown(outcome.problem)}", sys.stderr)
    elif outcome.skipped is not None:
        report.emit(f"{head}: {outcome.skipped}")
    elif outcome.plan is not None and not outcome.plan.writes:
        report.emit(f"{head}: nothing to do, the overlay is in place")
    elif outcome.plan is not None:
        report.emit(f"{head}: {'would be changed' if dry_run else 'changed'}")
        for line in report.changes(outcome.plan.changes if dry_run else outcome.plan.writes):
            report.emit(line)


def _say_sum(what: str, number: int, outcomes: Sequence[Outcome]) -> None:
    failed = sum(outcome.problem is not None for outcome in outcomes)
    if outcomes:
        report.emit(f"{number} {what}, {len(outcomes) - number - failed} unchanged, {failed} failed")


def _emit_outcomes(found: Found, outcomes: Sequence[Outcome]) -> None:
    ok = not found.problems and not any(outcome.problem for outcome in outcomes)
    models = [outcome.as_json() for outcome in outcomes]
    report.emit_json({"schema": status.SCHEMA, "ok": ok, "problems": found.problems, "models": models})


# -- restore ---------------------------------------------------------------------------------------------


def run_restore(
    models_dirs: Sequence[str] = (),
    *,
    hf_cache: bool = False,
    model_ids: Sequence[str] = (),
    force: bool = False,
    as_json: bool = False,
) -> int:
    """Give everything back and print what was done."""
    found = find_models(models_dirs, hf_cache=hf_cache, model_ids=model_ids)
    outcomes = [restore_model(model, force=force) for model in found.models]
    if as_json:
        _emit_outcomes(found, outcomes)
    else:
        for outcome in outcomes:
            _say_restored(outcome)
        _say_rest(found)
        _say_sum("restored", sum(bool(outcome.given) for outcome in outcomes), outcomes)
    return 1 if found.problems or any(outcome.problem for outcome in outcomes) else 0


def restore_model(model: Model, *, force: bool = False) -> Outcome:
    """Restore one model. What is wrong is its problem, and stops no other."""
    try:
        if model.in_view:
            return Outcome(model, skipped="it is in a view; `kimi-tokenizers view --remove` takes that away")
        return Outcome(model, given=sync.restore(model.path, force=force))
    except KimiTokenizersError as error:
        return Outcome(model, problem=str(error))


def _say_restored(outcome: Outcome) -> None:
    head = f"{outcome.model.model_id}  {report.shown(str(outcome.model.path))}"
    if outcome.problem is not None:
        report.emit(f"{head}: FAILED")
        report.emit(f"kimi-tokenizers: {report.shown(outcome.problem)}", sys.stderr)
    elif outcome.skipped is not None:
        report.emit(f"{head}: {outcome.skipped}")
    elif not outcome.given:
        report.emit(f"{head}: nothing to restore")
    else:
        report.emit(f"{head}: restored")
        for line in report.given_back(outcome.given):
            report.emit(line)
