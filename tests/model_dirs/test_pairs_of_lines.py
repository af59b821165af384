"""No line's overlay goes in front of a model of another; and a directory's contents say which line it needs."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from layouts import write_layout

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import VocabularyMismatchError
from kimi_tokenizers.model_dirs import TokenizerFiles, check_vocabulary, identify, what_is_missing

# Same control tokens, same model type, same ids: nothing in a directory tells them apart but its name, and files of
# which the published bytes are known.
ALIKE = {"kimi-k2.5", "kimi-k2.6", "kimi-k2.7-code"}
TELLING = ("chat_template.jinja", "tokenizer_config.json")  # kimi_line.json is ours, and replaced


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A whole directory of each line, under a name that says nothing."""
    root = tmp_path_factory.mktemp("models")
    return {line: write_layout(root / f"model-{number}", "good", line) for number, line in enumerate(catalogue.LINES)}


@pytest.mark.parametrize("line", catalogue.LINES)
@pytest.mark.parametrize("theirs", catalogue.LINES)
def test_every_pair(directories: dict[str, Path], line: str, theirs: str) -> None:
    overlay = catalogue.overlays()[line]
    # Of Kimi-K2.7-Code only hashes are known, so that nothing in this directory is upstream's: see below.
    if line == theirs or (theirs == "kimi-k2.7-code" and line in ALIKE):
        check_vocabulary(overlay, TokenizerFiles(directories[theirs]))
        return
    with pytest.raises(VocabularyMismatchError, match=f"but the overlay {line} ") as caught:
        check_vocabulary(overlay, TokenizerFiles(directories[theirs]))
    assert str(directories[theirs]) in str(caught.value)


@pytest.mark.parametrize("line", catalogue.LINES)
@pytest.mark.parametrize("theirs", catalogue.LINES)
def test_every_pair_by_its_control_tokens_alone(tmp_path: Path, line: str, theirs: str) -> None:
    """Without a config.json. Lines that share a table share all ids, and pass."""
    overlay, other = catalogue.overlays()[line], catalogue.overlays()[theirs]
    (tmp_path / "tokenizer_config.json").write_bytes(other.read("tokenizer_config.json") + b"\n")  # of nobody's bytes
    if overlay.control_tokens() == other.control_tokens():
        check_vocabulary(overlay, TokenizerFiles(tmp_path))
    else:
        with pytest.raises(VocabularyMismatchError):
            check_vocabulary(overlay, TokenizerFiles(tmp_path))


@pytest.mark.parametrize("name", TELLING)
@pytest.mark.parametrize("line", sorted(ALIKE))
@pytest.mark.parametrize("theirs", sorted(ALIKE))
def test_lines_with_the_same_ids_are_told_apart_by_files_as_they_were_published(
    tmp_path: Path, line: str, theirs: str, name: str
) -> None:
    """And by nothing else: what somebody has changed by a byte, or is not there, says nothing. Its ids are right."""
    overlay, other = catalogue.overlays()[line], catalogue.overlays()[theirs]
    write_layout(tmp_path, "good", theirs)
    for telling in TELLING:
        (tmp_path / telling).unlink(missing_ok=True)
    check_vocabulary(overlay, TokenizerFiles(tmp_path))
    if name not in other.files:
        return
    (tmp_path / name).write_bytes(other.read(name) + b"\n")
    check_vocabulary(overlay, TokenizerFiles(tmp_path))
    (tmp_path / name).write_bytes(other.read(name))
    # K2.5 and K2.6 have one tokenizer_config.json; that of K2.7-Code is ours, and could be saved of any of them.
    if other.files[name].sha256 in overlay.known_sha256(name) or (theirs, name) == ("kimi-k2.7-code", TELLING[1]):
        check_vocabulary(overlay, TokenizerFiles(tmp_path))
    else:
        with pytest.raises(VocabularyMismatchError, match=rf"{name}' is exactly the file of kimi-k2\.[56]"):
            check_vocabulary(overlay, TokenizerFiles(tmp_path))


@pytest.mark.parametrize("name", TELLING)
def test_upstreams_own_file_of_another_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Only the hash of Kimi-K2.7-Code's is known here, so that of a stand-in takes its place."""
    overlays = catalogue.overlays()
    assert len({overlays[line].upstream.sha256["chat_template.jinja"] for line in ALIKE}) == 3
    file = tmp_path / name
    file.write_text("{}")
    monkeypatch.setitem(
        overlays["kimi-k2.7-code"].upstream.sha256,  # type: ignore[arg-type]
        name,
        hashlib.sha256(file.read_bytes()).hexdigest(),
    )
    check_vocabulary(overlays["kimi-k2.7-code"], TokenizerFiles(tmp_path))
    for line in ("kimi-k2.5", "kimi-k2.6"):
        with pytest.raises(VocabularyMismatchError, match=r"is exactly the file of kimi-k2\.7-code"):
            check_vocabulary(overlays[line], TokenizerFiles(tmp_path))


def test_a_table_of_another_line_is_named(directories: dict[str, Path]) -> None:
    """Kimi-K2-Thinking's has two names more than Kimi-K2-Instruct's; none of them contradicts."""
    with pytest.raises(VocabularyMismatchError, match="has exactly the control tokens of kimi-k2-thinking,"):
        check_vocabulary(catalogue.overlays()["kimi-k2-instruct"], TokenizerFiles(directories["kimi-k2-thinking"]))


@pytest.mark.parametrize("line", catalogue.LINES)
def test_the_contents_say_which_line_it_is(directories: dict[str, Path], line: str) -> None:
    found = identify(TokenizerFiles(directories[line]))
    assert found is not None
    # Those with the same control tokens are told by their chat templates; of K2.7-Code's only the hash is known.
    assert found.line == ("kimi-k2.6" if line == "kimi-k2.7-code" else line)


@pytest.mark.parametrize("line", catalogue.LINES)
def test_the_line_file_says_it_exactly(tmp_path: Path, line: str) -> None:
    (tmp_path / "kimi_line.json").write_bytes(catalogue.overlays()[line].read("kimi_line.json"))
    found = identify(TokenizerFiles(tmp_path))
    assert found is not None
    assert found.line == line


def test_deepseeks_own_directory_is_none_of_ours(tmp_path: Path) -> None:
    """Moonlight has DeepSeek's model type: that alone says nothing."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "deepseek_v3", "vocab_size": 163840}))
    table = catalogue.overlays()["moonlight"].control_tokens()
    config = {"added_tokens_decoder": {str(index): {"content": name} for index, name in table.items()}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert identify(TokenizerFiles(tmp_path)) is None


@pytest.mark.parametrize(
    ("model_type", "tokenizer", "said"),
    [
        ("deepseek_v3", {}, "lines kimi-k2-instruct, .*, moonlight have"),  # conversions of Kimi K2 have it, too
        ("kimi_k4", {}, "which no line has that is known here"),
        ("kimi_k4", {"tokenizer_config.json": {"auto_map": {"AutoTokenizer": ["its.Own", None]}}}, None),
        ("kimi_k4", {"tokenizer.json": {}}, None),
        ("qwen3", {}, None),
    ],
)
def test_the_rank_table_with_a_type_that_does_not_tell_the_line(
    tmp_path: Path, model_type: str, tokenizer: dict[str, Any], said: str | None
) -> None:
    (tmp_path / "tiktoken.model").write_bytes(catalogue.overlays()["kimi-k2.6"].read("tiktoken.model"))
    for name, value in {"config.json": {"model_type": model_type}, **tokenizer}.items():
        (tmp_path / name).write_text(json.dumps(value))
    assert identify(TokenizerFiles(tmp_path)) is None
    missing = what_is_missing(TokenizerFiles(tmp_path))
    assert missing is None if said is None else re.search(said, str(missing))
