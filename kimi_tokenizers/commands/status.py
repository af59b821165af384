"""`status`: the tokenizer of every Kimi model on this machine; with `--compare`, how saved reports of nodes differ."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kimi_tokenizers.commands.output import emit, emit_json, emit_problems, emit_report
from kimi_tokenizers.commands.tables import counted, emit_detail, emit_rest, table, width
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.model_dirs import Found, find_models
from kimi_tokenizers.sync import (
    Difference,
    compare_reports,
    not_comparable,
    not_loading,
    read_report,
    same_machine,
    status_report,
)

_HEADING = ("MODEL", "STATE", "TOKENS", "PROMPTS")
_WHAT = {"tokens": "token ids", "prompts": "prompt text", "state": "whether it would load"}
_SHORT = 12  # characters of a hash, where it is not shown in full


def run(arguments: argparse.Namespace) -> int:
    """Print the status of models, or how saved reports differ."""
    if arguments.compare:
        if not arguments.paths:
            arguments.wrong_usage("--compare needs the reports to compare")
        return _compare(arguments)
    found = find_models(arguments.paths, hf_cache=arguments.hf_cache, model_ids=arguments.model)
    with Waiting("examining", len(found.models)) as waiting:
        report = status_report(found, progress=waiting.next)
    if arguments.json:
        emit_json(report)
    else:
        _say(found, report, verbose=arguments.verbose, program=arguments.program)
    return 0 if report["ok"] else 1


def _say(found: Found, report: Mapping[str, Any], *, verbose: bool, program: str) -> None:
    models = report["models"]
    room = width() - len(_HEADING[1]) - 11 - 2 * (_SHORT + 2)  # "incomplete" is the longest state
    rows = [_row(model, 0 if verbose else max(room, 20)) for model in models]
    heading, *lines = table(rows, _HEADING, verdicts=[1]) if rows else [""]
    if rows:
        emit(heading)
    for line, model in zip(lines, models):  # noqa: B905 (Python 3.9 has no `strict`)
        emit(line)
        emit_detail(model["path"])
        emit_detail(model["detail"])
        if verbose:
            _say_more(model)
    emit_rest(found)
    commands = [model["next"] for model in models if model["next"]]
    if commands:
        emit("")
        emit("Next:")
    for command in dict.fromkeys(commands):
        emit(f"  {command.replace('kimi-tokenizers', program, 1)}")


def _row(model: Mapping[str, Any], room: int) -> tuple[str, ...]:
    prints = model["fingerprints"] or {"tokens": "-", "prompts": "-"}
    name = model["model"]
    if room and len(name) > room:  # in full in the path below
        name = f"{name[: room // 2 - 1]}…{name[-(room - room // 2) :]}"
    return name, model["state"], prints["tokens"][:_SHORT], prints["prompts"][:_SHORT]


def _say_more(model: Mapping[str, Any]) -> None:
    rows = [(f"  {what}", value) for what, value in (model["fingerprints"] or {}).items()]
    rows += [(f"  {name}", origin) for name, origin in model["files"].items()]
    for line in table(rows, verdicts=[1]):
        emit(line)


# -- comparing ---------------------------------------------------------------------------------------


def _compare(arguments: argparse.Namespace) -> int:
    reports: dict[str, dict[str, Any]] = {}
    files = {os.path.realpath(file): file for file in arguments.paths}  # one given twice is one
    for file in files.values():
        node = Path(file).stem
        reports[node if node not in reports else file] = read_report(file)
    differences, failing, problems = compare_reports(reports), not_loading(reports), not_comparable(reports)
    ok = not (differences or failing or problems)
    notes = same_machine(reports)
    if arguments.json:
        listed = [asdict(difference) for difference in differences]
        emit_report(ok, problems, nodes=list(reports), differences=listed, not_loading=list(failing), notes=notes)
    else:
        _say_compared(reports, differences, failing)
        for note in notes:
            emit(f"note: {note}", sys.stderr)
        emit_problems(problems)
        if ok:
            models = len({model["model"] for report in reports.values() for model in report["models"]})
            emit(f"All equal: {counted(len(reports), 'node')}, {counted(models, 'model')}.")
        elif differences or failing:
            emit("")
            emit("Next, on each of these nodes:")
            emit(f"  {arguments.program} sync")
    return 0 if ok else 1


def _say_compared(
    reports: Mapping[str, Mapping[str, Any]], differences: Sequence[Difference], failing: Sequence[str]
) -> None:
    for difference in differences:
        emit(f"{difference.model}: the nodes differ in {_WHAT[difference.what]}")
        for value, nodes in sorted(difference.values.items()):
            emit(f"  {value[:16]}: {', '.join(nodes)}")
    for node in failing:
        emit(f"{node}: not every model would load")
