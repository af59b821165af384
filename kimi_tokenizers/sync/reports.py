"""The status of many model directories as one report, reports that were saved, and how nodes of a cluster differ.

It only reads. A saved report comes from another machine, and must never be believed before its form has been checked.

The JSON that `kimi-tokenizers status --json` prints, and `--compare` reads, is of this form. Keys may be added; those
that are there keep their meaning as long as `schema` is 1.

    {
      "schema": 1,
      "ok": true,                      whether there is a model, every one would load, and every place could be searched
      "version": "…",                  of kimi-tokenizers
      "node": "…",                     the machine's name
      "problems": ["…"],               what could not be searched or was not found
      "places": [{                     where it looked
        "path": "…",
        "source": "…",                 the environment variable that names it, or what else makes it one
        "models": 1,                   how many models it holds, of any id; null where it could not be searched
        "problem": "…"                 why it could not be; null if it could
      }],
      "models": [{
        "model": "moonshotai/Kimi-K2.6",
        "line": "kimi-k2.6",           the overlay that serves it
        "path": "…",                   bytes that are not UTF-8 as lone surrogates, as Python's os.fsdecode has them
        "state": "broken",             healthy, overlaid, broken, drifted, refused, incomplete
        "tokenizer": "broken",         the same, except for incomplete
        "would_load": false,           null: not known, and no success. The Python there is neither upstream's known one
                                       nor ours, exo would import something else from there, or bytecode of another
                                       version of Python, `resolve` refuses what is read beside it, or something is
                                       beyond a limit; `detail` says which
        "complete": true,              whether exo takes the directory for fully downloaded
        "synced": false,               whether there is a record, so that `restore` gives something back
        "detail": "…",                 one line for people
        "error": "…",                  what exo would show; null if it would show none, or that is not known
        "files": {"tiktoken.model": "missing"},   per tokenizer file: ours, older (ours, of another version),
                                       upstream, unknown, missing; besides, whatever exo would import from there and
                                       should not, which is unknown ("tiktoken.py", "json/")
        "fingerprints": {"tokens": "…", "prompts": "…"},  null unless would_load; nodes with equal ones tokenize
                                       alike and write the same prompts
        "next": "…"                    the command to type where something is wrong; null where nothing is
      }]
    }
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from kimi_tokenizers.errors import ModelDirError, ReportError
from kimi_tokenizers.model_dirs import Found, parse_json, read_small
from kimi_tokenizers.sync.advice import advice
from kimi_tokenizers.sync.status import examine
from kimi_tokenizers.version import __version__

REPORT_SCHEMA = 1
_LONGEST = 4096  # characters of a text in a report


def status_report(found: Found, progress: Callable[[str], None] = lambda model_id: None) -> dict[str, Any]:
    """The status of everything that was found, in the form described at the top of this module.

    Args:
        progress: called with the id of each model before it is examined.
    """
    models = []
    for model in found.models:
        progress(model.model_id)
        status = examine(model)
        advised = advice(model, status)
        models.append({**asdict(status), "next": advised.line() if advised else None})
    return {
        "schema": REPORT_SCHEMA,
        "ok": bool(models) and not found.problems and all(model["would_load"] for model in models),
        "version": __version__,
        "node": platform.node(),
        "problems": list(found.problems),
        "places": [place.as_json() for place in found.places],
        "models": models,
    }


def read_report(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A saved report. Raises ReportError."""
    try:
        value: dict[str, Any] = parse_json(_content(path))
    except ValueError as error:
        raise ReportError(f"{str(path)!r} is not JSON: {error}. Save one with `status --json`.") from error
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema != REPORT_SCHEMA:
        raise ReportError(
            f"{str(path)!r} is no report of `status --json` that can be compared: its schema is {schema!r}, known is "
            f"{REPORT_SCHEMA}. Save it anew, with the same version of kimi-tokenizers."
        )
    try:
        _check(value)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ReportError(
            f"{str(path)!r} is a damaged report: {type(error).__name__} {error}. Save it anew."
        ) from error
    return value


def _content(path: str | os.PathLike[str]) -> bytes:
    try:
        data = read_small(Path(path))
    except ModelDirError as error:
        reason = getattr(error.__cause__, "strerror", None) or "it is no regular file, or has more than 16 MB"
        raise ReportError(
            f"The report {str(path)!r} cannot be read: {reason}. Save one with `status --json`."
        ) from error
    if data is None:
        raise ReportError(f"The report {str(path)!r} cannot be read: No such file or directory.")
    return data


def _check(report: Mapping[str, Any]) -> None:
    """That a report has the form it should. Raises ValueError, KeyError, TypeError, AttributeError."""
    if not isinstance(report["models"], list) or not isinstance(report.get("problems", []), list):
        raise ValueError("its models and problems are no lists")
    if not all(
        isinstance(text, str) and len(text) <= _LONGEST
        for text in (*report.get("problems", ()), report.get("node", ""))
    ):
        raise ValueError(f"its node or a problem is no text of at most {_LONGEST} characters")
    for model in report["models"]:
        prints = model["fingerprints"] or {}
        texts = [model["model"], model["state"], *(prints[what] for what in ("tokens", "prompts") if prints)]
        if not all(isinstance(text, str) and 0 < len(text) <= _LONGEST for text in texts):
            raise ValueError("a model has no name, state or fingerprint where there should be one")
        if model["would_load"] not in (True, False, None):
            raise ValueError(f"would_load is {model['would_load']!r}")
        if model["would_load"] and not prints:
            raise ValueError(f"{model['model']!r} would load and has no fingerprints")


@dataclass(frozen=True)
class Difference:
    """Of one model, what its nodes do not agree on. `values`: what a node has -> the nodes that have it."""

    model: str
    what: Literal["tokens", "prompts", "state"]
    values: Mapping[str, tuple[str, ...]]


def compare_reports(reports: Mapping[str, Mapping[str, Any]]) -> list[Difference]:
    """Compare reports of several nodes: name of a node -> its report.

    Nodes whose fingerprints are equal tokenize alike, whether a model there is healthy or overlaid; so a state differs
    only where one would not load, or is not there.
    """
    nodes: dict[str, dict[str, list[dict[str, str]]]] = {}
    for node, value in reports.items():
        for model in value["models"]:
            nodes.setdefault(model["model"], {name: [] for name in reports})[node].append(_summary(model))
    differences = []
    for name, by_node in sorted(nodes.items()):
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


def not_comparable(reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Why "all equal" could not be said of reports even if they were: too few, or nothing in one. A line each."""
    problems = []
    if len(reports) < 2:
        problems.append(f"Comparing needs the reports of at least two nodes, and there is {len(reports)}.")
    for node, value in reports.items():
        if not value["models"]:
            problems.append(f"The report of {node} has no models, so nothing was compared with it.")
        problems += [f"{node}: {problem}" for problem in value.get("problems", ())]
    return problems


def same_machine(reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Which reports come from one machine, by the name it gives itself: perhaps one was saved twice. A line each."""
    by_name: dict[str, list[str]] = {}
    for node, value in reports.items():
        if value.get("node"):
            by_name.setdefault(str(value["node"]), []).append(node)
    return [
        f"{' and '.join(nodes)} both come from a machine called {name!r}."
        for name, nodes in by_name.items()
        if len(nodes) > 1
    ]
