"""pytest's plugin: `pytest --kimi-model-dir=DIR` runs the checks of `kimi_tokenizers.testing` on a model directory.

pytest imports it in every project of an environment, so it imports nothing else before the option is given. Without it
nothing is added.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kimi-tokenizers", "checks of Kimi K2 model directories")
    group.addoption(
        "--kimi-model-dir",
        action="append",
        default=[],
        metavar="DIR",
        help="check the tokenizer of this model directory; can be given more than once",
    )
    group.addoption(
        "--kimi-model",
        default=None,
        metavar="ID",
        help="the directories' model id, as owner/name (default: what their names and files say)",
    )
    group.addoption(
        "--kimi-trust-remote-code",
        action="store_true",
        help="also execute the directories' own Python, as exo does, each in a process of its own",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    from kimi_tokenizers.escaping import escaped

    for given in config.getoption("--kimi-model-dir"):
        items += ModelDir.from_parent(
            session, name=f"kimi:{escaped(given)}", model_dir=os.path.abspath(given)
        ).collect()


_TAKEN_FOR = " Which model it is was told by its name and files; --kimi-model=OWNER/NAME says so for certain."


class ModelDir(pytest.Collector):
    """A model directory; its items are the checks."""

    def __init__(self, *, model_dir: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model_dir = model_dir

    def collect(self) -> list[pytest.Item]:
        from kimi_tokenizers import testing
        from kimi_tokenizers.errors import KimiTokenizersError, ModelIdError, UnknownModelError

        try:
            checks = testing.checks_of_model_dir(
                self.model_dir,
                self.config.getoption("--kimi-model"),
                trust_remote_code=self.config.getoption("--kimi-trust-remote-code"),
            )
        except (ModelIdError, UnknownModelError) as error:
            raise pytest.UsageError(f"--kimi-model: {error}") from error
        except KimiTokenizersError as error:
            raise pytest.UsageError(f"--kimi-model-dir: {error}") from error
        return [Check.from_parent(self, name=name, check=check) for name, check in checks.items()]


class Check(pytest.Item):
    """One check of a model directory."""

    def __init__(self, *, check: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check

    def runtest(self) -> None:
        from kimi_tokenizers.testing import NotCheckedError

        try:
            self.check()
        except NotCheckedError as error:  # visible in the report, with the reason, and not as a pass
            pytest.skip(str(error))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from kimi_tokenizers.errors import VocabularyMismatchError
        from kimi_tokenizers.testing import CheckError

        if not excinfo.errisinstance(CheckError):
            return super().repr_failure(excinfo, style)
        taken = "" if self.config.getoption("--kimi-model") else _TAKEN_FOR
        return f"{excinfo.value}{taken if isinstance(excinfo.value.__cause__, VocabularyMismatchError) else ''}"

    def reportinfo(self) -> tuple[str, None, str]:
        from kimi_tokenizers.escaping import escaped

        parent = self.parent
        return (escaped(getattr(parent, "model_dir", "")), None, f"{parent.name if parent else ''} {self.name}")
