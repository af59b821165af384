"""`upstream`: what became of the tokenizer files on the hub. The exit status is that of the worst change."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from kimi_tokenizers.commands.output import emit, emit_report
from kimi_tokenizers.commands.tables import table
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.errors import UnknownModelError
from kimi_tokenizers.evidence import MEANING, Finding, changes_upstream, upstream_markdown, worst_change


def run(arguments: argparse.Namespace) -> int:
    """Ask the hub and print what it says."""
    with Waiting("asking the hub"):
        findings = list(changes_upstream(arguments.model, arguments.since, timeout=arguments.timeout))
    if not findings:
        raise UnknownModelError("There was no repo to ask about. Name a model with --model.")
    change = worst_change(findings)
    if arguments.json:
        models = [finding.as_json() for finding in findings]
        problems = [f"{finding.model}: {MEANING[finding.change]}" for finding in findings if finding.change.value]
        emit_report(not change.value, problems, change=change.name.lower(), status=change.value, models=models)
    elif arguments.markdown:
        for line in upstream_markdown(findings).splitlines():
            emit(line)
    else:
        _say(findings)
    return change.value


def _say(findings: Sequence[Finding]) -> None:
    rows = [(finding.model, MEANING[finding.change], _files(finding)) for finding in findings]
    for line in table(rows, ("model", "what", "files")):
        emit(line)
    for finding in findings:
        for detail in finding.details:
            emit(f"{finding.model}: {detail}")


def _files(finding: Finding) -> str:
    signs = (("+", finding.added), ("-", finding.removed), ("~", finding.changed))
    return " ".join(sign + name for sign, names in signs for name in names)
