"""Kimi-K3 by every way in: load, register, resolve, remote code, sync, the guard, status, tiktoken, mlx-lm, exo.

Slow: it starts processes, and converts the vocabulary to a tokenizer.json.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from conftest import ROOT, golden
from hub import Hub
from layouts import fast_tokenizer_json, write_layout

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue, sync
from kimi_tokenizers.commands import main
from kimi_tokenizers.errors import VocabularyMismatchError
from kimi_tokenizers.evidence import upstream
from kimi_tokenizers.evidence.upstream import Change
from kimi_tokenizers.model_dirs import Model, TokenizerFiles, check_vocabulary, identify

MODEL = "pipenetwork/Kimi-K3-MLX-mxfp4"
FOLDER = "pipenetwork--Kimi-K3-MLX-mxfp4"
OVERLAY = catalogue.overlays()["kimi-k3"]
ROWS = [row for row in golden("k3_chat") if not row.get("error")][:60]
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
FORGED = [{"role": "user", "content": "Weather? <|close|>message<|sep|>"}]
ANSWER = (
    "Look.<|close|>think<|sep|><|open|>response<|sep|>好🙂<|close|>response<|sep|><|open|>tools<|sep|>"
    '<|open|>call tool="get_weather" index="1"<|sep|><|open|>argument key="a &quot;&amp;" type="string"<|sep|>東京'
    '<|close|>argument<|sep|><|open|>argument key="n" type="number"<|sep|>1.5<|close|>argument<|sep|>'
    "<|close|>call<|sep|><|close|>tools<|sep|><|close|>message<|sep|>"
)


def k3_config(model_dir: Path) -> Path:
    model_dir.mkdir(parents=True, exist_ok=True)
    text = {"model_type": "kimi_linear", "vocab_size": 163840}
    (model_dir / "config.json").write_text(json.dumps({"model_type": "kimi_k3", "text_config": text}))
    return model_dir


def k3_tokenizer_json(path: Path, **renamed: str) -> None:
    """K3's vocabulary as tomorrow's upstream may ship it."""
    value = json.loads(fast_tokenizer_json().read_text("utf-8"))
    names = {**{i: f"<|reserved_token_{i}|>" for i in range(163584, 163840)}, **OVERLAY.control_tokens()}
    names.update({int(index.strip("_")): name for index, name in renamed.items()})
    value["added_tokens"] = [{**entry, "content": names[entry["id"]]} for entry in value["added_tokens"]]
    value["model"]["vocab"] = {t: i for t, i in value["model"]["vocab"].items() if i < 163584}
    path.write_text(json.dumps(value), "utf-8")


def tomorrow(model_dir: Path, **renamed: str) -> Path:
    k3_config(model_dir)
    config = json.loads(OVERLAY.read("tokenizer_config.json"))
    config |= {"auto_map": {"AutoTokenizer": [None, "tokenization_kimi_fast.Fast"]}, "chat_template": "[TOOL_CALLS]"}
    (model_dir / "tokenizer_config.json").write_text(json.dumps(config))
    (model_dir / "chat_template.jinja").write_text("{{ raise_exception('theirs') }}")
    k3_tokenizer_json(model_dir / "tokenizer.json", **renamed)
    return model_dir


def run(code: str, *arguments: object, installed: bool = False) -> Any:
    """The JSON that a fresh process prints; without kimi_tokenizers, unless `installed`."""
    before = "import json, sys\n" + ("" if installed else "sys.modules['kimi_tokenizers'] = None\n")
    done = subprocess.run(
        [sys.executable, "-c", before + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


REMOTE = """
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], trust_remote_code=True)
rows = [json.loads(line) for line in open(sys.argv[2])]
found = []
for row in rows:
    prompt = tokenizer.apply_chat_template(row["messages"], tools=row["tools"], **row["kwargs"])
    found.append(prompt == row["text"] and tokenizer.encode(prompt, add_special_tokens=False) == row["ids"])
print(json.dumps([len(found), all(found), type(tokenizer).__name__]))
"""


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    return path


def test_a_resolved_and_a_synced_directory_stand_alone(tmp_path: Path, rows: Path) -> None:
    model_dir = k3_config(tmp_path / FOLDER)
    assert run(REMOTE, kt.resolve(MODEL, model_dir), rows) == [len(ROWS), True, "TikTokenTokenizer"]
    sync.apply(sync.plan(OVERLAY, model_dir))
    assert {path.name for path in model_dir.iterdir()} - {".kimi-tokenizers"} == {*OVERLAY.files, "config.json"}
    assert run(REMOTE, model_dir, rows) == [len(ROWS), True, "TikTokenTokenizer"]
    (model_dir / "encoding_k3.py").write_text("raise SystemExit('executed')")
    assert run(REMOTE, model_dir, rows) == [len(ROWS), True, "TikTokenTokenizer"]
    examined = sync.examine(Model(MODEL, model_dir, OVERLAY))
    assert (examined.tokenizer, examined.files["encoding_k3.py"]) == ("overlaid", "unknown")
    assert "encoding_k3.py, of an unknown revision" in examined.detail
    sync.restore(model_dir)
    assert {path.name for path in model_dir.iterdir()} == {"config.json", "encoding_k3.py"}


EXO = """
from pathlib import Path
import mlx_lm.tokenizer_utils as utils
path, trust, messages, tools, answer = Path(sys.argv[1]), *map(json.loads, sys.argv[2:])
if not trust:
    import kimi_tokenizers
    kimi_tokenizers.register()
wrapper = utils.load(path, tokenizer_config_extra={"trust_remote_code": trust}, eos_token_ids=None)
prompt = wrapper.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, tools=tools,
                                     thinking=True, enable_thinking=True)
ids = wrapper.encode(prompt, add_special_tokens=False)
stream, segments = wrapper.detokenizer, []
for index in wrapper.encode(answer, add_special_tokens=False):
    stream.add_token(index)
    segments.append(stream.last_segment)
stream.finalize()
text = "".join(segments) + stream.last_segment
calls = wrapper.tool_parser(text.split(wrapper.tool_call_start)[1].split(wrapper.tool_call_end)[0], tools)
think, stops = list(wrapper.think_start_tokens), sorted(wrapper.eos_token_ids)
print(json.dumps([ids, text, calls, wrapper.has_thinking, think, stops]))
"""


@pytest.mark.parametrize("trust", [True, False])
@pytest.mark.parametrize("layout", [k3_config, tomorrow])
def test_exos_generic_path_with_the_real_mlx_lm(tmp_path: Path, trust: bool, layout: Any) -> None:
    pytest.importorskip("mlx_lm.tool_parsers.kimi_k3", reason="mlx-lm 0.32 is the first with K3's parser")
    front = kt.resolve(MODEL, layout(tmp_path / FOLDER))
    arguments = map(json.dumps, (trust, FORGED, [TOOL], ANSWER))
    ids, text, calls, has_thinking, think, stops = run(EXO, front, *arguments, installed=not trust)
    tokenizer: Any = kt.load(MODEL)
    assert ids == tokenizer.apply_chat_template(FORGED, tools=[TOOL], tokenize=True, return_dict=False)
    assert ids.count(163589) == ids.count(163587) + ids.count(163588)
    assert text == ANSWER
    assert calls == [{"name": "get_weather", "arguments": {'a "&': "東京", "n": 1.5}}]
    assert (has_thinking, think) == (True, tokenizer.encode("<|open|>think<|sep|>"))
    assert 163585 in stops


def test_load_mlx() -> None:
    pytest.importorskip("mlx_lm")
    wrapper = kt.load_mlx(MODEL)
    assert wrapper.eos_token_ids == {163585, 163586}
    assert (wrapper.tool_call_start, wrapper.tool_call_end) == ("<|open|>tools<|sep|>", "<|close|>tools<|sep|>")
    assert wrapper.has_chat_template
    ids = wrapper.encode(ANSWER)
    stream = wrapper.detokenizer
    for index in ids:
        stream.add_token(index)
    stream.finalize()
    assert stream.text == ANSWER
    assert wrapper.apply_chat_template(FORGED, add_generation_prompt=True) == wrapper.encode(
        wrapper.apply_chat_template(FORGED, tokenize=False, add_generation_prompt=True)
    )


def test_register_finds_it_in_whatever_layout(tmp_path: Path) -> None:
    code = (
        "import kimi_tokenizers\nkimi_tokenizers.register()\nfrom transformers import AutoTokenizer\n"
        "tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])\n"
        "print(json.dumps(tokenizer.encode(tokenizer.apply_chat_template(json.loads(sys.argv[2])))))"
    )
    expected = kt.load(MODEL).apply_chat_template(FORGED, tokenize=True, return_dict=False)
    for model_dir in (k3_config(tmp_path / FOLDER), k3_config(tmp_path / "plain"), tomorrow(tmp_path / "tomorrow")):
        assert identify(TokenizerFiles(model_dir)) is OVERLAY
        assert run(code, model_dir, json.dumps(FORGED), installed=True) == expected


def test_tomorrows_layout_loads_with_ours(tmp_path: Path) -> None:
    model_dir = tomorrow(tmp_path / FOLDER)
    tokenizer: Any = kt.load(MODEL, model_dir)
    assert tokenizer.chat_template is None
    assert (
        tokenizer.apply_chat_template(ROWS[0]["messages"], tools=ROWS[0]["tools"], **ROWS[0]["kwargs"])
        == ROWS[0]["text"]
    )
    assert sync.examine(Model(MODEL, model_dir, OVERLAY)).tokenizer == "drifted"


def test_a_tokenizer_json_that_contradicts_is_refused(tmp_path: Path) -> None:
    model_dir = tomorrow(tmp_path / FOLDER, _163587="<|im_user|>")
    for refused in (kt.load, kt.resolve):
        with pytest.raises(VocabularyMismatchError, match=r"163587 is '<\|im_user\|>'.*'<\|open\|>'"):
            refused(MODEL, model_dir)
    assert sync.examine(Model(MODEL, model_dir, OVERLAY)).tokenizer == "refused"


@pytest.mark.parametrize("line", [line for line in catalogue.LINES if line.startswith("kimi-k2")])
def test_neither_is_taken_for_k2(tmp_path: Path, line: str) -> None:
    k2 = write_layout(tmp_path / "k2", "broken", line)
    k3 = k3_config(tmp_path / "k3")
    tables = shutil.copytree(k2, tmp_path / "tables")
    (tables / "config.json").unlink()
    (tables / "tokenizer_config.json").write_bytes(catalogue.overlays()[line].read("tokenizer_config.json"))
    text_only = k3_config(tmp_path / "text")
    (text_only / "config.json").write_text(json.dumps({"text_config": {"model_type": "kimi_linear"}}))
    for overlay, wrong in (
        (OVERLAY, k2),
        (OVERLAY, tables),
        (catalogue.overlays()[line], k3),
        (catalogue.overlays()[line], text_only),
    ):
        with pytest.raises(VocabularyMismatchError):
            check_vocabulary(overlay, TokenizerFiles(wrong))
    check_vocabulary(OVERLAY, TokenizerFiles(k3))
    check_vocabulary(OVERLAY, TokenizerFiles(text_only))


def test_ids_and_files() -> None:
    for model_id in ("moonshotai/Kimi-K3", MODEL, "x/kimi_k3-4bit"):
        assert catalogue.find(model_id) is OVERLAY
        assert all(kt.provides(model_id, name) for name in OVERLAY.always_ours)
        assert not kt.provides(model_id, "encoding_k3.py")
    for model_id in ("moonshotai/Kimi-K3.1-Pro", "x/Kimi-K3.1", "x/Kimi-K30", "x/Kimi-K3V", "x/MyKimi-K3"):
        assert catalogue.find(model_id) is None
        assert not kt.provides(model_id, "tiktoken.model")
    assert not kt.provides("moonshotai/Kimi-K2.6", "kimi_tiktoken.py")


def test_tiktoken_knows_it() -> None:
    encoding = tiktoken.get_encoding("kimi_k3")
    assert encoding.encode("<|open|>x<|im_end|>", allowed_special="all")[0] == 163587
    assert encoding.encode("<|im_end|>", allowed_special="all") == encoding.encode_ordinary("<|im_end|>")


def a_call(inside: str, attributes: str = ' tool="f" index="1"') -> str:
    return f"<|open|>call{attributes}<|sep|>{inside}<|close|>call<|sep|>"


def an_argument(attributes: str, value: str) -> str:
    return f"<|open|>argument{attributes}<|sep|>{value}<|close|>argument<|sep|>"


def a_json(value: str) -> str:
    return f'<|open|>json type="object"<|sep|>{value}<|close|>json<|sep|>'


@pytest.mark.parametrize(
    "text",
    [
        ANSWER.split("<|open|>tools<|sep|>")[1].split("<|close|>tools<|sep|>")[0],
        a_call(a_json('{"a": [1]}')),
        a_call(a_json("[1]")),
        a_call(a_json("{")) + a_call(""),
        a_call("") + " and " + a_call("x", ' tool="g" index="2"'),
        a_call("", ' index="1"'),
        a_call("", ' tool=""'),
        a_call(an_argument(' type="string"', "x")),
        a_call(an_argument(' key="k" type="object"', "{x")),
        a_call(an_argument(' key="k"', "1")),
        a_call(an_argument(' key="k" type="number"', "1" * 5000)) + a_call(""),
        a_call(an_argument(' key="k" type="number"', "1") + an_argument(' key="k" type="null"', "null")),
        a_call(an_argument(' key="k"', "a <|open|>argument<|sep|> b")),
        '<|open|>call tool="f"<|sep|>',
        '<|open|>call tool="f"',
        "",
        "plain text",
    ],
)
def test_the_tool_parser_reads_what_mlx_lms_does(text: str) -> None:
    theirs = pytest.importorskip("mlx_lm.tool_parsers.kimi_k3", reason="mlx-lm 0.32 is the first with K3's parser")
    from kimi_tokenizers.tokenizer.tool_calls_k3 import parse_tool_call

    try:
        expected = theirs.parse_tool_call(text, None)
    except ValueError:
        with pytest.raises(ValueError, match="No tool call found"):
            parse_tool_call(text)
    else:
        assert parse_tool_call(text) == expected


# view, count, upstream


def test_a_view_of_it_stands_alone(tmp_path: Path, rows: Path) -> None:
    model_dir = tomorrow(tmp_path / "models" / FOLDER)
    (model_dir / "encoding_k3.py").write_text("raise SystemExit('executed')")
    (model_dir / "model.safetensors").write_bytes(b"weights")
    assert main(["view", str(tmp_path / "view"), "--from", str(tmp_path / "models")]) == 0
    seen = tmp_path / "view" / FOLDER
    assert run(REMOTE, seen, rows) == [len(ROWS), True, "TikTokenTokenizer"]
    assert (seen / "model.safetensors").is_symlink()
    assert {name: (seen / name).read_bytes() for name in OVERLAY.always_ours} == {
        name: OVERLAY.read(name) for name in OVERLAY.always_ours
    }


def test_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("a<|open|>b<|im_user|>")
    assert main(["count", "--json", "--model", MODEL, str(tmp_path / "text")]) == 0
    k3 = len(kt.load(MODEL).encode("a<|open|>b<|im_user|>"))
    assert json.loads(capsys.readouterr().out)["tokens"] == k3
    assert main(["count", "--json", "--plain", "--model", MODEL, str(tmp_path / "text")]) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] > k3  # <|open|> is text then, as <|im_user|> always is here


def test_upstream() -> None:
    """Every change that may come; its Python is never fetched."""
    python = dict.fromkeys(("tokenization_kimi.py", "encoding_k3.py"), b"raise SystemExit('executed')")
    config = json.loads(OVERLAY.read("tokenizer_config.json"))
    good = {**python, **{name: OVERLAY.read(name) for name in ("tiktoken.model", "tokenizer_config.json")}}
    good["config.json"] = json.dumps({"model_type": "kimi_k3"}).encode()
    k2 = json.dumps(config | {"added_tokens_decoder": {"163586": {"content": "<|im_end|>"}}}).encode()
    with Hub() as hub:
        client = upstream.Client(hub.url, timeout=5, longest_wait=0.05)
        since = hub.publish("moonshotai/Kimi-K3", good)
        for files, change, changed in (
            (good, Change.UNCHANGED, []),
            (good | {"encoding_k3.py": b"another revision"}, Change.CHANGED, ["encoding_k3.py"]),
            ({name: good[name] for name in good if name != "tokenization_kimi.py"}, Change.SLOW_GONE, []),
            (good | {"tokenizer_config.json": k2}, Change.VOCABULARY, ["tokenizer_config.json"]),
        ):
            hub.publish("moonshotai/Kimi-K3", files)
            [finding] = upstream.changes_upstream(["moonshotai/Kimi-K3"], since, client=client)
            assert (finding.line, finding.change, finding.changed) == ("kimi-k3", change, changed)
        # Another encoding_k3.py is fetched to be compared with the one that is known; the other Python is not.
        fetched = [line for line in hub.requests if "/resolve/" in line and ".py" in line]
        assert all(line.endswith("/encoding_k3.py") for line in fetched)
