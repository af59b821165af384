"""scripts/refresh_overlays.py: what is vendored is rebuilt exactly, and what is not explained is refused."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hub import Hub, files_of

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "refresh_overlays.py"
REPOS = {
    "kimi-k2-instruct": "moonshotai/Kimi-K2-Instruct",
    "kimi-k2-thinking": "moonshotai/Kimi-K2-Thinking",
    "kimi-k2.5": "moonshotai/Kimi-K2.5",
    "kimi-k2.7-code": "moonshotai/Kimi-K2.7-Code",
    "kimi-k3": "moonshotai/Kimi-K3",
    "kimi-linear": "moonshotai/Kimi-Linear-48B-A3B-Instruct",
    "kimi-vl": "moonshotai/Kimi-VL-A3B-Instruct",
    "moonlight": "moonshotai/Moonlight-16B-A3B-Instruct",
}
COUNT = len(REPOS) + 1
NEW = "c" * 40
PINNED = "b5aabbfb20227ed42becbf5541dbffd213942c58"


def run(root: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, "--root", root, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout, as far as the script goes, whose manifest knows only upstream files that a test can have."""
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "overlays", root / "overlays", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "CHANGELOG.md").write_text("# Changelog\n\n## 0.2.0 (unreleased)\n\n- New.\n\n## 0.1.0\n\n- Old.\n")
    assert run(root).returncode == 0
    manifest = manifest_of(root)
    lines = [
        line
        for line in manifest.read_text().splitlines(keepends=True)
        if not line.startswith(
            ('"config.json"', '"tokenization_kimi.py"', '"tool_declaration_ts.py"', '"chat_template')
        )
    ]
    manifest.write_text(
        "".join(lines).replace("[upstream.sha256]\n", f'[upstream.sha256]\n"config.json" = "{digest(b"{}")}"\n')
    )
    other = manifest.parent.parent / "kimi-k2.7-code" / "overlay.toml"
    unknown = ('"tokenizer_config.json" = "6d', '"chat_template.jinja" = "8d')  # nobody has the text of these
    kept = [line for line in other.read_text().splitlines(keepends=True) if not line.startswith(unknown)]
    other.write_text("".join(kept))
    for line in ("kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5"):
        other = manifest.parent.parent / line / "overlay.toml"
        kept = [
            row
            for row in other.read_text().splitlines(keepends=True)
            if not row.startswith('"chat_template.jinja" = "')
        ]
        other.write_text("".join(kept))
    k3 = manifest.parent.parent / "kimi-k3" / "overlay.toml"
    k3.write_text(re.sub(r'^"(?!tiktoken)[a-z0-9_.]+" = "[0-9a-f]{64}"\n', "", k3.read_text(), flags=re.MULTILINE))
    return root


@pytest.fixture
def mirror(tmp_path: Path, root: Path) -> Path:
    mirror = tmp_path / "mirror"
    for repo in (*REPOS.values(), "moonshotai--Kimi-K2.6"):  # both spellings
        (mirror / repo).mkdir(parents=True)
        shutil.copy(ROOT / "overlays" / "common" / "tiktoken.model", mirror / repo)
    last = mirror / "moonshotai--Kimi-K2.6"
    shutil.copy(ROOT / "overlays" / "kimi-k2.6" / "tokenizer_config.json", last)
    (last / "config.json").write_bytes(b"{}")
    return mirror


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest_of(root: Path) -> Path:
    return root / "overlays" / "kimi-k2.6" / "overlay.toml"


def everything(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_manifests_of_the_checkout_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("unchanged") == COUNT


def test_a_changed_file_of_ours_is_noticed_and_entered(root: Path) -> None:
    python = root / "overlays" / "common" / "tokenization_kimi.py"
    python.write_bytes(python.read_bytes() + b"# more\n")
    done = run(root, "--check")
    assert done.returncode == 1
    assert done.stdout.count("out of date") == COUNT
    assert run(root).stdout.count("refreshed") == COUNT
    assert digest(python.read_bytes()) in manifest_of(root).read_text()
    assert run(root).stdout.count("unchanged") == COUNT
    assert run(root, "--check").returncode == 0


def test_rebuilding_from_a_mirror_changes_nothing(root: Path, mirror: Path) -> None:
    before = everything(root)
    for _ in range(2):
        done = run(root, "--mirror", mirror)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("unchanged") == COUNT
        assert everything(root) == before


def test_rebuilding_from_the_hub_at_the_pinned_revisions(root: Path, mirror: Path) -> None:
    with Hub() as hub:
        environment = {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0"}
        for manifest in sorted((root / "overlays").glob("*/overlay.toml")):
            line = manifest.parent.name
            repo = REPOS.get(line, "moonshotai/Kimi-K2.6")
            folder = mirror / repo if line in REPOS else mirror / repo.replace("/", "--")
            pinned = hub.publish(repo, files_of(folder))
            hub.publish(repo, {"README.md": b"what main holds by now"})
            text = manifest.read_text()
            start = text.index('revision = "') + len('revision = "')
            manifest.write_text(text[:start] + pinned + text[start + 40 :])
        before = everything(root)
        (root / "overlays" / "common" / "tiktoken.model").unlink()
        for _ in range(2):
            done = run(root, "--hub", **environment)
            assert done.returncode == 0, done.stderr
            assert everything(root) == before
        assert done.stdout.count("unchanged") == COUNT
        manifest.write_text(manifest.read_text().replace(pinned, "d" * 40))
        done = run(root, "--hub", **environment)
        assert done.returncode == 1
        assert "d" * 40 in done.stderr
        assert "Traceback" not in done.stderr


def test_what_is_vendored_is_rebuilt(root: Path, mirror: Path) -> None:
    before = everything(root)
    (root / "overlays" / "common" / "tiktoken.model").unlink()
    (root / "overlays" / "kimi-k2.6" / "tokenizer_config.json").write_text("damaged")
    assert run(root, "--mirror", mirror, "--check").returncode == 1
    done = run(root, "--mirror", mirror)
    assert done.returncode == 0, done.stderr
    assert "common/tiktoken.model: refreshed" in done.stdout
    assert everything(root) == before


@pytest.mark.parametrize("name", ["tiktoken.model", "tokenizer_config.json", "config.json"])
def test_an_unexplained_difference_is_refused_and_nothing_is_written(root: Path, mirror: Path, name: str) -> None:
    (root / "overlays" / "common" / "tiktoken.model").unlink()
    before = everything(root)
    file = mirror / "moonshotai--Kimi-K2.6" / name
    file.write_bytes(file.read_bytes() + b" ")
    done = run(root, "--mirror", mirror)
    assert done.returncode == 1
    assert f"{name} of moonshotai/Kimi-K2.6 has SHA-256" in done.stderr
    assert everything(root) == before
    file.unlink()
    assert f"has no {name}" in run(root, "--mirror", mirror).stderr
    assert everything(root) == before


def test_moving_a_pin_takes_an_explanation_for_every_file(root: Path, mirror: Path) -> None:
    before = everything(root)
    file = mirror / "moonshotai--Kimi-K2.6" / "tokenizer_config.json"
    changed = file.read_bytes() + b"\n"
    file.write_bytes(changed)
    pin = ("--mirror", mirror, "--line", "kimi-k2.6", "--revision", NEW)
    done = run(root, *pin)
    assert done.returncode == 1
    assert "--accept tokenizer_config.json" in done.stderr
    assert everything(root) == before

    done = run(root, *pin, "--accept", "tokenizer_config.json")
    assert done.returncode == 0, done.stderr
    manifest = manifest_of(root).read_text()
    assert f'revision = "{NEW}"' in manifest
    assert f'good_revisions = ["2755962d07cb42aa2d988a35bcb65cd4a9c2de82", "{PINNED}"]' in manifest
    assert manifest.count(digest(changed)) == 2  # upstream's, and ours, which is the same
    assert (root / "overlays" / "kimi-k2.6" / "tokenizer_config.json").read_bytes() == changed
    # Kimi-K2.5 has that file from the same place.
    assert digest(changed) in (root / "overlays" / "kimi-k2.5" / "overlay.toml").read_text()
    changelog = (root / "CHANGELOG.md").read_text()
    entry = (
        f"- New.\n- Overlay `kimi-k2.6`: upstream `moonshotai/Kimi-K2.6` is now pinned at `{NEW}` (was `{PINNED}`); "
        "files that changed: `tokenizer_config.json`.\n\n## 0.1.0\n"
    )
    assert entry in changelog

    after = everything(root)
    for _ in range(2):
        assert run(root, *pin, "--accept", "tokenizer_config.json").returncode == 0
        assert run(root, "--mirror", mirror).returncode == 0
        assert everything(root) == after


def test_another_rank_table_is_refused_whatever_is_accepted(root: Path, mirror: Path) -> None:
    before = everything(root)
    (mirror / "moonshotai--Kimi-K2.6" / "tiktoken.model").write_bytes(b"YQ== 0\n")
    done = run(
        root, "--mirror", mirror, "--line", "kimi-k2.6", "--revision", NEW, "--accept", "tiktoken.model", "config.json"
    )
    assert done.returncode == 1
    assert "another vocabulary" in done.stderr
    assert everything(root) == before


def test_a_broken_revision_a_branch_and_an_unknown_line_are_refused(root: Path, mirror: Path) -> None:
    before = everything(root)
    broken = "81bcaaa7947338ce2641983d98947bca0cc1a4d4"
    done = run(root, "--mirror", mirror, "--line", "kimi-k2.6", "--revision", broken)
    assert (done.returncode, "listed as broken" in done.stderr) == (1, True)
    assert run(root, "--mirror", mirror, "--line", "kimi-k2.6", "--revision", "main").returncode == 2
    assert run(root, "--revision", NEW).returncode == 2
    assert run(root, "--mirror", mirror, "--line", "kimi-k9").returncode == 1
    assert everything(root) == before
