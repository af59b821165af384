"""`upstream` against a hub on loopback, with the real client: what became of a repo, and hubs that misbehave."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub import Fault, Hub, tree
from layouts import fast_tokenizer_json, small_tokenizer_json

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.evidence import changes, upstream
from kimi_tokenizers.evidence import hub as hub_module
from kimi_tokenizers.evidence.upstream import Change, Client, Finding

ROOT = Path(__file__).resolve().parents[2]
KIMI = "moonshotai/Kimi-K2.6"
OVERLAY = catalogue.overlays()["kimi-k2.6"]
CONFIG = json.loads(OVERLAY.read("tokenizer_config.json"))

GOOD: dict[str, bytes] = {
    "config.json": json.dumps({"model_type": "kimi_k25", "vocab_size": 163840}).encode(),
    "tiktoken.model": OVERLAY.read("tiktoken.model"),
    "tokenization_kimi.py": b"raise RuntimeError('executed')\n",
    "tool_declaration_ts.py": b"raise RuntimeError('executed')\n",
    "tokenizer_config.json": OVERLAY.read("tokenizer_config.json"),
    "chat_template.jinja": b"{{ messages }}",
    "model-00001-of-00002.safetensors": b"weights",
    "docs/tokenizer.md": b"not at the top",
}
BROKEN_CONFIG = CONFIG | {"auto_map": {"AutoTokenizer": [None, "tokenization_kimi_fast.TikTokenTokenizerFast"]}}
BROKEN = {name: data for name, data in GOOD.items() if name not in ("tokenization_kimi.py", "tiktoken.model")} | {
    "tokenizer_config.json": json.dumps(BROKEN_CONFIG).encode(),
    "tokenization_kimi_fast.py": b"raise RuntimeError('executed')\n",
}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as running:
        running.since = running.publish(KIMI, GOOD)  # type: ignore[attr-defined]
        yield running


def ask(hub: Hub, model: str = KIMI, **options: Any) -> Finding:
    """What `upstream` finds since the good layout."""
    client = Client(hub.url, timeout=options.pop("timeout", 5), longest_wait=0.05, **options)
    [finding] = upstream.changes_upstream([model], hub.since, client=client)  # type: ignore[attr-defined]
    return finding


def with_table(**names: Any) -> bytes:
    table = CONFIG["added_tokens_decoder"] | {
        index.strip("_"): {"content": name, "special": True} for index, name in names.items()
    }
    return json.dumps(CONFIG | {"added_tokens_decoder": table}).encode()


# What became of a repo


def test_unchanged(hub: Hub) -> None:
    finding = ask(hub)
    assert finding.change is Change.UNCHANGED
    assert (finding.added, finding.removed, finding.changed, finding.details) == ([], [], [], [])
    assert finding.commit == hub.since  # type: ignore[attr-defined]
    assert not [line for line in hub.requests if "/resolve/" in line]  # hashes suffice


def test_changed_with_the_same_vocabulary(hub: Hub) -> None:
    hub.publish(KIMI, GOOD | {"chat_template.jinja": b"{{ other }}", "tokenization_kimi.py": b"# rewritten\n"})
    finding = ask(hub)
    assert finding.change is Change.CHANGED
    assert finding.changed == ["chat_template.jinja", "tokenization_kimi.py"]


def test_a_change_to_weights_or_below_the_top_is_none(hub: Hub) -> None:
    hub.publish(KIMI, GOOD | {"model-00001-of-00002.safetensors": b"others", "docs/tokenizer.md": b"other"})
    assert ask(hub).change is Change.UNCHANGED
    assert hub.asked_for("GET", "model-00001-of-00002.safetensors") == 0


def test_the_slow_tokenizer_is_gone(hub: Hub) -> None:
    hub.publish(KIMI, BROKEN | {"tokenizer.json": fast_tokenizer_json().read_bytes()})
    finding = ask(hub)
    assert finding.change is Change.SLOW_GONE
    assert finding.removed == ["tiktoken.model", "tokenization_kimi.py"]
    assert finding.added == ["tokenization_kimi_fast.py", "tokenizer.json"]
    assert hub.asked_for("GET", "tokenization_kimi_fast.py") == 0  # Python is not even fetched


def test_the_slow_slot_alone_is_gone(hub: Hub) -> None:
    hub.publish(KIMI, GOOD | {"tokenizer_config.json": json.dumps(BROKEN_CONFIG).encode()})
    assert ask(hub).change is Change.SLOW_GONE


@pytest.mark.parametrize(
    ("files", "detail"),
    [
        ({"tiktoken.model": GOOD["tiktoken.model"][:-20] + b"AAAA 163583\n"}, "has SHA-256"),
        ({"tokenizer.json": small_tokenizer_json()}, "says that id 0 is 'a'"),
        ({"tokenizer_config.json": with_table(_163587="<|open|>")}, "says that id 163587 is '<|open|>'"),
        ({"tokenizer_config.json": with_table(_163700="<|new|>")}, "New control tokens: '<|new|>' 163700"),
        ({"config.json": b'{"vocab_size": 200000}'}, "vocab_size 200000"),
        ({"tokenizer_config.json": b"{not json"}, "is not JSON"),
    ],
)
def test_vocabulary_or_control_tokens_changed(hub: Hub, files: dict[str, bytes], detail: str) -> None:
    hub.publish(KIMI, GOOD | files)
    finding = ask(hub)
    assert finding.change is Change.VOCABULARY
    assert detail in " ".join(finding.details)
    assert os.sep + "tmp" not in " ".join(finding.details)


def test_the_repo_is_gone(hub: Hub) -> None:
    with Hub() as empty:
        empty.since = "0" * 40  # type: ignore[attr-defined]
        finding = ask(empty)
    assert finding.change is Change.GONE
    assert "RepoNotFound" in finding.details[0]


def test_the_repo_is_gated(hub: Hub) -> None:
    hub.faults.append(Fault("/api/", 9, 403, {"X-Error-Code": "GatedRepo"}))
    assert ask(hub).change is Change.GATED
    assert len(hub.requests) == 1  # asking again would not help


def test_the_pinned_revision_is_gone(hub: Hub) -> None:
    """Then there is nothing to compare with but the overlay's hashes, and they still tell."""
    hub.since = "1" * 40  # type: ignore[attr-defined]
    finding = ask(hub)
    assert finding.change is Change.CHANGED
    assert "overlay's own hashes only" in " ".join(finding.details)
    hub.publish(KIMI, GOOD | {"tiktoken.model": b"YQ== 0\nYg== 1\n"})
    assert ask(hub).change is Change.VOCABULARY


def test_offline(hub: Hub) -> None:
    hub.stop()
    assert ask(hub).change is Change.OFFLINE


def test_conversions_are_compared_with_the_pinned_upstream(hub: Hub) -> None:
    conversion = "mlx-community/Kimi-K2.6-4bit"
    hub.publish(conversion, GOOD)
    hub._revisions[KIMI, OVERLAY.upstream.revision] = hub._revisions[KIMI, "main"]
    [finding] = upstream.changes_upstream([conversion], client=Client(hub.url))
    assert finding.change is Change.UNCHANGED
    assert finding.since == f"{KIMI}@{OVERLAY.upstream.revision}"
    with pytest.raises(KimiTokenizersError, match="No overlay serves"):
        list(upstream.changes_upstream(["moonshotai/Kimi-K3.1-Pro"], client=Client(hub.url)))


def test_the_token_goes_along(hub: Hub) -> None:
    ask(hub, token="hf_secret")
    assert {headers.get("Authorization") or headers.get("authorization") for headers in hub.headers} == {
        "Bearer hf_secret"
    }


# Hubs that misbehave


def test_a_hub_that_is_busy_is_asked_again_when_it_says(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    hub.faults.append(Fault("/api/", 2, 429, {"Retry-After": "7"}))
    client = Client(hub.url, longest_wait=30)
    [finding] = upstream.changes_upstream([KIMI], hub.since, client=client)  # type: ignore[attr-defined]
    assert finding.change is Change.UNCHANGED
    assert waits == [7, 7]


def test_nobody_waits_for_ever(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    hub.faults.append(Fault("/api/", 99, 429, {"Retry-After": "86400"}))
    [finding] = upstream.changes_upstream([KIMI], client=Client(hub.url))
    assert finding.change is Change.OFFLINE
    assert "429" in finding.details[0]
    assert len(hub.requests) == 4
    assert waits == [30, 30, 30]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_hub_that_fails_is_asked_again_and_given_up(hub: Hub, status: int) -> None:
    hub.faults.append(Fault("/api/", 2, status))
    assert ask(hub).change is Change.UNCHANGED
    hub.faults.append(Fault("/api/", 99, status))
    assert ask(hub).change is Change.OFFLINE


def test_silence_is_not_waited_out(hub: Hub) -> None:
    hub.faults.append(Fault("/api/", 1, stall=30))
    assert ask(hub, timeout=0.3).change is Change.UNCHANGED
    hub.faults[:] = [Fault("/api/", 99, stall=30)]
    assert ask(hub, timeout=0.1).change is Change.OFFLINE


@pytest.mark.parametrize("path", ["/api/.*/tree/", "/resolve/.*/config.json"])
def test_a_body_cut_short_is_fetched_again(hub: Hub, path: str) -> None:
    hub.publish(KIMI, GOOD | {"config.json": GOOD["config.json"] + b" "})
    hub.faults.append(Fault(path, 2, cut=5))
    assert ask(hub).change is Change.CHANGED
    hub.faults.append(Fault(path, 99, cut=5))
    assert ask(hub).change is Change.OFFLINE


def test_other_content_than_is_listed_is_not_believed(hub: Hub) -> None:
    hub.publish(KIMI, GOOD | {"config.json": b'{"vocab_size": 163840} '})
    hub.faults.append(Fault("/resolve/", 99, 200, body=b'{"vocab_size": 1638400}'))
    finding = ask(hub)
    assert finding.change is Change.OFFLINE
    assert "not what is listed" in finding.details[0]


def test_redirects_are_followed_and_loops_are_left(hub: Hub) -> None:
    hub.publish("moonshotai/Kimi-K2.6-renamed", GOOD)
    hub.faults.append(
        Fault(
            r"Kimi-K2\.6/revision/main", 1, 307, {"Location": "/api/models/moonshotai/Kimi-K2.6-renamed/revision/main"}
        )
    )
    hub.publish(KIMI, GOOD)
    hub._revisions[KIMI, hub._revisions["moonshotai/Kimi-K2.6-renamed", "main"][0]] = hub._revisions[KIMI, "main"]
    assert ask(hub).change is Change.UNCHANGED
    hub.faults.append(Fault("/api/", 9999, 302, {"Location": "/api/again"}))
    assert ask(hub).change is Change.OFFLINE


@pytest.mark.parametrize("path", ["/api/", "/resolve/"])
@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_to_another_origin_is_refused_with_a_word(hub: Hub, path: str, status: int) -> None:
    hub.publish(KIMI, GOOD | {"config.json": b"{}"})
    with Hub() as elsewhere:
        hub.faults.append(Fault(path, 9, status, {"Location": f"{elsewhere.url}/api/models/a/b"}))
        finding = ask(hub, token="hf_secret")
        assert not elsewhere.requests
    assert finding.change is Change.UNTRUSTED
    assert "redirected to another origin" in finding.details[-1]
    assert "HF_ENDPOINT" in finding.details[-1]


@pytest.mark.parametrize("target", ["http://[", "file:///etc/passwd", "//127.0.0.1:1/x", "", "/" + "x" * 5000])
def test_a_redirect_to_nowhere_is_no_crash(hub: Hub, target: str) -> None:
    hub.faults.append(Fault("/api/", 999, 302, {"Location": target}))
    assert ask(hub).change in (Change.UNTRUSTED, Change.OFFLINE)


def test_files_in_the_store_of_the_public_hub_are_fetched_without_the_token() -> None:
    def of(url: str) -> bool:
        return hub_module._is_store(hub_module._origin("https://huggingface.co/a/b"), hub_module._origin(url))

    assert of("https://cdn-lfs.hf.co/x")
    assert of("https://cas-bridge.xethub.hf.co/x")
    assert not any(map(of, ("http://cdn-lfs.hf.co/x", "https://hf.co.example/x", "https://a.hf.co:8443/x")))
    assert not hub_module._is_store(("http", "127.0.0.1", 80), hub_module._origin("https://cdn-lfs.hf.co/x"))


def listing(*paths: str) -> bytes:
    return json.dumps([{"type": "file", "path": path, "size": 3, "oid": "0" * 40} for path in paths]).encode()


def test_impossible_names_are_not_looked_at(hub: Hub) -> None:
    names = (
        "../tokenizer.json",
        "/etc/tokenizer.json",
        "a/../../tokenizer.json",
        "tokenizer\0.json",
        "tokenizer\n.json",
    )
    body = json.dumps(tree(GOOD, recursive=False) + json.loads(listing(*names))).encode()
    hub.faults.append(Fault("/tree/", 1, 200, {"Content-Type": "application/json"}, body))
    finding = ask(hub)
    assert finding.change is Change.UNCHANGED
    assert "4 entries with impossible names" in finding.details[0]
    assert not [line for line in hub.requests if "/resolve/" in line]


def test_a_listing_of_a_hundred_thousand_files_is_given_up(hub: Hub) -> None:
    body = listing(*(f"file-{number}" for number in range(100_000)))
    hub.faults.append(Fault("/tree/", 1, 200, {"Content-Type": "application/json"}, body))
    finding = ask(hub)
    assert finding.change is Change.UNTRUSTED
    assert "more than 10,000 entries" in finding.details[0]


def test_endless_pages_are_given_up(hub: Hub) -> None:
    again = {
        "Content-Type": "application/json",
        "Link": f'<{hub.url}/api/models/{KIMI}/tree/main?cursor=x>; rel="next"',
    }
    hub.faults.append(Fault("/tree/", 9999, 200, again, listing(*(f"file-{number}" for number in range(1000)))))
    assert ask(hub).change is Change.UNTRUSTED
    assert len(hub.requests) < 20


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[" * 100_000,
        b"[1, null, {}]",
        listing("tokenizer.json", "tokenizer.json"),
        json.dumps([{"type": "file", "path": "tokenizer.json", "size": -1, "oid": "0" * 40}]).encode(),
        json.dumps([{"type": "file", "path": "tokenizer.json", "size": 10**12, "oid": "0" * 40}]).encode(),
        json.dumps([{"type": "file", "path": "tokenizer.json", "size": 5, "oid": "../x"}]).encode(),
    ],
)
def test_nonsense_is_not_believed(hub: Hub, body: bytes) -> None:
    hub.faults.append(Fault("/tree/", 1, 200, {"Content-Type": "application/json"}, body))
    if body.startswith(b"[1"):
        assert "3 entries with impossible names" in ask(hub).details[0]
    else:
        assert ask(hub).change is Change.UNTRUSTED


def test_more_bytes_than_listed_are_not_taken(hub: Hub) -> None:
    hub.publish(KIMI, GOOD | {"config.json": b"{}"})
    hub.faults.append(Fault("/resolve/", 99, 200, body=b"x" * 1_000_000))
    assert ask(hub).change is Change.UNTRUSTED


@pytest.mark.parametrize("what", ["headers", "body"])
def test_what_drips_ends_at_the_deadline(hub: Hub, what: str) -> None:
    hub.faults.append(Fault("/tree/", 99, drip=what))
    finding = ask(hub, deadline=1)
    assert finding.change is Change.OFFLINE
    assert "the hub took all of the 1 s that it has" in finding.details[0]
    assert len(hub.requests) == 2  # it is not asked again


def test_the_deadline_is_one_for_all_models(hub: Hub) -> None:
    hub.faults.append(Fault("/api/", 99, drip="headers"))
    client = Client(hub.url, deadline=0.5)
    findings = list(upstream.changes_upstream([KIMI, "moonshotai/Kimi-K2.5"], client=client))
    assert [finding.change for finding in findings] == [Change.OFFLINE, Change.OFFLINE]
    assert len(hub.requests) == 1


def test_one_entry_pages_without_end_are_given_up(hub: Hub) -> None:
    again = {"Link": f'<{hub.url}/api/models/{KIMI}/tree/main?cursor=x>; rel="next"'}
    hub.faults.append(Fault("/tree/", 9999, 200, again, listing("file")))
    finding = ask(hub)
    assert finding.change is Change.UNTRUSTED
    assert "more than 100 pages" in finding.details[0]


@pytest.mark.parametrize(
    "names", [["tokenizer" + "x" * 1_000_000], [f"tokenizer-{'x' * 70}{number}" for number in range(9000)]]
)
def test_endless_names_and_names_without_number_are_not_repeated(hub: Hub, names: list[str]) -> None:
    hub.faults.append(Fault("/tree/", 1, 200, {}, listing(*names)))
    finding = ask(hub)
    assert len(json.dumps(finding.as_json())) < 3000
    assert not any("xxxx" in line for line in hub.requests)


@pytest.mark.parametrize("number", [b"1" * 5000, b"NaN", b"Infinity"])
def test_numbers_that_are_none_are_not_believed(hub: Hub, number: bytes) -> None:
    hub.faults.append(Fault("/tree/", 1, 200, {}, b'[{"path": "config.json", "size": ' + number + b"}]"))
    assert ask(hub).change is Change.UNTRUSTED


@pytest.mark.parametrize("value", ["\u00b2", "9" * 5000, "-1", "soon"])
def test_a_wait_that_is_no_number_of_seconds(hub: Hub, value: str) -> None:
    hub.faults.append(Fault("/api/", 1, 429, {"Retry-After": value}))
    assert ask(hub).change is Change.UNCHANGED


def test_escapes_in_headers_are_escaped(hub: Hub) -> None:
    hub.faults.append(Fault("/api/", 9, 418, {"X-Error-Code": "\x1b[31m\x9b\u00ad"}))
    [detail] = ask(hub).details
    assert "\\x9b" in detail or "Error" in detail  # some HTTP libraries refuse such headers
    assert detail.isprintable()


# K3: what is known of a file by its hash alone


def test_k3s_later_encoder_is_known_by_its_hash_alone(hub: Hub) -> None:
    line = catalogue.overlays()["kimi-k3"]
    repo, known = line.upstream.repo, line.upstream.untried_sha256["encoding_k3.py"]
    files = {"config.json": b"{}", "tiktoken.model": line.read("tiktoken.model"), "tokenization_kimi.py": b""}
    since = hub.publish(repo, files | {"encoding_k3.py": b"raise RuntimeError('executed')\n"})
    commit = hub.publish(repo, files | {"encoding_k3.py": b"raise RuntimeError('another')\n"})
    [finding] = upstream.changes_upstream([repo], since, client=Client(hub.url))
    assert finding.changed == ["encoding_k3.py"]
    assert "encoding_k3.py is not known (sha256:" in finding.details[0]
    entries = tree(hub._revisions[repo, commit][1], recursive=False)
    for entry in entries:
        if entry["path"] == "encoding_k3.py":
            entry["lfs"] = {"oid": known, "size": 9}
    hub.faults.append(Fault(f"/tree/{commit}", 1, 200, {}, json.dumps(entries).encode()))
    [finding] = upstream.changes_upstream([repo], since, client=Client(hub.url))
    assert finding.details[0] == (
        f"encoding_k3.py is of a later revision that is known by its hash alone (sha256:{known})."
    )


# The command


def run(hub: Hub, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kimi_tokenizers", "upstream", *arguments],
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": hub.url, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_honours_the_hubs_variables_and_says_it_with_its_exit_status(hub: Hub) -> None:
    since = hub.publish(KIMI, GOOD)
    done = run(hub, "--model", KIMI, "--since", since, "--json", HF_TOKEN="hf_secret")
    assert done.returncode == 0, done.stderr
    assert any("hf_secret" in str(headers) for headers in hub.headers)
    hub.publish(KIMI, BROKEN)
    done = run(hub, "--model", KIMI, "--since", since, "--json")
    assert done.returncode == Change.SLOW_GONE.value == 11
    report = json.loads(done.stdout)
    assert report["change"] == "slow_gone"
    assert report["models"][0]["removed"] == ["tiktoken.model", "tokenization_kimi.py"]
    done = run(hub, "--model", KIMI, HF_HUB_OFFLINE="1")
    assert done.returncode == Change.OFFLINE.value


def test_nothing_that_a_hub_answers_is_kept_for_later_runs(hub: Hub, tmp_path: Path) -> None:
    """huggingface_hub's own headers would ask it for a list, and keep whatever comes in the user's home."""
    hub.faults.append(Fault("agent-harnesses", 99, 200, {"Content-Type": "application/json"}, b"[1, 2]"))
    for _ in range(2):
        done = run(hub, "--model", KIMI, HF_HOME=str(tmp_path), HF_TOKEN="hf_x")
        assert done.returncode in {change.value for change in Change}, done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert all(f"/{KIMI}/" in line for line in hub.requests)


def test_the_command_has_a_deadline(hub: Hub) -> None:
    hub.faults.append(Fault("/api/", 99, drip="headers"))
    done = run(hub, "--model", KIMI, "--timeout", "1")
    assert done.returncode == Change.OFFLINE.value
    assert "--timeout" in done.stdout


def test_every_exit_status_is_in_the_help(hub: Hub) -> None:
    text = re.sub(r"\s+", " ", run(hub, "--help").stdout)
    for change in Change:
        assert re.search(rf"\b{change.value}\b", text), change
    assert len({change.value for change in Change}) == len(Change) == len(changes.MEANING) == len(changes.SEVERITY)


def test_of_several_models_the_worst_counts() -> None:
    findings = [Finding("a/b", "", "", change) for change in (Change.CHANGED, Change.VOCABULARY, Change.OFFLINE)]
    assert changes.worst_change(findings) is Change.VOCABULARY
    assert changes.worst_change([]) is Change.UNCHANGED


def test_markdown_is_plain_whatever_the_hub_says() -> None:
    finding = Finding(KIMI, "kimi-k2.6", "", Change.VOCABULARY, changed=["tokenizer_config.json"])
    finding.details.append("id 1 is '|<img src=x> @everyone `x`\n# heading [x](y)'")
    text = changes.upstream_markdown([finding])
    assert "| moonshotai/Kimi-K2.6 | vocabulary or control tokens changed" in text
    assert "tokenizer\\_config.json" in text
    for active in (r"(?<!\\)<", r"@\w", r"\n# ", r"(?<!\\)\["):
        assert not re.search(active, text), active
    assert len(text.splitlines()) == 7
