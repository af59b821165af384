"""`explain`: file by file, which layer each comes from and why, and what exo would do with it next."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from kimi_tokenizers.commands.output import coloured, emit, emit_report
from kimi_tokenizers.commands.tables import emit_detail, emit_rest, table, verdict
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.model_dirs import find_models
from kimi_tokenizers.sync import Explanation, explain

_HEADING = ("  FILE", "LAYER", "FOUND", "EXO")


def run(arguments: argparse.Namespace) -> int:
    """Explain models, one after the other."""
    found = find_models(arguments.paths, hf_cache=arguments.hf_cache, model_ids=arguments.model)
    explained = []
    with Waiting("examining", len(found.models)) as waiting:
        for model in found.models:
            waiting.next(model.model_id)
            explained.append(explain(model))
            if not arguments.json:
                _say(explained[-1], arguments.program)
    ok = bool(explained) and not found.problems and all(one.status.would_load for one in explained)
    if arguments.json:
        places = [place.as_json() for place in found.places]
        emit_report(ok, found.problems, places=places, models=[_as_json(one) for one in explained])
    else:
        emit_rest(found)
    return 0 if ok else 1


def _as_json(one: Explanation) -> dict[str, Any]:
    status, upstream = one.status, one.upstream
    return {
        "model": status.model,
        "line": status.line,
        "path": status.path,
        "state": status.state,
        "would_load": status.would_load,
        "complete": status.complete,
        "detail": status.detail,
        "guard": one.guard,
        "exo": one.exo,
        "upstream": {"source": upstream.source, "path": upstream.path, "age": upstream.age, "whole": upstream.whole},
        "files": [asdict(file) for file in one.files],
        "next": one.advice.line() if one.advice else None,
        "advice": one.advice.what if one.advice else None,
    }


def _say(one: Explanation, program: str) -> None:
    status = one.status
    emit(f"{coloured(status.model, 'bold')} ({status.line}): {verdict(status.state)}")
    emit_detail(status.path)
    emit_detail(status.detail)
    emit_detail(f"The guard: {one.guard or 'no objection.'}")
    emit_detail(one.exo)
    emit_detail(f"What upstream has is known from {one.upstream.source}.")
    lines = table([(f"  {file.name}", file.layer, file.found, file.exo) for file in one.files], _HEADING, verdicts=[3])
    for line in lines[:1] if one.files else ():
        emit(line)
    for line, file in zip(lines[1:], one.files):  # noqa: B905 (Python 3.9 has no `strict`)
        emit(line)
        emit_detail(f"{file.layer}: {file.why}; exo: {file.exo_why}", indent="    ")
    if one.advice is not None:
        if one.advice.what:
            emit_detail(one.advice.what)
        emit(f"  Next: {one.advice.line(program)}")
    emit("")
