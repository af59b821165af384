"""Parity: references that are the same tokenizer pass, and each kind of wrong one is caught and pointed at."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from layouts import fast_tokenizer_json, write_layout

from kimi_tokenizers import catalogue
from kimi_tokenizers.commands import main
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.evidence import parity, reference, samples
from kimi_tokenizers.evidence.parity import Difference, Report
from kimi_tokenizers.overlays.common.tokenization_kimi import PAT_STR

ROOT = Path(__file__).resolve().parents[2]
RANK_TABLE = ROOT / "kimi_tokenizers" / "overlays" / "common" / "tiktoken.model"

SLOW_PYTHON = f"""
import base64, json, pathlib
import tiktoken

pathlib.Path(__file__).with_name("executed").touch()
print("not an answer")


class Tokenizer:
    pat_str = {PAT_STR!r}


class TikTokenTokenizer:
    @classmethod
    def from_pretrained(cls, path):
        rows = pathlib.Path(path, "tiktoken.model").read_text().splitlines()
        ranks = {{base64.b64decode(token): int(rank) for token, rank in map(str.split, rows)}}
        table = json.loads(pathlib.Path(path, "tokenizer_config.json").read_text())["added_tokens_decoder"]
        names = {{i: f"<|reserved_token_{{i}}|>" for i in range(163584, 163840)}}
        names.update((int(i), entry["content"]) for i, entry in table.items())
        self = cls()
        self.model = tiktoken.Encoding(
            "theirs",
            pat_str=Tokenizer.pat_str,
            mergeable_ranks=ranks,
            special_tokens={{n: i for i, n in names.items()}},
        )
        return self
"""


def compare(name: str | Path, count: int = 300, **options: Any) -> Report:
    return parity.compare(str(name), count=count, **options)


def slow_directory(folder: Path, python: str = SLOW_PYTHON) -> Path:
    """A model directory with a slow tokenizer that is not ours."""
    model_dir = write_layout(folder / "moonshotai--Kimi-K2.6", "good")
    (model_dir / "tokenization_kimi.py").write_text(python)
    return model_dir


def edited_json(folder: Path, change: Any) -> Path:
    value = json.loads(fast_tokenizer_json().read_text(encoding="utf-8"))
    change(value)
    (folder / "tokenizer.json").write_text(json.dumps(value), encoding="utf-8")
    return folder


def of(report: Report, part: str) -> list[Difference]:
    return [difference for difference in report.shown if difference.part == part]


# References that are the same tokenizer


def test_a_rank_table_is_the_same() -> None:
    report = compare(RANK_TABLE)
    assert report.ok
    assert report.shown == []
    assert report.parts["rank table"].compared == 163584
    assert report.parts["known answers"].compared > 300
    assert report.parts["generated text"].compared == 300
    assert "control tokens" not in report.parts  # it has none
    assert "pattern" not in report.parts
    assert report.characters == sum(part.characters for part in report.parts.values()) > 10_000


def test_a_directory_with_only_a_tokenizer_json_is_the_same() -> None:
    report = compare(fast_tokenizer_json().parent)
    assert report.ok, report.shown
    assert report.kind == "tokenizer.json in tokenizers"
    for part in ("rank table", "control tokens", "pattern", "known answers", "generated text"):
        assert report.parts[part].compared > 0


def test_a_slow_tokenizer_is_read_and_never_executed_unasked(tmp_path: Path) -> None:
    model_dir = slow_directory(tmp_path)
    report = compare(model_dir)
    assert report.ok, report.shown
    assert report.parts["pattern"].compared == 1  # read out of the source
    assert not (model_dir / "executed").exists()
    assert any("--trust-remote-code" in note for note in report.notes)


def test_a_trusted_slow_tokenizer_runs_in_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    python = f"{SLOW_PYTHON}\nimport os\npathlib.Path({str(tmp_path / 'seen')!r}).write_text(str(dict(os.environ)))\n"
    model_dir = slow_directory(tmp_path, python)
    report = compare(model_dir, trust_remote_code=True)
    assert report.ok, report.shown
    assert report.kind.startswith("its own Python, in a separate process")
    assert not (model_dir / "executed").exists()  # it is a copy that is executed
    assert "secret" not in (tmp_path / "seen").read_text()
    assert "tokenization_kimi" not in sys.modules


def test_our_own_directory_is_the_same(tmp_path: Path) -> None:
    report = compare(write_layout(tmp_path / "moonshotai--Kimi-K2.6", "good"))
    assert report.ok
    assert report.parts["pattern"].compared == 1


@pytest.mark.parametrize("line", ["kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5"])
def test_every_line_is_compared_with_its_own_control_tokens(tmp_path: Path, line: str) -> None:
    model = catalogue.overlays()[line].models[0]
    model_dir = write_layout(tmp_path / "reference", "good", line)
    assert compare(model_dir, model=model, count=50).ok
    if line != "kimi-k2.5":
        assert not compare(model_dir, count=50).ok  # with those of Kimi-K2.6


# Deliberately wrong references


def test_two_swapped_ranks_are_caught(tmp_path: Path) -> None:
    rows = RANK_TABLE.read_text("ascii").splitlines()
    one, other = (next(i for i, row in enumerate(rows) if row.split()[0] == token(word)) for word in (" and", " the"))
    rows[one], rows[other] = f"{rows[one].split()[0]} {other}", f"{rows[other].split()[0]} {one}"
    (tmp_path / "tiktoken.model").write_text("\n".join(rows) + "\n", "ascii")
    report = compare(tmp_path / "tiktoken.model")
    assert not report.ok
    assert {difference.where for difference in of(report, "rank table")} == {f"rank {one}", f"rank {other}"}
    assert report.parts["rank table"].differences == 2
    encoded = of(report, "known answers") + of(report, "generated text")
    assert any([one] == d.our_ids and [other] == d.their_ids and " and" in d.ours[0] for d in encoded)


def token(word: str) -> str:
    return base64.b64encode(word.encode()).decode()


def test_a_renamed_control_token_is_caught(tmp_path: Path) -> None:
    model_dir = slow_directory(tmp_path)
    config = json.loads((model_dir / "tokenizer_config.json").read_text())
    config["added_tokens_decoder"]["163586"]["content"] = "<|im_fin|>"
    (model_dir / "tokenizer_config.json").write_text(json.dumps(config))
    report = compare(model_dir)
    assert of(report, "control tokens") == [
        Difference("control tokens", "id 163586", ours=["<|im_end|>"], theirs=["<|im_fin|>"])
    ]
    found = of(report, "known answers")[0]
    assert 163586 in found.our_ids
    assert 163586 not in found.their_ids
    assert "<|im_end|>" in found.text


@pytest.mark.parametrize("kind", ["json", "python", "executed"])
def test_a_pattern_off_by_one_character_is_caught(tmp_path: Path, kind: str) -> None:
    wrong = PAT_STR.replace("{1,3}", "{1,2}")
    position = PAT_STR.index("{1,3}") + 3
    if kind == "json":

        def change(value: Any) -> None:
            value["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = wrong

        report = compare(edited_json(tmp_path, change))
    else:
        python = SLOW_PYTHON.replace(repr(PAT_STR), repr(wrong))
        report = compare(slow_directory(tmp_path, python), trust_remote_code=kind == "executed")
    [pattern] = of(report, "pattern")
    assert pattern.where == f"character {position}"
    assert "{1,3}" in pattern.ours[0]
    assert "{1,2}" in pattern.theirs[0]
    found = of(report, "generated text")
    assert any(difference.text.isdigit() for difference in found)
    assert report.parts["known answers"].differences > 0


def test_one_id_off_by_one_in_a_tokenizer_json_is_caught(tmp_path: Path) -> None:
    def change(value: Any) -> None:
        value["model"]["vocab"]["Ġworld"] += 1

    report = compare(edited_json(tmp_path, change))
    assert not report.ok
    assert "rank 2695" in {difference.where for difference in of(report, "rank table")}
    [found] = [d for d in report.shown if d.part == "known answers"][:1]
    assert (found.text, found.our_ids, found.their_ids) == (" world", [2695], [2696])
    assert found.ours == [" world"]


def test_a_table_that_cannot_encode_is_still_compared(tmp_path: Path) -> None:
    (tmp_path / "tiktoken.model").write_text(f"{token('ab')} 0\n")
    report = compare(tmp_path / "tiktoken.model")
    assert not report.ok
    assert report.parts["rank table"].differences >= 163584
    assert len(of(report, "rank table")) == 5


def test_a_table_cut_short_is_caught(tmp_path: Path) -> None:
    rows = RANK_TABLE.read_bytes().splitlines(keepends=True)
    (tmp_path / "tiktoken.model").write_bytes(b"".join(rows[:-1]))
    [found] = of(compare(tmp_path / "tiktoken.model"), "rank table")
    assert found.where == "rank 163583"


# The corpus


def test_a_corpus_is_compared_in_full(tmp_path: Path) -> None:
    texts = {"a.txt": "eins\nzwei\n" * 1000, "b/c.py": "def f():\n    return '人工智能'\n" * 50_000, "b/empty": ""}
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "b" / "weights").write_bytes(b"\0" * 100)
    (tmp_path / "loop").symlink_to(tmp_path)
    files = samples.corpus_files([tmp_path])
    assert [path.name for path, _ in files] == ["a.txt", "c.py"]
    report = compare(RANK_TABLE, corpus=files, count=0)
    assert report.ok
    assert report.parts["corpus"].characters == sum(map(len, texts.values()))


def test_a_difference_in_a_corpus_is_located(tmp_path: Path) -> None:
    rows = RANK_TABLE.read_text("ascii").splitlines()
    other = next(i for i, row in enumerate(rows) if row.split()[0] == token(" Kimi") or i == 163583)
    rows[2695], rows[other] = f"{rows[2695].split()[0]} {other}", f"{rows[other].split()[0]} 2695"
    (tmp_path / "tiktoken.model").write_text("\n".join(rows) + "\n", "ascii")
    (tmp_path / "corpus.txt").write_text("Hello!\n" * 70_000 + "Hello, world!\n", encoding="utf-8")
    files = samples.corpus_files([tmp_path / "corpus.txt"])
    report = compare(tmp_path / "tiktoken.model", corpus=files, count=0)
    [found] = of(report, "corpus")
    match = re.fullmatch(r".*corpus\.txt:(\d+), byte (\d+)", found.where)
    assert match
    assert sum(map(int, match.groups())) == 7 * 70_000 + len("Hello,")
    assert (found.text, found.our_ids, found.their_ids) == (" world", [2695], [other])
    assert report.parts["corpus"].differences == 1


@pytest.mark.parametrize("data", [b"x" * 5000, "ä中😀".encode() * 700, b"\xff\xfe" * 3000, b"a\n" * 3000, b"\n", b"a"])
def test_a_corpus_is_cut_between_characters_and_nothing_is_lost(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "corpus").write_bytes(data)
    texts = [sample.text for sample in samples.corpus(samples.corpus_files([tmp_path / "corpus"]), text_bytes=1000)]
    assert "".join(texts) == data.decode("utf-8", "replace")
    assert max(map(len, texts)) <= 5000


def test_a_corpus_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KimiTokenizersError, match="nothing-here"):
        samples.corpus_files([tmp_path / "nothing-here"])


def test_what_cannot_be_read_in_a_corpus_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text("text")
    (tmp_path / "link").symlink_to("nowhere")
    assert len(samples.corpus_files([tmp_path])) == 3
    original = Path.open

    def refused(path: Path, *arguments: Any) -> Any:
        if path.name == "b.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, *arguments)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(KimiTokenizersError, match=r"Not all of the corpus .*b\.txt': Permission denied\)"):
        samples.corpus_files([tmp_path])


# Generated texts


def test_generated_texts_reach_every_block_and_every_control_token() -> None:
    names = [f"<|reserved_token_{index}|>" for index in range(163584, 163840)]
    texts = list(samples.generated(20_000, 0, names))
    text = "".join(sample.text for sample in texts)
    assert all(name in text for name in names)
    # Every row of 16 code points, of which Unicode's blocks are made, but for those that hold nothing.
    rows = {ord(character) >> 4 for character in text}
    assert rows >= {*range(0xD80), *range(0xE00, 0xE10), *range(0xF80, 0x1094), *range(0x2000, 0x323B)}
    assert max(len(sample.text) for sample in texts) > 400_000
    assert {sample.control for sample in texts} == {True, False}
    for wanted in ("      ", "\r\n", "\u3000", "'ll", "'RE", "'Ve", "\u0660", "\uff10", "\u2460"):
        assert wanted in text


def test_generated_texts_depend_on_nothing_but_the_seed() -> None:
    first, again, other = (list(samples.generated(500, seed, ["<think>"])) for seed in (1, 1, 2))
    assert first == again
    assert [sample.text for sample in first] != [sample.text for sample in other]


# What is no reference


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tiktoken.model", b"\xff\n", "not a rank table: line 1"),
        ("tiktoken.model", b"YQ== one\n", "not a rank table"),
        ("tokenizer.json", b"[]", "not a tokenizer.json"),
        ("tokenizer.json", b'{"model": {"vocab": {"a": 0}}}', "not a tokenizer.json"),
        ("tokenizer.json", b"[" * 100_000, "not a tokenizer.json"),
        ("README.md", b"", "neither a tiktoken.model nor a tokenizer.json"),
    ],
)
def test_a_broken_reference_is_an_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(KimiTokenizersError, match=message):
        compare(tmp_path)


def test_a_missing_reference_and_engine_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KimiTokenizersError, match="nothing-here"):
        compare(tmp_path / "nothing-here")
    monkeypatch.setitem(sys.modules, "gigatoken", None)
    with pytest.raises(KimiTokenizersError, match="pip install gigatoken"):
        compare("gigatoken")


@pytest.mark.parametrize(
    ("python", "message"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("import os; os._exit(3)", "ended with exit status 3"),
        ("TikTokenTokenizer = None", "cannot be loaded"),
        ("held = []\nwhile True:\n    held.append(bytes(1 << 28))", "MemoryError"),
    ],
)
def test_foreign_python_that_fails_is_an_error(tmp_path: Path, python: str, message: str) -> None:
    with pytest.raises(reference.ReferenceUnusableError, match=message):
        compare(slow_directory(tmp_path, python), trust_remote_code=True)


def test_foreign_python_that_answers_nonsense_is_found_out(tmp_path: Path) -> None:
    python = SLOW_PYTHON.replace("return self", "self.model = Liar(); return self") + (
        "\n\nclass Liar:\n"
        "    def encode(self, text, **kwargs):\n"
        "        if len(text) > 5:\n"
        "            raise ValueError('too long')\n"
        "        return [1, 2, 3]\n"
    )
    report = compare(slow_directory(tmp_path, python), trust_remote_code=True, count=10)
    assert not report.ok
    assert any(difference.theirs == ["ValueError: too long"] for difference in report.shown)


# The command


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kimi_tokenizers", "parity", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_reports_as_json_and_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "corpus.txt").write_text("Hello, world!\n" * 10)
    done = run(RANK_TABLE, "--samples", "50", "--seed", "3", "--corpus", tmp_path / "corpus.txt", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert report["seed"] == 3
    assert report["parts"]["corpus"]["characters"] == 140
    assert report["differences"] == 0
    assert "\x1b" not in done.stderr  # no progress bar where there is no terminal

    rows = RANK_TABLE.read_text("ascii").replace(f"{token(' world')} 2695\n", f"{token(' World')} 2695\n")
    (tmp_path / "tiktoken.model").write_text(rows, "ascii")
    assert main(["parity", str(tmp_path / "tiktoken.model"), "--samples", "10"]) == 1
    printed = capsys.readouterr().out
    assert "rank 2695" in printed
    assert "b' world'" in printed
    assert main(["parity", str(tmp_path / "nothing")]) == 1
    assert "kimi-tokenizers: The model directory" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong_usage:
        main(["parity"])
    assert wrong_usage.value.code == 2
