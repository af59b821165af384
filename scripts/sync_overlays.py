# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""For operators: the command line out of a clone, with nothing installed.

    python3 scripts/sync_overlays.py status
    uv run scripts/sync_overlays.py sync --dry-run

`status`, `sync` and `restore` need nothing but Python. The other commands of `kimi-tokenizers` work as well where the
packages they need are installed; where one is missing they say which.
"""

from __future__ import annotations

import sys
from pathlib import Path

if sys.version_info < (3, 11):  # macOS's own python3, for one
    sys.exit(
        f"sync_overlays.py needs Python 3.11 or newer, and this is {sys.version_info[0]}.{sys.version_info[1]}. "
        "Run it with a newer one, or with: uv run scripts/sync_overlays.py"
    )

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True  # a clone stays as it is

from kimi_tokenizers.commands import main  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(main(prog=Path(__file__).name))
