"""Fixtures that the whole suite shares: the tokenizer under test, and a plain tiktoken encoding made from the facts."""

from __future__ import annotations

import base64
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tiktoken
from hypothesis import HealthCheck, settings

import kimi_tokenizers as kt

if TYPE_CHECKING:
    from kimi_tokenizers.overlays.common.tokenization_kimi import TikTokenTokenizer

ROOT = Path(__file__).resolve().parent.parent
OVERLAYS = ROOT / "kimi_tokenizers" / "overlays"  # in a clone a link to overlays/, in an sdist the folder itself

# Background jobs of a shell ignore SIGINT, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # under nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile(
    "kimi",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    max_examples=100 if os.environ.get("CI") else 15,
    # The tokenizer is never changed by a test that shares it.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("kimi")

# Left out of `pytest`, which answers within two minutes, and run by `pytest -m slow`, as CI does after it: they build
# the package, convert the vocabulary, compare engines on megabytes, or start and kill hundreds of processes. Single
# tests elsewhere carry the mark themselves.
SLOW_MODULES = {
    *("test_adapter", "test_bench", "test_cache", "test_campaign", "test_command_line", "test_engines"),
    *("test_exo_downloader", "test_hostile_directories", "test_races"),
    *("test_cluster", "test_cluster_odd_nodes", "test_cluster_sshd", "test_exo_loading", "test_exo_standalone"),
    *("test_clients", "test_splintr"),
    "test_escaping",
    "test_export",
    *("test_fingerprint", "test_frozen_app", "test_guard", "test_integration", "test_kimi_k3_everywhere"),
    "test_hostile_sync",
    *("test_lines", "test_load_mlx", "test_pairs_of_lines"),
    *(
        "test_packaging",
        "test_parity",
        "test_refresh_overlays",
        "test_register",
        "test_renumbering",
        "test_resolver",
        "test_saving",
    ),
    "test_sync",
    *("test_sync_crash", "test_testing", "test_upstream", "test_verified_python", "test_view"),
}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what is left out: that takes a third of the time. A file that is named is not left out."""
    named = any(collection_path.stem in argument for argument in config.invocation_params.args)
    return True if collection_path.stem in SLOW_MODULES and _leaves_slow_out(config) and not named else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in SLOW_MODULES and not _leaves_slow_out(config):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.path.stem != "test_frozen_app")  # takes longest: others run beside it to the end


def _leaves_slow_out(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr") == "not slow")


# Written out here a second time, from the published pattern, so that the tests do not trust the code under test.
PATTERN = (
    r"[\p{Han}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
)

# Name -> (id, special), the control tokens of Kimi-K2.6.
NAMED = {
    "[BOS]": (163584, True),
    "[EOS]": (163585, True),
    "<|im_end|>": (163586, True),
    "<|im_user|>": (163587, True),
    "<|im_assistant|>": (163588, True),
    "<|start_header_id|>": (163590, True),
    "<|end_header_id|>": (163591, True),
    "[EOT]": (163593, True),
    "<|im_system|>": (163594, True),
    "<|tool_calls_section_begin|>": (163595, False),
    "<|tool_calls_section_end|>": (163596, False),
    "<|tool_call_begin|>": (163597, False),
    "<|tool_call_argument_begin|>": (163598, False),
    "<|tool_call_end|>": (163599, False),
    "<|im_middle|>": (163601, True),
    "<|media_begin|>": (163602, True),
    "<|media_content|>": (163603, True),
    "<|media_end|>": (163604, True),
    "<|media_pad|>": (163605, True),
    "<think>": (163606, False),
    "</think>": (163607, False),
    "[UNK]": (163838, True),
    "[PAD]": (163839, True),
}


def control_names(named: dict[str, tuple[int, bool]]) -> dict[str, int]:
    """Name -> id of all 256 control tokens, those without a name included."""
    names = {index: f"<|reserved_token_{index}|>" for index in range(163584, 163840)}
    names.update((index, name) for name, (index, _) in named.items())
    return {name: index for index, name in names.items()}


def golden(name: str) -> list[dict[str, Any]]:
    """The rows of a file in `golden/`, made with upstream's own code."""
    return [json.loads(row) for row in (ROOT / "tests" / "golden" / f"{name}.jsonl").read_text("utf-8").splitlines()]


def as_text(text: str) -> str:
    """What is left of a text with surrogates: pairs are joined, lone ones become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.fixture(scope="session")
def ranks() -> dict[bytes, int]:
    """The rank table, read without the code under test."""
    lines = (OVERLAYS / "common" / "tiktoken.model").read_text("ascii").splitlines()
    return {base64.b64decode(token): int(rank) for token, rank in map(str.split, lines)}


@pytest.fixture(scope="session")
def plain(ranks: dict[bytes, int]) -> tiktoken.Encoding:
    """tiktoken's own class with the vocabulary of Kimi-K2.6: what every id is compared with."""
    return tiktoken.Encoding("plain", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=control_names(NAMED))


@pytest.fixture(scope="session")
def tokenizer() -> TikTokenTokenizer:
    """The tokenizer of Kimi-K2.6. Shared: a test that changes a tokenizer loads its own."""
    return kt.load("moonshotai/Kimi-K2.6")


@pytest.fixture(scope="session")
def lines() -> dict[str, TikTokenTokenizer]:
    """One tokenizer a line. Shared, too."""
    models = {
        "kimi-k2-instruct": "moonshotai/Kimi-K2-Instruct",
        "kimi-k2-thinking": "moonshotai/Kimi-K2-Thinking",
        "kimi-k2.5": "moonshotai/Kimi-K2.5",
        "kimi-k2.6": "moonshotai/Kimi-K2.6",
        "kimi-k2.7-code": "moonshotai/Kimi-K2.7-Code",
    }
    return {line: kt.load(model) for line, model in models.items()}


@pytest.fixture
def fresh() -> TikTokenTokenizer:
    """A tokenizer of Kimi-K2.6 that a test may change."""
    return kt.load("moonshotai/Kimi-K2.6")
