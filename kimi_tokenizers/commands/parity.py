"""`parity`: the packaged tokenizer compared with a reference, with a progress bar and the differences side by side.

The one command that draws with rich.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from kimi_tokenizers.commands.output import console, emit_report
from kimi_tokenizers.escaping import escaped
from kimi_tokenizers.evidence import Difference, Report, compare, corpus_files


def run(arguments: argparse.Namespace) -> int:
    """Compare with a reference and print the report."""
    report = _compare(arguments)
    if arguments.json:
        emit_report(
            report.ok,
            _problems(report),
            characters=report.characters,
            differences=report.differences,
            **asdict(report),
        )
    else:
        print_report(report)
    return 0 if report.ok else 1


def _problems(report: Report) -> list[str]:
    if report.differences:
        return [f"{report.differences:,} differences"]
    return [] if report.ok else ["no ids were compared"]


def _compare(arguments: argparse.Namespace) -> Report:
    """`compare`, with a progress bar on standard error where that is a terminal."""
    files = corpus_files(arguments.corpus)
    total = sum(size for _, size in files)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[done]:.1f} M characters"),
        TimeRemainingColumn(),
        console=console(sys.stderr),
        redirect_stderr=False,  # what is written there is no drawing of ours
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as bar:
        tasks: dict[str, Any] = {}
        done: dict[str, int] = {}

        def progress(part: str, characters: int) -> None:
            if part not in tasks:
                # Characters are not bytes, so the bar of a corpus in many scripts ends early.
                tasks[part] = bar.add_task(escaped(part), total=total if part == "corpus" else None, done=0.0)
            done[part] = done.get(part, 0) + characters
            bar.update(tasks[part], advance=characters, done=done[part] / 1e6)

        return compare(
            arguments.reference,
            model=arguments.model,
            corpus=files,
            count=arguments.samples,
            seed=arguments.seed,
            trust_remote_code=arguments.trust_remote_code,
            progress=progress,
        )


def print_report(report: Report) -> None:
    """The report for people: what was compared, then the first differences side by side."""
    screen = console()
    table = _table("part", "compared", "characters", "differences")
    for name, part in report.parts.items():
        style = "bold red" if part.differences else ""
        table.add_row(_text(name), f"{part.compared:,}", f"{part.characters:,}", Text(f"{part.differences:,}", style))
    screen.print(_text(f"{report.line} ({report.engine}) and {report.reference} ({report.kind})"))
    screen.print(table)
    for difference in report.shown:
        screen.print()
        screen.print(Text.assemble((f"{escaped(difference.part)}: ", "bold"), escaped(difference.where)))
        if difference.text:
            screen.print(_text(f"  text {difference.text!r}"))
        screen.print(_side_by_side(difference))
    for note in report.notes:
        screen.print(_text(f"Note: {note}"))
    what = (
        "the same" if report.ok else f"{report.differences:,} differences" if report.differences else "no ids compared"
    )
    screen.print(Text(f"{what} ({report.seconds:.1f} s)", "green" if report.ok else "bold red"))


def _text(text: str) -> Text:
    """A text from outside: no markup is read in it, and it is escaped."""
    return Text(escaped(text))


def _side_by_side(difference: Difference) -> Table:
    table = _table("  ", "our id", "ours", "their id", "theirs")
    for row in range(max(len(difference.ours), len(difference.theirs), 1)):
        cells: list[Text] = []
        for ids, pieces in ((difference.our_ids, difference.ours), (difference.their_ids, difference.theirs)):
            cells.append(Text(str(ids[row]) if row < len(ids) else ""))
            piece = pieces[row] if row < len(pieces) else ""
            cells.append(_text(repr(piece) if ids and row < len(pieces) else piece))
        table.add_row("  ", *cells)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
