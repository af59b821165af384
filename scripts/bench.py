"""Measure this package against the alternatives, paired, in one run.

    uv run python scripts/bench.py                 the whole table
    uv run python scripts/bench.py load encode     only the cases whose name contains one of these words
    uv run python scripts/bench.py --save          the whole table, and into CONTRIBUTING.md, the chart and its JSON

Every case runs its contestants by turns, in another order every round (one that comes after another finds its memory
freed and its caches warm), after a warm-up: `--repetitions` rounds, and more of what is quick, until six seconds have
passed. Times are medians; a ratio is the median of the ratios of the rounds, so that a slow moment of the machine,
which meets all contestants of a round, does not count. Contestants:

ours        this package as `kimi_tokenizers.load` gives it, without the optional engine
upstream    a re-creation of how upstream's slow tokenizer behaves, written for this comparison, see `UpstreamLike`
tiktoken    a plain `tiktoken.Encoding` of the same rank table
tokenizers  the same vocabulary as a `tokenizer.json`, converted with transformers' own converter
splintr     this package with the optional engine, where it is installed

Exit status 1: a goal was missed; its ratio is bold in the table.
"""

from __future__ import annotations

import argparse
import html
import importlib.util
import inspect
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")

import tiktoken
import transformers
from tiktoken.load import load_tiktoken_bpe
from transformers import AddedToken, PreTrainedTokenizer

import kimi_tokenizers as kt
from kimi_tokenizers.commands.output import emit, emit_lines, escape_errors
from kimi_tokenizers.evidence import versions
from kimi_tokenizers.overlays.common import tokenization_kimi as kimi

ROOT = Path(__file__).resolve().parent.parent
VOCAB = ROOT / "overlays" / "common" / "tiktoken.model"
CHART = ROOT / "scripts" / "bench.svg"
RESULTS = ROOT / "scripts" / "bench.json"
PATTERN = kimi.PAT_STR
CONTROL = {index: (token.content, token.special) for index, token in kimi.control_tokens(None, "kimi-k2.6").items()}
SPECIAL = kimi.special_tokens(kimi.control_tokens(None, "kimi-k2.6"))

SCRATCH = tempfile.TemporaryDirectory(prefix="kimi-bench-")
os.environ.update({"KIMI_TOKENIZERS_CACHE": f"{SCRATCH.name}/cache", kimi.ENGINE_VARIABLE: "tiktoken"})

Contestants = dict[str, Callable[[], Any]]
Times = dict[str, list[float]]  # contestant -> seconds (or MB, of peak memory) of every round


# ---------------------------------------------------------------------------------------------------------------------
# The contestants


def plain() -> tiktoken.Encoding:
    return tiktoken.Encoding(
        "plain", pat_str=PATTERN, mergeable_ranks=load_tiktoken_bpe(str(VOCAB)), special_tokens=SPECIAL
    )


def bytes_to_unicode() -> dict[int, str]:
    return dict(enumerate(kimi._BYTE_CHARACTERS))


class UpstreamLike(PreTrainedTokenizer):
    """Upstream's slow tokenizer, RE-CREATED from what is known of its behaviour; this is not its code.

    It does what costs upstream time: tiktoken's own loader and both vocabulary dictionaries at the start; in `encode` a
    scan for runs, in Python, and cuts at 400,000 characters (where ids can differ); in `__call__` transformers' generic
    path, from text to token strings to ids; and an import of transformers' GPT-2 tokenizer, see `upstream_directory`.
    """

    vocab_files_names = {"vocab_file": "tiktoken.model"}  # noqa: RUF012

    def __init__(self, vocab_file: str, **kwargs: Any) -> None:
        self.model = tiktoken.Encoding(
            "upstream", pat_str=PATTERN, mergeable_ranks=load_tiktoken_bpe(str(vocab_file)), special_tokens=SPECIAL
        )
        self.letters = bytes_to_unicode()
        self.bytes = {letter: byte for byte, letter in self.letters.items()}
        self.by_id = {
            index: "".join(self.letters[byte] for byte in self.model.decode_single_token_bytes(index))
            for index in range(self.model.n_vocab)
        }
        self.by_token = {token: index for index, token in self.by_id.items()}
        table = {
            index: AddedToken(name, special=special, normalized=False) for index, (name, special) in CONTROL.items()
        }
        named = {"bos_token": "[BOS]", "eos_token": "[EOS]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
        super().__init__(**{**kwargs, **named, "added_tokens_decoder": table})

    @property
    def vocab_size(self) -> int:
        return self.model.n_vocab

    def get_vocab(self) -> dict[str, int]:
        return self.by_token

    def encode(self, text: str, *rest: Any, **kwargs: Any) -> list[int]:
        if rest or kwargs:
            return super().encode(text, *rest, **kwargs)
        ids: list[int] = []
        for start in range(0, len(text), 400_000):
            for part in self.runs(text[start : start + 400_000]):
                ids += self.model.encode(part, allowed_special="all")
        return ids

    @staticmethod
    def runs(text: str) -> list[str]:
        """Cut where 25,000 characters in a row are space, or are not."""
        parts, begin, length, space = [], 0, 0, False
        for position, character in enumerate(text):
            if character.isspace() != space:
                space, length = not space, 1
            else:
                length += 1
                if length > 25_000:
                    parts.append(text[begin:position])
                    begin, length = position, 1
        return [*parts, text[begin:]]

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return [self.by_id[index] for index in self.encode(text)]

    def _convert_token_to_id(self, token: str) -> int:
        return self.by_token[token]

    def _convert_id_to_token(self, index: int) -> str:
        return self.by_id[index]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return bytes(self.bytes[character] for character in "".join(tokens)).decode("utf-8", "replace")


@cache
def upstream_directory() -> str:
    """A model directory with `UpstreamLike` as its `tokenization_kimi.py`, which like upstream's imports GPT-2's."""
    directory = Path(SCRATCH.name, "moonshotai--Kimi-K2.6")
    directory.mkdir()
    (directory / "tiktoken.model").symlink_to(VOCAB)
    (directory / "tokenizer_config.json").write_text("{}")
    source = (
        "from __future__ import annotations\nfrom typing import Any\nimport tiktoken\n"
        "from tiktoken.load import load_tiktoken_bpe\nfrom transformers import AddedToken, PreTrainedTokenizer\n"
        "from transformers.models.gpt2.tokenization_gpt2 import bytes_to_unicode\n"
        f"PATTERN, CONTROL, SPECIAL = {PATTERN!r}, {CONTROL!r}, {SPECIAL!r}\n{inspect.getsource(UpstreamLike)}\n"
        "TikTokenTokenizer = UpstreamLike\n"
    )
    (directory / "tokenization_kimi.py").write_text(source)
    return str(directory)


@cache
def tokenizer_json() -> str:
    """A `tokenizer.json` of the vocabulary."""
    from transformers.convert_slow_tokenizer import TikTokenConverter

    names = [name for name, _ in sorted(SPECIAL.items(), key=lambda item: item[1])]
    path = f"{SCRATCH.name}/tokenizer.json"
    TikTokenConverter(str(VOCAB), pattern=kimi.PAT_STR, extra_special_tokens=names).converted().save(path)
    return path


@cache
def ours() -> Any:
    return _loaded("tiktoken")


@cache
def accelerated() -> Any:
    return _loaded("splintr")


def _loaded(engine: str) -> Any:
    """Our tokenizer with one of its engines, which it takes when it is first used."""
    os.environ[kimi.ENGINE_VARIABLE] = engine
    try:
        tokenizer = kt.load()
        tokenizer.encode("word " * 1000)
    finally:
        os.environ[kimi.ENGINE_VARIABLE] = "tiktoken"
    return tokenizer


@cache
def upstream() -> Any:
    return UpstreamLike(str(VOCAB))


@cache
def converted() -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(tokenizer_json())


@cache
def tiktoken_alone() -> tiktoken.Encoding:
    return plain()


# ---------------------------------------------------------------------------------------------------------------------
# The texts


@cache
def text(kind: str, size: int) -> str:
    """A text of about `size` bytes: Python's documentation, random ideographs, Python's library, or all of these."""
    if kind == "english":
        from pydoc_data.topics import topics

        source = "\n".join(topics.values())
    elif kind == "chinese":
        choice = random.Random(size)
        clauses = (
            "".join(chr(choice.randint(0x4E00, 0x62FF)) for _ in range(choice.randint(4, 20)))
            + choice.choice("，。、\n")
            for _ in range(size // 30)
        )
        source = "".join(clauses)
        size //= 3
    elif kind == "code":
        source = "\n".join(path.read_text(errors="replace") for path in sorted(Path(os.__file__).parent.glob("*.py")))
    else:
        return text("english", size // 4) + text("code", size // 2) + text("chinese", size // 4)
    return (source * (size // len(source) + 1))[:size]


@cache
def chat() -> list[dict[str, Any]]:
    """A tool-heavy conversation of 1,600 messages, some 640 KB."""
    english, code = text("english", 300_000), text("code", 300_000)
    messages: list[dict[str, Any]] = []
    for turn in range(400):
        call = {"id": f"functions.read:{turn}", "function": {"name": "read", "arguments": f'{{"path": "a/{turn}.py"}}'}}
        messages += [
            {"role": "user", "content": english[500 * turn :][:300]},
            {"role": "assistant", "content": "", "reasoning_content": "Look first.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": code[600 * turn :][:600]},
            {"role": "assistant", "content": english[500 * turn + 300 :][:200]},
        ]
    return messages


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


# ---------------------------------------------------------------------------------------------------------------------
# The cases: name -> contestants. Goals are (contestant, other, largest ratio).

COLD_OURS = "import kimi_tokenizers as kt; kt.load().encode('one line of text')"
COLD_PLAIN = (
    "import tiktoken; from tiktoken.load import load_tiktoken_bpe as load; "
    f"tiktoken.Encoding('p', pat_str={PATTERN!r}, mergeable_ranks=load({str(VOCAB)!r}), special_tokens={SPECIAL!r})"
    ".encode('one line of text')"
)
# The same with an import of transformers, which no tokenizer of transformers can do without.
COLD_PLAIN_BESIDE_TRANSFORMERS = f"from transformers import PreTrainedTokenizer; {COLD_PLAIN}"


def exo_steps(directory: str) -> str:
    """What exo does to load a tokenizer out of a model directory, as a program (facts on exo 0.3.70)."""
    letters = dict(enumerate(kimi._BYTE_CHARACTERS))
    return (
        "import sys, types\n"
        "import transformers.models.gpt2.tokenization_gpt2 as gpt2\n"
        f"if not hasattr(gpt2, 'bytes_to_unicode'): gpt2.bytes_to_unicode = lambda: {letters!r}\n"
        f"sys.path.insert(0, {directory!r})\n"
        f"def run(name):\n"
        f"    module = sys.modules[name] = types.ModuleType(name)\n"
        f"    module.__file__ = {directory!r} + '/' + name + '.py'\n"
        f"    source = open(module.__file__).read().replace('from .tool_declaration_ts', 'from tool_declaration_ts')\n"
        f"    exec(compile(source, module.__file__, 'exec'), module.__dict__)\n"
        f"    return module\n"
        f"if {os.path.exists(directory + '/tool_declaration_ts.py')}: run('tool_declaration_ts')\n"
        f"tokenizer = run('tokenization_kimi').TikTokenTokenizer.from_pretrained({directory!r})\n"
        f"assert tokenizer.encode('one line of text') == {ours().encode('one line of text')}\n"
    )


@cache
def resolved_directory() -> str:
    """The directory that exo gets from this package for the model directory of `upstream_directory`."""
    return str(kt.resolve("moonshotai/Kimi-K2.6", upstream_directory()))


def process(code: str) -> Callable[[], Any]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled once
    return lambda: subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True)


def repeated(function: Callable[[], Any], times: int) -> Callable[[], Any]:
    def run() -> None:
        for _ in range(times):
            function()

    return run


def engines(sample: str) -> Contestants:
    return {
        "ours": lambda: ours().model.encode(sample, allowed_special="all"),
        "tiktoken": lambda: tiktoken_alone().encode(sample, allowed_special="all"),
        "upstream": lambda: upstream().encode(sample),
        "tokenizers": lambda: converted().encode(sample).ids,
        "splintr": lambda: accelerated().model.encode(sample, allowed_special="all"),
    }


def streaming(count: int, detokenizer: Callable[[], Any]) -> Callable[[], Any]:
    ids = (ours().encode(text("english", 40_000).replace("\n", " ")) * 20)[:count]

    def run() -> None:
        stream = detokenizer()
        for index in ids:
            stream.add_token(index)
            stream.last_segment  # noqa: B018
        stream.finalize()

    return run


def rendered(tokenizer: Any) -> str:
    return str(tokenizer.apply_chat_template(chat(), tools=TOOLS))


def cases() -> dict[str, Callable[[], Contestants]]:
    short = {"2": "hi", "20": "What is a tokenizer?", "200": text("english", 1000)[:200]}
    short["control tokens, 50"] = "<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>"[:50]
    long = text("english", 200_000) + text("code", 200_000)
    lines = [text("english", 90_000)[80 * index :][:80] for index in range(1000)]

    def decoding(skip: bool) -> Contestants:
        ids = ours().encode(text("mixed", 1_000_000))
        return {
            "ours": lambda: ours().decode(ids, skip_special_tokens=skip),
            "tiktoken": lambda: tiktoken_alone().decode(ids),
            "upstream": lambda: upstream().decode(ids, skip_special_tokens=skip),
            "tokenizers": lambda: converted().decode(ids, skip_special_tokens=skip),
        }

    def detokenizing(count: int) -> Contestants:
        from mlx_lm.tokenizer_utils import NaiveStreamingDetokenizer

        from kimi_tokenizers.tokenizer.detokenizer import KimiStreamingDetokenizer

        naive = {"naive": streaming(count, lambda: NaiveStreamingDetokenizer(ours()))} if count < 8000 else {}
        return {
            "ours": streaming(count, lambda: KimiStreamingDetokenizer(ours())),
            **naive,
            "naive with 4,000": streaming(4000, lambda: NaiveStreamingDetokenizer(ours())),
        }

    return {
        "cold process to first ids": lambda: {
            "ours": process(COLD_OURS),
            "ours by exo's steps": process(exo_steps(resolved_directory())),
            "upstream": process(exo_steps(upstream_directory())),
            "tiktoken": process(COLD_PLAIN),
            "tokenizers": process(
                f"import tokenizers as t; t.Tokenizer.from_file({tokenizer_json()!r}).encode('one line of text')"
            ),
            "import of transformers": process("from transformers import PreTrainedTokenizer"),
        },
        "load": lambda: {
            "ours": kt.load,
            "tiktoken": plain,
            "upstream": lambda: UpstreamLike(str(VOCAB)),
            "tokenizers": lambda: converted.__wrapped__(),
        },
        **{
            f"encode {name} characters, 1,000 times": lambda sample=sample: {  # type: ignore[misc]
                "ours": repeated(lambda: ours().model.encode(sample, allowed_special="all"), 1000),
                "ordinary": repeated(lambda: tiktoken_alone().encode_ordinary(sample), 1000),
                "tiktoken": repeated(lambda: tiktoken_alone().encode(sample, allowed_special="all"), 1000),
                "upstream": repeated(lambda: upstream().encode(sample), 1000),
                "tokenizers": repeated(lambda: converted().encode(sample).ids, 1000),
            }
            for name, sample in short.items()
        },
        "encode 1 MB English": lambda: engines(text("english", 1_000_000)),
        "encode 1 MB Chinese": lambda: engines(text("chinese", 1_000_000)),
        "encode 1 MB code": lambda: engines(text("code", 1_000_000)),
        "encode 10 MB mixed": lambda: engines(text("mixed", 10_000_000)),
        "tokenizer(text) 400 KB": lambda: {
            "ours": lambda: ours()(long)["input_ids"],
            "engine": lambda: ours().model.encode(long, allowed_special="all"),
            "upstream": lambda: upstream()(long)["input_ids"],
            "splintr": lambda: accelerated()(long)["input_ids"],
        },
        "tokenizer.encode 400 KB": lambda: {
            "ours": lambda: ours().encode(long),
            "engine": lambda: ours().model.encode(long, allowed_special="all"),
            "upstream": lambda: upstream().encode(long),
            "splintr": lambda: accelerated().encode(long),
        },
        "batch of 1,000 lines": lambda: {
            "ours": lambda: ours()(lines),
            "tiktoken": lambda: tiktoken_alone().encode_batch(lines, allowed_special="all"),
            "upstream": lambda: upstream()(lines),
            "tokenizers": lambda: [encoding.ids for encoding in converted().encode_batch(lines)],
            "splintr": lambda: accelerated()(lines),
        },
        "chat of 1,600 messages": lambda: {
            "ours": lambda: ours().encode(rendered(ours())),
            "rendering": lambda: rendered(ours()),
            "splintr": lambda: accelerated().encode(rendered(accelerated())),
        },
        "decode 1 MB": lambda: decoding(False),
        "decode 1 MB, skipping special tokens": lambda: decoding(True),
        "stream 1,000 ids on one line": lambda: detokenizing(1000),
        "stream 8,000 ids on one line": lambda: detokenizing(8000),
        "stream 64,000 ids on one line": lambda: detokenizing(64_000),
        "get_vocab, first time": lambda: {
            "ours": lambda: (setattr(ours(), "_vocab", None), ours().get_vocab()),
            "upstream (while it loads)": lambda: (
                {
                    index: "".join(
                        upstream().letters[byte] for byte in upstream().model.decode_single_token_bytes(index)
                    )
                    for index in range(upstream().model.n_vocab)
                },
                upstream().get_vocab(),
            ),
            "tokenizers": lambda: converted().get_vocab(),
        },
        "get_vocab, later": lambda: {
            "ours": lambda: ours().get_vocab(),
            "upstream": lambda: upstream().get_vocab(),
            "tokenizers": lambda: converted().get_vocab(),
        },
    }


# Case, contestant, what it is compared with, the largest ratio that is wanted.
GOALS = [
    ("load", "ours", "tiktoken", 1.0),
    ("load", "ours", "upstream", 0.4),
    ("load", "ours", "tokenizers", 0.35),
    ("cold process to first ids", "ours", "upstream", 0.6),
    ("cold process to first ids", "ours by exo's steps", "upstream", 0.6),
    ("tokenizer(text) 400 KB", "ours", "engine", 1.15),
    ("tokenizer.encode 400 KB", "ours", "engine", 1.05),
    ("encode 2 characters, 1,000 times", "ours", "ordinary", 4.0),
    ("chat of 1,600 messages", "ours", "rendering", 1.5),
    ("chat of 1,600 messages", "splintr", "rendering", 1.5),
    ("encode 10 MB mixed", "splintr", "tiktoken", 0.2),
    ("stream 64,000 ids on one line", "ours", "naive with 4,000", 1.0),
    ("peak memory", "ours", "tiktoken", 1.1),
    ("peak memory", "ours", "tiktoken beside transformers", 1.1),
]

# What the chart for the README shows.
CHARTED = {
    "cold process to first ids": "From nothing to the first ids",
    "load": "Loading",
    "encode 20 characters, 1,000 times": "Encoding 20 characters",
    "encode 10 MB mixed": "Encoding 10 MB",
    "tokenizer(text) 400 KB": "tokenizer(text), 400 KB",
    "batch of 1,000 lines": "tokenizer(1,000 lines)",
    "decode 1 MB": "Decoding 1 MB",
}


def memory(code: str) -> float:
    """Peak resident memory of a process that runs `code`, in MB."""
    # On Linux ru_maxrss begins with the parent's, so VmHWM is read where there is one.
    code += (
        "\nimport pathlib, re, resource, sys; status = pathlib.Path('/proc/self/status'); "
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**10 if sys.platform == 'darwin' else 1); "
        "print(int(re.search('VmHWM:\\s+(\\d+)', status.read_text())[1]) if status.exists() else peak)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True)
    return float(done.stdout.split()[-1]) * 1024 / 1e6


MEMORY = {
    "ours": COLD_OURS,
    "tiktoken": COLD_PLAIN,
    "tiktoken beside transformers": COLD_PLAIN_BESIDE_TRANSFORMERS,
}


def measure(contestants: Contestants, repetitions: int) -> Times:
    """Seconds of every round, which every contestant has one turn in, after one warm-up each."""
    shuffle = random.Random(0).shuffle
    order = list(contestants.items())
    for run in contestants.values():
        run()
    seconds: Times = {name: [] for name in contestants}
    began = time.perf_counter()
    done = 0
    while done < repetitions or (time.perf_counter() - began < 6 and done < 12 * repetitions):
        shuffle(order)
        for name, run in order:
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
        done += 1
    return seconds


def ratio(times: Times, name: str, other: str) -> float:
    """The median of a contestant's time as a multiple of another's in the same round."""
    return statistics.median(ours / theirs for ours, theirs in zip(times[name], times[other], strict=True))


def svg(results: dict[str, Times]) -> str:
    """A chart of some cases: every contestant's time as a multiple of ours."""
    colours = {
        "ours": "#2471a3",
        "ours by exo's steps": "#5499c7",
        "splintr": "#1e8449",
        "tiktoken": "#7f8c8d",
        "upstream": "#c0392b",
        "tokenizers": "#8e44ad",
    }
    labels = {
        "ours": "kimi-tokenizers",
        "ours by exo's steps": "by exo's steps",
        "splintr": "with splintr",
        "upstream": "upstream (re-created)",
    }
    rows, y = [], 44
    for case, title in CHARTED.items():
        if case not in results:
            continue
        rows.append(f'<text x="12" y="{y + 12}" font-weight="bold">{html.escape(title)}</text>')
        y += 19
        for name in filter(results[case].__contains__, colours):
            multiple = ratio(results[case], name, "ours")
            width = min(multiple, 12.0) * 36
            number = f"{multiple:.2f}" + (" (cut off)" if multiple > 12 else "")
            rows.append(
                f'<text x="150" y="{y + 10}" text-anchor="end">{labels.get(name, name)}</text>'
                f'<rect x="158" y="{y}" width="{width:.1f}" height="12" rx="2" fill="{colours[name]}"/>'
                f'<text x="{164 + width:.1f}" y="{y + 10}">{number}</text>'
            )
            y += 16
        y += 9
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="690" height="{y}" viewBox="0 0 690 {y}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12">'
        f'<rect width="690" height="{y}" fill="white"/>'
        '<text x="12" y="24" font-size="15">Time as a multiple of kimi-tokenizers (shorter is faster)</text>'
        + "\n".join(rows)
        + "</svg>\n"
    )


def summary(values: list[float]) -> dict[str, float]:
    figures = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    return {**{name: float(f"{value:.4g}") for name, value in figures.items()}, "rounds": len(values)}


def table(results: dict[str, Times]) -> str:
    """The goals and what was reached, in Markdown."""
    rows = ["| | compared with | ratio | goal |", "| --- | --- | --- | --- |"]
    for case, name, other, limit in GOALS:
        found = results.get(case, {})
        if name in found and other in found:
            subject = case if name == "ours" else f"{case}, {name}"
            reached = f"{ratio(found, name, other):.2f}"
            reached = reached if float(reached) <= limit else f"**{reached}**"
            rows.append(
                f"| {subject}: {shown(case, found[name])} | {other}: {shown(case, found[other])} "
                f"| {reached} | {limit} |"
            )
    return "\n".join(rows)


def shown(case: str, times: list[float]) -> str:
    value = statistics.median(times)
    if case == "peak memory":
        return f"{value:.0f} MB"
    if case.endswith("1,000 times"):
        return f"{value * 1000:.1f} µs each"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms" if value >= 0.1 else f"{value * 1000:.1f} ms"


def between(path: Path, name: str, content: str) -> None:
    """Put `content` between the two marks of that name in a Markdown file."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise SystemExit(f"{path.name} has no place for the table: put {begin} and {end} there.")
    path.write_text(f"{before}{begin}\n{content}\n{end}{after}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only cases whose name contains one of these words")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--svg", type=Path, help="draw a chart there")
    parser.add_argument("--save", action="store_true", help="put chart, JSON and table where the documents show them")
    options = parser.parse_args()
    if options.repetitions < 1 or (options.save and options.words):
        parser.error("--repetitions must be at least 1, and --save needs every case")
    if transformers.__version__ < "5":
        parser.error(f"the comparison needs transformers 5, this is {transformers.__version__}")

    def wanted(case: str) -> bool:
        return not options.words or any(word in case for word in options.words)

    results: dict[str, Times] = {}
    for case, contestants in cases().items():
        if not wanted(case):
            continue
        entries = contestants()
        if not importlib.util.find_spec("splintr"):
            entries.pop("splintr", None)
        results[case] = times = measure(entries, options.repetitions)
        if "splintr" in entries and type(accelerated().model._engine) is not kimi.Splintr:
            raise SystemExit("splintr was given up on the way (see the warning): there is nothing to compare.")
        described = (
            f"{name} {shown(case, times[name])}" + (f" ({ratio(times, name, 'ours'):.2f})" if name != "ours" else "")
            for name in times
        )
        emit(f"{case}: {', '.join(described)}")
    if wanted("peak memory"):
        results["peak memory"] = {name: [memory(code)] for name, code in MEMORY.items()}
        emit("peak memory: " + ", ".join(f"{name} {value:.0f} MB" for name, [value] in results["peak memory"].items()))

    emit_lines(f"\n{table(results)}")
    report = {
        "versions": versions(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": kimi._threads(),
        "seconds, and MB of peak memory": {
            case: {name: summary(values) for name, values in times.items()} for case, times in results.items()
        },
    }
    for path in filter(None, (options.json, RESULTS if options.save else None)):
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for path in filter(None, (options.svg, CHART if options.save else None)):
        path.write_text(svg(results), encoding="utf-8")
    if options.save:
        between(ROOT / "CONTRIBUTING.md", "bench", table(results))
    return 1 if "**" in table(results) else 0


if __name__ == "__main__":
    escape_errors()
    raise SystemExit(main())
