"""What exo 0.3.70's downloader does to a model directory, and what the hub of the tests answers."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from exo_downloader import ensure_model
from hub import Hub, blob_id, files_of, tree

from kimi_tokenizers.model_dirs import exo

MODEL = "moonshotai/Kimi-K2.6"
WEIGHT = "model-00001-of-00001.safetensors"
INDEX = json.dumps({"weight_map": {"layer": WEIGHT}}).encode()

COMMON = {
    "config.json": b'{"vocab_size": 163840}',
    "model.safetensors.index.json": INDEX,
    WEIGHT: b"weights" * 100,
    "figures/kimi.svg": b"<svg/>",
}
GOOD = COMMON | {
    "tiktoken.model": b"IQ== 0\n",
    "tokenization_kimi.py": b"class TikTokenTokenizer: ...\n",
    "tokenizer_config.json": b'{"auto_map": {"AutoTokenizer": ["tokenization_kimi.slow", null]}}',
}
BROKEN = COMMON | {
    "tokenizer.json": b"{}",
    "tokenization_kimi_fast.py": b"class TikTokenTokenizerFast: ...\n",
    "tokenizer_config.json": b'{"auto_map": {"AutoTokenizer": [null, "fast"]}}',
}

open_url = build_opener(ProxyHandler({})).open


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as running:
        running.publish(MODEL, GOOD)
        yield running


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "EXO_DEFAULT_MODELS_DIR": str(tmp_path / "models"),
        "EXO_MODELS_READ_ONLY_DIRS": str(tmp_path / "read-only"),
    }


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "moonshotai--Kimi-K2.6"


def write_files(directory: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def state_of(directory: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Everything below a directory that a write would change."""
    state = {}
    for path in [directory, *directory.rglob("*")]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        state[str(path)] = (status.st_ino, status.st_mode, status.st_mtime_ns, content)
    return state


# -- downloading ---------------------------------------------------------------------------------


def test_every_listed_file_is_downloaded(hub: Hub, env: dict[str, str], target: Path) -> None:
    assert ensure_model(MODEL, hub.url, env) == target
    assert files_of(target) == GOOD
    assert exo.is_complete(target)


def test_a_complete_model_is_never_downloaded_again(hub: Hub, env: dict[str, str], target: Path) -> None:
    ensure_model(MODEL, hub.url, env)
    hub.publish(MODEL, BROKEN)
    exo.file_list_cache(MODEL, env).unlink()
    hub.requests.clear()
    assert ensure_model(MODEL, hub.url, env) == target
    assert hub.requests == []
    assert files_of(target) == GOOD


def test_a_complete_model_needs_no_hub(hub: Hub, env: dict[str, str], target: Path) -> None:
    ensure_model(MODEL, hub.url, env)
    hub.stop()
    assert ensure_model(MODEL, hub.url, env) == target


def test_an_incomplete_model_cannot_be_had_offline(hub: Hub, env: dict[str, str]) -> None:
    hub.stop()
    with pytest.raises(URLError, match="refused"):
        ensure_model(MODEL, hub.url, env)


def test_a_read_only_file_of_another_size_is_replaced(hub: Hub, env: dict[str, str], target: Path) -> None:
    """The workaround of chmod 444 does not hold: removing asks the directory, not the file."""
    mended = dict.fromkeys(("tokenizer_config.json", "tokenization_kimi.py"), b"mended by hand")
    write_files(target, mended)
    for name in mended:
        (target / name).chmod(0o444)
    hub.publish(MODEL, BROKEN)
    ensure_model(MODEL, hub.url, env)
    config = target / "tokenizer_config.json"
    assert config.read_bytes() == BROKEN["tokenizer_config.json"]
    assert stat.S_IMODE(config.stat().st_mode) & stat.S_IWUSR
    assert (target / "tokenization_kimi.py").read_bytes() == b"mended by hand"
    assert hub.asked_for("HEAD", "tokenizer_config.json") == 1
    assert hub.asked_for("HEAD", "tokenization_kimi.py") == 0


def test_a_file_of_the_same_size_is_kept(hub: Hub, env: dict[str, str], target: Path) -> None:
    mine = b"x" * len(GOOD["tokenizer_config.json"])
    write_files(target, {"tokenizer_config.json": mine})
    ensure_model(MODEL, hub.url, env)
    assert (target / "tokenizer_config.json").read_bytes() == mine
    assert hub.asked_for("HEAD", "tokenizer_config.json") == 1
    assert hub.asked_for("GET", "tokenizer_config.json") == 0


def test_a_file_that_cannot_be_removed_is_kept(hub: Hub, env: dict[str, str], target: Path) -> None:
    (target / "config.json").mkdir(parents=True)  # unlink refuses a directory, also to root
    ensure_model(MODEL, hub.url, env)
    assert (target / "config.json").is_dir()
    assert hub.asked_for("GET", "config.json") == 0


def test_a_local_file_that_is_gone_upstream_is_kept(hub: Hub, env: dict[str, str], target: Path) -> None:
    """A stale list names it, the size check gets a 404, and so exo lets it be."""
    ensure_model(MODEL, hub.url, env)
    (target / WEIGHT).unlink()
    hub.publish(MODEL, BROKEN)
    ensure_model(MODEL, hub.url, env)
    assert hub.asked_for("HEAD", "tokenization_kimi.py") == 1
    assert (target / "tokenization_kimi.py").read_bytes() == GOOD["tokenization_kimi.py"]
    assert (target / "tokenizer_config.json").read_bytes() == BROKEN["tokenizer_config.json"]
    assert not (target / "tokenizer.json").exists()  # the stale list does not know it


def test_files_on_disk_are_kept_when_the_hub_goes_offline(hub: Hub, env: dict[str, str], target: Path) -> None:
    ensure_model(MODEL, hub.url, env)
    (target / WEIGHT).unlink()
    (target / "tokenizer_config.json").write_bytes(b"mine")
    hub.stop()
    with pytest.raises(URLError, match="refused"):
        ensure_model(MODEL, hub.url, env)
    assert (target / "tokenizer_config.json").read_bytes() == b"mine"


def test_a_stale_file_list_fails_on_the_file_that_is_gone(hub: Hub, env: dict[str, str], target: Path) -> None:
    """The first error that users reported."""
    ensure_model(MODEL, hub.url, env)
    (target / WEIGHT).unlink()
    (target / "tokenization_kimi.py").unlink()
    hub.publish(MODEL, BROKEN)
    with pytest.raises(FileNotFoundError) as caught:
        ensure_model(MODEL, hub.url, env)
    expected = f"File not found: {hub.url}/{MODEL}/resolve/main/tokenization_kimi.py"
    assert str(caught.value) == expected


def test_skipped_files_are_neither_checked_nor_fetched(hub: Hub, env: dict[str, str], target: Path) -> None:
    def provided(model_id: str, file: str) -> bool:
        return model_id == MODEL and file in {"tokenization_kimi.py", "tiktoken.model"}

    ensure_model(MODEL, hub.url, env)
    (target / WEIGHT).unlink()
    (target / "tokenization_kimi.py").unlink()
    (target / "tiktoken.model").write_bytes(b"the overlay's")
    hub.publish(MODEL, BROKEN)
    hub.requests.clear()
    ensure_model(MODEL, hub.url, env, skip=provided)
    assert exo.is_complete(target)
    assert not (target / "tokenization_kimi.py").exists()
    assert (target / "tiktoken.model").read_bytes() == b"the overlay's"
    assert not [line for line in hub.requests if "tokenization_kimi" in line or "tiktoken" in line]


def test_the_file_list_is_asked_for_once_a_day(hub: Hub, env: dict[str, str], target: Path) -> None:
    def lists_asked_for() -> int:
        return hub.asked_for("GET", "tree/main")

    ensure_model(MODEL, hub.url, env)
    (target / WEIGHT).unlink()
    ensure_model(MODEL, hub.url, env)
    assert lists_asked_for() == 1
    hub.publish(MODEL, BROKEN)
    cache = exo.file_list_cache(MODEL, env)
    yesterday = time.time() - 24 * 3600 - 60
    os.utime(cache, (yesterday, yesterday))
    (target / WEIGHT).unlink()
    ensure_model(MODEL, hub.url, env)
    assert lists_asked_for() == 2
    assert json.loads(cache.read_bytes()) == tree(BROKEN, recursive=True)
    assert (target / "tokenizer.json").exists()


def test_a_partial_download_is_begun_again_and_renamed(hub: Hub, env: dict[str, str], target: Path) -> None:
    write_files(target, {f"{WEIGHT}.partial": b"wei"})
    ensure_model(MODEL, hub.url, env)
    assert files_of(target) == GOOD


def test_a_link_into_a_blob_store_is_replaced_not_written_through(
    hub: Hub, env: dict[str, str], target: Path, tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(b"shared")
    target.mkdir(parents=True)
    (target / "config.json").symlink_to(tmp_path / "blob")
    ensure_model(MODEL, hub.url, env)
    assert (target / "config.json").read_bytes() == GOOD["config.json"]
    assert (tmp_path / "blob").read_bytes() == b"shared"


def test_a_complete_model_in_a_read_only_dir_is_used_and_never_touched(
    hub: Hub, env: dict[str, str], target: Path, tmp_path: Path
) -> None:
    model = tmp_path / "read-only" / target.name
    write_files(model, GOOD | {"tokenizer_config.json": b"mended by hand"})
    before = state_of(model.parent)
    hub.publish(MODEL, BROKEN)
    assert ensure_model(MODEL, hub.url, env) == model
    assert hub.requests == []
    assert state_of(model.parent) == before
    assert not target.exists()


def test_an_incomplete_model_in_a_read_only_dir_is_downloaded_elsewhere(
    hub: Hub, env: dict[str, str], target: Path, tmp_path: Path
) -> None:
    model = tmp_path / "read-only" / target.name
    write_files(model, {"tokenizer_config.json": b"mended by hand"})
    before = state_of(model.parent)
    assert ensure_model(MODEL, hub.url, env) == target
    assert state_of(model.parent) == before
    assert files_of(target) == GOOD


# -- the hub -------------------------------------------------------------------------------------


def get_json(url: str) -> Any:
    with open_url(url) as response:
        return json.load(response)


def error_of(url: str) -> HTTPError:
    with pytest.raises(HTTPError) as caught:
        open_url(url)
    return caught.value


def test_the_tree_lists_files_and_folders(hub: Hub) -> None:
    api = f"{hub.url}/api/models/{MODEL}/tree/main"
    everything = get_json(f"{api}?recursive=true")
    files = [entry for entry in everything if entry["type"] == "file"]
    assert {e["path"]: e["size"] for e in files} == {n: len(c) for n, c in GOOD.items()}
    assert [e["path"] for e in everything if e["type"] == "directory"] == ["figures"]
    top = [entry["path"] for entry in get_json(api)]
    assert "figures" in top
    assert "figures/kimi.svg" not in top


def test_the_tree_says_which_files_are_large(hub: Hub) -> None:
    url = f"{hub.url}/api/models/{MODEL}/tree/main?recursive=true"
    entries = {entry["path"]: entry for entry in get_json(url)}
    assert entries[WEIGHT]["lfs"]["oid"] == hashlib.sha256(GOOD[WEIGHT]).hexdigest()
    assert entries[WEIGHT]["lfs"]["size"] == len(GOOD[WEIGHT])
    assert "lfs" not in entries["config.json"]


def test_model_and_revision_tell_commit_and_files(hub: Hub) -> None:
    good = hub.publish(MODEL, GOOD)
    broken = hub.publish(MODEL, BROKEN)
    assert good != broken
    api = f"{hub.url}/api/models/{MODEL}"
    for url, commit, files in (
        (api, broken, BROKEN),
        (f"{api}/revision/main", broken, BROKEN),
        (f"{api}/revision/{good}", good, GOOD),
    ):
        info = get_json(url)
        assert info["sha"] == commit
        assert {sibling["rfilename"] for sibling in info["siblings"]} == set(files)


def test_resolve_gives_the_file_with_its_headers(hub: Hub) -> None:
    commit = hub.publish(MODEL, GOOD)
    url = f"{hub.url}/{MODEL}/resolve/main/figures/kimi.svg"
    for method, body in (("GET", b"<svg/>"), ("HEAD", b"")):
        with open_url(Request(url, method=method)) as response:
            assert response.read() == body
            assert response.headers["Content-Length"] == "6"
            assert response.headers["ETag"] == f'"{blob_id("kimi.svg", b"<svg/>")}"'
            assert response.headers["X-Repo-Commit"] == commit


def test_blobs_are_named_as_git_names_them() -> None:
    assert blob_id("a.txt", b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


@pytest.mark.parametrize(
    ("wanted", "body", "content_range"),
    [
        ("bytes=0-1", b"IQ", "bytes 0-1/7"),
        ("bytes=5-", b"0\n", "bytes 5-6/7"),
        ("bytes=5-99", b"0\n", "bytes 5-6/7"),
        ("bytes=-3", b" 0\n", "bytes 4-6/7"),
    ],
)
def test_a_range_is_a_part(hub: Hub, wanted: str, body: bytes, content_range: str) -> None:
    url = f"{hub.url}/{MODEL}/resolve/main/tiktoken.model"
    with open_url(Request(url, headers={"Range": wanted})) as response:
        assert response.status == 206
        assert response.read() == body
        assert response.headers["Content-Range"] == content_range


def test_a_range_beyond_the_end_is_refused(hub: Hub) -> None:
    url = f"{hub.url}/{MODEL}/resolve/main/tiktoken.model"
    with pytest.raises(HTTPError) as caught:
        open_url(Request(url, headers={"Range": "bytes=7-"}))
    assert caught.value.code == 416


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/{MODEL}/resolve/main/missing.py", "EntryNotFound"),
        (f"/{MODEL}/resolve/no-such-revision/config.json", "RevisionNotFound"),
        ("/nobody/nothing/resolve/main/config.json", "RepoNotFound"),
        ("/api/models/nobody/nothing", "RepoNotFound"),
        (f"/api/models/{MODEL}/tree/no-such-revision", "RevisionNotFound"),
        ("/", "RepoNotFound"),
    ],
)
def test_what_is_not_there_is_a_404(hub: Hub, path: str, code: str) -> None:
    error = error_of(hub.url + path)
    assert error.code == 404
    assert error.headers["X-Error-Code"] == code


def test_the_layout_changes_while_the_hub_runs(hub: Hub) -> None:
    url = f"{hub.url}/{MODEL}/resolve/main/tokenization_kimi.py"
    good = hub.publish(MODEL, GOOD)
    with open_url(url) as response:
        assert response.read() == GOOD["tokenization_kimi.py"]
    hub.publish(MODEL, BROKEN)
    assert error_of(url).code == 404
    with open_url(url.replace("main", good)) as response:
        assert response.read() == GOOD["tokenization_kimi.py"]


def test_the_real_client_downloads_a_snapshot_from_the_hub(hub: Hub, tmp_path: Path) -> None:
    """huggingface_hub itself finds our answers good, and its snapshot is made of links."""
    program = (
        "import sys; from huggingface_hub import snapshot_download;"
        "print(snapshot_download(sys.argv[1], cache_dir=sys.argv[2]))"
    )
    env = os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-c", program, MODEL, str(tmp_path / "cache")],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    snapshot = Path(done.stdout.strip())
    assert files_of(snapshot) == GOOD
    assert (snapshot / WEIGHT).is_symlink()
    assert exo.is_complete(snapshot)
