"""What is wrong with a model directory: whether exo would load its tokenizer, and if not, what it would show.

It only reads. It must never execute anything that it finds, or open a weight file.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kimi_tokenizers.catalogue import Overlay, overlays
from kimi_tokenizers.errors import JournalError, KimiTokenizersError, VocabularyMismatchError
from kimi_tokenizers.model_dirs import (
    CHAT_TEMPLATE,
    TOKENIZER_CONFIG,
    Model,
    TokenizerFiles,
    check_vocabulary,
    is_complete,
    prompt_fingerprint,
    token_fingerprint,
)
from kimi_tokenizers.sync import state
from kimi_tokenizers.sync.journal import Journal, packaged_sums, read
from kimi_tokenizers.sync.names import every_name
from kimi_tokenizers.sync.rights import explained

State = Literal["healthy", "overlaid", "broken", "drifted", "refused", "incomplete"]
Origin = Literal["ours", "older", "upstream", "unknown", "missing"]

VOCAB, DECLARATION, LINE = "tiktoken.model", "tool_declaration_ts.py", "kimi_line.json"
_CLASS = "TikTokenTokenizer"

_EXO_PYTHON = (3, 13)  # of exo 0.3.70


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


def examine(model: Model) -> ModelStatus:
    """Examine a model directory. What is wrong with it is in the result; nothing is raised for it."""
    path, overlay = model.path, model.overlay
    files: dict[str, Origin] = {}
    fingerprints = None
    try:
        state.check_directory(path)
        with TokenizerFiles(path) as directory:
            files = origins(overlay, path)
            check_vocabulary(overlay, directory)
            verdict = _verdict(model, directory, files)
            if verdict.would_load:
                tokens, prompts = token_fingerprint(overlay, directory), prompt_fingerprint(overlay, directory)
                fingerprints = {"tokens": tokens, "prompts": prompts}
    except VocabularyMismatchError as error:
        verdict = _Verdict("refused", False, str(error))
    except KimiTokenizersError as error:
        verdict = _Verdict("broken", False, str(error))
    except OSError as error:
        verdict = _Verdict("broken", False, str(explained(error, path)))
    complete = is_complete(path)
    result = ModelStatus(
        model.model_id,
        overlay.line,
        str(path),
        state=verdict.state,
        tokenizer=verdict.state,
        would_load=verdict.would_load,
        complete=complete,
        synced=_has_record(path),
        detail=verdict.detail,
        error=verdict.error,
        files=files,
        fingerprints=fingerprints,
    )
    if not complete and verdict.state != "refused" and os.path.isdir(path):
        _is_incomplete(result, overlay.upstream.python)
    return result


def is_healthy(model: Model) -> bool:
    """Whether exo would load upstream's own files, so that the overlay is not needed. Raises as `planning.plan`."""
    path = state.check_directory(model.path)
    with TokenizerFiles(path) as directory:
        return _verdict(model, directory, origins(model.overlay, path)).state == "healthy"


def _has_record(path: Path) -> bool:
    try:
        return bool(read(path).entries)
    except (KimiTokenizersError, OSError):
        return False


def _is_incomplete(result: ModelStatus, python: str) -> None:
    """exo downloads before it loads; where upstream has deleted the Python, that is where it ends."""
    detail = f"not all weights are there; the tokenizer: {result.detail}"
    if result.files.get(python) == "missing":
        result.error = f"File not found: …/resolve/main/{python} (404), if upstream does not have it either"
        detail = f"not all weights are there, and {_missing(result.files, python)} missing; exo: {result.error}"
    result.state, result.detail, result.would_load = "incomplete", detail, False


# -- where each file is from -------------------------------------------------------------------------


def origins(overlay: Overlay, model_dir: Path) -> dict[str, Origin]:
    """Where each tokenizer file is from, by its content. Raises SyncError where something is not a file."""
    try:
        record = read(model_dir)
    except JournalError:  # `sync` and `restore` say so
        record = Journal(model_dir)
    names = [name for name in every_name() if name in overlay.files or os.path.lexists(model_dir / name)]
    names += [name for name in _not_replaced(overlay) if os.path.lexists(model_dir / name)]
    return {name: _origin(overlay, record, name) for name in names}


def _not_replaced(overlay: Overlay) -> list[str]:
    """Upstream's Python that the overlay has nothing in the place of: its own files do without."""
    return [name for name in overlay.upstream.sha256 if name.endswith(".py") and name not in every_name()]


def _origin(overlay: Overlay, record: Journal, name: str) -> Origin:
    path = record.model_dir / name
    found = state.examine(path)
    digest = state.content_sha256(path) if found.kind == "link" else found.sha256
    if not digest:
        return "missing"
    if name in overlay.files and digest == overlay.files[name].sha256:
        return "ours"
    if digest == overlay.upstream.sha256.get(name):
        return "upstream"
    older = record.is_ours(name, state.State("file", digest)) or digest in packaged_sums(name)
    return "older" if older else "unknown"


def _missing(files: Mapping[str, Origin], python: str) -> str:
    needed = [name for name in (python, VOCAB) if files[name] == "missing"]
    return f"{' and '.join(needed)} {'are' if len(needed) > 1 else 'is'}"


# -- what exo would make of it -------------------------------------------------------------------------


def _verdict(model: Model, directory: TokenizerFiles, files: Mapping[str, Origin]) -> _Verdict:
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
    if files[python] in ("ours", "older"):
        return _verdict_on_ours(model, directory, files)
    return _verdict_on_theirs(model, directory, files)


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
    unneeded = [name for name in _not_replaced(model.overlay) if name in files]
    beside = [f"{name}, {_origin_in_words(model, name, files)}" for name in unneeded]
    unused = f"; not executed: {'; '.join(beside)}" if beside else ""
    if files[LINE] not in ("ours", "older") and not _line_is_known(model, directory):
        return _Verdict(
            "broken", False, f"{LINE} is {files[LINE]}, so control tokens could be those of another line", None
        )
    if "older" in files.values():
        return _Verdict("overlaid", True, f"by another version of kimi-tokenizers; `sync` brings it up to date{unused}")
    return _Verdict("overlaid", True, f"the overlay's files are in place{unused}")


def _origin_in_words(model: Model, name: str, files: Mapping[str, Origin]) -> str:
    """Where a file of upstream's is from: a revision can be known by its hash alone."""
    digest = state.content_sha256(model.path / name) if files.get(name) == "unknown" else None
    if digest and digest == model.overlay.upstream.untried_sha256.get(name):
        return "of a later revision that is known by its hash alone"
    return "of an unknown revision" if files.get(name) == "unknown" else files.get(name, "missing")


def _line_is_known(model: Model, directory: TokenizerFiles) -> bool:
    """Whether control tokens are right without a `kimi_line.json`."""
    # What the tokenizer falls back to, and knows to be certain, where nothing names the line.
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
    names = list(modules)
    if model.model_id.lower() == model.overlay.upstream.repo.lower():  # a conversion has its own
        names += [TOKENIZER_CONFIG, CHAT_TEMPLATE]
    drifted = [name for name in names if name in known and files.get(name) not in ("ours", "upstream")]
    if not drifted:
        what = "upstream's files" if python in known else "the slow tokenizer is there"
        return _Verdict("healthy", True, f"{what}, untouched" if python in known else what)
    listed = ", ".join(f"{name} ({_origin_in_words(model, name, files)})" for name in drifted)
    sure = not set(modules) & set(drifted)
    detail = f"neither upstream's known files nor ours: {listed}"
    return _Verdict("drifted", True if sure else None, detail if sure else f"{detail}; whether it loads is not known")


def _objection_to_python(directory: TokenizerFiles, python: str) -> _Verdict | None:
    """Why exo cannot get a tokenizer out of the Python with the slow one, as far as reading it shows."""
    source = directory.text(python)
    try:
        tree = ast.parse(source or "")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, SyntaxError) and sys.version_info < _EXO_PYTHON:  # it may be newer syntax, which exo knows
            here = ".".join(map(str, sys.version_info[:2]))
            detail = f"{python} is no Python that Python {here}, which reads it here, knows; exo, if its own does not"
            return _Verdict("broken", None, f"{detail}: {said}", said)
        return _broken(f"{python} is no Python", said)
    imported = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    if "tool_declaration_ts" in imported and DECLARATION not in directory.names:
        return _broken(f"{DECLARATION} is missing", "ModuleNotFoundError: No module named 'tool_declaration_ts'")
    binding = next((node for node in reversed(tree.body) if _CLASS in _bound(node)), None)
    if binding is None:
        shown = f"AttributeError: module '{python[:-3]}' has no attribute '{_CLASS}'"
        return _broken(f"{python} is not the slow tokenizer", shown)
    if "Fast" in "".join(_made_of(binding)):
        shown = "AttributeError: 'NoneType' object has no attribute 'encode'"
        return _broken(f"{python} gives a fast tokenizer out as the slow one", shown)
    return None


def _bound(node: ast.stmt) -> list[str]:
    """The names that a statement binds in its module."""
    if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).split(".")[0] for alias in node.names]
    return [name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)]


def _made_of(node: ast.stmt) -> list[str]:
    """The names that a class is derived from, or that another binding takes its value from."""
    if isinstance(node, ast.ClassDef):
        return [ast.unparse(base) for base in node.bases]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.name for alias in node.names]
    return [ast.unparse(node)]
