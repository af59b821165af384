"""Which overlay serves which model id.

A line is a folder in `overlays/` (`common` is none), and nothing else. The manifests are read once, and only for ids
that can be ours: every name that a line serves begins as its folder does, with the same one or two parts. So nothing
that is missing or damaged in the package can get in the way of anybody else's model. It never
touches the file system outside the package.
"""

from __future__ import annotations

import functools
import re

from kimi_tokenizers.catalogue.overlay import Overlay, resources
from kimi_tokenizers.catalogue.toml import parse_toml
from kimi_tokenizers.errors import ModelIdError, OverlayError, UnknownModelError

# What this version was shipped with. It is only asked where the package has lost its folders, so that what is missing
# is said for the models that it was for.
_SHIPPED = (
    *("kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6", "kimi-k2.7-code"),
    *("kimi-k3", "kimi-linear", "kimi-vl", "moonlight"),
)


def _listed() -> tuple[str, ...]:
    """The folders, sorted; none where the package is damaged."""
    try:
        folders = [entry.name for entry in resources().iterdir() if entry.is_dir()]
        return tuple(sorted(name for name in folders if name != "common" and name[0] not in "._"))
    except Exception:  # the folder, or its Python; a damaged zip
        return ()


LINES = _listed() or _SHIPPED
"""Every packaged line, in alphabetical order."""

_MODEL_ID = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}")

_EDITION = re.compile(
    "base|instruct|thinking|chat|preview|code|coder|math|research|pro|max|plus|ultra|turbo|mini|lite|nano|small|large"
    "|vl|vision|audio|omni|dev|linear"
)
"""What upstream adds to a name for another model, where others would add a format."""


def overlays() -> dict[str, Overlay]:
    """Every packaged overlay: line -> overlay. Raises OverlayError where a manifest is missing or damaged."""
    return {line: _overlay(line) for line in LINES}


@functools.cache
def _overlay(line: str) -> Overlay:
    """The overlay of a line. Raises OverlayError where its manifest is missing or damaged."""
    try:
        overlay = Overlay.from_manifest(parse_toml((resources() / line / "overlay.toml").read_text(encoding="utf-8")))
        wrong = [model for model in overlay.models if _start(parts(model.split("/")[1])) not in _STARTS]
        if overlay.line != line or wrong:
            raise ValueError(f"it is for {overlay.line!r} and serves {overlay.models}, which do not begin alike")
        re.compile(overlay.model_types[0])
        return overlay
    except Exception as error:  # the file, the folder or its Python, the TOML, what is in it; a damaged zip
        raise OverlayError(
            f"The packaged manifest '{line}/overlay.toml' cannot be used ({type(error).__name__}: {error}). "
            "Reinstall kimi-tokenizers."
        ) from error


def parts(name: str) -> tuple[str, ...]:
    """The parts of a model name, lower case: "Kimi-K2.6-mlx-DQ3_K_M" -> ("kimi", "k2.6", "mlx", "dq3", "k", "m")."""
    return tuple(re.split(r"[-_]", name.lower()))


def _start(name: tuple[str, ...]) -> tuple[str, ...]:
    """What decides whether the manifests have to be read: one part if that is the name of a line, else two."""
    return name[:1] if name[:1] in _FAMILIES else name[:2]


_FAMILIES = frozenset(parts(line) for line in LINES if "-" not in line)
_STARTS = frozenset(parts(line)[:2] for line in LINES)
_FIRST = tuple(sorted({parts(line)[0] for line in LINES}))


def find(model_id: str) -> Overlay | None:
    """The overlay that serves a model id; None for an id that is none of ours, whatever it looks like.

    An id is ours if its name is that of a served upstream model, or begins with its parts: so a conversion,
    "mlx-community/Kimi-K2.6-mlx-DQ3_K_M-q8". A model of another family that was distilled from Kimi is not, nor is
    another edition in upstream's own name, as "moonshotai/Kimi-K3-Pro" would be, whose files nobody knows.

    Raises:
        OverlayError: the id is ours, and the manifest of its line is missing or damaged.
    """
    return _find(model_id) if isinstance(model_id, str) else None


@functools.lru_cache(maxsize=1024)
def _find(model_id: str) -> Overlay | None:
    if not model_id.rpartition("/")[2].lower().startswith(_FIRST) or not _MODEL_ID.fullmatch(model_id):
        return None
    name = parts(model_id.split("/")[1])
    if _start(name) not in _STARTS or any(part.startswith("distill") for part in name):
        return None
    best: tuple[int, Overlay | None] = (0, None)
    for line in LINES:
        if _start(parts(line)) != _start(name):
            continue
        try:
            models = _overlay(line).models
        except OverlayError:
            if name[: len(parts(line))] == parts(line):
                raise
            continue  # a damaged manifest concerns its own line only
        for served in models:
            served_name = parts(served.split("/")[1])
            rest = name[len(served_name) :]
            if rest and re.fullmatch("[0-9]{1,2}", rest[0]) and re.fullmatch("[a-z][0-9]", served_name[-1]):
                continue  # Kimi-K3-1 is another way to write K3.1
            if rest and _EDITION.fullmatch(rest[0]) and served.split("/")[0] == model_id.split("/")[0].lower():
                continue
            if len(served_name) > best[0] and name[: len(served_name)] == served_name:
                best = (len(served_name), _overlay(line))
    return best[1]


def get(model_id: str) -> Overlay:
    """The overlay that serves a model id.

    Raises:
        ModelIdError: the id is not of the form `owner/name`.
        UnknownModelError: no overlay serves it.
    """
    if not isinstance(model_id, str) or not _MODEL_ID.fullmatch(model_id):
        raise ModelIdError(
            f"{str(model_id)[:100]!r} is not a model id; expected `owner/name`, as in 'moonshotai/Kimi-K2.6'."
        )
    overlay = find(model_id)
    if overlay is None:
        served = ", ".join(model for overlay in overlays().values() for model in overlay.models)
        raise UnknownModelError(
            f"No overlay serves {model_id!r}. Known are {served}, and conversions of them that keep the name "
            "(as 'mlx-community/Kimi-K2.6-4bit'). Nothing is known of the vocabulary of others."
        )
    return overlay
