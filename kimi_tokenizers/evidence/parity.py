"""Is it the same tokenizer? Ours compared with a reference: tables entry by entry, then ids of texts.

It holds no more of a corpus in memory than it is working on, and it never executes Python that comes with a reference,
unless it is told to; see `reference`.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.evidence import samples
from kimi_tokenizers.evidence.parity_report import Difference, Part, Report
from kimi_tokenizers.evidence.reference import Ids, Reference, all_control, open_reference, our_arguments
from kimi_tokenizers.evidence.samples import Sample
from kimi_tokenizers.evidence.verification import versions
from kimi_tokenizers.model_dirs import RENUMBERED, original
from kimi_tokenizers.tokenizer import DEFAULT_MODEL, known_answers_of, load

DEFAULT_SAMPLES = 20_000

_WORKERS = 2  # both engines release the GIL
_BATCH_TEXTS = 256
_BATCH_CHARACTERS = 1_000_000
_SHOWN_TOKENS = 24
_SHOWN_CHARACTERS = 400

Progress = Callable[[str, int], None]
"""Called with the name of a part, and how many characters more of it have been compared."""


def compare(
    reference: str,
    *,
    model: str = DEFAULT_MODEL,
    corpus: Sequence[tuple[Any, int]] = (),
    count: int = DEFAULT_SAMPLES,
    seed: int = 0,
    trust_remote_code: bool = False,
    show: int = 5,
    progress: Progress = lambda part, characters: None,
) -> Report:
    """Compare the packaged tokenizer with a reference.

    Args:
        reference: see `reference.open_reference`.
        corpus: files and sizes, as `samples.corpus_files` finds them.
        count: how many texts to generate.
        trust_remote_code: execute the reference's own Python, in a separate process.
        show: how many differences of every part to keep.

    Raises:
        ReferenceUnusableError, ForeignTokenizerError, ModelDirError, CorpusError, UnknownModelError.
    """
    started = time.monotonic()
    line = catalogue.get(model).line
    other = open_reference(reference, line, trust_remote_code=trust_remote_code)
    try:
        report = Report(reference, other.kind, model, line, seed, versions(), notes=other.notes)
        _compare_tables(report, other, line, show)
        if original(catalogue.overlays()[line], other.control or {}):
            report.notes.append(
                f"The reference has {RENUMBERED}. Its weights have our ids: give it our tokenizer, with `sync`, "
                "`resolve` or `load`."
            )
        if other.encode is not None:
            engine = _our_engine(line)
            report.engine = engine.engine_name
            for part, texts in (
                ("known answers", known_answer_samples(line)),
                ("corpus", samples.corpus(corpus)),
                ("generated text", samples.generated(count, seed, _control_names(line))),
            ):
                _texts(report, part, texts, engine, other, show, progress)
            _compare_known_answers(report, engine, line, show)
    finally:
        other.close()
    report.seconds = round(time.monotonic() - started, 3)
    return report


@functools.lru_cache(maxsize=2)
def _our_engine(line: str) -> Any:
    return load(catalogue.overlays()[line].models[0]).model


def _add(report: Report, name: str, part: Part, found: Iterable[Difference], show: int) -> None:
    report.parts[name] = part
    report.shown += itertools.islice(found, show)


# Tables


def _compare_tables(report: Report, other: Reference, line: str, show: int) -> None:
    ours = our_arguments(line)
    for part, compared, found in (
        ("rank table", len(ours["mergeable_ranks"]), _ranks(ours["mergeable_ranks"], other.ranks)),
        ("control tokens", 256, _control_tokens(ours["special_tokens"], other.control)),
        ("pattern", 1, _pattern(ours["pat_str"], other.pattern)),
    ):
        if found is not None:
            _add(report, part, Part(compared=compared, differences=len(found)), found, show)


def _control_names(line: str) -> list[str]:
    """Names of all 256 control tokens, in the order of their ids."""
    ids: dict[str, int] = our_arguments(line)["special_tokens"]
    return sorted(ids, key=ids.__getitem__)


def _ranks(ours: dict[bytes, int], theirs: dict[bytes, int] | None) -> list[Difference] | None:
    if theirs is None:
        return None
    if ours == theirs:
        return []
    result = []
    by_rank = {rank: token for token, rank in theirs.items()}
    for token, rank in ours.items():
        if theirs.get(token) != rank or by_rank.get(rank) != token:
            entry = [repr(by_rank[rank])] if rank in by_rank else []
            moved = [f"{token!r} has rank {theirs[token]}"] if token in theirs else [f"no {token!r}"]
            result.append(Difference("rank table", f"rank {rank}", ours=[repr(token)], theirs=entry + moved))
    for token, rank in theirs.items():
        if token not in ours:
            result.append(Difference("rank table", f"rank {rank}", theirs=[repr(token)]))
    return result


def _control_tokens(ours: dict[str, int], theirs: dict[int, str] | None) -> list[Difference] | None:
    if theirs is None:
        return None
    our_names = {index: name for name, index in ours.items()}
    their_names = all_control(theirs)
    return [
        Difference(
            "control tokens",
            f"id {index}",
            ours=[our_names[index]] if index in our_names else [],
            theirs=[their_names[index]] if index in their_names else [],
        )
        for index in sorted({*our_names, *their_names})
        if our_names.get(index) != their_names.get(index)
    ]


def _pattern(ours: str, theirs: str | None) -> list[Difference] | None:
    if theirs is None:
        return None
    if ours == theirs:
        return []
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
    around = slice(max(0, at - 20), at + 20)
    return [Difference("pattern", f"character {at}", ours=[ours[around]], theirs=[theirs[around]])]


# Texts


def known_answer_samples(line: str) -> Iterator[Sample]:
    """The known answers of a line as texts."""
    for number, answer in enumerate(known_answers_of(line)):
        yield Sample(f"known answer {number}", answer.text, answer.control)


def _compare_known_answers(report: Report, ours: Any, line: str, show: int) -> None:
    """Our own ids with the known ones: what the reference agrees with must also be right."""
    for number, answer in enumerate(known_answers_of(line)):
        found = _encode(ours, answer.text, answer.control)
        if found != list(answer.ids):
            report.parts["known answers"].differences += 1
            entry = Difference("known answers", f"known answer {number}, ours and the known one", answer.text)
            entry.our_ids, entry.their_ids = list(found), list(answer.ids)  # type: ignore[arg-type]
            report.shown += [entry][:show]


def _texts(
    report: Report,
    name: str,
    texts: Iterable[Sample],
    ours: Any,
    other: Reference,
    show: int,
    progress: Progress,
) -> None:
    """Compare ids of texts, two batches at a time, and put what differs into the report."""
    part = report.parts[name] = Part()
    shown = 0
    assert other.encode is not None

    def work(batch: list[Sample]) -> tuple[list[Sample], list[Ids], list[Ids]]:
        words, control = [sample.text for sample in batch], batch[0].control
        return batch, [_encode(ours, text, control) for text in words], other.encode(words, control)  # type: ignore[misc]

    with ThreadPoolExecutor(_WORKERS) as pool:
        pending: deque[Future[tuple[list[Sample], list[Ids], list[Ids]]]] = deque()
        batches = _batches(texts)
        while True:
            pending.extend(pool.submit(work, batch) for batch in itertools.islice(batches, _WORKERS + 1 - len(pending)))
            if not pending:
                return
            batch, our_ids, their_ids = pending.popleft().result()
            part.compared += len(batch)
            characters = sum(len(sample.text) for sample in batch)
            part.characters += characters
            part.tokens += sum(map(len, our_ids))
            if our_ids != their_ids:
                for sample, left, right in zip(batch, our_ids, their_ids, strict=True):
                    found = _differences(name, sample, left, right, ours, other)
                    part.differences += len(found)
                    report.shown += found[: show - shown]
                    shown = min(show, shown + len(found))
            progress(name, characters)


def _encode(ours: Any, text: str, control: bool) -> Ids:
    ids: list[int] = ours.encode(text, allowed_special="all") if control else ours.encode_ordinary(text)
    return ids


def _batches(texts: Iterable[Sample]) -> Iterator[list[Sample]]:
    """Texts in batches of one mode, of about a million characters at most."""
    open_batches: dict[bool, list[Sample]] = {True: [], False: []}
    sizes = {True: 0, False: 0}
    for sample in texts:
        batch = open_batches[sample.control]
        batch.append(sample)
        sizes[sample.control] += len(sample.text)
        if len(batch) >= _BATCH_TEXTS or sizes[sample.control] >= _BATCH_CHARACTERS:
            yield batch
            open_batches[sample.control], sizes[sample.control] = [], 0
    yield from filter(None, open_batches.values())


def _differences(part: str, sample: Sample, left: Ids, right: Ids, ours: Any, other: Reference) -> list[Difference]:
    """Where two encodings of a text differ: the stretches between tokens that both sides end at the same byte."""
    if left == right:
        return []
    if isinstance(left, str) or isinstance(right, str):
        return [
            Difference(
                part,
                sample.where,
                sample.text[:_SHOWN_CHARACTERS],
                ours=[left] if isinstance(left, str) else [],
                theirs=[right] if isinstance(right, str) else [],
            )
        ]
    ours_at = _ends(left, ours.decode_single_token_bytes)
    theirs_at = _ends(right, other.piece)
    result = []
    start_l = start_r = 0
    shared = {*ours_at} & {*theirs_at}
    last = (ours_at[-1] if ours_at else 0, theirs_at[-1] if theirs_at else 0)
    right_index = {end: i for i, end in enumerate(theirs_at) if end in shared}
    stops = [(i + 1, right_index[end] + 1) for i, end in enumerate(ours_at) if end in shared]
    if not stops or last[0] != last[1]:
        stops.append((len(left), len(right)))
    for stop_l, stop_r in stops:
        if left[start_l:stop_l] != right[start_r:stop_r]:
            mine, yours = left[start_l:stop_l][:_SHOWN_TOKENS], right[start_r:stop_r][:_SHOWN_TOKENS]
            pieces = [ours.decode_single_token_bytes(index) for index in left[start_l:stop_l]]
            offset = ours_at[start_l - 1] if start_l else 0
            result.append(
                Difference(
                    part,
                    f"{sample.where}, byte {offset}",
                    b"".join(pieces).decode("utf-8", "replace")[:_SHOWN_CHARACTERS],
                    ours=[piece.decode("utf-8", "replace") for piece in pieces[:_SHOWN_TOKENS]],
                    theirs=[other.piece(index).decode("utf-8", "replace") for index in yours],
                    our_ids=mine,
                    their_ids=yours,
                )
            )
        start_l, start_r = stop_l, stop_r
    return result


def _ends(ids: list[int], piece: Callable[[int], bytes]) -> list[int]:
    """At which byte of the text each token ends."""
    return list(itertools.accumulate(len(piece(index)) for index in ids))
