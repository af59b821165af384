"""Make, update and remove a view, model by model.

What is wrong with one model becomes that model's `problem` and stops no other. This module decides which models a view
gains and loses; it must never write to the disk itself, nor decide what a folder holds or what in it may be removed.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import KimiTokenizersError, ViewError, VocabularyMismatchError
from kimi_tokenizers.model_dirs import folder_name, is_complete
from kimi_tokenizers.view.contents import entries_of
from kimi_tokenizers.view.folders import View, ViewedModel, opened
from kimi_tokenizers.view.sources import (
    VARIABLE,
    check_apart,
    check_colon,
    check_target,
    existing_dirs,
    lies_in,
    plain_path,
    sources_in,
)


@dataclass(frozen=True)
class ViewReport:
    """What became of a view: the models in it, and those that it no longer has. `dataclasses.asdict` makes it JSON."""

    target: str
    models: tuple[ViewedModel, ...]
    removed: tuple[ViewedModel, ...] = ()


def make(
    target: str | os.PathLike[str],
    models_dirs: Sequence[str | os.PathLike[str]],
    model_ids: Sequence[str] = (),
    *,
    dry_run: bool = False,
    progress: Callable[[str], None] | None = None,
) -> ViewReport:
    """Make a view, or bring it up to date: weights that arrived, models that came or went.

    Args:
        target: the view's directory; made if it does not exist.
        models_dirs: where to look for models, in exo's order; exo's models dirs and Hugging Face's cache. Those that do
            not exist, and views, are passed over.
        model_ids: view only these (letter case does not matter); none means every model that an overlay serves.
        dry_run: report what would be done, and do nothing.
        progress: called with a line of text for every model.

    Returns:
        A report. What concerns one model, as an objection of the guard does, is its `problem` and stops no other.

    Raises:
        ViewError: `target` is not a view, cannot be written to, or overlaps with the models; nothing was changed.
    """
    path = plain_path(target)
    check_target(path)
    dirs = existing_dirs(path, models_dirs)
    found = sources_in(dirs)
    check_apart(path, [*dirs, *found.values()])
    with opened(path, dry_run=dry_run or not (found or os.path.lexists(path))) as view:
        wanted = {model_id.lower() for model_id in model_ids}
        models = []
        for model_id, source in sorted(found.items()):
            if not wanted or model_id.lower() in wanted:
                if progress is not None:
                    progress(f"{model_id} from {source}")
                models.append(_view(view, model_id, source))
        missing = [wish for wish in dict.fromkeys(model_ids) if wish.lower() not in map(str.lower, found)]
        gone = [
            folder
            for folder, record in view.records.items()
            if (not wanted or record.model_id.lower() in wanted)
            and record.model_id not in found
            and (not os.path.isdir(record.sources[0]) or lies_in(record.sources[0], dirs))
        ]
        removed = [view.take_away(folder) for folder in gone]
        return ViewReport(str(path), (*models, *(_not_found(wish, dirs) for wish in missing)), tuple(removed))


def remove(target: str | os.PathLike[str], *, dry_run: bool = False) -> ViewReport:
    """Take a view away: its links and files, and its directory if that is empty then.

    What somebody else put there, or changed, is left, and named in the `problem` of the model whose folder it is in.

    Raises:
        ViewError: there is no view at `target`, or it cannot be written to.
    """
    path = plain_path(target)
    check_target(path)
    if not os.path.exists(path):
        raise ViewError(f"There is no view at {str(path)!r}: it does not exist. Check the path.")
    with opened(path, dry_run=dry_run) as view:
        return ViewReport(str(path), (), tuple(view.take_away(folder) for folder in list(view.records)))


def environment_lines(
    target: str | os.PathLike[str], platform: str = sys.platform, environment: Mapping[str, str] | None = None
) -> list[str]:
    """The shell commands that make a stock exo use a view, in front of the read-only dirs it has already.

    The first is for exo started from a shell. On macOS a second reaches the app: it holds for apps that are started
    afterwards, until the user logs out.

    Raises:
        ViewError: the path holds a colon, at which exo splits the variable.
    """
    path = plain_path(target)
    check_colon(path)
    before = (os.environ if environment is None else environment).get(VARIABLE, "").split(":")
    others = [entry for entry in before if entry and plain_path(os.path.expanduser(entry)) != path]
    value = shlex.quote(":".join([str(path), *others]))
    lines = [f"export {VARIABLE}={value}"]
    if platform == "darwin":
        lines.append(f"launchctl setenv {VARIABLE} {value}")
    return lines


def _view(view: View, model_id: str, source: Path) -> ViewedModel:
    """View one model. What is wrong with it becomes its `problem`."""
    folder = folder_name(model_id)
    try:
        entries = entries_of(model_id, source)
    except VocabularyMismatchError as error:
        if folder not in view.records:
            return ViewedModel(model_id, str(source), folder, problem=str(error))
        # The folder now shows another model, with a tokenizer in front that does not belong to it.
        taken = view.take_away(folder)
        problem = " ".join(filter(None, [str(error), "Its folder was taken out of the view.", taken.problem]))
        return ViewedModel(model_id, str(source), folder, taken.changes, problem=problem)
    except KimiTokenizersError as error:
        complete = folder in view.records and is_complete(view.target / folder)
        return ViewedModel(model_id, str(source), folder, complete=complete, problem=str(error))
    return view.put(model_id, source, entries)


def _not_found(model_id: str, models_dirs: Iterable[Path]) -> ViewedModel:
    """What is reported of a model that was asked for and is in none of the models dirs."""
    try:
        catalogue.get(model_id)
        places = ", ".join(repr(str(models_dir)) for models_dir in models_dirs)
        problem = f"There is no {model_id!r} in {places}. Download it first, or name the models dir that it is in."
    except KimiTokenizersError as error:
        problem = str(error)
    return ViewedModel(model_id, None, folder_name(model_id), problem=problem)
