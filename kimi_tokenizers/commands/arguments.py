"""The command line as a table: every command, what it takes, and the module that runs it.

This is the only declaration. The installed command and `scripts/sync_overlays.py` both parse with it, so they cannot
differ. It imports next to nothing: a command's module is imported when that command runs.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kimi_tokenizers.commands.output import emit_lines
from kimi_tokenizers.version import __version__

DESCRIPTION = "A known-good Kimi K2 tokenizer, put in front of whatever lies in exo's model directories."
EXIT = "Exit status: 0 fine, 1 something is wrong with what was examined, 2 wrong usage."
EXIT_OF_SEARCH = f"{EXIT} To find nothing to examine is 1, too."
EXIT_OF_UPSTREAM = (
    "Exit status: 0 unchanged; 10 changed, the vocabulary is the same; 11 the slow tokenizer is gone, the overlay "
    "covers it; 12 vocabulary or control tokens changed, a new overlay is needed and the guard will refuse; 13 repo "
    "gone; 14 repo gated; 15 the hub could not be asked; 16 its answer is not to be trusted; 1 an id that no overlay "
    "serves; 2 wrong usage. Of several models, that of the worst, from best to worst: 0, 10, 11, 15, 14, 13, 16, 12."
)
MODEL = "moonshotai/Kimi-K2.6"  # `tokenizer.DEFAULT_MODEL`, which is not imported here: a test holds them together


class Argument(NamedTuple):
    """What `add_argument` takes."""

    name: str
    settings: dict[str, Any]


class Command(NamedTuple):
    """One command.

    Attributes:
        module: the module in this folder whose `run(arguments)` returns the exit status.
        what: what it does, in the list of commands and in its own help.
        more: what only its own help says.
        epilog: the end of its help.
    """

    module: str
    what: str
    arguments: Sequence[Argument]
    more: str = ""
    epilog: str = EXIT


def operand(name: str, what: str, **settings: Any) -> Argument:
    return Argument(name, {"help": what, **settings})


def flag(name: str, what: str) -> Argument:
    return Argument(name, {"action": "store_true", "help": what})


def on_or_off(name: str, what: str) -> Argument:
    """An option with its `--no-` form; None where neither is given."""
    return Argument(name, {"action": argparse.BooleanOptionalAction, "help": what})


def value(name: str, metavar: str, what: str, **settings: Any) -> Argument:
    return Argument(name, {"metavar": metavar, "help": what, **settings})


def values(name: str, metavar: str, what: str, **settings: Any) -> Argument:
    """An option that can be given several times."""
    return value(name, metavar, what, action="append", default=[], **settings)


def natural_number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is less than 0")
    return number


def seconds(text: str) -> float:
    number = float(text)
    if not 0 < number <= 86400:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0 and at most 86400 seconds")
    return number


JSON = flag("--json", "Print JSON, for machines.")
VERBOSE = flag("--verbose", "Say more: files one by one, hashes in full.")
SHELLS = ("bash", "zsh", "fish")
ONE_MODEL = value("--model", "ID", "Model id, as owner/name (default: %(default)s).", default=MODEL)
SEARCH = (
    operand("paths", "Folders of model directories. None: exo's own.", nargs="*", metavar="MODELS_DIR"),
    values("--model", "ID", "Only this model, as owner/name. Can be given several times."),
    flag("--hf-cache", "Look in the Hugging Face cache as well."),
)

COMMANDS = {
    "demo": Command(
        "demo",
        "Show upstream's breakage of 2026-05-11 and the overlay mending it, in a temporary folder.",
        [JSON],
    ),
    "status": Command(
        "status",
        "Say for every Kimi model on this machine what is the matter with its tokenizer.",
        [
            *SEARCH,
            flag("--compare", "Take the arguments for reports saved with --json, one a node; say which nodes differ."),
            *(VERBOSE, JSON),
        ],
        epilog=f"{EXIT_OF_SEARCH} Comparing needs two reports, each with a model.",
    ),
    "explain": Command(
        "explain",
        "Say file by file which layer it comes from and why, and what exo would do with it next.",
        [*SEARCH, JSON],
        more="It asks nobody: what upstream has is known from the list that exo keeps, else from the package.",
        epilog=EXIT_OF_SEARCH,
    ),
    "sync": Command(
        "sync",
        "Put the overlay in place where a model needs it; what is replaced is kept for `restore`.",
        [
            *SEARCH,
            flag("--dry-run", "Say what would change, file by file, and change nothing."),
            flag(
                "--all",
                "Put the overlay over healthy models, too, in the place of upstream's Python. Other modules in a model "
                "directory, which it names, exo still runs; `view` and `resolve` leave them out.",
            ),
            on_or_off(
                "--lock",
                "Make our files immutable (macOS) or read-only (elsewhere), or mutable again. Left as they are by "
                "default.",
            ),
            flag(
                "--force",
                "Replace even what `restore` could not give back exactly: the error says what.",
            ),
            flag("--watch", "Stay, and apply the overlay whenever exo changes something. Needs the [watch] extra."),
            VERBOSE,
            JSON,
        ],
        epilog=EXIT_OF_SEARCH,
    ),
    "restore": Command(
        "sync",
        "Give back what `sync` replaced: content, mode, modification time and links.",
        [
            *SEARCH,
            flag("--force", "Give back even what has changed since; the changed file is kept beside it."),
            VERBOSE,
            JSON,
        ],
        epilog=EXIT_OF_SEARCH,
    ),
    "view": Command(
        "view",
        "Make a directory of links to the models with the overlay in front, for a stock exo; or bring it up to date.",
        [
            operand("target", "The view's directory; made if there is none.", type=Path, metavar="TARGET"),
            values(
                "--from", "MODELS_DIR", "Where the models are; default: exo's models dirs.", type=Path, dest="sources"
            ),
            values("--model", "ID", "Only this model."),
            flag("--remove", "Take the view away."),
            flag("--dry-run", "Say what would change, and change nothing."),
            JSON,
        ],
        epilog=EXIT_OF_SEARCH,
    ),
    "cluster": Command(
        "cluster",
        "Do status, sync or restore on every node of a cluster at once, over ssh, and say how the nodes differ.",
        [
            operand("action", "What to do on every node.", choices=["status", "sync", "restore"]),
            operand(
                "nodes",
                "A node, named as for ssh: host, user@host, ssh://user@host:port, or an alias. localhost needs no ssh.",
                nargs="+",
                metavar="NODE",
            ),
            value(
                "--ssh",
                "COMMAND",
                "The ssh command with its options, split into words as a shell does (default: %(default)s).",
                default="ssh",
            ),
            values("--models-dir", "DIR", "A folder of model directories there, instead of exo's own."),
            values(
                "--env", "NAME=VALUE", "What exo is started with there, e.g. EXO_MODELS_DIRS=/Volumes/a:/Volumes/b."
            ),
            flag("--dry-run", "sync: say what would change, and change nothing."),
            flag(
                "--force",
                "restore: give back even what has changed since; the changed file is kept beside it. sync: replace "
                "even what `restore` could not give back exactly.",
            ),
            value(
                "--timeout",
                "SECONDS",
                "How long connecting, and each step on a node, may take (default: %(default)s).",
                type=seconds,
                default=120.0,
            ),
            JSON,
        ],
        more="Nothing needs to be installed on a node but Python 3.9; ssh has to log in without asking for a password.",
        epilog="Exit status: 0 every node was examined, has a model, and all is well and equal (restore: all was given "
        "back); 1 otherwise; 2 wrong usage; 130 interrupted.",
    ),
    "verify": Command(
        "verify",
        "Check every packaged file and the known answers in this environment.",
        [JSON],
        more="The known answers need tiktoken, transformers and jinja2; without them it says that they were not "
        "checked, and the exit status is that of the rest.",
        epilog=EXIT,
    ),
    "parity": Command(
        "parity",
        "Compare the packaged tokenizer with a reference: tables entry by entry, then the ids of texts.",
        [
            operand(
                "reference",
                "A model directory, a tokenizer.json, a tiktoken.model; or an engine: tiktoken, tokenizers, gigatoken.",
            ),
            values("--corpus", "PATH", "Text files and folders to compare on, too.", type=Path),
            value(
                "--samples",
                "N",
                "How many texts to generate (default: %(default)s).",
                type=natural_number,
                default=20_000,
            ),
            value("--seed", "S", "Other generated texts (default: %(default)s).", type=int, default=0),
            ONE_MODEL,
            flag("--trust-remote-code", "Execute the reference's own Python, in a separate process; else it is not."),
            JSON,
        ],
    ),
    "upstream": Command(
        "upstream",
        "Ask the hub what became of the tokenizer files. The only command that uses the network; executes nothing.",
        [
            values("--model", "ID", "Model id; default: every repo that an overlay is pinned to."),
            value("--since", "REV", "Compare with this revision, not the pinned one."),
            *(flag("--markdown", "Print Markdown, for a bot to post."), JSON),
            value("--timeout", "SECONDS", "The longest that all of it may take.", type=seconds, default=60.0),
        ],
        more="It goes through huggingface_hub: HF_ENDPOINT, HF_TOKEN and proxies are honoured.",
        epilog=EXIT_OF_UPSTREAM,
    ),
    "models": Command(
        "models",
        "List the model lines: ids served, files, revisions, and how each thing is known to be right.",
        [JSON],
        more="Conversions that keep the name of a listed model are served, too. It looks at no model directory.",
    ),
    "count": Command(
        "count",
        "Count the tokens of files or standard input.",
        [
            *(operand("files", "Text files; - or none: stdin.", nargs="*", metavar="FILE"), ONE_MODEL, JSON),
            flag("--plain", "Count control tokens in the text as plain text."),
        ],
    ),
    "export": Command(
        "export",
        "Write a tokenizer.json with exactly a model's ids, compared with tiktoken, and its chat template beside it.",
        [
            *(operand("out", "File or folder (default: ./tokenizer.json).", nargs="*"), ONE_MODEL, JSON),
            *(flag("--force", "Replace files that are there."), flag("--dry-run", "Say what would be written.")),
        ],
    ),
    "cache": Command(
        "cache",
        "Say where the per-user cache is, what is in it, and whether it is used; with --clean, empty it.",
        [
            flag("--clean", "Remove what this package put there, and nothing else. It is made anew when needed."),
            flag("--all", "With --clean: also what was handed out within the last hour and may be in use."),
            flag("--dry-run", "With --clean: say what would be removed, and remove nothing."),
            JSON,
        ],
    ),
    "completion": Command(
        "completion",
        "Print a shell's completion of this command line.",
        [operand("shell", "The shell: %(choices)s.", choices=SHELLS)],
        more='For example, in ~/.bashrc: eval "$(kimi-tokenizers completion bash)"',
    ),
}


class _Parser(argparse.ArgumentParser):
    """A parser whose help does not pass for printed where the disk is full: argparse's own drops that error."""

    color = property(lambda self: False, lambda self, value: None)  # of Python 3.14, which would be escaped

    def _print_message(self, message: str, file: Any = None) -> None:
        lost: tuple[type[OSError], ...] = () if file is sys.stdout else (OSError,)
        with contextlib.suppress(*lost):
            emit_lines(message, file or sys.stderr)  # an argument can be a folder's name


def parse(argv: Sequence[str], prog: str) -> argparse.Namespace:
    """The arguments of a command.

    Besides them: its name (`command`), its `module`, the `program` as it is typed, and `wrong_usage(message)`, which
    exits with 2.

    Raises:
        SystemExit: after `--help` and `--version`; with 2 for wrong usage.
    """
    whole = _Parser(prog=prog, description=DESCRIPTION, epilog=f"{EXIT} (`upstream` has more.)", allow_abbrev=False)
    version = f"kimi-tokenizers {__version__}"
    whole.add_argument("-V", "--version", action="version", version=version, help="Print the version and exit.")
    subparsers = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    parsers = {name: _add(subparsers, name, command) for name, command in COMMANDS.items()}
    if not argv:
        whole.print_help(sys.stderr)
        raise SystemExit(2)
    if argv[0] in parsers and "--" not in argv:  # options may stand between the others: `sync DIR --lock DIR`
        return parsers[argv[0]].parse_intermixed_args(argv[1:])
    return whole.parse_args(argv)


def _add(subparsers: Any, name: str, command: Command) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=command.what,
        description=f"{command.what} {command.more}",
        epilog=command.epilog,
        allow_abbrev=False,
    )
    for argument in command.arguments:
        parser.add_argument(argument.name, **argument.settings)
    program = "kimi-tokenizers"
    if sys.argv[0].endswith((".pyz", "sync_overlays.py")):  # which are run by their paths
        program = f"python3 {shlex.quote(sys.argv[0])}"
    parser.set_defaults(command=name, module=command.module, program=program, wrong_usage=parser.error)
    return parser
