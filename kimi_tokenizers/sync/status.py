"""What is wrong with a model directory: whether exo would load its tokenizer, and if not, what it would show.

It only reads. It must never execute anything that it finds, or open a weight file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kimi_tokenizers.catalogue import overlays
from kimi_tokenizers.errors import JournalError, KimiTokenizersError, SyncError, VocabularyMismatchError
from kimi_tokenizers.model_dirs import (
    CHAT_TEMPLATE,
    TOKENIZER_CONFIG,
    Completeness,
    Folder,
    Model,
    TokenizerFiles,
    check_vocabulary,
    completeness,
    importable,
    is_renumbered,
    outline,
    prompt_fingerprint,
    renumbered_in_words,
    token_fingerprint,
    uncompared,
)
from kimi_tokenizers.resolver import is_plain, is_read_by_transformers
from kimi_tokenizers.sync import state
from kimi_tokenizers.sync.journal import read
from kimi_tokenizers.sync.origins import Origin, not_replaced, origin_in_words, origins
from kimi_tokenizers.sync.planning import plan_in
from kimi_tokenizers.sync.rights import explained, explaining

State = Literal["healthy", "overlaid", "broken", "drifted", "refused", "incomplete"]

VOCAB, DECLARATION, LINE = "tiktoken.model", "tool_declaration_ts.py", "kimi_line.json"
_CLASS = "TikTokenTokenizer"

_EXO_PYTHON = (3, 13)  # of exo 0.3.70
_NAMED = 10  # modules in a message


@dataclass
class ModelStatus:
    """What is wrong with one model directory. `reports` says what each attribute means."""

    model: str
    line: str
    path: str
    state: State
    tokenizer: State
    would_load: bool | None = False
    complete: bool = False
    synced: bool = False
    detail: str = ""
    error: str | None = None
    files: dict[str, Origin] = field(default_factory=dict)
    fingerprints: dict[str, str] | None = None


@dataclass
class _Verdict:
    state: State
    would_load: bool | None
    detail: str
    error: str | None = None
    only_unexamined: bool = False


def examine(model: Model) -> ModelStatus:
    """Examine a model directory. What is wrong with it is in the result; nothing is raised for it."""
    path, overlay = model.path, model.overlay
    files: dict[str, Origin] = {}
    fingerprints, note = None, ""
    modules: list[str] = []
    try:
        state.check_directory(path)
        modules = importable(path)
        with explaining(path), Folder.open(path) as folder, TokenizerFiles(folder) as directory:
            files = origins(overlay, directory)
            note = renumbered_in_words(check_vocabulary(overlay, directory))
            verdict = _with_modules(path, _verdict(model, folder, directory, files), modules)
            if verdict.would_load:
                tokens, prompts = token_fingerprint(overlay, directory), prompt_fingerprint(overlay, directory)
                fingerprints = {"tokens": tokens, "prompts": prompts}
    except VocabularyMismatchError as error:
        verdict = _Verdict("refused", False, str(error))
    except KimiTokenizersError as error:
        verdict = _Verdict("broken", False, str(error))
    except OSError as error:
        verdict = _Verdict("broken", False, str(explained(error, path)))
    complete = completeness(path)
    result = ModelStatus(
        model.model_id,
        overlay.line,
        str(path),
        state=verdict.state,
        tokenizer=verdict.state,
        would_load=verdict.would_load,
        complete=complete.complete,
        synced=_has_record(path),
        detail=verdict.detail,
        error=verdict.error,
        files={**files, **dict.fromkeys(modules, "unknown")},
        fingerprints=fingerprints,
    )
    if not complete.complete and verdict.state != "refused" and os.path.isdir(path):
        _is_incomplete(result, overlay.upstream.python, complete)
    result.detail += note
    return result


def left_alone(model: Model) -> Literal["", "healthy", "unexamined"]:
    """Why `sync` passes over a model unless all are asked for; "" if it does not. Raises as `planning.plan`.

    It is "healthy" where exo would load upstream's own files, so that the overlay is not needed; "unexamined" where it
    has a slow tokenizer of its own, whole as far as reading it shows, and what upstream's is like is not known.
    """
    path = state.check_directory(model.path)
    with explaining(path), Folder.open(path) as folder, TokenizerFiles(folder) as directory:
        verdict = _verdict(model, folder, directory, origins(model.overlay, directory))
    if verdict.state == "healthy":
        return "healthy"
    return "unexamined" if verdict.only_unexamined else ""


def _has_record(path: Path) -> bool:
    try:
        with Folder.open(path) as directory:
            return bool(read(directory).entries)
    except (KimiTokenizersError, OSError):
        return False


def _is_incomplete(result: ModelStatus, python: str, found: Completeness) -> None:
    """exo downloads before it loads; where upstream has deleted the Python, that is where it ends."""
    if found.unexamined:
        result.detail = (
            f"whether all weights are there is not known: {found.unexamined}; the tokenizer: {result.detail}"
        )
        result.state, result.would_load = "incomplete", None
        return
    detail = f"not all weights are there; the tokenizer: {result.detail}"
    if result.files.get(python) == "missing":
        result.error = f"File not found: …/resolve/main/{python} (404), if upstream does not have it either"
        detail = f"not all weights are there, and {_missing(result.files, python)} missing; exo: {result.error}"
    result.state, result.detail, result.would_load = "incomplete", detail, False


def _with_modules(path: Path, verdict: _Verdict, modules: Sequence[str]) -> _Verdict:
    """A verdict, where exo would import more from the directory than its tokenizer."""
    if not modules:
        return verdict
    detail = f"{'; '.join(imported(path, modules))}; the tokenizer: {verdict.detail}"
    if verdict.would_load is False:
        return _Verdict(verdict.state, False, detail, verdict.error)
    wrong = set(modules) - set(uncompared(path))
    # What nobody examined is not called overlaid, even if it is most likely what exo left.
    return _Verdict("drifted" if wrong or verdict.state == "overlaid" else verdict.state, None, detail)


def imported(path: Path, modules: Sequence[str]) -> list[str]:
    """What is wrong with what `importable` names in a model directory, and what helps."""
    others = uncompared(path) if modules else []
    wrong = [name for name in modules if name not in others]
    return [say(names) for say, names in ((_imported_first, wrong), (_made_elsewhere, others)) if names]


def _imported_first(modules: Sequence[str]) -> str:
    return (
        f"exo imports from this directory first, so it would run {_listed(modules)} from it, which no file put there "
        "prevents: remove what should not be there, or use `view` or `resolve`, which leave it out"
    )


def _made_elsewhere(bytecode: Sequence[str]) -> str:
    here = ".".join(map(str, sys.version_info[:2]))
    return (
        f"exo would run the bytecode {_listed(bytecode)}, which looks like what exo itself leaves; but another version "
        f"of Python made it, so Python {here} cannot compare it with its source: examine it with that version, or "
        "remove it, which is safe, for Python makes it anew (where the source is ours, `sync` does)"
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _missing(files: Mapping[str, Origin], python: str) -> str:
    needed = [name for name in (python, VOCAB) if files[name] == "missing"]
    return f"{' and '.join(needed)} {'are' if len(needed) > 1 else 'is'}"


# -- what exo would make of it -------------------------------------------------------------------------


def _verdict(model: Model, folder: Folder, directory: TokenizerFiles, files: Mapping[str, Origin]) -> _Verdict:
    """What exo would make of the tokenizer; and where `sync` or `resolve` refuses the directory, their reason."""
    verdict = _of_tokenizer(model, directory, files)
    if verdict.would_load is False:
        return verdict
    try:
        with explaining(model.path):
            planned = plan_in(folder, model.overlay, directory)
        lost = [] if folder.can_exchange() else planned.lost  # else only `sync` finds out
        refusal = f"`restore` could not give back exactly: {'; '.join(lost)}; --force goes on nevertheless"
        would_load = verdict.would_load
        if not lost:
            return verdict
    except KimiTokenizersError as error:  # of what exo reads itself, it is not known what that makes of it
        refusal = str(error)
        would_load = verdict.would_load if isinstance(error, (JournalError, SyncError)) else None
    detail = f"`sync` refuses this directory: {refusal} The tokenizer: {verdict.detail}"
    return _Verdict("drifted", would_load, detail, only_unexamined=verdict.only_unexamined)


def _of_tokenizer(model: Model, directory: TokenizerFiles, files: Mapping[str, Origin]) -> _Verdict:
    path, python = model.path, model.overlay.upstream.python
    directory.object(TOKENIZER_CONFIG)
    if files[python] == "missing" and model.overlay.encoder and (path / "tokenizer.json").exists():
        return _Verdict("drifted", None, f"{python} is gone; whether exo loads the tokenizer.json is not known")
    if files[python] == "missing":
        error = f"FileNotFoundError: [Errno 2] No such file or directory: '{path / python}'"
        missing = _missing(files, python)
        return _Verdict("broken", False, f"{missing} missing; exo: FileNotFoundError: …/{python}", error)
    if files[VOCAB] == "missing":
        return _broken(f"{VOCAB} is missing", f"an error about {VOCAB} from {python}")
    if files[VOCAB] == "unknown":  # a rank table of another vocabulary would have been refused
        return _broken(f"{VOCAB} is cut off", f"an error about {VOCAB} from {python}")
    is_ours = files[python] in ("ours", "older")
    objection = _objection_to_configuration(model, directory, is_ours)
    if objection is not None:
        return objection
    return (_verdict_on_ours if is_ours else _verdict_on_theirs)(model, directory, files)


def _objection_to_configuration(model: Model, directory: TokenizerFiles, is_ours: bool) -> _Verdict | None:
    """Where transformers reads the `tokenizer_config.json`, which our class would read in any encoding."""
    if is_renumbered(model.overlay, directory):
        return _Verdict("broken", False, f"the ids in {TOKENIZER_CONFIG} are not those of the model")
    by_name = "kimi-k2" in model.model_id.lower()  # then exo executes the Python itself
    data = directory.read(TOKENIZER_CONFIG)
    if is_ours and by_name:
        return None
    if data is not None and not is_plain(data):
        return _broken(
            f"{TOKENIZER_CONFIG} is not UTF-8 without a byte order mark", "JSONDecodeError or UnicodeDecodeError"
        )
    if is_ours and not is_read_by_transformers(model.overlay, directory):
        return _broken(f"{TOKENIZER_CONFIG} does not name the slow tokenizer", "an error, or another tokenizer")
    return None


def _broken(detail: str, error: str) -> _Verdict:
    return _Verdict("broken", False, f"{detail}; exo: {error}", error)


def _verdict_on_ours(model: Model, directory: TokenizerFiles, files: Mapping[str, Origin]) -> _Verdict:
    python = model.overlay.upstream.python
    for name in model.overlay.files:
        if not name.endswith(".py") or files[name] in ("ours", "older"):
            continue
        module = name[: -len(".py")]
        if files[name] == "missing":
            return _broken(f"{name} is missing", f"ModuleNotFoundError: No module named '{module}'")
        names = "name 'UnsupportedSchemaError'" if name == DECLARATION else "names"
        error = f"ImportError: cannot import {names} from '{module}'"
        return _broken(f"{name} is not the one that {python} needs", error)
    unneeded = [name for name in not_replaced(model.overlay) if name in files]
    beside = [f"{name}, {origin_in_words(model.overlay, directory, name, files)}" for name in unneeded]
    unused = f"; not executed: {'; '.join(beside)}" if beside else ""
    if files[LINE] == "unknown":
        detail = f"{LINE} is none of ours; `sync` puts that of {model.overlay.line} there"
        return _Verdict("drifted", None, f"{detail}; which control tokens exo gets till then is not known")
    if files[LINE] == "missing" and not _line_is_known(model, directory):
        return _Verdict(
            "broken", False, f"{LINE} is {files[LINE]}, so control tokens could be those of another line", None
        )
    if "older" in files.values():
        return _Verdict("overlaid", True, f"by another version of kimi-tokenizers; `sync` brings it up to date{unused}")
    return _Verdict("overlaid", True, f"the overlay's files are in place{unused}")


def _line_is_known(model: Model, directory: TokenizerFiles) -> bool:
    """Whether control tokens are right where nothing names the line: by what the tokenizer then knows to be certain."""
    default = next(overlay for overlay in overlays().values() if overlay.default)
    certain = overlays()["kimi-k2-instruct"].control_tokens()
    if directory.control_token_table():
        return certain == model.overlay.required_tokens()
    return model.overlay.control_tokens() == default.control_tokens()


def _verdict_on_theirs(model: Model, directory: TokenizerFiles, files: Mapping[str, Origin]) -> _Verdict:
    """On downloaded Python, which is read and not executed."""
    python = model.overlay.upstream.python
    objection = _objection_to_python(directory, python)
    if objection is not None:
        return objection
    known = model.overlay.upstream.sha256
    modules = [name for name in known if name.endswith(".py")]
    unknown = [name for name, origin in files.items() if name.endswith(".py") and origin == "unknown"]
    modules = list(dict.fromkeys([*modules, *unknown]))
    names = list(modules)
    if model.model_id.lower() == model.overlay.upstream.repo.lower():  # a conversion has its own
        names += [name for name in (TOKENIZER_CONFIG, CHAT_TEMPLATE) if name in known]
    drifted = [name for name in names if files.get(name) not in ("ours", "older", "upstream")]
    if not drifted:
        return _Verdict("healthy", True, "upstream's files, untouched")
    listed = ", ".join(f"{name} ({origin_in_words(model.overlay, directory, name, files)})" for name in drifted)
    sure = not set(modules) & set(drifted)
    if drifted == [python] and python not in known:
        detail = f"{python} is not ours, and which is upstream's is not known: whether it loads was not examined"
        return _Verdict("drifted", None, detail, only_unexamined=True)
    detail = f"neither upstream's known files nor ours: {listed}"
    return _Verdict("drifted", True if sure else None, detail if sure else f"{detail}; whether it loads is not known")


def _objection_to_python(directory: TokenizerFiles, python: str) -> _Verdict | None:
    """Why exo cannot get a tokenizer out of the Python with the slow one, as far as reading it shows."""
    found = outline((directory.text(python) or "").encode("utf-8"), _CLASS)
    if found.unread:
        return _Verdict("drifted", None, f"{python} was not examined ({found.unread}); whether it loads is not known")
    if found.error:
        if found.error.startswith("SyntaxError") and sys.version_info < _EXO_PYTHON:  # exo's own may know newer syntax
            here = ".".join(map(str, sys.version_info[:2]))
            detail = f"{python} is no Python that Python {here}, which reads it here, knows; exo, if its own does not"
            return _Verdict("broken", None, f"{detail}: {found.error}", found.error)
        return _broken(f"{python} is no Python", found.error)
    if "tool_declaration_ts" in found.imported and DECLARATION not in directory.names:
        return _broken(f"{DECLARATION} is missing", "ModuleNotFoundError: No module named 'tool_declaration_ts'")
    if found.bound is False:
        shown = f"AttributeError: module '{python[:-3]}' has no attribute '{_CLASS}'"
        return _broken(f"{python} is not the slow tokenizer", shown)
    if "Fast" in found.made_of:
        shown = "AttributeError: 'NoneType' object has no attribute 'encode'"
        return _broken(f"{python} gives a fast tokenizer out as the slow one", shown)
    return None
