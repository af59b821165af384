"""What has upstream done to the tokenizer files since our overlay was made?

The only command that asks the network, and only on request; `hub` does the asking. What upstream has now is put to the
guard, as a model directory would be.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import KimiTokenizersError, TokenizerConfigError, VocabularyMismatchError
from kimi_tokenizers.evidence.changes import Change, Finding
from kimi_tokenizers.evidence.hub import Client, File, HubError
from kimi_tokenizers.model_dirs import TOKENIZER_CONFIG, TokenizerFiles, check_vocabulary, renumbered_in_words

# Those that the guard reads: fetched where they changed.
_GUARDED = ("tiktoken.model", "tokenizer.json", "tokenizer_config.json", "config.json")


def changes_upstream(
    models: Sequence[str] = (), since: str | None = None, *, client: Client | None = None, timeout: float = 60.0
) -> Iterator[Finding]:
    """Ask the hub what became of models.

    Args:
        models: ids, as `owner/name`; by default every repo that an overlay is pinned to.
        since: revision to compare `main` with; by default the overlay's pinned one (of the overlay's own repo, also
            for conversions of it, which have none).
        timeout: seconds for all of it.

    Raises:
        UnknownModelError, ModelIdError: no overlay serves an id.
    """
    overlays = [(model, catalogue.get(model)) for model in models]
    if not models:
        overlays = [(overlay.upstream.repo, overlay) for overlay in catalogue.overlays().values()]
    client = client or Client(deadline=timeout)
    for model, overlay in overlays:
        repo = model if since else overlay.upstream.repo
        finding = Finding(model, overlay.line, f"{repo}@{since or overlay.upstream.revision}")
        try:
            _compare(finding, overlay, client, repo, since or overlay.upstream.revision)
        except HubError as error:
            finding.change = error.change
            finding.details.append(str(error))
        yield finding


def _compare(finding: Finding, overlay: Overlay, client: Client, repo: str, revision: str) -> None:
    now, finding.commit = client.listing(finding.model, "main", finding.details)
    try:
        before, _ = client.listing(repo, revision, finding.details)
    except HubError as error:
        if error.change is not Change.GONE:
            raise
        finding.details.append(f"{error} Compared with the overlay's own hashes only.")
        before = {}
    finding.added = sorted(now.keys() - before.keys())
    finding.removed = sorted(before.keys() - now.keys())
    finding.changed = sorted(name for name in now.keys() & before.keys() if now[name].hash != before[name].hash)
    if finding.added or finding.removed or finding.changed:
        finding.change = Change.CHANGED
    _say_what_is_known(finding, overlay, client, now)
    # The rank table's hash is known, so that it is checked whatever the pinned revision is said to hold.
    to_read = {*finding.added, *finding.changed} | ({"tiktoken.model"} & now.keys())
    with tempfile.TemporaryDirectory(prefix="kimi-tokenizers-") as folder:
        if _reads_as_another_vocabulary(finding, overlay, client, now, to_read, Path(folder)):
            finding.change = Change.VOCABULARY
        elif _slow_is_gone(now, overlay, Path(folder)):
            finding.change = Change.SLOW_GONE


def _say_what_is_known(finding: Finding, overlay: Overlay, client: Client, now: Mapping[str, File]) -> None:
    """Of a file that changed and of which a later revision is known by its hash alone: whether it is that one."""
    for name, known in overlay.upstream.untried_sha256.items():
        if name not in {*finding.added, *finding.changed}:
            continue
        there = now[name].hash
        if there.startswith("git:"):  # by which nothing else is known
            there = f"sha256:{sha256(client.fetch(finding.model, finding.commit or 'main', now[name])).hexdigest()}"
        what = "of a later revision that is known by its hash alone" if there == f"sha256:{known}" else "not known"
        finding.details.append(f"{name} is {what} ({there}).")


def _reads_as_another_vocabulary(
    finding: Finding, overlay: Overlay, client: Client, now: Mapping[str, File], names: set[str], folder: Path
) -> bool:
    """Fetch what the guard reads and changed, and ask the guard. Whatever cannot be understood counts as another."""
    for name in sorted(names & {*_GUARDED}):
        known = overlay.files["tiktoken.model"].sha256 if name == "tiktoken.model" else ""
        if now[name].hash == f"sha256:{known}":
            continue
        (folder / name).write_bytes(client.fetch(finding.model, finding.commit or "main", now[name]))
    try:
        with TokenizerFiles(folder) as directory:
            renumbered = check_vocabulary(overlay, directory)
            table = directory.control_token_table()
        theirs = {int(index): str(entry["content"]) for index, entry in table.items()}
    except VocabularyMismatchError as error:
        finding.details.append(str(error).replace(str(folder) + "/", ""))
        return True
    except (KimiTokenizersError, ValueError, TypeError, KeyError) as error:
        finding.details.append(f"Not understood: {error}".replace(str(folder) + "/", ""))
        return True
    if renumbered:
        finding.details.append(f"{renumbered_in_words(renumbered)[2:]}.")
    ours = overlay.control_tokens()
    new = {i: name for i, name in theirs.items() if i not in ours and name != f"<|reserved_token_{i}|>"}
    if new:
        finding.details.append("New control tokens: " + ", ".join(f"{name!r} {i}" for i, name in sorted(new.items())))
    return bool(new or renumbered)


def _slow_is_gone(now: Mapping[str, File], overlay: Overlay, folder: Path) -> bool:
    """Whether a file of the slow tokenizer is missing, or the configuration (if it was fetched) no longer names it."""
    try:
        with TokenizerFiles(folder) as directory:
            auto_map = (directory.object(TOKENIZER_CONFIG) or {}).get("auto_map")
    except TokenizerConfigError:
        return False
    slots = auto_map.get("AutoTokenizer") if isinstance(auto_map, dict) else None
    gone = any(name not in now for name in (overlay.upstream.python, "tiktoken.model"))
    return gone or (isinstance(slots, list) and bool(slots) and slots[0] is None)
