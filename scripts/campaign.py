"""Nightly: look for a loss or a wrong id, in rounds until time is up.

    campaign.py [--minutes N] [--seed S] [--part NAME…] [--json]

A round kills `sync` and `restore` at random points and times, fills the disk under them, lets processes race a
downloader, and puts random texts, chats, configurations and hostile directories to the tokenizers. What is promised is
in SECURITY.md; the directories are those of the tests. It ends with a line that counts, and with exit status 1 if a
content was lost, an id was wrong, or a promise broken. The seed is printed: a fault can be had again.
"""

from __future__ import annotations

import argparse
import collections
import functools
import json
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "tests"))

import sync_directories as directories
from conftest import NAMED, PATTERN, control_names
from disk_faults import DISKS as ABILITIES
from disk_faults import DiskFull, Killer, intercept, no_flushing
from hostile import directories as hostile
from hostile.exercise import PROBE, exercise

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue, sync
from kimi_tokenizers.commands.output import emit, emit_json, emit_lines, escape_errors
from kimi_tokenizers.evidence import samples

ROOT = Path(__file__).resolve().parent.parent

TEXTS, CHATS, KILLS, DISKS = 500, 50, 25, 5  # in a round
RACE = 1.0  # seconds
SHOWN = 20  # faults

Counts = collections.Counter[str]


class PromiseError(Exception):
    """A promise was not kept."""


def do_sync(model_dir: Path) -> None:
    sync.apply(sync.plan(directories.LIGHT, model_dir))


# What a round consists of. Each part raises AssertionError or PromiseError, and counts what it tried.


def kills(folder: Path, chance: random.Random, counts: Counts) -> None:
    """`sync` and `restore` killed at random points and times: no file is lost or torn, and all is given back."""
    model_dir = directories.mixed(folder)
    before = directories.snapshot(folder)
    disk = chance.choice(list(ABILITIES))
    with Killer(disk) as killer:
        for _ in range(KILLS):
            if chance.random() < 0.5:
                killer.kills_after(chance.uniform(0.0, 0.03), model_dir)
            else:
                killer.kills(chance.choice(["sync", "restore"]), model_dir, chance.randint(1, 60))
            counts["kills"] += 1
            directories.assert_whole(model_dir, before, exchange=disk in ("exchange", "no-links"))
            directories.assert_others_untouched(model_dir, before)
    sync.restore(model_dir)
    directories.assert_same(directories.snapshot(folder), before, inodes=disk in ("exchange", "links"))


def disks(folder: Path, chance: random.Random, counts: Counts) -> None:
    """The disk is full from some change on, or for one: `sync` undoes what it did, `restore` can be run again."""
    model_dir = directories.mixed(folder)
    before = directories.snapshot(folder)
    for _ in range(DISKS):
        number, for_good = chance.randint(1, 45), chance.random() < 0.5
        for work in (do_sync, sync.restore):
            error = directories.forked(functools.partial(_on_a_full_disk, work, model_dir, number, for_good))
            if isinstance(error, BaseException) and not isinstance(error, kt.KimiTokenizersError):
                raise PromiseError(f"{work.__name__} on a full disk: {type(error).__name__}: {error}")
            counts["full disks"] += 1
            directories.assert_whole(model_dir, before)
        sync.restore(model_dir)
        directories.assert_same(directories.snapshot(folder), before)


def _on_a_full_disk(work: Callable[[Path], Any], model_dir: Path, number: int, for_good: bool) -> None:
    no_flushing()
    intercept(DiskFull(number, for_good=for_good).before)
    work(model_dir)


def races(folder: Path, chance: random.Random, counts: Counts) -> None:
    """A downloader replaces files while others `sync`: each content is in its place or kept."""
    model_dir = directories.mixed(folder)
    names = ["tokenization_kimi.py", "tokenizer_config.json", "tool_declaration_ts.py"]
    last: dict[str, bytes] = {}
    do_sync(model_dir)
    with directories.Spawned(lambda: do_sync(model_dir)):
        end = time.monotonic() + RACE
        while time.monotonic() < end:
            name = chance.choice(names)
            if name in last and last[name] not in directories.contents(model_dir, name):
                raise PromiseError(f"a version of {name} is lost")
            if chance.random() < 0.5:
                (model_dir / name).unlink(missing_ok=True)
            last[name] = json.dumps({"version": chance.random()}).encode()
            directories.replaced_as_exo_does(model_dir / name, last[name])
            counts["contents in races"] += 1
            time.sleep(chance.uniform(0, 0.01))
    do_sync(model_dir)
    sync.restore(model_dir)
    for name, content in last.items():
        if (model_dir / name).read_bytes() != content:
            raise PromiseError(f"{name} is not given back")


@functools.cache
def plain(line: str) -> Any:
    """A plain tiktoken with the vocabulary of a line, made without the code under test."""
    import base64

    import tiktoken

    rows = (ROOT / "overlays" / "common" / "tiktoken.model").read_text("ascii").splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(str.split, rows)}
    names = control_names(NAMED)
    if line != "kimi-k2.6":
        table = json.loads(catalogue.overlays()[line].read("tokenizer_config.json"))["added_tokens_decoder"]
        names = {f"<|reserved_token_{index}|>": index for index in range(163584, 163840) if str(index) not in table}
        names |= {entry["content"]: int(index) for index, entry in table.items()}
    return tiktoken.Encoding("plain", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=names)


@functools.cache
def tokenizer(line: str) -> Any:
    return kt.load(catalogue.overlays()[line].models[0])


def texts(folder: Path, chance: random.Random, counts: Counts) -> None:
    """The ids of generated texts are plain tiktoken's."""
    line = chance.choice(["kimi-k2.6", "kimi-k3", "kimi-k2-instruct"])
    ours, reference = tokenizer(line), plain(line)
    for sample in samples.generated(TEXTS, chance.getrandbits(32), sorted(ours.special_tokens)):
        counts["texts"] += 1
        text = sample.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ids = ours.encode(sample.text, allow_special_tokens=sample.control)
        wanted = reference.encode(text, allowed_special="all") if sample.control else reference.encode_ordinary(text)
        if ids != wanted:
            raise PromiseError(f"{line}: wrong ids of {sample.text[:200]!a}")


def chats(folder: Path, chance: random.Random, counts: Counts) -> None:
    """A conversation of whatever is rendered exactly to its own ids, or refused with a typed error."""
    for _ in range(CHATS):
        line = chance.choice(["kimi-k2.6", "kimi-k3", "kimi-k2-instruct", "kimi-k2-thinking"])
        messages = list(_messages(chance))
        counts["chats"] += 1
        try:
            prompt = tokenizer(line).apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            ids = tokenizer(line).encode(prompt, add_special_tokens=False)
        except kt.KimiTokenizersError:
            continue
        if not isinstance(prompt, str):  # a first message that is a list makes it a batch
            continue
        reference = plain(line)
        segments = getattr(prompt, "segments", None) or [(prompt, True)]
        wanted = [
            index
            for text, markup in segments
            for index in (reference.encode(text, allowed_special="all") if markup else reference.encode_ordinary(text))
        ]
        if ids != wanted:
            raise PromiseError(f"{line}: wrong ids of the chat {str(messages)[:300]!a}")


ODD: tuple[Any, ...] = (
    *(None, 0, -1.5, True, "", "x", "<|im_end|>", "<|close|>message<|sep|>", "é\u202e世界", [], {}, [None], {"a": []}),
    *([{"type": "text", "text": "hi"}], [{"type": "image"}], [{"text": 7}], float("nan"), b"x", ("a",), object),
)


def _messages(chance: random.Random) -> Iterator[Any]:
    """Messages, most of them such as an honest client sends."""
    for _ in range(chance.randint(1, 5)):
        if chance.random() < 0.05:
            yield chance.choice(ODD)
            continue
        words = [chance.choice(["Hi", " <|im_end|>", "世界", "\n", "<think>", "'s", "0.5 "]) for _ in range(8)]
        role = chance.choice(["user", "assistant", "system", "tool"])
        message: dict[str, Any] = {"role": role, "content": "".join(words)}
        if chance.random() < 0.2:
            arguments = chance.choice(['{"city": "Paris"}', {"city": "Paris"}, "no JSON", *ODD])
            call = {"id": "functions.f:0", "type": "function", "function": {"name": "f", "arguments": arguments}}
            message["tool_calls"] = chance.choice([[call], [call, call], *ODD])
        for name in ("role", "content", "name", "tool_call_id", "reasoning_content"):
            if chance.random() < 0.05:
                message[name] = chance.choice(ODD)
        yield message


def configurations(folder: Path, chance: random.Random, counts: Counts) -> None:
    """A configuration with random things in it: the right ids, or a typed error."""
    place = hostile.Place(folder)
    groups: dict[str, Any] = {**hostile.IDS_DIFFER, **hostile.UNLOADABLE}
    groups |= {name: {"added_tokens_decoder": table} for name, table in hostile.TABLES.items()}
    pool = [values for name, values in groups.items() if f"tokenizer_config.json: {name}" not in hostile.OPEN]
    config: dict[str, Any] = json.loads(catalogue.overlays()["kimi-k2.6"].read("tokenizer_config.json"))
    for values in chance.sample(pool, chance.randint(0, 3)):
        config |= values
    for name in chance.sample(sorted(config), chance.randint(0, 3)):
        config[name] = chance.choice([value for value in ODD if not isinstance(value, (bytes, type))])
    model_dir = place.model("good")
    text = json.dumps(config)
    if chance.random() < 0.2:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(["", '"', "}", "\ufeff", "\x00", "9" * 50]) + text[at + 1 :]
    hostile.put(model_dir, "tokenizer_config.json", text)
    counts["configurations"] += 1
    _exercise(place, model_dir, f"the configuration {text[:3000]!a}", ("load", "exo on what resolve gave", "register"))


def hostile_directories(folder: Path, chance: random.Random, counts: Counts) -> None:
    """A directory of a hostile kind, and every command."""
    name = chance.choice(sorted(hostile.KINDS.keys() - set(hostile.OPEN)))
    place = hostile.Place(folder)
    counts["hostile directories"] += 1
    steps = ("status", "explain", "resolve", "load", "view", "exo on the view", "dry run", "sync", "restore")
    steps += tuple(step for what, (_, step) in hostile.READ_BACK.items() if name.startswith(what) and step not in steps)
    _exercise(place, hostile.KINDS[name](place), name, steps)


def _exercise(place: hostile.Place, model_dir: Path, what: str, steps: tuple[str, ...]) -> None:
    wrong = exercise(place, model_dir, plain("kimi-k2.6").encode(PROBE, allowed_special="all"), steps)
    if wrong:
        raise PromiseError(f"{what}: {'; '.join(wrong)}")


PARTS: dict[str, Callable[[Path, random.Random, Counts], None]] = {
    part.__name__.replace("_", "-"): part
    for part in (kills, disks, races, texts, chats, configurations, hostile_directories)
}


def run(minutes: float, seed: int, parts: list[str]) -> tuple[Counts, list[str]]:
    """Rounds until time is up, one at least: what was tried, and the faults."""
    counts: Counts = collections.Counter()
    faults: list[str] = []
    end = time.monotonic() + minutes * 60
    while not counts["rounds"] or (time.monotonic() < end and len(faults) < SHOWN):
        counts["rounds"] += 1
        for part in parts:
            chance = random.Random(f"{seed} {part} {counts['rounds']}")
            with tempfile.TemporaryDirectory(prefix="kimi-campaign-") as folder:
                try:
                    PARTS[part](Path(folder), chance, counts)
                except Exception as error:
                    where = "" if isinstance(error, (PromiseError, AssertionError)) else traceback.format_exc()[-1500:]
                    faults.append(f"{part}, round {counts['rounds']}: {type(error).__name__}: {error} {where}".strip())
            if time.monotonic() > end and counts["rounds"] > 1:
                break
    return counts, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30, help="how long (default: 30); a round is finished")
    parser.add_argument("--seed", type=int, default=int(time.time()) // 86_400, help="default: another one every day")
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS), help="only these")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kimi-campaign-cache-") as cache:
        os.environ["KIMI_TOKENIZERS_CACHE"] = cache
        counts, faults = run(given.minutes, given.seed, given.part)
    minutes = round((time.monotonic() - started) / 60, 1)
    if given.json:
        emit_json({"ok": not faults, "seed": given.seed, "minutes": minutes, "counts": counts, "faults": faults})
    else:
        for fault in faults:
            emit_lines(fault, sys.stderr)
        tried = ", ".join(f"{number:,} {what}" for what, number in counts.items())
        outcome = f"{len(faults)} FAULTS" if faults else "nothing lost, no wrong id, no promise broken"
        emit(f"campaign: seed {given.seed}, {minutes} minutes: {tried}: {outcome}")
    return 1 if faults else 0


if __name__ == "__main__":
    escape_errors()
    raise SystemExit(main())
