"""For maintainers: rebuild what is vendored in `overlays/`, and bring the manifests up to the files.

    refresh_overlays.py                          sizes and hashes of our own files, after a change to one of them
    refresh_overlays.py --check                  say what that would change, and exit with 1 if there is anything
    refresh_overlays.py --mirror DIR             also upstream's files, from a mirror (folders named org--name or
                                                 org/name), each checked against its hash in the manifest
    refresh_overlays.py --hub                    the same from the hub, at the pinned revisions
    refresh_overlays.py --mirror DIR --line LINE --revision REV --accept FILE…
                                                 move a line's pin to another revision: every upstream file that differs
                                                 must be named, which says that somebody has looked at it

Upstream's data is vendored, its Python and templates are not: of these only the hashes are kept. Any difference that is
not explained is refused, and then nothing is written. The rank table can never change here: that would be another
vocabulary, and another line. Running it twice changes nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kimi_tokenizers.commands.output import emit, emit_lines, escape_errors  # noqa: E402

ENTRY = re.compile(r'(source = "(?P<source>[^"]+)"\nsize = )(?P<size>\d+)(\nsha256 = ")(?P<sha256>[0-9a-f]{64})')
RANK_TABLE = "tiktoken.model"

Read = Callable[[str, str, str], "bytes | None"]
"""Content of a file of (repo, revision); None where there is none."""


class Refused(Exception):  # noqa: N818 (it is an answer, not a fault)
    """A difference that nobody has explained."""


def refreshed(manifest: str, contents: dict[str, bytes], root: Path) -> str:
    """The text of a manifest with the size and SHA-256 of every file as it is to lie in `overlays/`."""

    def entry(match: re.Match[str]) -> str:
        data = contents.get(match["source"]) or (root / "overlays" / match["source"]).read_bytes()
        return f"{match[1]}{len(data)}{match[4]}{digest(data)}"

    return ENTRY.sub(entry, manifest)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# What upstream has


def from_mirror(mirror: Path) -> Read:
    """Reader of a local mirror. The mirror holds one revision of each repo; its hashes tell whether it is the one."""

    def read(repo: str, revision: str, name: str) -> bytes | None:
        for folder in (repo.replace("/", "--"), repo):
            path = mirror / folder / name
            if path.is_file():
                return path.read_bytes()
        return None

    return read


def from_hub() -> Read:
    """Reader of the hub, through the package's careful client."""
    from kimi_tokenizers.evidence import hub

    client = hub.Client()
    listings: dict[tuple[str, str], dict[str, hub.File]] = {}

    def read(repo: str, revision: str, name: str) -> bytes | None:
        try:
            if (repo, revision) not in listings:
                listings[repo, revision], _ = client.listing(repo, revision, [])
            file = listings[repo, revision].get(name)
            return client.fetch(repo, revision, file) if file else None
        except hub.HubError as error:
            raise Refused(f"{name} of {repo} at {revision} cannot be had from the hub: {error}") from error

    return read


def parsed(manifest: str) -> dict[str, object]:
    from kimi_tokenizers.catalogue import parse_toml

    return parse_toml(manifest)


def rebuilt(manifest: str, read: Read) -> dict[str, bytes]:
    """The vendored files of a manifest as upstream has them: path below overlays/ -> content. Raises Refused."""
    value = parsed(manifest)
    upstream: dict = value["upstream"]
    sources = {entry["name"]: (entry["source"], entry["sha256"]) for entry in value["file"]}
    result = {}
    for name, expected in upstream["sha256"].items():
        data = read(upstream["repo"], upstream["revision"], name)
        if data is None:
            raise Refused(f"{upstream['repo']} at {upstream['revision']} has no {name}.")
        if digest(data) != expected:
            raise Refused(
                f"{name} of {upstream['repo']} has SHA-256 {digest(data)}, but the manifest says {expected} for "
                f"{upstream['revision']}. The mirror holds another revision, or somebody changed the file."
            )
        source, ours = sources.get(name, ("", ""))
        if ours == expected:  # vendored; the others are our own in the place of upstream's
            result[source] = data
    return result


def moved(manifest: str, revision: str, accepted: Iterable[str], read: Read) -> tuple[str, str]:
    """A manifest with its pin at another revision, and the entry for CHANGELOG. Raises Refused."""
    value = parsed(manifest)
    upstream: dict = value["upstream"]
    repo, old = upstream["repo"], upstream["revision"]
    if revision == old:
        return manifest, ""
    if revision in upstream.get("broken_revisions", ()):
        raise Refused(f"{revision} of {repo} is listed as broken.")
    vendored = {entry["name"] for entry in value["file"] if upstream["sha256"].get(entry["name"]) == entry["sha256"]}
    differing = []
    for name, before in upstream["sha256"].items():
        data = read(repo, revision, name)
        after = digest(data) if data is not None else None
        if after == before:
            continue
        if name == RANK_TABLE:
            raise Refused(f"{name} of {repo} is another one at {revision}: another vocabulary needs another line.")
        if after is None or name not in accepted:
            what = "is gone" if after is None else f"has SHA-256 {after}, not {before}"
            raise Refused(f"{name} of {repo} {what} at {revision}. Look at it; if it is all right, --accept {name}.")
        differing.append(name)
        manifest = manifest.replace(f'"{name}" = "{before}"', f'"{name}" = "{after}"')
        if name in vendored:
            manifest = manifest.replace(f'sha256 = "{before}"', f'sha256 = "{after}"')
    manifest = manifest.replace(f'revision = "{old}"', f'revision = "{revision}"', 1)
    good = [*upstream.get("good_revisions", []), old]
    listed = "good_revisions = [" + ", ".join(f'"{entry}"' for entry in good) + "]"
    if "good_revisions" in upstream:
        manifest = re.sub(r"(?m)^good_revisions = \[[^\]]*\]", listed, manifest)
    else:
        manifest = manifest.replace(f'revision = "{revision}"\n', f'revision = "{revision}"\n{listed}\n', 1)
    files = ", ".join(f"`{name}`" for name in differing) or "none"
    return manifest, (
        f"- Overlay `{value['line']}`: upstream `{repo}` is now pinned at `{revision}` (was `{old}`); "
        f"files that changed: {files}.\n"
    )


def with_entry(changelog: str, entry: str) -> str:
    """A changelog with an entry under its first version, once."""
    if not entry or entry in changelog:
        return changelog
    heading = re.search(r"(?m)^## .*\n", changelog)
    if heading is None:
        return f"{changelog.rstrip() or '# Changelog'}\n\n## Unreleased\n\n{entry}"
    after = re.search(r"(?m)^## ", changelog[heading.end() :])
    end = heading.end() + (after.start() if after else len(changelog) - heading.end())
    rest = changelog[end:]
    return changelog[:end].rstrip("\n") + "\n" + entry + ("\n" + rest if rest else "")


# The command


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Rebuild what is vendored in overlays/, and refresh the manifests.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if something is out of date")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--mirror", type=Path, metavar="DIR", help="take upstream's files from a local mirror")
    place.add_argument("--hub", action="store_true", help="take upstream's files from the hub")
    parser.add_argument("--line", help="only this line, e.g. kimi-k2.6")
    parser.add_argument("--revision", metavar="REV", help="pin the line to this revision")
    parser.add_argument("--accept", nargs="+", default=[], metavar="FILE", help="upstream files that may have changed")
    given = parser.parse_args()
    if given.revision and not (given.line and (given.mirror or given.hub)):
        parser.error("--revision goes with --line and one of --mirror and --hub")
    if given.revision and not re.fullmatch(r"[0-9a-f]{40}", given.revision):
        parser.error("--revision takes a whole commit hash: a branch is no pin")
    if given.accept and not given.revision:
        parser.error("--accept goes with --revision")
    return given


def planned(given: argparse.Namespace) -> tuple[dict[Path, bytes], list[str]]:
    """What is to be written, path -> content, and a line for each manifest. Raises Refused."""
    root: Path = given.root
    read = from_hub() if given.hub else from_mirror(given.mirror) if given.mirror else None
    writes: dict[Path, bytes] = {}
    said = []
    changelog_path = root / "CHANGELOG.md"
    changelog = changelog_path.read_text(encoding="utf-8") if changelog_path.exists() else ""
    new_changelog = changelog
    manifests = sorted((root / "overlays").glob("*/overlay.toml"))
    if given.line and given.line not in {path.parent.name for path in manifests}:
        raise Refused(f"There is no line {given.line!r}.")
    texts = {path: path.read_text(encoding="utf-8") for path in manifests}
    news = dict(texts)
    contents: dict[str, bytes] = {}  # of all lines, because lines share files
    for path, new in texts.items():
        if read is not None and given.line in (None, path.parent.name):
            if given.revision:
                new, entry = moved(new, given.revision, given.accept, read)
                new_changelog = with_entry(new_changelog, entry)
            news[path] = new
            contents.update(rebuilt(new, read))
    for source, data in contents.items():
        file = root / "overlays" / source
        if not file.exists() or file.read_bytes() != data:
            writes[file] = data
            said.append(f"{source}: {'out of date' if given.check else 'refreshed'}")
    for path, old in texts.items():
        new = refreshed(news[path], contents, root)
        if new != old:
            writes[path] = new.encode()
        state = "unchanged" if new == old else "out of date" if given.check else "refreshed"
        said.append(f"{path.parent.name}: {state}")
    if new_changelog != changelog:
        writes[changelog_path] = new_changelog.encode()
    return writes, said


def main() -> int:
    given = arguments()
    try:
        writes, said = planned(given)
    except (Refused, OSError) as refusal:
        emit(f"Refused, nothing was written: {refusal}", sys.stderr)
        return 1
    if not given.check:
        for path, data in writes.items():
            path.write_bytes(data)
    emit_lines("\n".join(said))
    return 1 if given.check and writes else 0


if __name__ == "__main__":
    escape_errors()
    raise SystemExit(main())
