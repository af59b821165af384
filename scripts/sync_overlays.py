# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""For operators: `kimi-tokenizers status`, `sync` and `restore` from a clone, with nothing installed.

    python3 scripts/sync_overlays.py status
    uv run scripts/sync_overlays.py sync --dry-run

Options, output and exit status are the command's.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # macOS's own python3, for one
    sys.exit(
        f"sync_overlays.py needs Python 3.11 or newer, and this is {sys.version_info[0]}.{sys.version_info[1]}. "
        "Run it with a newer one, or with: uv run scripts/sync_overlays.py"
    )

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True  # a clone stays as it is

from kimi_tokenizers import commands  # noqa: E402
from kimi_tokenizers.errors import KimiTokenizersError  # noqa: E402
from kimi_tokenizers.version import __version__  # noqa: E402


def parser() -> argparse.ArgumentParser:
    """The arguments of the three commands."""
    result = argparse.ArgumentParser(description="Put a known-good Kimi K2 tokenizer in front of what exo downloaded.")
    result.add_argument("--version", action="version", version=f"kimi-tokenizers {__version__}")
    subparsers = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, help_text in (
        ("status", commands.STATUS_HELP),
        ("sync", commands.SYNC_HELP),
        ("restore", commands.RESTORE_HELP),
    ):
        command = subparsers.add_parser(name, help=help_text, description=help_text, epilog=commands.EXIT_HELP)
        command.add_argument("paths", nargs="*", metavar="MODELS_DIR", help=commands.DIRS_HELP)
        command.add_argument("--model", action="append", default=[], metavar="ID", help=commands.MODEL_HELP)
        command.add_argument("--hf-cache", action="store_true", help=commands.HF_CACHE_HELP)
        command.add_argument("--json", action="store_true", help=commands.JSON_HELP)
        if name == "status":
            command.add_argument("--compare", action="store_true", help=commands.COMPARE_HELP)
        elif name == "sync":
            command.add_argument("--dry-run", action="store_true", help=commands.DRY_RUN_HELP)
            command.add_argument("--all", action="store_true", help=commands.ALL_HELP)
            command.add_argument("--lock", action=argparse.BooleanOptionalAction, help=commands.LOCK_HELP)
            command.add_argument("--watch", action="store_true", help=commands.WATCH_HELP)
        else:
            command.add_argument("--force", action="store_true", help=commands.FORCE_HELP)
    return result


def main() -> int:
    found = parser()
    given = found.parse_args()
    try:
        if given.command == "status":
            if given.compare and not given.paths:
                found.error(commands.COMPARE_NEEDS_FILES)
            return commands.run_status(
                given.paths, hf_cache=given.hf_cache, model_ids=given.model, as_json=given.json, compare=given.compare
            )
        if given.command == "restore":
            return commands.run_restore(
                given.paths, hf_cache=given.hf_cache, model_ids=given.model, force=given.force, as_json=given.json
            )
        if given.watch:
            if given.dry_run or given.json:
                found.error(commands.WATCH_STANDS_ALONE)
            return commands.run_watch(
                given.paths, hf_cache=given.hf_cache, model_ids=given.model, lock=given.lock, healthy_too=given.all
            )
        return commands.run_sync(
            given.paths,
            hf_cache=given.hf_cache,
            model_ids=given.model,
            dry_run=given.dry_run,
            lock=given.lock,
            healthy_too=given.all,
            as_json=given.json,
        )
    except KimiTokenizersError as error:
        print(f"kimi-tokenizers: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
