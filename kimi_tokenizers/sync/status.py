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

from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import JournalError, KimiTokenizersError, VocabularyMismatchError
from kimi_tokenizers.model_dirs import (
    CHAT_TEMPLATE,
    TOKENIZER_CONFIG,
    Model,
    check_vocabulary,
    control_token_table,
    is_complete,
    prompt_fingerprint,
    read_object,
    read_text,
    token_fingerprint,
)
from kimi_tokenizers.sync import state
from kimi_tokenizers.sync.journal import Journal, packaged_sums, read
from kimi_tokenizers.sync.names import NAMES
from kimi_tokenizers.sync.rights import explained

State = Literal["healthy", "overlaid", "broken", "drifted", "refused", "incomplete"]
Origin = Literal["ours", "older", "upstream", "unknown", "missing"]

VOCAB, PYTHON, DECLARATION, LINE = "tiktoken.model", "tokenization_kimi.py", "tool_declaration_ts.py", "kimi_line.json"
_CLASS = "TikTokenTokenizer"

_EXO_PYTHON = (3, 13)  # of exo 0.3.70

# Lines whose control tokens `tokenization_kimi.py` falls back to where nothing else names the line.
_DEFAULT_LINES = ("kimi-k2.5", "kimi-k2.6")


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
    try:
        state.check_directory(path)
        files = origins(overlay, path)
        check_vocabulary(overlay, path)
        verdict = _verdict(model, files)
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
    )
    if not complete and verdict.state != "refused" and os.path.isdir(path):
        _is_incomplete(result)
    if result.tokenizer in ("healthy", "overlaid", "drifted") and verdict.would_load:
        result.fingerprints = {
            "tokens": token_fingerprint(overlay, path),
            "prompts": prompt_fingerprint(overlay, path),
        }
    return result


def is_healthy(model: Model) -> bool:
    """Whether exo would load upstream's own files, so that the overlay is not needed. Raises as `planning.plan`."""
    path = state.check_directory(model.path)
    return _verdict(model, origins(model.overlay, path)).state == "healthy"


def _has_record(path: Path) -> bool:
    try:
        return bool(read(path).entries)
    except (KimiTokenizersError, OSError):
        return False


def _is_incomplete(result: ModelStatus) -> None:
    """exo downloads before it loads; where upstream has deleted the Python, that is where it ends."""
    detail = f"not all weights are there; the tokenizer: {result.detail}"
    if result.files.get(PYTHON) == "missing":
        result.error = f"File not found: …/resolve/main/{PYTHON} (404), if upstream does not have it either"
        detail = f"not all weights are there, and {_missing(result.files)} missing; exo: {result.error}"
    result.state, result.detail, result.would_load = "incomplete", detail, False


# -- where each file is from -------------------------------------------------------------------------


def origins(overlay: Overlay, model_dir: Path) -> dict[str, Origin]:
    """Where each tokenizer file is from, by its content. Raises SyncError where something is not a file."""
    try:
        record = read(model_dir)
    except JournalError:  # `sync` and `restore` say so
        record = Journal(model_dir)
    names = [name for name in NAMES if name in overlay.files or os.path.lexists(model_dir / name)]
    return {name: _origin(overlay, record, name) for name in names}


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


def _missing(files: Mapping[str, Origin]) -> str:
    needed = [name for name in (PYTHON, VOCAB) if files[name] == "missing"]
    return f"{' and '.join(needed)} {'are' if len(needed) > 1 else 'is'}"


# -- what exo would make of it -------------------------------------------------------------------------


def _verdict(model: Model, files: Mapping[str, Origin]) -> _Verdict:
    path = model.path
    read_object(path / TOKENIZER_CONFIG)
    if files[PYTHON] == "missing":
        error = f"FileNotFoundError: [Errno 2] No such file or directory: '{path / PYTHON}'"
        return _Verdict("broken", False, f"{_missing(files)} missing; exo: FileNotFoundError: …/{PYTHON}", error)
    if files[VOCAB] == "missing":
        return _broken(f"{VOCAB} is missing", f"an error about {VOCAB} from {PYTHON}")
    if files[VOCAB] == "unknown":  # a rank table of another vocabulary would have been refused
        return _broken(f"{VOCAB} is cut off", f"an error about {VOCAB} from {PYTHON}")
    if files[PYTHON] in ("ours", "older"):
        return _verdict_on_ours(model, files)
    return _verdict_on_theirs(model, files)


def _broken(detail: str, error: str) -> _Verdict:
    return _Verdict("broken", False, f"{detail}; exo: {error}", error)


def _verdict_on_ours(model: Model, files: Mapping[str, Origin]) -> _Verdict:
    if files[DECLARATION] == "missing":
        return _broken(f"{DECLARATION} is missing", "ModuleNotFoundError: No module named 'tool_declaration_ts'")
    if files[DECLARATION] not in ("ours", "older"):
        error = "ImportError: cannot import name 'UnsupportedSchemaError' from 'tool_declaration_ts'"
        return _broken(f"{DECLARATION} is not the one that {PYTHON} needs", error)
    if files[LINE] not in ("ours", "older") and not _line_is_known(model):
        return _Verdict(
            "broken", False, f"{LINE} is {files[LINE]}, so control tokens could be those of another line", None
        )
    if "older" in files.values():
        return _Verdict("overlaid", True, "by another version of kimi-tokenizers; `sync` brings it up to date")
    return _Verdict("overlaid", True, "the overlay's files are in place")


def _line_is_known(model: Model) -> bool:
    """Whether control tokens are right without a `kimi_line.json`."""
    path = model.path / TOKENIZER_CONFIG
    table = control_token_table(read_object(path), path)
    return bool(table) or model.overlay.line in _DEFAULT_LINES


def _verdict_on_theirs(model: Model, files: Mapping[str, Origin]) -> _Verdict:
    """On downloaded Python, which is read and not executed."""
    objection = _objection_to_python(model.path)
    if objection is not None:
        return objection
    known = model.overlay.upstream.sha256
    names = [PYTHON, DECLARATION]
    if model.model_id.lower() == model.overlay.upstream.repo.lower():  # a conversion has its own
        names += [TOKENIZER_CONFIG, CHAT_TEMPLATE]
    drifted = [name for name in names if name in known and files.get(name) not in ("ours", "upstream")]
    if not drifted:
        what = "upstream's files" if PYTHON in known else "the slow tokenizer is there"
        return _Verdict("healthy", True, f"{what}, untouched" if PYTHON in known else what)
    listed = ", ".join(f"{name} ({files.get(name, 'missing')})" for name in drifted)
    sure = not {PYTHON, DECLARATION} & set(drifted)
    detail = f"neither upstream's known files nor ours: {listed}"
    return _Verdict("drifted", True if sure else None, detail if sure else f"{detail}; whether it loads is not known")


def _objection_to_python(model_dir: Path) -> _Verdict | None:
    """Why exo cannot get a tokenizer out of a `tokenization_kimi.py`, as far as reading it shows."""
    source = read_text(model_dir / PYTHON)
    try:
        tree = ast.parse(source or "")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, SyntaxError) and sys.version_info < _EXO_PYTHON:  # it may be newer syntax, which exo knows
            here = ".".join(map(str, sys.version_info[:2]))
            detail = f"{PYTHON} is no Python that Python {here}, which reads it here, knows; exo, if its own does not"
            return _Verdict("broken", None, f"{detail}: {said}", said)
        return _broken(f"{PYTHON} is no Python", said)
    imported = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    if "tool_declaration_ts" in imported and not (model_dir / DECLARATION).exists():
        return _broken(f"{DECLARATION} is missing", "ModuleNotFoundError: No module named 'tool_declaration_ts'")
    binding = next((node for node in reversed(tree.body) if _CLASS in _bound(node)), None)
    if binding is None:
        shown = f"AttributeError: module 'tokenization_kimi' has no attribute '{_CLASS}'"
        return _broken(f"{PYTHON} is not the slow tokenizer", shown)
    if "Fast" in "".join(_made_of(binding)):
        shown = "AttributeError: 'NoneType' object has no attribute 'encode'"
        return _broken(f"{PYTHON} gives a fast tokenizer out as the slow one", shown)
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
