"""What is the matter with a model directory: whether exo would load its tokenizer, and if not, what it would show.

It only reads, executes nothing it finds, and never opens a weight file.

The JSON that `kimi-tokenizers status --json` prints, and `--compare` reads, is of this form. Keys may be added; those
that are there keep their meaning as long as `schema` is 1.

    {
      "schema": 1,
      "version": "…",                  of kimi-tokenizers
      "node": "…",                     the machine's name
      "ok": true,                      whether every model would load and every models dir could be searched
      "problems": ["…"],               what could not be searched or was not found
      "models": [{
        "model": "moonshotai/Kimi-K2.6",
        "line": "kimi-k2.6",           the overlay that serves it
        "path": "…",                   bytes that are not UTF-8 as lone surrogates, as Python's os.fsdecode has them
        "state": "broken",             healthy, overlaid, broken, drifted, refused, incomplete
        "tokenizer": "broken",         the same, but for incomplete
        "would_load": false,           null: the Python there is neither upstream's known one nor ours
        "complete": true,              whether exo takes the directory for fully downloaded
        "synced": false,               whether there is a record, so that `restore` gives something back
        "detail": "…",                 one line for people
        "error": "…",                  what exo would show; null if it would show none, or that is not known
        "files": {"tiktoken.model": "missing"},   per tokenizer file: ours, older (ours, of another version),
                                       upstream, unknown, missing
        "fingerprints": {"tokens": "…", "prompts": "…"}   null unless would_load; nodes with equal ones tokenize
                                       alike and write the same prompts
      }]
    }
"""

from __future__ import annotations

import ast
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from kimi_tokenizers.disk import State as FileState

from kimi_tokenizers import disk, journal, sync
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import JournalError, KimiTokenizersError, ReportError, VocabularyMismatchError
from kimi_tokenizers.model_dirs import (
    CHAT_TEMPLATE,
    TOKENIZER_CONFIG,
    Found,
    Model,
    check_vocabulary,
    control_token_table,
    is_complete,
    prompt_fingerprint,
    read_object,
    read_text,
    token_fingerprint,
)
from kimi_tokenizers.version import __version__

SCHEMA = 1

State = Literal["healthy", "overlaid", "broken", "drifted", "refused", "incomplete"]
Origin = Literal["ours", "older", "upstream", "unknown", "missing"]

VOCAB, PYTHON, DECLARATION, LINE = "tiktoken.model", "tokenization_kimi.py", "tool_declaration_ts.py", "kimi_line.json"
_CLASS = "TikTokenTokenizer"

# Lines whose control tokens are what `tokenization_kimi.py` takes where nothing else says which.
_DEFAULT_LINES = ("kimi-k2.5", "kimi-k2.6")


@dataclass
class ModelStatus:
    """What is the matter with one model directory. The attributes are explained at the top of this module."""

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
        sync.check_directory(path)
        files = origins(overlay, path)
        check_vocabulary(overlay, path)
        verdict = _verdict(model, files)
    except VocabularyMismatchError as error:
        verdict = _Verdict("refused", False, str(error))
    except KimiTokenizersError as error:
        verdict = _Verdict("broken", False, str(error))
    except OSError as error:
        verdict = _Verdict("broken", False, str(disk.explained(error, path)))
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
    """Whether exo would load upstream's own files, so that the overlay is not needed. Raises as `sync.plan`."""
    path = sync.check_directory(model.path)
    return _verdict(model, origins(model.overlay, path)).state == "healthy"


def _has_record(path: Path) -> bool:
    try:
        return bool(journal.read(path).entries)
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
    """Where each tokenizer file is from, by its content. Raises SyncError for what is no file."""
    try:
        record = journal.read(model_dir)
    except JournalError:  # `sync` and `restore` say so
        record = journal.Journal(model_dir)
    names = [name for name in journal.NAMES if name in overlay.files or os.path.lexists(model_dir / name)]
    return {name: _origin(overlay, record, name) for name in names}


def _origin(overlay: Overlay, record: journal.Journal, name: str) -> Origin:
    path = record.model_dir / name
    found = disk.examine(path)
    digest = disk.content_sha256(path) if found.kind == "link" else found.sha256
    if not digest:
        return "missing"
    if name in overlay.files and digest == overlay.files[name].sha256:
        return "ours"
    if digest == overlay.upstream.sha256.get(name):
        return "upstream"
    older = record.is_ours(name, FileState("file", digest)) or digest in journal.packaged_sums(name)
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
        return _broken(f"{PYTHON} is no Python", f"{type(error).__name__}: {error}")
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


# -- reports -------------------------------------------------------------------------------------------


def report(found: Found) -> dict[str, Any]:
    """The status of everything that was found, in the form given at the top of this module."""
    models = [examine(model) for model in found.models]
    return {
        "schema": SCHEMA,
        "version": __version__,
        "node": platform.node(),
        "ok": not found.problems and all(model.would_load for model in models),
        "problems": list(found.problems),
        "models": [asdict(model) for model in models],
    }


def read_report(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A saved report. Raises ReportError."""
    try:
        value: dict[str, Any] = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise ReportError(f"The report {str(path)!r} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{str(path)!r} is not JSON: {error}. Save one with `status --json`.") from error
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema != SCHEMA:
        raise ReportError(
            f"{str(path)!r} is no report of `status --json` that can be compared: its schema is {schema!r}, known is "
            f"{SCHEMA}. Save it anew, with the same version of kimi-tokenizers."
        )
    try:
        for model in value["models"]:
            _summary(model), str(model["model"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportError(
            f"{str(path)!r} is a damaged report: {type(error).__name__} {error}. Save it anew."
        ) from error
    return value


@dataclass(frozen=True)
class Difference:
    """Of one model, what its nodes do not agree on. `values`: what a node has -> the nodes that have it."""

    model: str
    what: Literal["tokens", "prompts", "state"]
    values: Mapping[str, tuple[str, ...]]


def compare(reports: Mapping[str, Mapping[str, Any]]) -> list[Difference]:
    """Compare reports of several nodes: name of a node -> its report.

    Nodes whose fingerprints are equal tokenize alike, whether a model there is healthy or overlaid; so a state differs
    only where one would not load, or is not there.
    """
    names = sorted({model["model"] for value in reports.values() for model in value["models"]})
    differences = []
    for name in names:
        by_node = {
            node: [_summary(model) for model in value["models"] if model["model"] == name]
            for node, value in reports.items()
        }
        for what in ("tokens", "prompts", "state"):
            values: dict[str, tuple[str, ...]] = {}
            for node, summaries in by_node.items():
                has = sorted({summary[what] for summary in summaries}) or ["not there"]
                if what == "state" or summaries:
                    for one in has:
                        values[one] = (*values.get(one, ()), node)
            if what != "state":
                values.pop("", None)  # one that does not load has none, and differs in its state
            if len(values) > 1:
                differences.append(Difference(name, what, values))
    return differences


def _summary(model: Mapping[str, Any]) -> dict[str, str]:
    prints = model["fingerprints"] or {"tokens": "", "prompts": ""}
    return {
        "tokens": str(prints["tokens"]),
        "prompts": str(prints["prompts"]),
        "state": "loads" if model["would_load"] else str(model["state"]),
    }


def not_loading(reports: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    """The nodes on which a model would not load."""
    return [node for node, value in reports.items() if not all(model["would_load"] for model in value["models"])]
