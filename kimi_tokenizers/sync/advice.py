"""The command that mends a model directory, worked out from what is wrong with it. It only reads.

A command is given only where it helps: whether `sync` could do its work is tried first, as in a dry run.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import Model
from kimi_tokenizers.sync.planning import plan
from kimi_tokenizers.sync.status import ModelStatus, left_alone

PROGRAM = "kimi-tokenizers"


@dataclass(frozen=True)
class Advice:
    """What to do next.

    Attributes:
        command: the arguments to type after the program's name.
        what: what to know besides, or to do where no command mends it; "" if there is nothing to add.
    """

    command: tuple[str, ...]
    what: str = ""

    def line(self, program: str = PROGRAM) -> str:
        """The command as it is typed."""
        return typed(self.command, program)


def typed(arguments: Sequence[str], program: str = PROGRAM) -> str:
    """A command as it is typed into a shell."""
    return f"{program} {' '.join(map(shlex.quote, arguments))}"


def advice(model: Model, status: ModelStatus) -> Advice | None:
    """What mends a model directory; None where nothing is wrong."""
    if status.would_load and status.state in ("healthy", "overlaid", "drifted"):
        return None
    if model.in_view:
        view = os.path.dirname(model.path)
        return Advice(("view", view), "It is in a view, which is brought up to date from the models.")
    if status.state == "refused":
        what = "No command mends it: the directory holds another vocabulary. Download it anew, or rename it."
        return Advice(("explain", *_naming(model)), what)
    if status.state == "incomplete" and status.would_load is None:
        return Advice(("explain", *_naming(model)), "Whether weights are missing is not known: the detail says why.")
    if status.state == "incomplete" and status.tokenizer in ("healthy", "overlaid"):
        return Advice(("explain", *_naming(model)), "Weights are missing: start exo, which downloads them, first.")
    try:
        helps, passed_over = bool(plan(model.overlay, model.path).writes), left_alone(model)
    except (KimiTokenizersError, OSError):
        helps, passed_over = False, ""
    if helps and passed_over != "healthy":
        return Advice(("sync", *(("--all",) if passed_over else ()), *_naming(model)))
    return Advice(("explain", *_naming(model)), "`sync` cannot mend it: do first what the detail says.")


def _naming(model: Model) -> tuple[str, ...]:
    """The arguments that choose this model and no other."""
    itself = model.arguments and os.path.realpath(model.arguments[0]) == os.path.realpath(model.path)
    return model.arguments if itself or "/" not in model.model_id else (*model.arguments, "--model", model.model_id)
