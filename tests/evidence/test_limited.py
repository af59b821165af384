"""References that would take the machine with them: each is one typed error, and this process is as before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kimi_tokenizers.evidence import limited, reference
from kimi_tokenizers.evidence.reference import ReferenceUnusableError, open_reference

MODEL = {"type": "WordLevel", "vocab": {"a": 0, "[UNK]": 1}, "unk_token": "[UNK]"}
PAD = {"direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "a"}


def tokenizer_json(**parts: Any) -> bytes:
    empty = dict.fromkeys(("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"))
    return json.dumps({"version": "1.0", **empty, "added_tokens": [], "model": MODEL, **parts}).encode()


GROWING = {
    "type": "Sequence",
    "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 1000}] * 5,
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    class Small(limited.Process):
        def __init__(self, kind: str, data: bytes, arguments: Any = None) -> None:
            super().__init__(kind, data, arguments, seconds=20, memory=1 << 30)

    monkeypatch.setattr(reference.limited, "Process", Small)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "parts",
    [{"padding": {"strategy": {"Fixed": 10**9}, **PAD}}, {"normalizer": GROWING}],
    ids=["padding", "normalizer"],
)
def test_what_grows_without_end(tmp_path: Path, parts: dict[str, Any]) -> None:
    (tmp_path / "tokenizer.json").write_bytes(tokenizer_json(**parts))
    opened = open_reference(str(tmp_path))
    assert opened.encode is not None
    try:
        with pytest.raises(ReferenceUnusableError, match="cannot be compared with"):
            opened.encode(["a", "a a"], True)
    finally:
        opened.close()


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[" * 100_000,
        b'{"model": {"vocab": {"a": 1e400}}}',
        tokenizer_json(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
        tokenizer_json(
            pre_tokenizer={"type": "Split", "pattern": {"Regex": "("}, "behavior": "Removed", "invert": False}
        ),
    ],
)
def test_what_cannot_be_loaded(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(data)
    with pytest.raises(ReferenceUnusableError, match="is not a tokenizer"):
        open_reference(str(tmp_path))


def test_an_answer_that_does_not_come() -> None:
    ranks = b"".join(b"%s %d\n" % (token, rank) for rank, token in enumerate([b"YQ==", b"Yg=="]))
    arguments = {"pat_str": r"(?:(?=(a+))\1?)*?(?:a+)+$(?<!b)(?!a)x|a|b", "special_tokens": {}}
    process = limited.Process("tiktoken", ranks, arguments, seconds=5)
    assert process.encode(["ab", "b"], True) == [[0, 1], [1]]
    process._seconds = 0.01
    with pytest.raises(limited.LimitedError, match=r"did not answer within|ended"):
        process.encode(["ab" * 5_000_000], False)
    process.close()


@pytest.mark.parametrize(
    ("does", "seconds", "said"),
    [("time.sleep(600)", 0.2, "did not answer within 0.2 s"), ("os._exit(3)", 60, "ended with exit status 3")],
)
def test_downloaded_python_that_does_not_answer(tmp_path: Path, does: str, seconds: float, said: str) -> None:
    (tmp_path / "tokenization_kimi.py").write_text(f"import os, time\nprint('+', flush=True)\n{does}")
    arguments = {"directory": str(tmp_path), "line": "kimi-k2.6"}
    with pytest.raises(limited.LimitedError, match=said):
        limited.Process("exo", b"", arguments, seconds=seconds)


def test_ids_and_errors_of_single_texts() -> None:
    process = limited.Process("tokenizers", tokenizer_json())
    assert process.encode(["a", "b", ""], True) == [[0], [1], []]
    [ids, error] = process.encode(["a", "\ud800"], False)
    assert ids == [0]
    assert isinstance(error, str)
    process.close()
