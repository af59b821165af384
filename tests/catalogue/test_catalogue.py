"""Which ids get an overlay, which do not, and that the packaged files are the ones in the manifests."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from conftest import NAMED, OVERLAYS
from hypothesis import example, given
from hypothesis import strategies as st

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import KimiTokenizersError, ModelIdError, UnknownModelError
from kimi_tokenizers.overlays.common.tokenization_kimi import CONTROL_TOKENS

PACKAGE = Path(__file__).resolve().parents[2] / "kimi_tokenizers"

SERVED = {
    "kimi-k2-instruct": [
        "moonshotai/Kimi-K2-Base",
        "moonshotai/Kimi-K2-Instruct",
        "moonshotai/Kimi-K2-Instruct-0905",
        "MOONSHOTAI/KIMI-K2-INSTRUCT",
        "mlx-community/Kimi-K2-Instruct-4bit",
        "mlx-community/Kimi-K2-Instruct-0905-mlx-DQ3_K_M",
        "unsloth/Kimi-K2-Base-BF16",
        "someone/kimi-k2-instruct_q4",
    ],
    "kimi-k2-thinking": [
        "moonshotai/Kimi-K2-Thinking",
        "mlx-community/Kimi-K2-Thinking",
        "mlx-community/kimi-k2-thinking-3bit",
        "unsloth/Kimi-K2-Thinking-GGUF",
    ],
    "kimi-k2.5": ["moonshotai/Kimi-K2.5", "mlx-community/Kimi-K2.5", "mlx-community/Kimi-K2.5-3bit"],
    "kimi-k2.6": [
        "moonshotai/Kimi-K2.6",
        "mlx-community/Kimi-K2.6-mlx-DQ3_K_M-q8",
        "mlx-community/Kimi-K2.6",
        "x/KIMI-K2.6-4BIT",
        "x/Kimi-K2.6-Eagle3",
        "moonshotai/Kimi-K2.6-4bit",
        "moonshotai/Kimi-K2.6-INT4",
        "moonshotai/Kimi-K2.6-NVFP4",
        "moonshotai/Kimi-K2.6-MLX-mxfp4",
        "moonshotai/Kimi-K2.6-Q4_K_M-GGUF",
        "moonshotai/Kimi-K2.6-4bit-DWQ-gs64",
        "moonshotai/Kimi-K2.6-renamed",
        "moonshotai/Kimi-K2.6-FP8",
        "moonshotai/Kimi-K2.6-DFlash",
    ],
    "kimi-k3": [
        "moonshotai/Kimi-K3",
        "moonshotai/Kimi-K3-NVFP4",
        "pipenetwork/Kimi-K3-MLX-mxfp4",
        "lmstudio-community/Kimi-K3-Instruct-4bit",
    ],
    "kimi-k2.7-code": ["moonshotai/Kimi-K2.7-Code", "mlx-community/Kimi-K2.7-Code-4bit"],
    "kimi-linear": [
        "moonshotai/Kimi-Linear-48B-A3B-Instruct",
        "moonshotai/Kimi-Linear-48B-A3B-Base",
        "mlx-community/Kimi-Linear-48B-A3B-Instruct-4bit",
    ],
    "kimi-vl": [
        "moonshotai/Kimi-VL-A3B-Instruct",
        "moonshotai/Kimi-VL-A3B-Thinking",
        "moonshotai/Kimi-VL-A3B-Thinking-2506",
        "mlx-community/Kimi-VL-A3B-Thinking-2506-8bit",
    ],
    "moonlight": [
        "moonshotai/Moonlight-16B-A3B",
        "moonshotai/Moonlight-16B-A3B-Instruct",
        "mlx-community/Moonlight-16B-A3B-Instruct-4-bit",
    ],
}
NOT_SERVED = [
    "moonshotai/Kimi-K3.1-Pro",
    "moonshotai/Kimi-K3.1-Instruct",
    "x/Kimi-K3-1-Pro",
    "x/Kimi-K3_1",
    "moonshotai/Kimi-K20",
    "moonshotai/Kimi-K20-Instruct",
    "moonshotai/Kimi-K2",
    "moonshotai/Kimi-K2-Distill",
    "moonshotai/Kimi-K2-Instructor",
    "moonshotai/Kimi-K2-Instruct2",
    "moonshotai/Kimi-K2-Thinkingg",
    "moonshotai/Kimi-K2.60",
    "moonshotai/Kimi-K2.6.1",
    "moonshotai/Kimi-K2.6-Instruct",
    "moonshotai/Kimi-K2.6-Mini-4bit",
    "moonshotai/Kimi-K3-Instruct",
    "moonshotai/Kimi-K3-Pro",
    "MoonshotAI/kimi-k3-base",
    "moonshotai/Kimi-K2-Thinking-Preview",
    "moonshotai/Moonlight-16B-A3B-Instruct-Vision",
    "moonshotai/Moonlight-16B-A3B-Thinking",
    "moonshotai/Kimi-K2.65-4bit",
    "moonshotai/Kimi-K2.56",
    "moonshotai/Kimi-K2.7",
    "moonshotai/Kimi-K2.7-Coder",
    "moonshotai/Kimi-K2.8",
    "moonshotai/Kimi-K12.6",
    "moonshotai/Kimi-K26",
    "moonshotai/Kimi-K3.1-Pro",
    "moonshotai/Kimi-VL",
    "moonshotai/Kimi-VL-A3B",
    "moonshotai/Kimi-VL-A3B-Instructor",
    "moonshotai/Kimi-Linear",
    "moonshotai/Kimi-Linear-7B-A1B-Instruct",
    "moonshotai/Kimi-Dev-72B",
    "moonshotai/Kimi-Audio-7B",
    "moonshotai/Moonlight",
    "moonshotai/Moonlight-3B",
    "moonshotai/Moonlight-16B-A3B.5",
    "someone/Kimi-Moonlight-16B-A3B",
    "someone/Moonlight-16B-A3B-distill",
    "someone/moonlighting",
    "TeichAI/Qwen3-8B-Kimi-K2-Thinking-Distill",
    "someone/Kimi-K2-Thinking-Distill-Qwen3-8B",
    "someone/Kimi-K2.6-distilled-Llama",
    "someone/not-Kimi-K2.6",
    "someone/xKimi-K2.6",
    "someone/Kimi-K2.6x",
    "kimi-k2.6/Llama-3",
    "moonshotai/Kimi",
    "Qwen/Qwen3-8B",
]
HOSTILE: list[Any] = [
    "",
    "/",
    "Kimi-K2.6",
    "moonshotai/",
    "/Kimi-K2.6",
    "../../etc",
    "../Kimi-K2.6",
    "./Kimi-K2.6",
    "moonshotai/../Kimi-K2.6",
    "moonshotai/Kimi-K2.6/..",
    "moonshotai/Kimi-K2.6-..",
    "a/b/Kimi-K2.6",
    "moonshotai//Kimi-K2.6",
    "moonshotai/Kimi-K2.6\0",
    "moonshotai\0/Kimi-K2.6",
    "moonshotai/Kimi-K2.6\n",
    " moonshotai/Kimi-K2.6",
    "moonshotai/Kimi K2.6",
    "moonshotai\\Kimi-K2.6",
    "moonshotai/Kimi-K2.6-" + "a" * 10_000,
    "a" * 10_000,
    "moonshotai/\u212aimi-K2.6",  # the Kelvin sign, whose lower case is "k"
    "moonshotai/Kimi\u2010K2.6",
    "moonshotai/Kimi-K2.6\ud800",
    "file:///etc/passwd",
    "~/Kimi-K2.6",
    "-x/Kimi-K2.6",
    None,
    5,
    b"moonshotai/Kimi-K2.6",
    ["moonshotai/Kimi-K2.6"],
    Path("moonshotai/Kimi-K2.6"),
]


@pytest.mark.parametrize(("line", "model_id"), [(line, model) for line, models in SERVED.items() for model in models])
def test_served(line: str, model_id: str) -> None:
    assert catalogue.get(model_id).line == line
    found = catalogue.find(model_id)
    assert found is not None
    assert found.line == line


@pytest.mark.parametrize("model_id", NOT_SERVED)
def test_not_served(model_id: str) -> None:
    assert catalogue.find(model_id) is None
    with pytest.raises(UnknownModelError) as caught:
        kt.load(model_id)
    message = str(caught.value)
    assert model_id in message
    for served in ("moonshotai/Kimi-K2-Instruct", "moonshotai/Kimi-K2-Thinking", "moonshotai/Kimi-K2.6"):
        assert served in message
    assert isinstance(caught.value, KimiTokenizersError)
    assert isinstance(caught.value, LookupError)


@pytest.mark.parametrize("model_id", HOSTILE, ids=lambda value: repr(value)[:40])
def test_hostile(model_id: Any) -> None:
    with pytest.raises(ModelIdError, match="is not a model id; expected `owner/name`") as caught:
        kt.load(model_id)
    assert len(str(caught.value)) < 500
    assert isinstance(caught.value, KimiTokenizersError)
    assert isinstance(caught.value, ValueError)
    if isinstance(model_id, str):
        assert catalogue.find(model_id) is None


ids = st.one_of(
    st.text(),
    st.text("kKiImM-_./k2.56 ", max_size=30),
    st.builds(lambda owner, name: f"{owner}/{name}", st.text(max_size=5), st.text(max_size=20)),
    st.builds(
        lambda before, name, after: before + name + after,
        st.text(max_size=3),
        st.sampled_from([model for models in SERVED.values() for model in models]),
        st.text(max_size=3),
    ),
)


@given(ids)
@example("moonshotai/Kimi-K2.6\n")
def test_any_string_has_an_overlay_or_a_typed_error(model_id: str) -> None:
    try:
        overlay = catalogue.get(model_id)
    except (ModelIdError, UnknownModelError):
        assert catalogue.find(model_id) is None
    else:
        assert catalogue.find(model_id) is overlay
        assert model_id.isascii()
        assert model_id.lower().split("/")[1].startswith(("kimi", "moonlight"))


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789.", max_size=12), st.sampled_from("-_"))
def test_a_suffix_counts_only_as_a_part_of_its_own(suffix: str, separator: str) -> None:
    for line, models in SERVED.items():
        model = models[0]
        if line == "kimi-k3" and re.fullmatch("[0-9]{1,2}", suffix):  # another way to write K3.1
            assert catalogue.find(model + separator + suffix) is None
        elif ".." not in suffix and not suffix.startswith("distill"):
            found = catalogue.find(model + separator + suffix)
            assert found is not None
            assert found.line == line
        if suffix:
            assert catalogue.find(model + suffix) is None


# The packaged files

LINES = [
    *("kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6", "kimi-k2.7-code"),
    *("kimi-k3", "kimi-linear", "kimi-vl", "moonlight"),
]
WITH_TEMPLATE = LINES[:4]


def test_the_lines() -> None:
    assert list(catalogue.overlays()) == LINES == list(catalogue.LINES)
    assert sorted(path.name for path in OVERLAYS.iterdir() if path.is_dir() and path.name[0] not in "_.") == [
        "common",
        *LINES,
    ]
    served = [model for overlay in catalogue.overlays().values() for model in overlay.models]
    assert sorted(served) == sorted(
        f"moonshotai/{name}"
        for name in (
            *(
                f"Kimi-K2{name}"
                for name in ("-Base", "-Instruct", "-Instruct-0905", "-Thinking", ".5", ".6", ".7-Code")
            ),
            "Kimi-K3",
            *("Kimi-Linear-48B-A3B-Base", "Kimi-Linear-48B-A3B-Instruct"),
            *("Kimi-VL-A3B-Instruct", "Kimi-VL-A3B-Thinking", "Kimi-VL-A3B-Thinking-2506"),
            *("Moonlight-16B-A3B", "Moonlight-16B-A3B-Instruct"),
        )
    )


@pytest.mark.parametrize("line", LINES)
def test_every_packaged_file_is_what_its_manifest_says(line: str) -> None:
    overlay = catalogue.overlays()[line]
    for name, file in overlay.files.items():
        data = (OVERLAYS / file.source).read_bytes()
        assert len(data) == file.size
        assert hashlib.sha256(data).hexdigest() == file.sha256
        assert overlay.read(name) == file.read() == data
        renamed = {"kimi_tiktoken.py", overlay.upstream.python}
        assert Path(file.source).name == ("tokenization_kimi.py" if name in renamed else name)
        assert Path(file.source).parts[0] in {"common", *LINES}


@pytest.mark.parametrize("line", LINES)
def test_every_line_has_the_files_it_needs(line: str) -> None:
    overlay = catalogue.overlays()[line]
    names = set(overlay.files)
    needed = {
        "tiktoken.model",
        "tokenization_kimi.py",
        "tool_declaration_ts.py",
        "tokenizer_config.json",
        "kimi_line.json",
    }
    needed.add(overlay.upstream.python)
    if line == "kimi-k3":
        needed |= {"kimi_tiktoken.py", *overlay.encoder}
    assert names - {"chat_template.jinja"} == needed
    assert ("chat_template.jinja" in names) == (line in WITH_TEMPLATE)
    assert set(overlay.always_ours) == needed - {"tokenizer_config.json"}


def test_no_file_is_unlisted_and_none_is_there_twice() -> None:
    listed = {file.source for overlay in catalogue.overlays().values() for file in overlay.files.values()}
    there = {
        path.relative_to(OVERLAYS).as_posix()
        for path in OVERLAYS.glob("*/*")
        if path.is_file() and path.suffix != ".pyc" and path.name not in ("overlay.toml", "__init__.py")
    }
    assert there == listed
    hashes = [hashlib.sha256((OVERLAYS / name).read_bytes()).hexdigest() for name in sorted(there)]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("line", LINES)
def test_the_tables_of_a_line_agree(line: str) -> None:
    overlay = catalogue.overlays()[line]
    config = json.loads(overlay.read("tokenizer_config.json"))
    table = {
        int(index): (entry["content"], entry["special"]) for index, entry in config["added_tokens_decoder"].items()
    }
    described = json.loads(overlay.read("kimi_line.json"))
    assert described["line"] == line
    assert table == {int(i): (e["content"], e["special"]) for i, e in described["control_tokens"].items()}
    assert overlay.required_tokens().items() <= overlay.control_tokens().items()
    if line in CONTROL_TOKENS:  # what the tokenizer falls back to beside a kimi_line.json of an earlier version
        assert table == CONTROL_TOKENS[line]
        assert overlay.required_tokens() == {i: name for i, (name, _) in CONTROL_TOKENS["kimi-k2-instruct"].items()}
    assert not any(
        entry["lstrip"] or entry["rstrip"] or entry["normalized"] or entry["single_word"]
        for entry in config["added_tokens_decoder"].values()
    )
    module = overlay.upstream.python.removesuffix(".py")
    assert config["auto_map"]["AutoTokenizer"] == [f"{module}.TikTokenTokenizer", None]


K3_NAMED = {
    163584: ("[BOS]", True),
    163585: ("[EOS]", True),
    163586: ("<|end_of_msg|>", True),
    163587: ("<|open|>", False),
    163588: ("<|close|>", False),
    163589: ("<|sep|>", False),
    163590: ("[start_header_id]", True),
    163591: ("[end_header_id]", True),
    163593: ("[EOT]", True),
    163602: ("<|media_begin|>", True),
    163603: ("<|media_content|>", True),
    163604: ("<|media_end|>", True),
    163605: ("<|media_pad|>", True),
    163649: ("<osagent_mode>", True),
    163838: ("[UNK]", True),
    163839: ("[PAD]", True),
}


@pytest.mark.parametrize("line", LINES)
def test_the_tables_are_the_published_ones(line: str) -> None:
    expected = {index: name for name, (index, special) in NAMED.items()}
    if line in ("kimi-k2-instruct", "kimi-k2-thinking", "kimi-linear", "moonlight"):
        expected = {index: value for index, value in expected.items() if not 163602 <= index <= 163605}
    if line in ("kimi-k2-instruct", "kimi-linear", "kimi-vl", "moonlight"):
        expected = {index: value for index, value in expected.items() if index not in (163606, 163607)}
    if line in ("kimi-vl", "moonlight"):
        left_out = {163590, 163591, 163593, *range(163595, 163600)}
        expected = {index: value for index, value in expected.items() if index not in left_out}
        expected |= {163838: "[PAD]", 163839: "[UNK]"}
    if line == "kimi-vl":
        expected[163602] = "<|media_start|>"
    if line == "kimi-k3":
        expected = {index: name for index, (name, _) in K3_NAMED.items()}
    assert catalogue.overlays()[line].control_tokens() == expected
    special = {name: special for name, (_, special) in NAMED.items()} | {"<|media_start|>": True}
    special |= dict(K3_NAMED.values()) if line == "kimi-k3" else {}
    table = catalogue.overlays()[line].description()["control_tokens"]
    assert {entry["content"]: entry["special"] for entry in table.values()} == {
        name: special[name] for name in expected.values()
    }


def test_the_rank_table_is_the_published_one() -> None:
    for overlay in catalogue.overlays().values():
        file = overlay.files["tiktoken.model"]
        assert file.source == "common/tiktoken.model"
        assert file.size == 2_795_286
        assert file.sha256 == "b6c497a7469b33ced9c38afb1ad6e47f03f5e5dc05f15930799210ec050c5103"
        assert overlay.upstream.sha256["tiktoken.model"] == file.sha256


def test_upstream_revisions() -> None:
    upstream = {line: overlay.upstream for line, overlay in catalogue.overlays().items()}
    assert upstream["kimi-k2.6"].revision == "b5aabbfb20227ed42becbf5541dbffd213942c58"
    assert upstream["kimi-k2.6"].broken_revisions == ("81bcaaa7947338ce2641983d98947bca0cc1a4d4",)
    assert upstream["kimi-k3"].revision == "9f62e4e9fffbd0a83ddd60e1c209d828994b3569"
    assert upstream["kimi-k3"].untried_sha256.keys() == {"encoding_k3.py"}
    assert upstream["kimi-k2.5"].revision == "2426b45b6af0da48d0dcce71bbce6225e5c73adc"
    assert upstream["kimi-k2-thinking"].revision == "a51ccc050d73dab088bf7b0e2dd9b30ae85a4e55"
    assert upstream["kimi-k2-instruct"].revision == "fd1984e2b7a3350dbf7305fe73a4ede25c14de50"


def test_upstreams_hashes_of_kimi_k2_7_code() -> None:
    upstream = catalogue.overlays()["kimi-k2.7-code"].upstream
    assert upstream.revision == "74797c9c62378b951a1f6fcf5c4631024e9b8bef"
    assert upstream.sha256["chat_template.jinja"].startswith("8d21200dff7e85be")
    assert upstream.sha256["tokenizer_config.json"].startswith("6dfafeacca3d4474")


@pytest.mark.parametrize("line", LINES)
def test_a_manifest_says_how_everything_is_known(line: str) -> None:
    overlay = catalogue.overlays()[line]
    assert {*overlay.files, "chat_template.jinja"} - {"kimi_line.json", "tokenization_moonshot.py"} == {
        name for name in overlay.evidence if "." in name
    } | ({"tool_declaration_ts.py"} - overlay.evidence.keys())
    for name, known in overlay.evidence.items():
        same = name in overlay.files and overlay.files[name].sha256 == overlay.upstream.sha256.get(name)
        assert (known == "hash") == (same or (name == "control_tokens" and line == "kimi-k2.6")), name
        assert known in ("hash", "golden", "reports", "none")
    assert (overlay.evidence["chat_template.jinja"] == "none") == ("chat_template.jinja" not in overlay.files)


def test_a_line_is_a_folder_and_nothing_else(pristine: Path) -> None:
    """A copy of a folder under another name, with other ids, is served: no code knows the lines."""
    overlays = pristine / "kimi_tokenizers" / "overlays"
    new = overlays / "eclipse"
    shutil.copytree(overlays / "moonlight", new)
    manifest = (new / "overlay.toml").read_text().replace('line = "moonlight"', 'line = "eclipse"')
    (new / "overlay.toml").write_text(manifest.replace("moonshotai/Moonlight-", "moonshotai/Eclipse-"))
    code = """
        import kimi_tokenizers as kt
        from kimi_tokenizers import catalogue
        print(catalogue.LINES[0], catalogue.get("x/Eclipse-16B-A3B-4bit").line)
        print(kt.load("moonshotai/Eclipse-16B-A3B").pad_token_id, catalogue.find("x/Eclipse-3"))
    """
    try:
        result = run(pristine, code)
    finally:
        shutil.rmtree(new)
    assert result.stdout == "eclipse eclipse\n163838 None\n", result.stderr


# Damage


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, as an installation has it."""
    root = tmp_path_factory.mktemp("installed")
    shutil.copytree(PACKAGE, root / "kimi_tokenizers", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def run(root: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=root,
        check=False,
    )


LOAD = """
import kimi_tokenizers as kt
from kimi_tokenizers.errors import OverlayError
assert kt.__file__.startswith({root!r}), kt.__file__
try:
    kt.load("moonshotai/Kimi-K2.6")
except OverlayError as error:
    print("OverlayError:", error)
else:
    print("loaded")
"""


def flip(data: bytes) -> bytes:
    """One byte, far from the beginning, is another."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def test_a_pristine_copy_loads(pristine: Path) -> None:
    result = run(pristine, LOAD.format(root=str(pristine)))
    assert result.stdout == "loaded\n", result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "damage"),
    [
        ("common/tiktoken.model", "edited"),
        ("common/tiktoken.model", "empty"),
        ("common/tiktoken.model", "missing"),
        ("common/tokenization_kimi.py", "edited"),
        ("common/tool_declaration_ts.py", "edited"),
        ("kimi-k2.6/tokenizer_config.json", "missing"),
        ("kimi-k2.6/chat_template.jinja", "edited"),
        ("kimi-k2.6/overlay.toml", "edited"),
        ("kimi-k2.6/overlay.toml", "missing"),
    ],
)
def test_a_damaged_packaged_file_is_never_used(pristine: Path, source: str, damage: str) -> None:
    path = pristine / "kimi_tokenizers" / "overlays" / source
    saved = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif source.endswith(".toml"):
        path.write_bytes(saved.replace(b'sha256 = "', b'sha256 = "0') if damage == "edited" else b"")
    else:
        path.write_bytes(flip(saved) if damage == "edited" else b"")
    try:
        result = run(pristine, LOAD.format(root=str(pristine)))
    finally:
        path.write_bytes(saved)
    assert result.stdout.startswith("OverlayError: "), result.stdout + result.stderr
    assert "Reinstall kimi-tokenizers" in result.stdout
    if not source.endswith(".toml"):
        assert source in result.stdout


def test_for_an_id_that_is_none_of_ours_nothing_heavy_is_imported(pristine: Path) -> None:
    code = """
        import sys
        import kimi_tokenizers
        from kimi_tokenizers import catalogue
        assert catalogue.find("Qwen/Qwen3-8B") is None
        assert catalogue.find("moonshotai/Kimi-K3.1-Pro") is None
        print(sorted({"transformers", "tiktoken", "numpy", "mlx_lm", "jinja2"} & set(sys.modules)))
    """
    result = run(pristine, code)
    assert result.stdout == "[]\n", result.stderr


def test_every_served_id_passes_the_first_look() -> None:
    for overlay in catalogue.overlays().values():
        for served in overlay.models:
            assert catalogue.find(served) is overlay
            assert kt.provides(served, "tokenization_kimi.py")


def test_other_kimi_models_are_told_without_reading_a_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    def overlays() -> None:
        raise AssertionError("read")

    monkeypatch.setattr(catalogue, "overlays", overlays)
    for name in ("Kimi-K3.1-new", "Kimi-VL-A3B-new", "Kimi-Linear-48B-new", "Kimi-Dev-72B-new", "Kimi-Audio-7B-new"):
        assert catalogue.find(f"moonshotai/{name}") is None
