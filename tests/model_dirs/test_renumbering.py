"""Control tokens without the gaps between their ids, as transformers 5.0 to 5.4 convert a model: ours goes in front.

The directories have the shape of those that transformers 5.4 makes: a `tokenizer.json` with named tokens alone, no rank
table, no Python. What newer versions save of such a one has the table in its tokenizer_config.json as well.
"""

from __future__ import annotations

import base64
import functools
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from layouts import write_layout
from transformers import AutoTokenizer

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import N_RANKS, VOCAB_SIZE, spell
from kimi_tokenizers.errors import VocabularyMismatchError
from kimi_tokenizers.model_dirs import Model, TokenizerFiles, check_vocabulary, identify, renumbered_in_words
from kimi_tokenizers.sync import apply, explain, plan
from kimi_tokenizers.sync.status import examine

TEXT = "Don't<|im_end|><think>世界 I'm[PAD]<|im_user|>"
MODELS = {line: overlay.models[0] for line, overlay in catalogue.overlays().items()}
FILES = ("tokenizer.json", "tokenizer_config.json")


def reserved(*ids: int) -> dict[int, str]:
    return {index: f"<|reserved_token_{index}|>" for index in ids}


def closed_up(names: dict[int, str]) -> dict[int, str]:
    """What transformers 5.4 makes of a table of names."""
    return {N_RANKS + place: names[index] for place, index in enumerate(sorted(names))}


def names_of(line: str) -> dict[int, str]:
    return catalogue.overlays()[line].control_tokens()


@functools.lru_cache(maxsize=1)
def ranks() -> str:
    table = catalogue.overlays()["kimi-k2.6"].read("tiktoken.model").split()[::2]
    return json.dumps({token: rank for rank, token in enumerate(spell(map(base64.b64decode, table)))})


def write_tokenizer_json(folder: Path, table: dict[int, str], inside: dict[int, str] | None = None) -> None:
    """Args: inside: of the names, those that are in the vocabulary, too."""
    added = json.dumps([{"id": index, "content": name, "special": True} for index, name in table.items()])
    vocab = ranks()[:-1] + "".join(f", {json.dumps(name)}: {index}" for index, name in (inside or {}).items()) + "}"
    text = f'{{"added_tokens": {added}, "model": {{"type": "BPE", "vocab": {vocab}, "merges": []}}}}'
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")


def write_config(folder: Path, table: dict[int, str], **more: Any) -> None:
    entries = {str(index): {"content": name, "special": True} for index, name in table.items()}
    config = {"tokenizer_class": "TokenizersBackend", "backend": "tokenizers", **more}
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"added_tokens_decoder": entries}))


def write_conversion(folder: Path, line: str, files: Iterable[str] = FILES) -> Path:
    """A directory of the line whose `files` are renumbered; the other one is there, too, with the ids of the line."""
    write_layout(folder, "broken", line)
    (folder / "tokenization_kimi_fast.py").unlink()
    auto_map = json.loads(catalogue.overlays()[line].read("tokenizer_config.json"))["auto_map"]  # which stays
    ours, theirs = names_of(line), closed_up(names_of(line))
    write_tokenizer_json(folder, theirs if FILES[0] in files else ours)
    write_config(folder, theirs if FILES[1] in files else ours, auto_map=auto_map)
    return folder


def check(line: str, folder: Path) -> tuple[str, ...]:
    with TokenizerFiles(folder) as directory:
        return check_vocabulary(catalogue.overlays()[line], directory)


@pytest.mark.parametrize(
    ("line", "files"), [*((line, FILES) for line in catalogue.LINES), ("kimi-k2.5", FILES[:1]), ("kimi-k3", FILES[1:])]
)
def test_every_line_and_file(line: str, files: tuple[str, ...], tmp_path: Path) -> None:
    folder = write_conversion(tmp_path / "Some-Model", line, files)
    assert check(line, folder) == files
    assert check(line, folder) == files  # by what was remembered of the large one
    with TokenizerFiles(folder) as directory:
        found = identify(directory)
    assert found is not None
    assert found.control_tokens() == names_of(line)


@pytest.mark.parametrize("line", ["kimi-k2.5", "kimi-k2-thinking", "kimi-k3"])
def test_everything_puts_ours_in_front(line: str, tmp_path: Path) -> None:
    model = MODELS[line]
    folder = write_conversion(tmp_path / model.replace("/", "--"), line)
    ids = kt.load(model).encode(TEXT)
    assert kt.load(model, folder).encode(TEXT) == ids
    entry = kt.resolve(model, folder)
    apply(plan(catalogue.get(model), folder))
    for where in (entry, folder):
        found = json.loads((where / "tokenizer_config.json").read_bytes())["added_tokens_decoder"]
        assert {int(index): token["content"] for index, token in found.items()} == names_of(line)
        assert AutoTokenizer.from_pretrained(where, trust_remote_code=True).encode(TEXT) == ids
    assert check(line, folder) == ("tokenizer.json",)


def test_a_folder_of_its_own_name_after_register(tmp_path: Path) -> None:
    """It is told by the names in its tokenizer.json, where nothing else says which line it is."""
    folder = write_conversion(tmp_path / "my-model", "kimi-k2-thinking", FILES[:1])
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "TokenizersBackend"}')
    (folder / "chat_template.jinja").unlink()
    (folder / "config.json").write_text('{"model_type": "kimi_k2", "vocab_size": 163840}')
    original = AutoTokenizer.from_pretrained
    kt.register()
    try:
        found = AutoTokenizer.from_pretrained(folder)
    finally:
        AutoTokenizer.from_pretrained = original
    assert found.encode(TEXT) == kt.load("moonshotai/Kimi-K2-Thinking").encode(TEXT)


def test_status_and_explain_say_so(tmp_path: Path) -> None:
    folder = write_conversion(tmp_path / "moonshotai--Kimi-K2.5", "kimi-k2.5")
    model = Model("moonshotai/Kimi-K2.5", folder, catalogue.overlays()["kimi-k2.5"])
    status = examine(model)
    assert status.state == "broken"
    assert status.detail.endswith(renumbered_in_words(FILES))
    explanation = explain(model)
    assert explanation.guard is None
    assert {"overlay"} == {file.layer for file in explanation.files if file.name == "tokenizer_config.json"}
    assert explanation.advice is not None
    assert explanation.advice.command[0] == "sync"


def test_an_upstream_tokenizer_with_a_renumbered_table_does_not_count_as_healthy(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "moonshotai--Kimi-K2.6", "good", "kimi-k2.6")
    config = json.loads((folder / "tokenizer_config.json").read_bytes())
    write_config(folder, closed_up(names_of("kimi-k2.6")), **{"auto_map": config["auto_map"]})
    model = Model("moonshotai/Kimi-K2.6", folder, catalogue.overlays()["kimi-k2.6"])
    assert (examine(model).state, examine(model).would_load) == ("broken", False)
    apply(plan(model.overlay, folder))
    assert (examine(model).state, examine(model).would_load) == ("overlaid", True)


def test_a_template_in_such_a_configuration_does_not_count_either(tmp_path: Path) -> None:
    folder = write_conversion(tmp_path / "moonshotai--Kimi-K2.5", "kimi-k2.5")
    write_config(folder, closed_up(names_of("kimi-k2.5")), chat_template="mine")
    (folder / "chat_template.jinja").unlink()
    ours = kt.load("moonshotai/Kimi-K2.5").chat_template
    assert kt.load("moonshotai/Kimi-K2.5", folder).chat_template == ours
    assert (kt.resolve("moonshotai/Kimi-K2.5", folder) / "chat_template.jinja").read_text() == ours


K26 = names_of("kimi-k2.6")
OPTIONAL = {index: name for index, name in K26.items() if "media" not in name and "think" not in name}


@pytest.mark.parametrize(
    "table",
    [
        closed_up(K26),
        closed_up(K26) | reserved(*range(N_RANKS + len(K26), VOCAB_SIZE)),
        closed_up({**reserved(*range(N_RANKS, 163608)), **K26}),
        closed_up({**reserved(163589), **K26}),
        closed_up(
            {index: name for index, name in K26.items() if name != "<|media_pad|>"}
        ),  # a subset, numbered by itself
        {index: name for index, name in closed_up(K26).items() if "media" not in name},  # and by the line
        closed_up({index: name for index, name in K26.items() if "header" not in name}),
    ],
)
def test_tables_that_follow_the_numbering(table: dict[int, str], tmp_path: Path) -> None:
    write_config(tmp_path, table)
    assert check("kimi-k2.6", tmp_path) == FILES[1:]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({**closed_up(K26), 163605: "[PAD]", 163606: "[UNK]"}, "163589"),  # in another order
        ({**closed_up(K26), 163607: "<|new|>"}, "163589"),
        ({**{i: n for i, n in closed_up(K26).items() if i < 163605}, 163838: "[UNK]", 163839: "[PAD]"}, "163589"),
        ({**{i: n for i, n in K26.items() if i < 163608}, 163608: "[UNK]", 163609: "[PAD]"}, r"'\[UNK\]' is id 163608"),
        ({index + 1: name for index, name in closed_up(K26).items()}, "id 163585 is"),
        ({163589: "<|start_header_id|>"}, "163589"),  # it could be any other vocabulary
        (closed_up(names_of("kimi-k3")), "id 163586 is"),
        (closed_up(names_of("kimi-vl")), "163589"),
        (closed_up(OPTIONAL), "exactly the control tokens of kimi-k2-instruct"),
    ],
)
def test_anything_else_is_a_contradiction(table: dict[int, str], said: str, tmp_path: Path) -> None:
    write_config(tmp_path, table)
    with pytest.raises(VocabularyMismatchError, match=said):
        check("kimi-k2.6", tmp_path)


def test_both_numberings_in_one_file(tmp_path: Path) -> None:
    write_tokenizer_json(tmp_path, closed_up(K26), inside=closed_up(K26))
    assert check("kimi-k2.6", tmp_path) == FILES[:1]
    write_tokenizer_json(tmp_path, closed_up(K26), inside=K26)
    with pytest.raises(VocabularyMismatchError, match=r"163589(.|\n)*remove it"):
        check("kimi-k2.6", tmp_path)


@pytest.mark.parametrize(("line", "theirs"), [("kimi-k2-thinking", "kimi-k2-instruct"), ("kimi-vl", "moonlight")])
def test_no_line_goes_in_front_of_another(line: str, theirs: str, tmp_path: Path) -> None:
    """Also where the names of the one are among those of the other."""
    folder = write_conversion(tmp_path / "model", theirs, FILES[:1])
    for name in ("config.json", "tokenizer_config.json"):
        (folder / name).unlink()
    for one, other in ((line, theirs), (theirs, line)):
        write_tokenizer_json(folder, closed_up(names_of(other)))
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        with pytest.raises(VocabularyMismatchError):
            check(one, folder)
