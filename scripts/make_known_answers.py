"""For maintainers: write the known answers that ship, kimi_tokenizers/tokenizer/known_answers.jsonl.

The ids come from a plain `tiktoken.Encoding` that is made here from the rank table and the published pattern: neither
the packaged tokenizer nor its reader has a part in them. The first rows stem from the reference implementation; their
texts stay, and the script stops if it finds other ids for them. Running it twice changes nothing; with --check it only
says whether it would change something, and exits with 1 if so.
"""

# ruff: noqa: E501 (a table of texts)

from __future__ import annotations

import argparse
import base64
import json
import sys
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "kimi_tokenizers" / "tokenizer" / "known_answers.jsonl"
sys.path.insert(0, str(ROOT))

import tiktoken  # noqa: E402

from kimi_tokenizers.commands.output import emit, escape_errors  # noqa: E402
from kimi_tokenizers.evidence import samples  # noqa: E402
from kimi_tokenizers.tokenizer import KnownAnswer, every_known_answer  # noqa: E402

FROM_THE_REFERENCE = 80
GENERATED = 176
SEED = 20260511
MAX_CHARACTERS = 160

PATTERN = "|".join(
    (
        r"[\p{Han}]+",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)

TEXTS = (
    *("", " ", "  ", "\n", "\n\n", "\t", "\r", "a ", " a", "A", "0", "00", "000", "0000", "1234567890", "é", "ß", "中"),
    *("中中中中", "人工智能的未来", "zh中文mix混排text", "。", "，、；：？！", "「引用」", "“quoted”", "〇一二三", "𠮷野家"),
    *("ひらがな", "カタカナ", "한국어", "ภาษาไทย", "עברית", "العربية", "हिन्दी", "தமிழ்", "ქართული", "አማርኛ", "Ελληνικά", "русский"),
    *("Ünïcödé", "ＦＵＬＬｗｉｄｔｈ", "ǅ ǈ ǋ", "ªº", "ʰʲʷ", "e\u0301", "\u0301", "a\u200db", "\ufeff", "\u00a0\u00a0x", "\u3000中"),
    *("😀", "👩\u200d👩\u200d👧\u200d👦", "🇺🇳🇯🇵", "👍🏽👍🏿", "☃︎ ✈️", "½ ² Ⅷ ①", "٣٤٥٦", "1,234,567.89", "3.14159e-10", "0xDEADBEEF", "2026-05-11T12:34:56Z"),
    *("don't", "DON'T", "it's", "I'd've", "we'll", "y'all're", "'s", "x'S", "'tis", "O'Reilly", "rock'n'roll", "’s", "they’re"),
    *("camelCase", "PascalCase", "snake_case", "SCREAMING_CASE", "kebab-case", "HTTPServer2", "iOS", "x86_64", "i18n", "McDonald"),
    *("def f(x):\n    return x + 1\n", "for (int i = 0; i < n; i++) {\n\treturn;\n}\n", "<a href=\"#\">x</a>", "SELECT * FROM t;"),
    *('{"a": [1, 2.5, null, true], "b": "c\\n"}', "# Title\n\n- item\n- item\n\n```py\nx\n```\n", "| a | b |\n|---|---|\n", "$E=mc^2$"),
    *("http://example.org/a?b=c%20d#e", "user@example.org", "C:\\Windows\\x", "/usr/lib/x.so.1", "::1", "10.0.0.1:8080", "a/b/c"),
    *("!!!", "...", "…", "--", "—", "->", "=>", "!=", "&&", "||", "::", "/**", "*/", "#!", "<|", "|>", "()", "[]", "{}", "\\\\", "\"\""),
    *("   x", "x   ", "x   y", "\t\tx", "\n\n\nx", " \n \n x", "x\r\ny\r\n", "x\n  \ny", "\x0b\x0c\x85\u2028\u2029", " " * 40, "\n" * 40),
    *("<|test|>Hello<|end|>", "<|im_end", "im_end|>", "<|IM_END|>", "< |im_end|>", "<think", "[BOS", "[bos]", "<|reserved_token_163839|>"),
    *("\x00", "\x7f", "\ud7ff\ue000", "\U0010ffff", "\ufffd", "\u00ad", "\u202etxet\u202c", "ﬁﬂ", "ﷺ", "㍿", "꧁꧂", "𝕬𝖇𝖈", "🄰🄱"),
)  # fmt: skip

# Control tokens: the names that a line gives, by where they begin to differ.
NAMES = {
    163584: "[BOS]",
    163585: "[EOS]",
    163586: "<|im_end|>",
    163587: "<|im_user|>",
    163588: "<|im_assistant|>",
    163590: "<|start_header_id|>",
    163591: "<|end_header_id|>",
    163593: "[EOT]",
    163594: "<|im_system|>",
    163595: "<|tool_calls_section_begin|>",
    163596: "<|tool_calls_section_end|>",
    163597: "<|tool_call_begin|>",
    163598: "<|tool_call_argument_begin|>",
    163599: "<|tool_call_end|>",
    163601: "<|im_middle|>",
    163838: "[UNK]",
    163839: "[PAD]",
}
THINK = {163606: "<think>", 163607: "</think>"}
MEDIA = {163602: "<|media_begin|>", 163603: "<|media_content|>", 163604: "<|media_end|>", 163605: "<|media_pad|>"}
MOONLIGHT = {
    163584: "[BOS]",
    163585: "[EOS]",
    163586: "<|im_end|>",
    163587: "<|im_user|>",
    163588: "<|im_assistant|>",
    163594: "<|im_system|>",
    163601: "<|im_middle|>",
    163838: "[PAD]",
    163839: "[UNK]",
}
K3 = {
    163584: "[BOS]",
    163585: "[EOS]",
    163586: "<|end_of_msg|>",
    163587: "<|open|>",
    163588: "<|close|>",
    163589: "<|sep|>",
    163590: "[start_header_id]",
    163591: "[end_header_id]",
    163593: "[EOT]",
    163602: "<|media_begin|>",
    163603: "<|media_content|>",
    163604: "<|media_end|>",
    163605: "<|media_pad|>",
    163649: "<osagent_mode>",
    163838: "[UNK]",
    163839: "[PAD]",
}
# One of those that have the same.
LINES = {
    "kimi-k2.6": {**NAMES, **THINK, **MEDIA},
    "kimi-k2-thinking": {**NAMES, **THINK},
    "kimi-k2-instruct": NAMES,
    "kimi-vl": {**MOONLIGHT, **MEDIA, 163602: "<|media_start|>"},
    "moonlight": MOONLIGHT,
    "kimi-k3": K3,
}
K3_PROMPTS = (
    '<|open|>message role="user"<|sep|>Hi 你好<|close|>message<|sep|><|end_of_msg|>',
    "<|open|>think<|sep|>Hm.<|close|>think<|sep|><|open|>response<|sep|>Hello!<|close|>response<|sep|><|end_of_msg|>[EOS]",
    '<|open|>call tool="f" index="1"<|sep|><|close|>call<|sep|>',
    "<|media_begin|>image 2x2<|media_content|><|media_pad|><|media_end|>",
    " <osagent_mode>[start_header_id]<|im_end|><think></think>[end_header_id]\n\n[PAD][UNK]",
)
PROMPTS = (
    "<|im_user|>user<|im_middle|>Hi 你好<|im_end|><|im_assistant|>assistant<|im_middle|><think>Hm.</think>Hello!<|im_end|>",
    "<|im_system|>system<|im_middle|>You are Kimi.<|im_end|>[EOS]",
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|>"
    "<|tool_calls_section_end|>",
    "<|media_begin|>image<|media_content|><|media_pad|><|media_end|>\n",
    "<|media_start|>image<|media_content|><|media_pad|><|media_end|>\n",
    " <|im_end|> <|im_end|>\n\n<|im_end|>",
    "<|reserved_token_163589|><|reserved_token_163700|>[UNK][PAD][BOS][EOT]",
)


def encodings() -> dict[str, tiktoken.Encoding]:
    """A plain encoding a line."""
    rows = (ROOT / "overlays" / "common" / "tiktoken.model").read_text("ascii").splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(str.split, rows)}
    result = {}
    for line, names in LINES.items():
        ids = {names.get(index, f"<|reserved_token_{index}|>"): index for index in range(163584, 163840)}
        result[line] = tiktoken.Encoding(line, pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=ids)
    return result


def answers() -> list[KnownAnswer]:
    """All of them. Raises SystemExit where a row of the reference implementation has got other ids."""
    plain = encodings()

    def answer(line: str, control: bool, text: str) -> KnownAnswer:
        encode = plain[line]
        return KnownAnswer(
            line,
            control,
            text,
            tuple(encode.encode(text, allowed_special="all") if control else encode.encode_ordinary(text)),
        )

    result = []
    for row in every_known_answer()[:FROM_THE_REFERENCE]:
        if answer(*row[:3]) != row:
            raise SystemExit(f"{row.line}: {row.text!r} had the ids {row.ids}, now {answer(*row[:3]).ids}.")
        result.append(row)
    result += [answer("kimi-k2.6", False, text) for text in TEXTS]
    for line in LINES:
        result += [answer(line, True, text) for text in (*PROMPTS, *(K3_PROMPTS if line == "kimi-k3" else ()))]
    names = sorted(plain["kimi-k2.6"].special_tokens_set)
    for sample in samples.generated(GENERATED, SEED, names):
        text = sample.text[:MAX_CHARACTERS]
        if sample.where.startswith("blocks"):  # leave out what later versions of Unicode may still assign
            text = "".join(c for c in text if unicodedata.ucd_3_2_0.category(c) != "Cn")
        result.append(answer("kimi-k2.6", sample.control, text))
    return list(dict.fromkeys(result))


def written(rows: list[KnownAnswer]) -> str:
    """The table as JSON Lines, in ASCII."""
    return "".join(json.dumps(row._asdict(), separators=(",", ":")) + "\n" for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the known answers that ship.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if the table is out of date")
    check = parser.parse_args().check
    old = TARGET.read_text(encoding="ascii")
    rows = answers()
    new = written(rows)
    if new != old and not check:
        TARGET.write_text(new, encoding="ascii")
    state = "unchanged" if new == old else "out of date" if check else "written"
    emit(json.dumps({"answers": len(rows), "bytes": len(new), "state": state}))
    return 1 if check and new != old else 0


if __name__ == "__main__":
    escape_errors()
    raise SystemExit(main())
