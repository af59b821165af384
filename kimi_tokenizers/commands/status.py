"""`status`: the tokenizer of every Kimi model on this machine; with `--compare`, how saved reports of nodes differ."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kimi_tokenizers.commands.tables import emit, emit_json, emit_rest, shown, table
from kimi_tokenizers.model_dirs import find_models
from kimi_tokenizers.sync import REPORT_SCHEMA, Difference, compare_reports, not_loading, read_report, status_report

_HEADING = ("MODEL", "STATE", "TOKENS", "PROMPTS", "DETAIL")
_WHAT = {"tokens": "token ids", "prompts": "prompt text", "state": "whether it would load"}


def run(arguments: argparse.Namespace) -> int:
    """Print the status of models, or how saved reports differ."""
    if arguments.compare:
        if not arguments.paths:
            arguments.wrong_usage("--compare needs the reports to compare")
        return _compare(arguments.paths, as_json=arguments.json)
    found = find_models(arguments.paths, hf_cache=arguments.hf_cache, model_ids=arguments.model)
    report = status_report(found)
    if arguments.json:
        emit_json(report)
    else:
        rows = [_row(model) for model in report["models"]]
        for line in table(rows, _HEADING, verdicts=[1]) if rows else ():
            emit(line)
        emit_rest(found)
    return 0 if report["ok"] else 1


def _row(model: Mapping[str, Any]) -> tuple[str, ...]:
    prints = model["fingerprints"] or {"tokens": "-", "prompts": "-"}
    detail = f"{model['detail']} [{model['path']}]"
    return model["model"], model["state"], prints["tokens"][:12], prints["prompts"][:12], detail


def _compare(files: Sequence[str], *, as_json: bool) -> int:
    reports: dict[str, dict[str, Any]] = {}
    for file in files:
        node = Path(file).stem
        reports[node if node not in reports else file] = read_report(file)
    differences, failing = compare_reports(reports), not_loading(reports)
    ok = not differences and not failing
    if as_json:
        emit_json(
            {
                "schema": REPORT_SCHEMA,
                "nodes": list(reports),
                "differences": [asdict(difference) for difference in differences],
                "not_loading": list(failing),
                "ok": ok,
            }
        )
    else:
        _say_compared(reports, differences, failing)
    return 0 if ok else 1


def _say_compared(
    reports: Mapping[str, Mapping[str, Any]], differences: Sequence[Difference], failing: Sequence[str]
) -> None:
    for difference in differences:
        emit(f"{shown(difference.model)}: the nodes differ in {_WHAT[difference.what]}")
        for value, nodes in sorted(difference.values.items()):
            emit(f"  {value[:16]}: {', '.join(map(shown, nodes))}")
    for node in failing:
        emit(f"{shown(node)}: not every model would load")
    if not differences and not failing:
        models = len({model["model"] for report in reports.values() for model in report["models"]})
        emit(f"All equal: {len(reports)} nodes, {models} models.")
