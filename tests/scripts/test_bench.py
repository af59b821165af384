"""scripts/bench.py and scripts/compat.py: what they compare is alike, and they report what they found. No timings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:  # the script sets both for its own process
        patch.setenv("KIMI_TOKENIZERS_ENGINE", "tiktoken")
        patch.setenv("KIMI_TOKENIZERS_CACHE", "")
        yield script("bench")


@pytest.fixture
def compat(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    module = script("compat")
    monkeypatch.setattr(module, "README", tmp_path / "README.md")
    module.README.write_text(f"before\n{module.BEGIN}\nold\n{module.END}\nafter\n")
    monkeypatch.setattr(module, "pythons", lambda: {10: "python3.10", 13: "python3.13", 14: "python3.14"})
    monkeypatch.setattr(module, "minors", lambda: ["4.57", "5.0", "5.1"])
    return module


def script(name: str) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        return __import__(name)


def test_contestants_give_the_same_ids_or_are_said_not_to(bench: Any) -> None:
    differing = bench.compare()
    assert set(differing) <= set(bench.prepared()) - {"fast", "ours", "tiktoken", "upstream", "tokenizers"}
    assert list(bench.prepared())[:5] == ["fast", "ours", "tiktoken", "upstream", "tokenizers"]
    assert "look-alikes of control tokens" in differing["splintr"]
    assert bench.live("fast").model.engine_name == "splintr"
    assert bench.live("ours").model.engine_name == "tiktoken"


def test_what_is_compared_beside_the_ids_is_alike(bench: Any) -> None:
    text = bench.text("mixed", 20_000)
    ids = bench.live("tiktoken").encode(text)
    for name in bench.prepared():
        decode, call = bench.function(name, "decode", "ids"), bench.function(name, "call", "texts")
        assert decode is None or decode(ids) == text, name
        assert call is None or call([text, "hi"]) == [ids, bench.live("tiktoken").encode("hi")], name
    text = bench.text("english", 2000)
    assert bench.function("ours", "offsets", "text")(text) == bench.function("tokenizers", "offsets", "text")(text)
    assert bench.live("upstream").get_vocab() == bench.live("ours").get_vocab()


def test_all_load_by_exos_steps(bench: Any) -> None:
    theirs = f"{bench.SCRATCH.name}/moonshotai--Kimi-K2.6"
    for directory in (theirs, str(bench.kt.resolve(bench.K2, theirs))):
        bench.process(bench.exo_steps(directory))()  # it checks the ids itself


def test_a_run_of_some_rows(bench: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench, "QUICK", bench.QUICK._replace(rounds=3))
    monkeypatch.setattr(sys, "argv", ["bench.py", "--quick", "--rows", "short", "offsets", "--json"])
    assert bench.main() in (0, 1)  # 1: a goal was missed, which is no matter of tests
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    rows = report["rows, in seconds, and MB of peak memory"]
    assert {"encode 20 characters", "offsets of 100 KB"} < set(rows)
    assert set(rows["encode 20 characters"]) == set(bench.prepared())
    for figures in rows["encode 20 characters"].values():
        assert 0 < figures["min"] <= figures["median"] <= figures["max"]
        assert figures["rounds"] == 3
    assert [goal["row"] for goal in report["goals"]] == ['encode "hi"']
    assert "offsets of 100 KB" in printed.err


def test_goals_are_of_rows_of_full_size(bench: Any) -> None:
    sizes, rows = bench.Sizes(), {goal.row for goal in script("bench_report").GOALS}
    assert {f"encode {sizes.of(sizes.long)}", f"stream {sizes.ids:,} ids, mlx-lm's class"} < rows
    assert f"count {sizes.of(sizes.file)}" in script("bench_report").CHARTED


CELLS = {
    "load": {"fast": [0.1, 0.1, 0.9], "tiktoken": [0.2, 0.2, 1.8]},
    "encode": {"fast": [0.3, 0.2, 0.4], "tiktoken": [0.2, 0.2, 0.2]},
    "peak memory": {"fast": [100.0], "tiktoken": [80.0]},
    "load again": {"fast": [0.004, 0.005, 0.006]},
}


@pytest.mark.parametrize(
    ("goal", "missed", "row"),
    [
        (
            ("load", "fast", "load", "tiktoken", 0.6),
            False,
            "100 ms | tiktoken: 200 ms | 0.50 (0.50–0.50) | 0.6 | reached",
        ),
        (("load", "fast", "load", "tiktoken", 0.4), True, "| 0.50 (0.50–0.50) | 0.4 | **missed** |"),
        (
            ("encode", "fast", "encode", "tiktoken", 1.3),
            False,
            "| 1.50 (1.25–1.75) | 1.3 | missed by less than the noise |",
        ),
        (
            ("peak memory", "fast", "peak memory", "tiktoken", 1.0, "it has tables"),
            False,
            "100 MB | tiktoken: 80 MB | 1.25 (1.25–1.25) | 1 | out of reach: it has tables |",
        ),
        (("load again", "fast", "", "", 0.010), False, "5.00 ms | – | – | 10 ms | reached |"),
        (("load again", "fast", "", "", 0.001), True, "5.00 ms | – | – | 1 ms | **missed** |"),
    ],
)
def test_what_became_of_a_goal(goal: tuple[Any, ...], missed: bool, row: str) -> None:
    module = script("bench_report")
    result = module.report(CELLS, {"tokie": ["code"]}, "a machine", [module.Goal(*goal)])
    assert result.missed is missed
    assert row in result.markdown()
    assert "tokie gives other ids: code." in result.markdown()
    assert result.as_json()["goals"][0]["limit"] == goal[4]


def test_goals_of_rows_that_were_not_measured_say_nothing() -> None:
    result = script("bench_report").report({}, {}, "a machine")
    assert not result.missed
    assert result.markdown() == ""


def test_what_is_saved(tmp_path: Path) -> None:
    module = script("bench_report")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "CONTRIBUTING.md").write_text("before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n")
    module.save(module.report(CELLS, {}, "a machine"), tmp_path)
    document = (tmp_path / "CONTRIBUTING.md").read_text()
    assert document.startswith("before\n<!-- bench: begin -->\n| | compared with |")
    assert document.endswith("|\n<!-- bench: end -->\nafter\n")
    assert "old" not in document
    assert json.loads((tmp_path / "scripts" / "bench.json").read_text())["machine"] == "a machine"
    drawn = "".join(ElementTree.parse(tmp_path / "scripts" / "bench.svg").getroot().itertext())
    assert "Loading" in drawn
    assert "ours, fast" in drawn
    assert "2.00" in drawn


@pytest.mark.parametrize("text", ["nothing\n", "<!-- bench: begin -->\nrows\nand what follows\n"])
def test_a_document_without_both_marks_is_left_alone(tmp_path: Path, text: str) -> None:
    document = tmp_path / "CONTRIBUTING.md"
    document.write_text(text)
    with pytest.raises(SystemExit, match="no place for the table"):
        script("bench_report").between(document, "bench", "table")
    assert document.read_text() == text


@pytest.mark.parametrize(
    "arguments", [["--rows", "nothing"], ["--rows", "load", "--save"], ["--quick", "--save"]], ids=" ".join
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "bench.py", *arguments], capture_output=True, check=False)
    assert done.returncode == 2


Runs = Callable[[str, tuple[str, ...]], tuple[dict[str, str], str]]


def compat_main(compat: Any, monkeypatch: pytest.MonkeyPatch, run: Runs) -> int:
    monkeypatch.setattr(compat, "run", run)
    monkeypatch.setattr(sys, "argv", ["compat.py", "--readme"])
    return int(compat.main())


def test_every_python_and_every_minor_version_of_transformers_is_tried(
    compat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def run(python: str, requirements: tuple[str, ...]) -> tuple[dict[str, str], str]:
        tried.append((python, requirements[0]))
        version = requirements[0].partition("==")[2].replace("*", "9")
        return {"transformers": version, "tiktoken": "0.12.0"}, "7 passed" if version < "5.1" else "8 passed"

    assert compat_main(compat, monkeypatch, run) == 0
    assert tried[:2] == [("python3.10", "transformers==4.57.*"), ("python3.13", "transformers==5.6.2")]
    assert tried[2:5] == [(python, "transformers") for python in ("python3.10", "python3.13", "python3.14")]
    assert tried[5:] == [("python3.13", f"transformers=={minor}.*") for minor in ("4.57", "5.0", "5.1")]
    text = compat.README.read_text()
    assert text.startswith(f"before\n{compat.BEGIN}\n| Python |")
    assert text.endswith(f"|\n{compat.END}\nafter\n")
    assert "| 3.13 | 5.6.2 | 0.12.0 | – | – | – | 8 passed |" in text
    assert "| 3.13 | 4.57.9 to 5.0.9 | 0.12.0 | – | – | – | 7 passed |" in text  # neighbours of which the same holds
    assert "old" not in text


def test_a_python_that_is_supported_and_not_here_is_said_to_be(compat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "pythons", lambda: {11: "python3.11"})
    assert compat_main(compat, monkeypatch, lambda *_: ({}, "7 passed")) == 0
    rows = compat.README.read_text().splitlines()
    assert [row for row in rows if "not on this machine" in row] == [
        f"| {version} | – | – | – | – | – | not on this machine |" for version in ("3.10", "3.12", "3.13", "3.14")
    ]
    assert any("| 3.11 |" in row for row in rows)


@pytest.mark.parametrize("outcome", ["1 failed, 6 passed", "6 passed, 1 skipped", "cannot be installed: no such", ""])
def test_anything_but_passed_is_a_failure(compat: Any, monkeypatch: pytest.MonkeyPatch, outcome: str) -> None:
    assert compat_main(compat, monkeypatch, lambda *_: ({}, outcome)) == 1


def test_a_readme_without_a_place_for_the_table(
    compat: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compat.README.write_text("nothing here\n")
    assert compat_main(compat, monkeypatch, lambda *_: ({}, "7 passed")) == 2
    assert "no place for the table" in capsys.readouterr().err
    assert compat.README.read_text() == "nothing here\n"


def test_real_pythons_are_found() -> None:
    found = script("compat").pythons()
    assert found
    assert sys.version_info.minor in found
    for minor, path in found.items():
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
        assert version.startswith(f"Python 3.{minor}.")


def test_another_home_hides_no_python() -> None:
    """As where a test, or a service, has a home of its own."""
    code = "from compat import pythons; print(sorted(pythons()))"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "HOME": home, "PYTHONPATH": str(ROOT / "scripts")},
            capture_output=True,
            check=True,
        ).stdout
        for home in (os.path.expanduser("~"), "/nonexistent")
    }
    assert len(said) == 1
