"""Measure this package against the alternatives, paired, in one run.

    uv run python scripts/bench.py                 the whole table
    uv run python scripts/bench.py load encode     only the cases whose name contains one of these words

Every case runs its contestants in turn, several times, after a warm-up, and compares medians. Contestants:

ours        this package as `kimi_tokenizers.load` gives it, without the optional engine
upstream    a re-creation of how upstream's slow tokenizer behaves (not its code): tiktoken's loader and both vocabulary
            dictionaries at start, a scan for runs in Python and cuts at 400,000 characters in `encode`, and
            transformers' generic path in `__call__`
tiktoken    a plain `tiktoken.Encoding` of the same rank table
tokenizers  the same vocabulary as a `tokenizer.json`, converted with transformers' own converter
gigatoken   this package with the optional engine, where gigatoken is installed

Results go to a table here, and to JSON and an SVG chart with --json and --svg.
"""

from __future__ import annotations

import argparse
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
from tiktoken.load import load_tiktoken_bpe
from transformers import AddedToken, PreTrainedTokenizer

import kimi_tokenizers as kt
from kimi_tokenizers import fast, verification
from kimi_tokenizers.overlays.common import tokenization_kimi as kimi

ROOT = Path(__file__).resolve().parent.parent
VOCAB = ROOT / "overlays" / "common" / "tiktoken.model"
SPECIAL = kimi.special_tokens(kimi.control_tokens(None, "kimi-k2.6"))

Contestants = dict[str, Callable[[], Any]]


# ---------------------------------------------------------------------------------------------------------------------
# The contestants


def plain() -> tiktoken.Encoding:
    return tiktoken.Encoding(
        "plain", pat_str=kimi.PAT_STR, mergeable_ranks=load_tiktoken_bpe(str(VOCAB)), special_tokens=SPECIAL
    )


class UpstreamLike(PreTrainedTokenizer):
    """Behaves like upstream's slow tokenizer where speed is concerned. Written for this comparison."""

    vocab_files_names = {"vocab_file": "tiktoken.model"}  # noqa: RUF012

    def __init__(self, vocab_file: str, **kwargs: Any) -> None:
        self.model = plain()
        letters = kimi._BYTE_CHARACTERS
        self.by_id = {
            index: "".join(letters[byte] for byte in self.model.decode_single_token_bytes(index))
            for index in range(self.model.n_vocab)
        }
        self.by_token = {token: index for index, token in self.by_id.items()}
        table = {
            index: AddedToken(token.content, special=token.special, normalized=False)
            for index, token in kimi.control_tokens(None, "kimi-k2.6").items()
        }
        super().__init__(
            bos_token="[BOS]", eos_token="[EOS]", pad_token="[PAD]", unk_token="[UNK]", added_tokens_decoder=table
        )

    @property
    def vocab_size(self) -> int:
        return self.model.n_vocab

    def get_vocab(self) -> dict[str, int]:
        return self.by_token

    def encode(self, text: str, *rest: Any, **kwargs: Any) -> list[int]:
        if rest or kwargs:
            return super().encode(text, *rest, **kwargs)  # type: ignore[no-any-return]
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
        back = kimi._CHARACTER_TO_BYTE
        return bytes(back[ord(character)] for character in "".join(tokens)).decode("utf-8", "replace")


@cache
def tokenizer_json() -> str:
    """A `tokenizer.json` of the vocabulary."""
    from transformers.convert_slow_tokenizer import TikTokenConverter

    names = [name for name, _ in sorted(SPECIAL.items(), key=lambda item: item[1])]
    path = tempfile.mkdtemp() + "/tokenizer.json"
    TikTokenConverter(str(VOCAB), pattern=kimi.PAT_STR, extra_special_tokens=names).converted().save(path)
    return path


@cache
def ours() -> Any:
    os.environ[fast.VARIABLE] = "tiktoken"
    return kt.load()


@cache
def accelerated() -> Any:
    model = fast.FastEncoding.__new__(fast.FastEncoding)
    model.__dict__.update(ours().model.__dict__)
    model._seen = fast._PAYS
    return model


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
    """A text of about `size` bytes, the same in every run on the same machine."""
    choice = random.Random(f"{kind} {size}")
    if kind == "english":
        words = (__doc__ or "").split()
        make = lambda: " ".join(choice.choices(words, k=12)).capitalize() + choice.choice([". ", "? ", ".\n\n"])  # noqa: E731
    elif kind == "chinese":
        make = lambda: "".join(chr(choice.randint(0x4E00, 0x62FF)) for _ in range(20)) + choice.choice("。,\n")  # noqa: E731
    elif kind == "code":
        library = "\n".join(path.read_text(errors="replace") for path in sorted(Path(os.__file__).parent.glob("*.py")))
        return (library * (size // len(library) + 1))[:size]
    else:
        return "".join(text(part, size // 4) for part in ("english", "code", "chinese", "code"))
    parts, length = [], 0
    while length < size:
        parts.append(make())
        length += len(parts[-1].encode())
    return "".join(parts)


@cache
def chat() -> list[dict[str, Any]]:
    """A tool-heavy conversation of 1,600 messages."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You are a careful agent."}]
    for turn in range(400):
        call = {"id": f"functions.read:{turn}", "function": {"name": "read", "arguments": '{"path": "a/b.py"}'}}
        messages += [
            {"role": "user", "content": text("english", 300)},
            {"role": "assistant", "content": "", "reasoning_content": "Look first.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": text("code", 600)},
            {"role": "assistant", "content": text("english", 200)},
        ]
    return messages[:1600]


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
SCRIPTS = str(Path(__file__).parent)
COLD_UPSTREAM = f"import sys; sys.path.insert(0, {SCRIPTS!r}); import bench; bench.upstream().encode('one line')"
COLD_PLAIN = (
    "import tiktoken; from tiktoken.load import load_tiktoken_bpe as load; "
    f"tiktoken.Encoding('p', pat_str={kimi.PAT_STR!r}, mergeable_ranks=load({str(VOCAB)!r}), special_tokens={{}})"
    ".encode('one line of text')"
)


def process(code: str) -> Callable[[], Any]:
    environment = {**os.environ, fast.VARIABLE: "tiktoken", "PYTHONPATH": str(ROOT)}
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
        "gigatoken": lambda: accelerated().encode(sample, allowed_special="all"),
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


def cases() -> dict[str, Callable[[], Contestants]]:
    short = {"2": "hi", "20": "What is a tokenizer?", "200": text("english", 200)[:200], "control": "<|im_end|>"}
    long = text("english", 200_000) + text("code", 200_000)
    lines = [f"{index}: {text('english', 60)}" for index in range(1000)]

    def decoding(skip: bool) -> Contestants:
        ids = ours().encode(text("mixed", 1_000_000))
        return {
            "ours": lambda: ours().decode(ids, skip_special_tokens=skip),
            "tiktoken": lambda: tiktoken_alone().decode(ids),
            "upstream": lambda: upstream().decode(ids, skip_special_tokens=skip),
        }

    def detokenizing(count: int) -> Contestants:
        from mlx_lm.tokenizer_utils import NaiveStreamingDetokenizer

        from kimi_tokenizers.detokenizer import KimiStreamingDetokenizer

        return {
            "ours": streaming(count, lambda: KimiStreamingDetokenizer(ours())),
            "naive, 4,000": streaming(4000, lambda: NaiveStreamingDetokenizer(ours())),
        }

    return {
        "cold process to first ids": lambda: {
            "ours": process(COLD_OURS),
            "upstream": process(COLD_UPSTREAM),
            "tiktoken": process(COLD_PLAIN),
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
        },
        "tokenizer.encode 400 KB": lambda: {
            "ours": lambda: ours().encode(long),
            "engine": lambda: ours().model.encode(long, allowed_special="all"),
            "upstream": lambda: upstream().encode(long),
        },
        "batch of 1,000 lines": lambda: {
            "ours": lambda: ours()(lines),
            "upstream": lambda: upstream()(lines),
            "gigatoken": lambda: accelerated().encode_batch(lines, allowed_special="all"),
        },
        "chat of 1,600 messages": lambda: {
            "ours": lambda: ours().encode(ours().apply_chat_template(chat(), tools=TOOLS)),
            "rendering": lambda: ours().apply_chat_template(chat(), tools=TOOLS),
        },
        "decode 1 MB": lambda: decoding(False),
        "decode 1 MB, skipping": lambda: decoding(True),
        "stream 1,000 ids": lambda: detokenizing(1000),
        "stream 8,000 ids": lambda: detokenizing(8000),
        "stream 64,000 ids": lambda: detokenizing(64_000),
        "get_vocab": lambda: {
            "ours": lambda: (setattr(ours(), "_vocab", None), ours().get_vocab()),
            "upstream": lambda: {token: index for index, token in upstream().by_id.items()},
        },
    }


GOALS = [
    ("load", "ours", "tiktoken", 1.0),
    ("load", "ours", "upstream", 0.4),
    ("load", "ours", "tokenizers", 0.35),
    ("cold process to first ids", "ours", "upstream", 0.6),
    ("tokenizer(text) 400 KB", "ours", "engine", 1.15),
    ("tokenizer.encode 400 KB", "ours", "engine", 1.05),
    ("encode 2 characters, 1,000 times", "ours", "ordinary", 4.0),
    ("chat of 1,600 messages", "ours", "rendering", 1.5),
    ("encode 10 MB mixed", "gigatoken", "tiktoken", 0.2),
    ("stream 64,000 ids", "ours", "naive, 4,000", 1.0),
]


def memory(code: str) -> float:
    """Peak resident memory of a process that runs `code`, in MB."""
    # On Linux ru_maxrss begins with the parent's, so VmHWM is read where there is one.
    code += (
        "; import pathlib, re, resource, sys; status = pathlib.Path('/proc/self/status'); "
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024; "
        "print(int(re.search('VmHWM:\\s+(\\d+)', status.read_text())[1]) if status.exists() else peak)"
    )
    environment = {**os.environ, fast.VARIABLE: "tiktoken", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True)
    return float(done.stdout.split()[-1]) / 1024


def measure(contestants: Contestants, repetitions: int) -> dict[str, list[float]]:
    """Seconds of every repetition, contestant by contestant in turn, after one warm-up each."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for repetition in range(repetitions + 1):
        for name, run in contestants.items():
            started = time.perf_counter()
            run()
            if repetition:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def svg(results: dict[str, dict[str, float]]) -> str:
    """A chart: for every case, every contestant's median as a multiple of ours."""
    colours = {"upstream": "#c0392b", "tiktoken": "#7f8c8d", "tokenizers": "#8e44ad", "gigatoken": "#27ae60"}
    rows = []
    y = 30
    for case, medians in results.items():
        others = {name: value / medians["ours"] for name, value in medians.items() if name in colours}
        if not others:
            continue
        rows.append(f'<text x="8" y="{y + 12}" font-weight="bold">{case}</text>')
        y += 20
        for name, ratio in {"ours": 1.0, **others}.items():
            width = min(ratio, 12.0) * 40
            rows.append(f'<text x="16" y="{y + 11}">{name}</text>')
            rows.append(
                f'<rect x="110" y="{y}" width="{width:.0f}" height="13" fill="{colours.get(name, "#2980b9")}"/>'
            )
            rows.append(f'<text x="{114 + width:.0f}" y="{y + 11}">{ratio:.2f} ×</text>')
            y += 17
        y += 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="680" height="{y}" font-family="sans-serif" font-size="12">'
        f'<rect width="680" height="{y}" fill="white"/>'
        '<text x="8" y="18" font-size="14">Time as a multiple of kimi-tokenizers (shorter is faster)</text>'
        + "".join(rows)
        + "</svg>\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only cases whose name contains one of these words")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--svg", type=Path, help="draw a chart there")
    options = parser.parse_args()

    results: dict[str, dict[str, float]] = {}
    for case, contestants in cases().items():
        if options.words and not any(word in case for word in options.words):
            continue
        entries = contestants()
        if not fast.find_spec("gigatoken"):
            entries.pop("gigatoken", None)
        seconds = measure(entries, options.repetitions)
        results[case] = {name: statistics.median(values) for name, values in seconds.items()}
        shown = ", ".join(
            f"{name} {value * 1000:.1f} ms" + (f" ({value / results[case]['ours']:.2f})" if name != "ours" else "")
            for name, value in results[case].items()
        )
        print(f"{case}: {shown}", flush=True)
    if not options.words or "memory" in options.words:
        results["peak memory, MB"] = {"ours": memory(COLD_OURS), "tiktoken": memory(COLD_PLAIN)}
        print(f"peak memory, MB: {results['peak memory, MB']}")

    missed = 0
    for case, name, other, limit in GOALS:
        if name in results.get(case, {}) and other in results[case]:
            ratio = results[case][name] / results[case][other]
            missed += ratio > limit
            print(f"{'ok    ' if ratio <= limit else 'MISSED'} {case}: {name} / {other} = {ratio:.2f} (goal {limit})")
    if options.json:
        report = {
            "versions": verification.versions(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "seconds": results,
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    if options.svg:
        options.svg.write_text(svg(results))
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
