"""What came of all nodes of a cluster: one table, what is wrong or differs under it, and the same as JSON.

Whatever comes from a node is escaped: in the table by `emit`, in the JSON by keeping to ASCII.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kimi_tokenizers.commands.answers import Examined
from kimi_tokenizers.commands.output import emit, emit_json
from kimi_tokenizers.commands.tables import counted, table
from kimi_tokenizers.escaping import escaped
from kimi_tokenizers.sync import REPORT_SCHEMA, Difference, compare_reports, not_loading

_HEADING = ("NODE", "MODEL", "STATE", "TOKENS", "PROMPTS")
_WHAT = {"tokens": "token ids", "prompts": "prompt text", "state": "whether it would load"}
_PRINT = 8  # characters of a fingerprint: enough for the eye, what is compared is the whole
_LONGEST_CELL = 300


@dataclass
class Result:
    """All nodes, in the order given."""

    action: str
    nodes: Sequence[Examined]
    dry_run: bool = False

    def reports(self) -> dict[str, Mapping[str, Any]]:
        """What can be compared."""
        return {node.node: node.report for node in self.nodes if node.models}

    def differences(self) -> list[Difference]:
        reports = self.reports()
        return compare_reports(reports) if len(reports) > 1 else []

    def one_machine(self) -> list[list[str]]:
        """Names that lead to the same model directories of the same machine."""
        groups: list[list[Examined]] = []
        for node in self.nodes:
            for group in groups:
                if node.machine and any(
                    node.machine == other.machine and node.places & other.places for other in group
                ):
                    group.append(node)
                    break
            else:
                groups.append([node])
        return [[node.node for node in group] for group in groups if len(group) > 1]

    def machines(self) -> int:
        """How many there are with something to compare."""
        repeated = sum(len(group) - 1 for group in self.one_machine())
        return len(self.reports()) - repeated

    def ok(self) -> bool:
        """Whether every node was examined, has a model, and all is well and equal.

        `restore` gives back what was there, well and equal or not: of it, only that everything was given back.
        """
        if any(node.failed() for node in self.nodes) or (len(self.nodes) > 1 and self.machines() < 2):
            return False
        return self.action == "restore" or not (self.differences() or not_loading(self.reports()))


def print_json(result: Result) -> None:
    """JSON in ASCII: what a node answers cannot move a terminal's cursor, whatever prints it."""
    value = {
        "schema": REPORT_SCHEMA,
        "ok": result.ok(),
        "action": result.action,
        "dry_run": result.dry_run,
        "nodes": [
            {
                "node": node.node,
                "python": node.python or None,
                "problem": node.problem,
                "problems": list(node.problems),
                "models": list(node.models),
                "done": None if node.done is None else [asdict(one) for one in node.done],
            }
            for node in result.nodes
        ],
        "compared": result.machines(),
        "one_machine": result.one_machine(),
        "differences": [asdict(difference) for difference in result.differences()],
        "not_loading": list(not_loading(result.reports())),
    }
    emit_json(value, ascii_only=True)


def print_table(result: Result, command: str) -> None:
    """The table, and under it what differs or what to do. `command` is the command line that syncs these nodes."""
    for line in table([row for node in result.nodes for row in _rows(node)], _HEADING, verdicts=[2]):
        emit(line)
    for node in result.nodes:
        for line in _remarks(node, result):
            emit(f"{node.node}: {line}")
    for same in result.one_machine():
        emit(f"One machine with the same model directories: {', '.join(same)}. Name it once.")
    for difference in result.differences():
        emit(f"{difference.model}: the nodes differ in {_WHAT[difference.what]}")
        for value, names in sorted(difference.values.items()):
            emit(f"  {_cut(value[:16])}: {', '.join(names)}")
    _say_sum(result)
    if result.action != "restore" and _sync_would_help(result):
        emit(f"To mend it: {command}")


def _rows(node: Examined) -> list[tuple[str, ...]]:
    if not node.models:
        return [(node.node, "-", "FAILED" if node.problem else "no models", "-", "-")]
    rows: list[tuple[str, ...]] = []
    for model in node.models:
        prints = model["fingerprints"] or {"tokens": "-", "prompts": "-"}
        hashes = (prints["tokens"][:_PRINT], prints["prompts"][:_PRINT])
        rows.append((node.node, model["model"][:_LONGEST_CELL], model["state"], *hashes))
    return rows


def _remarks(node: Examined, result: Result) -> list[str]:
    """What there is to say of a node, a line each, escaped."""
    remarks = [_cut(problem, 1000) for problem in ([node.problem] if node.problem else [])]
    remarks += [_cut(problem, 1000) for problem in node.problems]
    if not node.problem and not node.models:
        found = "" if node.problems else "no Kimi models were found. "
        remarks.append(f"{found}If exo keeps them elsewhere there, say where with --models-dir or --env.")
    for one in node.done or ():
        head = _cut(one.model)
        if one.problem is not None:
            remarks.append(f"{head}: FAILED: {_cut(one.problem, 1000)}")
        elif one.files:
            verb = "restored" if result.action == "restore" else "would change" if result.dry_run else "changed"
            remarks.append(f"{head}: {verb} {_cut(', '.join(one.files), 1000)}")
        else:
            remarks.append(f"{head}: {_cut(one.skipped or 'nothing to do')}")
        if one.warning is not None:
            remarks.append(f"{head}: {_cut(one.warning, 1000)}")
    remarks += [f"{_cut(model['model'])}: {_cut(model['detail'])}" for model in node.models if not model["would_load"]]
    return remarks


def _cut(text: str, longest: int = _LONGEST_CELL) -> str:
    return escaped(text if len(text) <= longest else text[: longest - 1] + "…")


def _say_sum(result: Result) -> None:
    failed = sum(node.failed() for node in result.nodes)
    failing = not_loading(result.reports())
    machines = result.machines()
    if failed:
        emit(f"{_of(failed, result)} could not be examined, without models, or with a problem.")
    if failing:
        emit(f"{_of(len(failing), result)} with a model that exo would not load.")
    if machines < 2:
        emit(f"{'Only one machine' if machines else 'No machine'} has models, so there is nothing to compare.")
    elif not result.differences() and not failing:
        models = len({model["model"] for report in result.reports().values() for model in report["models"]})
        rest = "" if machines == len(result.nodes) else ", of those that could be compared"
        emit(f"All equal: {counted(machines, 'node')}, {counted(models, 'model')}{rest}.")


def _of(number: int, result: Result) -> str:
    return f"{number} of {counted(len(result.nodes), 'node')}"


def _sync_would_help(result: Result) -> bool:
    """Whether a node says so. (`sync --all`, for what it otherwise passes over, is not for a whole cluster at once.)"""
    commands = [(model["next"] or "").split() for node in result.nodes for model in node.models]
    return (result.action == "status" or result.dry_run) and any(
        command[1:2] == ["sync"] and "--all" not in command for command in commands
    )
