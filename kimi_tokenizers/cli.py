"""The command line: `kimi-tokenizers`. It reads arguments, calls the package, and prints; it decides nothing."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.version import __version__

app = typer.Typer(
    help="A known-good Kimi K2 tokenizer, put in front of whatever lies in exo's model directories.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 fine, 1 something is wrong with what was examined, 2 wrong usage.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
ModelId = Annotated[str, typer.Option("--model", metavar="ID", help="Model id, as owner/name.")]


def main() -> None:
    """Entry point. Errors raised on purpose are printed, not traced, and exit with 1."""
    try:
        app()
    except KimiTokenizersError as error:
        print(f"kimi-tokenizers: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _version(wanted: bool) -> None:
    if wanted:
        print(f"kimi-tokenizers {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _mark(ok: bool) -> Text:
    return Text("ok", "green") if ok else Text("FAILED", "bold red")


@app.command()
def demo(as_json: Json = False) -> None:
    """Show upstream's breakage of 2026-05-11 and the overlay mending it, in a temporary folder."""
    from kimi_tokenizers import demo as demonstration

    outcome = demonstration.run()
    if as_json:
        _print_json({**dataclasses.asdict(outcome), "ok": outcome.ok})
    else:
        table = _table("", "step", "result")
        for step in outcome.steps:
            table.add_row(_mark(step.ok), Text(step.what), Text(step.result))
        console = Console()
        console.print(table)
        console.print(f"{outcome.model}: {'works' if outcome.ok else 'DOES NOT WORK'} ({outcome.seconds:.1f} s)")
    raise typer.Exit(0 if outcome.ok else 1)


@app.command()
def verify(as_json: Json = False) -> None:
    """Check every packaged file and the known answers in this environment."""
    from kimi_tokenizers import verification

    result = verification.verify()
    if as_json:
        _print_json({**dataclasses.asdict(result), "ok": not result.problems})
    else:
        console = Console(highlight=False)
        table = _table("line", "fingerprint of token ids", "fingerprint of prompts")
        for line, prints in result.fingerprints.items():
            table.add_row(line, prints["tokens"][:16], prints["prompts"][:16])
        console.print(table)
        for problem in result.problems:
            console.print(Text.assemble(("FAILED ", "bold red"), problem))
        console.print(f"{result.files} packaged files and {result.answers} known answers checked with")
        console.print("  " + ", ".join(f"{name} {version}" for name, version in result.versions.items()))
        console.print(Text("all fine", "green") if not result.problems else f"{len(result.problems)} problems")
    raise typer.Exit(1 if result.problems else 0)


@app.command()
def count(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="Text files; - or none: stdin.")
    ] = None,
    model: ModelId = "moonshotai/Kimi-K2.6",
    plain: Annotated[bool, typer.Option("--plain", help="Count control tokens in the text as plain text.")] = False,
    as_json: Json = False,
) -> None:
    """Count the tokens of files or standard input."""
    from kimi_tokenizers import counting

    counts = []
    for item in counting.count(files or ["-"], model, control_tokens=not plain):
        counts.append(item)
        if not as_json:
            print(f"{item.tokens:>12,}  {item.file}", flush=True)
    if as_json:
        _print_json([dataclasses.asdict(item) for item in counts])
    elif len(counts) > 1:
        print(f"{sum(item.tokens for item in counts):>12,}  total")
