"""What comes of syncing or restoring one model: changes, a reason to skip it, or a problem.

A problem with one model is told in its outcome, and must never stop the others.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import Folder, Model, importable
from kimi_tokenizers.sync.applying import apply, recover
from kimi_tokenizers.sync.journal import is_half_done
from kimi_tokenizers.sync.planning import Plan, plan
from kimi_tokenizers.sync.restoring import Given, restore
from kimi_tokenizers.sync.rights import explaining
from kimi_tokenizers.sync.state import check_directory
from kimi_tokenizers.sync.status import imported, left_alone

_SKIPPED = {
    "healthy": "healthy, so it needs no overlay; --all applies it nevertheless",
    "unexamined": "it has a slow tokenizer of its own, of which nothing is known; --all puts the overlay in its place",
}


@dataclass
class Outcome:
    """What became of one model.

    Attributes:
        plan, given: None where there was nothing to do or it failed.
        warning: what is wrong with the directory that a sync does not change.
    """

    model: Model
    plan: Plan | None = None
    given: tuple[Given, ...] | None = None
    skipped: str | None = None
    problem: str | None = None
    warning: str | None = None

    def as_json(self) -> dict[str, Any]:
        files = self.given if self.given is not None else self.plan.changes if self.plan is not None else ()
        return {
            "model": self.model.model_id,
            "path": str(self.model.path),
            "files": [asdict(file) for file in files],
            "skipped": self.skipped,
            "problem": self.problem,
            "warning": self.warning,
        }


def sync_model(
    model: Model, *, dry_run: bool = False, lock: bool | None = None, healthy_too: bool = False, force: bool = False
) -> Outcome:
    """Sync one model. Whatever goes wrong is its `problem`, and stops no other."""
    outcome = _synced(model, dry_run=dry_run, lock=lock, healthy_too=healthy_too, force=force)
    if not model.in_view and outcome.problem is None:
        try:
            outcome.warning = "; ".join(imported(model.path, importable(model.path))) or None
        except KimiTokenizersError as error:
            outcome.warning = str(error)
    return outcome


def _synced(model: Model, *, dry_run: bool, lock: bool | None, healthy_too: bool, force: bool) -> Outcome:
    try:
        if model.in_view:
            return Outcome(model, skipped="it is in a view; `kimi-tokenizers view` keeps that up to date")
        path = check_directory(model.path)
        with explaining(path), Folder.open(path) as directory:
            half_done = is_half_done(directory)
        if half_done and not dry_run:
            recover(path)  # before the guard looks: a file could be torn
        skipped = "" if healthy_too or half_done else left_alone(model)
        if skipped:
            return Outcome(model, skipped=_SKIPPED[skipped])
        planned = plan(model.overlay, model.path, lock=lock)
        return Outcome(model, plan=planned if dry_run else apply(planned, force=force))
    except KimiTokenizersError as error:
        return Outcome(model, problem=str(error))


def restore_model(model: Model, *, force: bool = False) -> Outcome:
    """Restore one model. Whatever goes wrong is its `problem`, and stops no other."""
    try:
        if model.in_view:
            return Outcome(model, skipped="it is in a view; `kimi-tokenizers view --remove` takes that away")
        return Outcome(model, given=restore(model.path, force=force))
    except KimiTokenizersError as error:
        return Outcome(model, problem=str(error))
