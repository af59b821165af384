# /// script
# requires-python = ">=3.9"
# dependencies = []
# ///
"""For operators: the command line out of a clone, with nothing installed.

    python3 scripts/sync_overlays.py status
    uv run scripts/sync_overlays.py sync --dry-run

`status`, `sync`, `restore`, `view` and `verify` need nothing but Python 3.9. The other commands of `kimi-tokenizers`
work as well where the packages they need are installed; where one is missing they say which.
"""

import sys

if sys.version_info < (3, 9):  # noqa: UP036 (this is what says so, so older ones must be able to read it)
    sys.exit(
        "sync_overlays.py needs Python 3.9 or newer, and this is %d.%d. Run it with a newer one, or with: "  # noqa: UP031
        "uv run scripts/sync_overlays.py" % sys.version_info[:2]
    )

from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True  # a clone stays as it is

from kimi_tokenizers.commands import main  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(main(prog=Path(__file__).name))
