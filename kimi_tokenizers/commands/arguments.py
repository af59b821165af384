"""The command line: `kimi-tokenizers`. It reads arguments, calls the package, and prints; it decides nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kimi_tokenizers import commands
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import models_dirs
from kimi_tokenizers.version import __version__

app = typer.Typer(
    help="A known-good Kimi K2 tokenizer, put in front of whatever lies in exo's model directories.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 fine, 1 something is wrong with what was examined, 2 wrong usage. (`upstream` has more.)",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
ModelId = Annotated[str, typer.Option("--model", metavar="ID", help="Model id, as owner/name.")]


def main() -> None:
    """Entry point. Errors raised on purpose are printed, not traced, and exit with 1."""
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")  # "PyTorch was not found"
    try:
        app()
    except KimiTokenizersError as error:
        print(f"kimi-tokenizers: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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


ModelsDirs = Annotated[list[str] | None, typer.Argument(metavar="[MODELS_DIR]...", help=commands.DIRS_HELP)]
OnlyModels = Annotated[list[str] | None, typer.Option("--model", metavar="ID", help=commands.MODEL_HELP)]
HfCache = Annotated[bool, typer.Option("--hf-cache", help=commands.HF_CACHE_HELP)]


@app.command(help=commands.STATUS_HELP, epilog=commands.EXIT_HELP)
def status(
    paths: ModelsDirs = None,
    model: OnlyModels = None,
    hf_cache: HfCache = False,
    compare: Annotated[bool, typer.Option("--compare", help=commands.COMPARE_HELP)] = False,
    as_json: Json = False,
) -> None:
    if compare and not paths:
        raise typer.BadParameter(commands.COMPARE_NEEDS_FILES)
    done = commands.run_status(paths or [], hf_cache=hf_cache, model_ids=model or [], as_json=as_json, compare=compare)
    raise typer.Exit(done)


@app.command(help=commands.SYNC_HELP, epilog=commands.EXIT_HELP)
def sync(
    models_dirs: ModelsDirs = None,
    model: OnlyModels = None,
    hf_cache: HfCache = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=commands.DRY_RUN_HELP)] = False,
    healthy_too: Annotated[bool, typer.Option("--all", help=commands.ALL_HELP)] = False,
    lock: Annotated[bool | None, typer.Option("--lock/--no-lock", help=commands.LOCK_HELP)] = None,
    watch: Annotated[bool, typer.Option("--watch", help=commands.WATCH_HELP)] = False,
    as_json: Json = False,
) -> None:
    dirs, ids = models_dirs or [], model or []
    if watch:
        if dry_run or as_json:
            raise typer.BadParameter(commands.WATCH_STANDS_ALONE)
        done = commands.run_watch(dirs, hf_cache=hf_cache, model_ids=ids, lock=lock, healthy_too=healthy_too)
    else:
        done = commands.run_sync(
            dirs,
            hf_cache=hf_cache,
            model_ids=ids,
            dry_run=dry_run,
            lock=lock,
            healthy_too=healthy_too,
            as_json=as_json,
        )
    raise typer.Exit(done)


@app.command(help=commands.RESTORE_HELP, epilog=commands.EXIT_HELP)
def restore(
    models_dirs: ModelsDirs = None,
    model: OnlyModels = None,
    hf_cache: HfCache = False,
    force: Annotated[bool, typer.Option("--force", help=commands.FORCE_HELP)] = False,
    as_json: Json = False,
) -> None:
    done = commands.run_restore(
        models_dirs or [], hf_cache=hf_cache, model_ids=model or [], force=force, as_json=as_json
    )
    raise typer.Exit(done)


@app.command()
def view(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The view's directory; made if there is none.")],
    source: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="MODELS_DIR", help="Where the models are; default: exo's models dirs."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option("--model", metavar="ID", help="Only this model.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the view away.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Make a directory of links to the models with the overlay in front, for a stock exo; or bring it up to date."""
    from kimi_tokenizers import view

    if remove and (source or model):
        raise typer.BadParameter("--remove takes the whole view away; it goes with neither --from nor --model.")
    console = Console(highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if remove:
        report = view.remove(target, dry_run=dry_run)
    else:
        progress = None if as_json or not errors.is_terminal else errors.print
        report = view.make(target, source or models_dirs(), model or (), dry_run=dry_run, progress=progress)
    lines = [] if remove else view.environment_lines(target)
    models = [*report.models, *report.removed]
    problems = any(item.problem for item in models)
    if as_json:
        _print_json({**dataclasses.asdict(report), "environment": lines, "dry_run": dry_run, "ok": not problems})
        raise typer.Exit(1 if problems else 0)
    for item in models:
        done = "would change" if dry_run else "changed"
        state = "complete" if item.complete else "left out" if item.problem else "not complete yet"
        state = "removed" if item in report.removed else state
        console.print(Text(f"{item.model_id}: {state}, {len(item.changes)} entries {done}"))
        for change in item.changes if dry_run else ():
            console.print(Text(f"  {change.action} {ascii(change.path)[1:-1]}"))
        if item.problem:
            errors.print(Text.assemble(("  problem: ", "bold red"), item.problem))
    if not models:
        console.print("There are no Kimi K2 models there.")
    elif lines and any(not item.problem for item in models):
        console.print("To make exo use it, set this for exo, and start exo again:")
        for line in lines:
            console.print(Text(f"  {line}"))
    raise typer.Exit(1 if problems else 0)


@app.command()
def parity(
    reference: Annotated[
        str,
        typer.Argument(
            help="A model directory, a tokenizer.json, a tiktoken.model; or an engine: tiktoken, tokenizers, gigatoken."
        ),
    ],
    corpus: Annotated[
        list[Path] | None, typer.Option("--corpus", metavar="PATH", help="Text files and folders to compare on, too.")
    ] = None,
    samples: Annotated[int, typer.Option("--samples", metavar="N", min=0, help="How many texts to generate.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Other generated texts.")] = 0,
    model: ModelId = "moonshotai/Kimi-K2.6",
    trust_remote_code: Annotated[
        bool,
        typer.Option(
            "--trust-remote-code", help="Execute the reference's own Python, in a separate process; else it is not."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare the packaged tokenizer with a reference: tables entry by entry, then the ids of texts."""
    from kimi_tokenizers import parity_display

    report = parity_display.run(reference, corpus or [], samples, seed, model, trust_remote_code)
    if as_json:
        _print_json(parity_display.as_json(report))
    else:
        parity_display.print_report(report)
    raise typer.Exit(0 if report.ok else 1)


@app.command(
    epilog="Exit status: 0 unchanged; 10 changed, the vocabulary is the same; 11 the slow tokenizer is gone, the "
    "overlay covers it; 12 vocabulary or control tokens changed, a new overlay is needed and the guard will refuse; "
    "13 repo gone; 14 repo gated; 15 the hub could not be asked; 16 its answer is not to be trusted; 1 an id that no "
    "overlay serves; 2 wrong usage. Of several models, that of the worst, from best to worst: 0, 10, 11, 15, 14, 13, "
    "16, 12."
)
def upstream(
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="ID", help="Model id; default: every repo that an overlay is pinned to."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="REV", help="Compare with this revision, not the pinned one.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a bot to post.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the hub what became of the tokenizer files. The only command that uses the network; executes nothing.

    It goes through huggingface_hub: HF_ENDPOINT, HF_TOKEN and proxies are honoured.
    """
    from kimi_tokenizers import upstream as hub

    findings = list(hub.check(model or (), since))
    change = hub.worst(findings)
    if as_json:
        summary = {"change": change.name.lower(), "status": change.value, "models": [f.as_json() for f in findings]}
        _print_json(summary)
    elif markdown:
        print(hub.markdown(findings), end="")
    else:
        console = Console(highlight=False)
        table = _table("model", "what", "files")
        for finding in findings:
            signs = (("+", finding.added), ("-", finding.removed), ("~", finding.changed))
            files = " ".join(sign + name for sign, names in signs for name in names)
            table.add_row(Text(finding.model), Text(hub.MEANING[finding.change]), Text(files))
        console.print(table)
        for finding in findings:
            for detail in finding.details:
                console.print(Text(f"{finding.model}: {detail}"))
    raise typer.Exit(change.value)
