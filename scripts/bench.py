"""Measure this package against the alternatives, by turns, in one run.

    uv run --group bench python scripts/bench.py   everything, with the other engines: ten minutes on two idle cores
    uv run python scripts/bench.py --quick         smaller sizes and two rounds, to see that all works
    uv run python scripts/bench.py --rows load     only some groups of rows
    uv run --group bench python scripts/bench.py --save
                                                   everything, and into CONTRIBUTING.md, the chart and its JSON

Every group runs its contestants by turns, in another order every round (one that comes after another finds its memory
freed and its caches warm), after a warm-up. Figures are medians; a ratio is the median of the ratios of the rounds, so
that a slow moment of the machine, which meets all contestants of a round, does not count. What takes longer than the
group's time has the warm-up as its only round. Before anything is timed, the ids of all contestants are compared.

Exit status 1: a goal that counts as reached was missed by more than the noise of this run. 2: wrong usage.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import itertools
import json
import os
import platform
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")

import transformers
from bench_report import COLUMNS, ROOT, Cells, report, save, shown

import kimi_tokenizers as kt
from kimi_tokenizers.commands.output import emit, emit_json, emit_lines, escape_errors
from kimi_tokenizers.overlays.common import tokenization_kimi as kimi

VOCAB = str(ROOT / "overlays" / "common" / "tiktoken.model")
CONTROL = kimi.control_tokens(None, "kimi-k2.6")
SPECIAL = kimi.special_tokens(CONTROL)
THEN = "7f5bdfa82a479f4a55ac8590673dee0645642122"  # the tree before splintr, which goals call "then"
K2, K3 = "moonshotai/Kimi-K2.6", "moonshotai/Kimi-K3"

SCRATCH = tempfile.TemporaryDirectory(prefix="kimi-bench-")
os.environ.update({"KIMI_TOKENIZERS_CACHE": f"{SCRATCH.name}/cache", kimi.ENGINE_VARIABLE: "tiktoken"})

# One turn of a contestant: row -> seconds, or MB where the row says memory.
Run = Callable[[], Mapping[str, float]]
Group = Mapping[str, Run]


class Sizes(NamedTuple):
    """What `--quick` makes smaller.

    Bytes of the long text and of the file to count, ids to stream, calls with a short text; and how often a group runs:
    so many rounds, of which none begins after so many seconds.
    """

    long: int = 10_000_000
    file: int = 1_000_000_000
    ids: int = 64_000
    calls: int = 5000
    rounds: int = 7
    seconds: float = 40

    def of(self, size: int) -> str:
        unit, name = (1_000_000_000, "GB") if size >= 1_000_000_000 else (1_000_000, "MB")
        return f"{size // unit} {name}"


QUICK = Sizes(long=1_000_000, file=10_000_000, ids=8000, calls=1000, rounds=2, seconds=8)


# ---------------------------------------------------------------------------------------------------------------------
# The contestants


@dataclass(frozen=True)
class Contestant:
    """A tokenizer as Python: expressions of `t`, which `build` gives, and of `text`, `texts` or `ids`."""

    setup: str
    build: str
    encode: str
    decode: str = ""
    ordinary: str = ""
    offsets: str = ""
    call: str = ""
    bare: str = ""  # instead of `build`, where ids alone are wanted
    environment: Mapping[str, str] = field(default_factory=dict)


def contestants() -> dict[str, Contestant]:
    """All that can run here, in the order of the columns."""
    folder = SCRATCH.name
    encode = "t.model.encode(text, allowed_special='all')"
    ours = ("import kimi_tokenizers as kt", "kt.load()", encode, "t.decode(ids)", "t.model.encode_ordinary(text)")
    offsets, call = "t(text, return_offsets_mapping=True)['offset_mapping']", "t(texts)['input_ids']"
    arguments = f"pat_str={kimi.PAT_STR!r}, special_tokens={SPECIAL!r}"
    found = {
        "fast": Contestant(*ours, offsets, call, "kt.encoding()", {kimi.ENGINE_VARIABLE: "splintr"}),
        "ours": Contestant(*ours, offsets, call, "kt.encoding()", {kimi.ENGINE_VARIABLE: "tiktoken"}),
        "tiktoken": Contestant(
            "import tiktoken; from tiktoken.load import load_tiktoken_bpe",
            f"tiktoken.Encoding('p', {arguments}, mergeable_ranks=load_tiktoken_bpe({VOCAB!r}))",
            "t.encode(text, allowed_special='all')",
            "t.decode(ids)",
            "t.encode_ordinary(text)",
            "t.decode_with_offsets(t.encode(text, allowed_special='all'))",
            "t.encode_batch(texts, allowed_special='all')",
        ),
        "upstream": Contestant(
            f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r}); from upstream_like import UpstreamLike",
            f"UpstreamLike({folder!r} + '/upstream/tiktoken.model')",
            "t.encode(text)",
            "t.decode(ids)",
            call=call,
        ),
        "tokenizers": Contestant(
            "import tokenizers",
            f"tokenizers.Tokenizer.from_file('{folder}/tokenizer.json')",
            "t.encode(text).ids",
            "t.decode(ids, skip_special_tokens=False)",
            offsets="t.encode(text).offsets",
            call="[found.ids for found in t.encode_batch(texts)]",
        ),
        "splintr": Contestant(
            "import splintr",
            "splintr.Tokenizer.from_pretrained('kimi_k2')",
            "t.encode_with_special(text)",
            "t.decode_with_special(ids)",
        ),
        "kitoken": Contestant(
            "import kitoken",
            f"kitoken.Kitoken.from_file('{folder}/kitoken')",
            "t.encode(text, True)",
            "t.decode(ids).decode()",
        ),
        "fastokens": Contestant(
            "import fastokens",
            f"fastokens.Tokenizer.from_tiktoken({VOCAB!r}, {kimi.PAT_STR!r}, {SPECIAL!r})",
            "t.encode(text).ids",
            "t.decode(ids)",
        ),
        "tokie": Contestant(
            "import tokie", f"tokie.Tokenizer.from_file('{folder}/tokie')", "t.encode(text, False).ids"
        ),  # its `decode` panics at a control token
    }
    needed = {name: "splintr" if name == "fast" else name for name in ("fast", "splintr", "kitoken", "fastokens")}
    needed["tokie"] = "tokie"
    return {name: one for name, one in found.items() if importlib.util.find_spec(needed.get(name, "json"))}


@cache
def prepared() -> dict[str, Contestant]:
    """The contestants, when the files that they read have been written."""
    from kimi_tokenizers.tokenizer.conversion import fast_tokenizer

    folder = Path(SCRATCH.name)
    model_dir = folder / "moonshotai--Kimi-K2.6"
    for directory in (model_dir, folder / "upstream"):
        directory.mkdir()
        (directory / "tiktoken.model").symlink_to(VOCAB)
        control = {index: (token.content, token.special) for index, token in CONTROL.items()}
        facts = {"pattern": kimi.PAT_STR, "names": SPECIAL, "control": control, "letters": kimi._BYTE_CHARACTERS}
        (directory / "upstream.json").write_text(json.dumps(facts))
    (model_dir / "tokenizer_config.json").write_text("{}")
    (model_dir / "tokenization_kimi.py").symlink_to(ROOT / "scripts" / "upstream_like.py")
    fast_tokenizer(kt.load(K2)).save(str(folder / "tokenizer.json"))
    found = contestants()
    if "kitoken" in found:
        import kitoken

        kitoken.Kitoken.from_tokenizers_file(str(folder / "tokenizer.json")).to_file(str(folder / "kitoken"))
    if "tokie" in found:
        import tokie

        tokie.Tokenizer.from_json(str(folder / "tokenizer.json")).save(str(folder / "tokie"))
    return found


@cache
def live(name: str) -> Any:
    """A contestant's tokenizer in this process. Ours takes its engine when it is first used."""
    one, names = prepared()[name], {}  # type: ignore[var-annotated]
    before = dict(os.environ)
    os.environ.update(one.environment)
    try:
        exec(one.setup, names)
        names["t"] = eval(one.build, names)
        eval(one.encode, {**names, "text": "words " * 1000})
    finally:
        os.environ.update({key: before[key] for key in one.environment})
    if name == "fast" and names["t"].model.engine_name != "splintr":
        raise SystemExit("splintr was given up on the way (see the warning): there is nothing to compare.")
    return names["t"]


def function(name: str, what: str, argument: str) -> Callable[[Any], Any] | None:
    """A contestant's expression as a function; None where it offers no such thing."""
    source = getattr(prepared()[name], what)
    return eval(f"lambda {argument}: {source}", {"t": live(name)}) if source else None


# ---------------------------------------------------------------------------------------------------------------------
# The texts


@cache
def text(kind: str, size: int) -> str:
    """A text of about `size` bytes: Python's documentation, random ideographs, Python's library, or all of these."""
    if kind == "mixed":
        return text("english", size // 4) + text("code", size // 2) + text("chinese", size // 4)
    if kind == "english":
        from pydoc_data.topics import topics

        source = "\n".join(topics.values())
    elif kind == "chinese":
        choice, size = random.Random(size), size // 3
        source = "".join(
            "".join(chr(choice.randint(0x4E00, 0x62FF)) for _ in range(choice.randint(4, 20)))
            + choice.choice("，。、\n")
            for _ in range(size // 10)
        )
    else:
        source = "\n".join(path.read_text(errors="replace") for path in sorted(Path(os.__file__).parent.glob("*.py")))
    return (source * (size // len(source) + 1))[:size]


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"tool_{index}",
            "description": "Does something.",
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
        },
    }
    for index in range(20)
]


@cache
def chat(with_tools: bool) -> list[dict[str, Any]]:
    """1,600 messages, some 540 KB; with 400 calls of tools and their results, or of two people talking."""
    english, code = text("english", 300_000), text("code", 300_000)
    messages: list[dict[str, Any]] = []
    for turn in range(400):
        call = {"id": f"functions.read:{turn}", "function": {"name": "read", "arguments": f'{{"path": "a/{turn}.py"}}'}}
        look = {"role": "assistant", "content": "", "reasoning_content": "Look first."}
        messages += [
            {"role": "user", "content": english[500 * turn :][:300]},
            {**look, "tool_calls": [call]} if with_tools else {**look, "content": "What does it say?"},
            {
                **({"role": "tool", "tool_call_id": call["id"]} if with_tools else {"role": "user"}),
                "content": code[600 * turn :][:600],
            },
            {"role": "assistant", "content": english[500 * turn + 300 :][:200]},
        ]
    return messages


SAMPLES = {
    "English": text("english", 50_000),
    "Chinese": text("chinese", 50_000),
    "code": text("code", 50_000),
    "control tokens": "<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|><think></think>[BOS]<|tool_call_begin|>",
    "look-alikes of control tokens": "<|system|><|think|> <|im_end |><|im_end|",
    "other scripts": "it'ſ Ünïcödé é 한국어 🧑‍🚀 \u0627\u0644 \r\n\t  \u3000 x \U0001e030",
}


def compare() -> dict[str, list[str]]:
    """Contestant -> samples of which it gives other ids than tiktoken. Ours and the references must give the same."""
    differing = {}
    expected = {title: live("tiktoken").encode(sample, allowed_special="all") for title, sample in SAMPLES.items()}
    for name in prepared():
        encode = function(name, "encode", "text")
        assert encode
        wrong = [title for title, sample in SAMPLES.items() if list(encode(sample)) != expected[title]]
        if wrong and name in ("fast", "ours", "upstream"):
            raise SystemExit(
                f"{COLUMNS[name]} gives other ids than tiktoken for {', '.join(wrong)}: nothing was timed."
            )
        if wrong:
            differing[name] = wrong
    return differing


# ---------------------------------------------------------------------------------------------------------------------
# What is measured


def timed(rows: Mapping[str, Callable[[], Any] | None], times: int = 1) -> Run:
    """A turn that calls each function so many times. A function that is None is not offered."""

    def run() -> dict[str, float]:
        found = {}
        for row, call in rows.items():
            if call:
                started = time.perf_counter()
                for _ in range(times):
                    call()
                found[row] = (time.perf_counter() - started) / times
        return found

    return run


def process(code: str, environment: Mapping[str, str] | None = None, tree: Path = ROOT) -> Callable[[], str]:
    """A function that runs `code` in a process of its own and returns what it wrote."""
    variables = {**os.environ, **(environment or {}), "PYTHONPATH": str(tree)}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled once

    def run() -> str:
        command = [sys.executable, "-c", code]  # with which the current folder comes before PYTHONPATH
        done = subprocess.run(command, env=variables, cwd=tree, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"A process that was to be measured failed:\n{code[:2000]}\n{done.stderr[-2000:]}")
        return done.stdout

    return run


def figures(code: str, environment: Mapping[str, str] | None = None, tree: Path = ROOT) -> Run:
    """A turn whose figures the process has measured itself."""
    run = process(code, environment, tree)
    return lambda: json.loads(run().splitlines()[-1])


# On Linux ru_maxrss begins with the parent's, so VmHWM is read where there is one.
PEAK = """
import json, pathlib, re, resource, sys, time
def peak():
    status = pathlib.Path('/proc/self/status')
    if status.exists():
        return int(re.search(r'VmHWM:\\s+(\\d+)', status.read_text())[1]) * 1024 / 1e6
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used * (1 if sys.platform == 'darwin' else 1024) / 1e6
"""


def loading(sizes: Sizes) -> Group:
    """Until the first ids, in a process that has imported everything; then once more; and peak memory before that."""
    long = text("english", 200_000) + text("code", 200_000)
    Path(SCRATCH.name, "400 KB").write_text(long)

    def code(one: Contestant, before: str = "", memory: str = "peak memory, loaded") -> str:
        first = f"text = 'one line of text'; began = time.perf_counter(); t = {one.build}; {one.encode}\n"
        return (
            f"{PEAK}{before}\n{one.setup}\n{first}found = {{'load': time.perf_counter() - began, {memory!r}: peak()}}\n"
            f"{first}found['load again'] = time.perf_counter() - began\n"
            f"text = open({SCRATCH.name!r} + '/400 KB').read(); began = time.perf_counter(); {one.encode}\n"
            "found['first 400 KB after loading'] = time.perf_counter() - began\nprint(json.dumps(found))"
        )

    beside = "from transformers import PreTrainedTokenizer"
    before = f"{beside}; import kimi_tokenizers.tokenizer, kimi_tokenizers.overlays.common.tokenization_kimi"
    found = {name: figures(code(one, before if one.bare else ""), one.environment) for name, one in prepared().items()}
    plain = prepared()["tiktoken"]
    with_transformers = figures(code(plain, beside, "peak memory, loaded, beside transformers"))
    before_loading = "peak memory before loading, beside transformers"
    without = figures(f"{PEAK}{beside}\n{plain.setup}\nprint(json.dumps({{{before_loading!r}: peak()}}))")
    alone = found["tiktoken"]

    def tiktoken() -> dict[str, float]:
        return {**with_transformers(), **without(), **alone()}

    return {**found, "tiktoken": tiktoken}


def exo_steps(directory: str) -> str:
    """What exo does to load a tokenizer out of a model directory, as a program (facts on exo 0.3.70)."""
    return (
        "import sys, types\nimport transformers.models.gpt2.tokenization_gpt2 as gpt2\n"
        f"letters = {kimi._BYTE_CHARACTERS!r}\n"
        f"if not hasattr(gpt2, 'bytes_to_unicode'): gpt2.bytes_to_unicode = lambda: dict(enumerate(letters))\n"
        f"sys.path.insert(0, {directory!r})\n"
        f"def run(name):\n"
        f"    module = sys.modules[name] = types.ModuleType(name)\n"
        f"    module.__file__ = {directory!r} + '/' + name + '.py'\n"
        f"    source = open(module.__file__).read().replace('from .tool_declaration_ts', 'from tool_declaration_ts')\n"
        f"    exec(compile(source, module.__file__, 'exec'), module.__dict__)\n"
        f"    return module\n"
        f"if {os.path.exists(directory + '/tool_declaration_ts.py')}: run('tool_declaration_ts')\n"
        f"tokenizer = run('tokenization_kimi').TikTokenTokenizer.from_pretrained({directory!r})\n"
        f"assert tokenizer.encode('one line of text') == {live('ours').encode('one line of text')}\n"
    )


def cold(sizes: Sizes) -> Group:
    """From `python -c` to the first ids, all imports included."""
    found: dict[str, Run] = {}
    theirs = f"{SCRATCH.name}/moonshotai--Kimi-K2.6"
    steps = {"upstream": theirs, **dict.fromkeys(("fast", "ours"), str(kt.resolve(K2, theirs)))}
    for name, one in prepared().items():

        def program(build: str, encode: str, one: Contestant = one) -> Callable[[], str]:
            return process(f"{one.setup}; text = 'one line of text'; t = {build}; {encode}", one.environment)

        bare = one.encode.replace("t.model.", "t.") if one.bare else one.encode
        rows = {"cold process to first ids": program(one.bare or one.build, bare)}
        if name in steps:
            rows["cold process, whole tokenizer"] = program(one.build, one.encode)
            rows["cold process, exo's steps"] = process(exo_steps(steps[name]), one.environment)
        found[name] = timed(rows)
    return found


def encoding(sizes: Sizes) -> Group:
    """Long texts and a batch."""
    middle, long = text("english", 200_000) + text("code", 200_000), text("mixed", sizes.long)
    lines = [text("english", 90_000)[80 * index :][:80] for index in range(1000)]

    def rows(name: str) -> Run:
        encode, call = function(name, "encode", "text"), function(name, "call", "texts")
        assert encode
        return timed(
            {
                "encode 400 KB": lambda: encode(middle),
                f"encode {sizes.of(sizes.long)}": lambda: encode(long),
                "tokenizer(text), 400 KB": (lambda: live(name)(middle))
                if "(texts)['" in prepared()[name].call
                else None,
                "batch of 1,000 lines": (lambda: call(lines)) if call else None,
            }
        )

    return {name: rows(name) for name in prepared()}


def short(sizes: Sizes) -> Group:
    """Short texts, where calling costs most; all control tokens are allowed. Ours knows "hi" when it comes again, so
    those of 20 characters are other ones each time."""
    others = itertools.cycle([f"What is the {number:05}th?" for number in range(50_000)])

    def rows(name: str) -> Run:
        encode = function(name, "encode", "text")
        assert encode
        found: dict[str, Callable[[], Any] | None] = {
            'encode "hi"': lambda: encode("hi"),
            "encode 20 characters": lambda: encode(next(others)),
            "encode 50 characters of control tokens": lambda: encode(SAMPLES["control tokens"][:50]),
        }
        if ordinary := function(name, "ordinary", "text"):
            found['`encode_ordinary` of "hi"'] = lambda: ordinary("hi")
        return timed(found, sizes.calls)

    return {name: rows(name) for name in prepared()}


def chats(sizes: Sizes) -> Group:
    """1,600 messages as a prompt, and as ids. Upstream's is given our template; transformers renders it.

    A new chat begins as none before it; in a grown one, only the last turn has not been there before.
    """

    def rows(name: str, model_id: str, tools: Any, title: str) -> dict[str, Callable[[], Any] | None]:
        before = os.environ[kimi.ENGINE_VARIABLE]
        os.environ.update(prepared()[name].environment)
        tokenizer = live(name) if model_id == K2 else kt.load(model_id)
        if name == "upstream":
            tokenizer.chat_template = live("ours").chat_template

        messages, number = chat(bool(tools)), itertools.count()
        growing = messages[:-1]

        def render(messages: list[dict[str, Any]] = messages) -> Any:
            return tokenizer.apply_chat_template(messages, tools=tools, tokenize=False)

        def new() -> None:
            tokenizer.encode(render([{"role": "system", "content": f"This is chat {next(number)}."}, *messages]))

        def grown() -> None:
            growing.extend([{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And this?"}])
            tokenizer.encode(render(growing))

        tokenizer.encode(render())
        os.environ[kimi.ENGINE_VARIABLE] = before
        found = {f"render {title}": render, f"render and encode {title}": new}
        return {**found, f"render and encode {title}, grown": grown}

    kinds = ((K2, None, "1,600 messages"), (K2, TOOLS, "1,600 with tools"), (K3, TOOLS, "1,600 of Kimi-K3"))
    found = {
        name: timed({row: call for kind in kinds for row, call in rows(name, *kind).items()})
        for name in ("fast", "ours")
        if name in prepared()
    }
    return {**found, "upstream": timed(rows("upstream", *kinds[0]))}


def one_row(row: str, what: str, argument: str, value: Any) -> Group:
    calls = {name: function(name, what, argument) for name in prepared()}
    return {name: timed({row: lambda call=call: call(value)}) for name, call in calls.items() if call}  # type: ignore[misc]


def decoding(sizes: Sizes) -> Group:
    ids = live("ours").encode(text("mixed", 1_000_000) + SAMPLES["control tokens"])
    return one_row("decode 1 MB", "decode", "ids", ids)


def offsets(sizes: Sizes) -> Group:
    return one_row("offsets of 100 KB", "offsets", "text", text("english", 100_000))


def streaming(sizes: Sizes) -> Group:
    """Every id of one line as it comes, through mlx-lm's own class and through ours."""
    if not importlib.util.find_spec("mlx_lm"):
        return {}
    from mlx_lm.tokenizer_utils import NaiveStreamingDetokenizer

    from kimi_tokenizers.tokenizer.detokenizer import KimiStreamingDetokenizer

    ids = (live("ours").encode(text("english", 40_000).replace("\n", " ")) * 20)[: sizes.ids]

    def stream(kind: Any, tokenizer: Any, count: int) -> Callable[[], None]:
        def run() -> None:
            detokenizer = kind(tokenizer)
            for index in ids[:count]:
                detokenizer.add_token(index)
                detokenizer.last_segment  # noqa: B018
            detokenizer.finalize()

        return run

    kinds = {"mlx-lm's class": NaiveStreamingDetokenizer, "ours": KimiStreamingDetokenizer}
    return {
        name: timed(
            {
                f"stream {count:,} ids, {title}": stream(kind, live(name), count)
                for title, kind in kinds.items()
                for count in (sizes.ids, sizes.ids // 8)
            }
        )
        for name in ("fast", "ours")
        if name in prepared()
    }


def counting(sizes: Sizes) -> Group:
    """The tokens of a file: our command, and the shortest program with tiktoken (which cuts anywhere)."""
    path, size = Path(SCRATCH.name, "file"), sizes.of(sizes.file)
    piece = text("mixed", 10_000_000).encode()
    with path.open("wb") as file:
        for _ in range(max(1, sizes.file // len(piece))):
            file.write(piece)
    plain = prepared()["tiktoken"]
    commands = {
        "tiktoken": f"{plain.setup}; t = {plain.build}\n"
        f"with open({str(path)!r}) as file:\n"
        "    print(sum(len(t.encode_ordinary(part)) for part in iter(lambda: file.read(2**20), '')))"
    }
    for name in ("fast", "ours"):
        commands[name] = f"from kimi_tokenizers.commands import main; main(['count', {str(path)!r}])"
    begin, end = "began = time.perf_counter()", f"{{'count {size}': time.perf_counter() - began, "
    return {
        name: figures(
            f"{PEAK}{begin}\n{command}\nprint(json.dumps({end}'peak memory of count {size}': peak()}}))",
            prepared()[name].environment,
        )
        for name, command in commands.items()
        if name in prepared()
    }


def then(sizes: Sizes) -> Group:
    """Without an engine, this tree and the one before splintr, both in processes of their own."""
    tree = Path(SCRATCH.name, "then")
    archive = subprocess.run(
        ["git", "-C", ROOT, "archive", THEN, "kimi_tokenizers", "overlays"], capture_output=True, check=False
    )
    if archive.returncode:
        emit("then: this clone has no history to compare with", sys.stderr)
        return {}
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as file:
        file.extractall(tree)
    values = Path(SCRATCH.name, "then.json")
    values.write_text(json.dumps([chat(True), TOOLS, text("english", 200_000) + text("code", 200_000)]))
    code = (
        f"import json, time; import kimi_tokenizers as kt; from transformers import PreTrainedTokenizer\n"
        f"chat, tools, text = json.load(open({str(values)!r})); found = {{}}\n"
        "import os; assert kt.__file__.startswith(os.getcwd()), kt.__file__\n"
        "def best(row, run, times=9):\n"
        "    for _ in range(times):\n"
        "        began = time.perf_counter(); result = run(); taken = time.perf_counter() - began\n"
        "        found[row + ', without an engine'] = min(taken, found.get(row + ', without an engine', taken))\n"
        "    return result\n"
        f"def load(): t = kt.load({K2!r}); t.encode('one line of text'); return t\n"
        "t = best('load', load, 1)\n"
        "best('render 1,600 with tools', lambda: t.apply_chat_template(chat, tools=tools, tokenize=False))\n"
        "best('encode 400 KB', lambda: t.model.encode(text, allowed_special='all'))\n"
        "best('tokenizer(text), 400 KB', lambda: t(text))\n"
        "def hi(): return [t.model.encode('hi', allowed_special='all') for _ in range(1000)]\n"
        "best('encode \"hi\", 1,000 times', hi)\n"
        "print(json.dumps(found))"
    )
    without = prepared()["ours"].environment
    return {"ours": figures(code, without), "then": figures(code, without, tree)}


GROUPS: dict[str, Callable[[Sizes], Group]] = {
    "load": loading,
    "cold": cold,
    "encode": encoding,
    "short": short,
    "chat": chats,
    "decode": decoding,
    "offsets": offsets,
    "stream": streaming,
    "count": counting,
    "then": then,
}


def measure(group: Group, sizes: Sizes) -> Cells:
    """Row -> contestant -> a figure of every round."""
    order, shuffle = list(group), random.Random(0).shuffle
    cells: Cells = {}

    def one_round() -> None:
        for name in order:
            for row, value in group[name]().items():
                cells.setdefault(row, {}).setdefault(name, []).append(value)

    began = time.perf_counter()
    one_round()
    if time.perf_counter() - began > sizes.seconds:
        return cells
    cells.clear()
    began = time.perf_counter()
    for done in range(sizes.rounds):
        if done and time.perf_counter() - began > sizes.seconds:
            break
        shuffle(order)
        one_round()
    return cells


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=GROUPS, default=list(GROUPS), help="only these groups of rows")
    parser.add_argument("--quick", action="store_true", help="smaller sizes and two rounds: figures mean little")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--save", action="store_true", help="put chart, JSON and tables where the documents show them")
    options = parser.parse_args()
    if options.save and (options.quick or len(set(options.rows)) < len(GROUPS)):
        parser.error("--save needs every row, and not quickly")
    if transformers.__version__ < "5":
        parser.error(f"the comparison needs transformers 5, this is {transformers.__version__}")

    sizes = QUICK if options.quick else Sizes()
    emit("comparing ids", sys.stderr)
    differing, cells = compare(), Cells()
    for title in dict.fromkeys(options.rows):
        emit(f"{title} …", sys.stderr)
        for row, figures_of_row in measure(GROUPS[title](sizes), sizes).items():
            cells[row] = figures_of_row
            line = ", ".join(f"{COLUMNS[name]} {shown(row, values)}" for name, values in figures_of_row.items())
            emit(f"  {row}: {line}", sys.stderr)
    machine = f"{platform.system()} {platform.machine()}, {kimi._threads()} cores"
    result = report(cells, differing, machine)
    if options.json:
        emit_json(result.as_json())
    else:
        emit_lines(result.markdown())
    if options.save:
        save(result)
    return 1 if result.missed else 0


if __name__ == "__main__":
    escape_errors()
    raise SystemExit(main())
