"""exo's main form is an app that PyInstaller froze, from a spec that has no line about this package.

The app is built here by the real PyInstaller, in an environment that has what exo has and the built wheel; then that
environment is removed, and the app moved.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from building import build, copy_source, make_environment
from layouts import write_layout

# What the app grows by may be no more than this.
GROWTH = 6_000_000  # bytes

# In the environment and of use to this package, but nothing that an app must carry for it.
NOT_CARRIED = ("gigatoken", "watchfiles")

EXO_HAS = ["tiktoken", "transformers", "mlx-lm", "mlx[cpu]" if sys.platform == "linux" else "mlx", "pyinstaller"]

# transformers' models themselves need torch, which exo does not have; to analyse them takes most of the build's time.
NOT_ANALYSED = re.compile(r"transformers/models/(?!auto/|gpt2/)\w+/(?!__init__|configuration_|tokenization_)\w+\.py")

# The entry script of the app. Its two arguments are folders: of models, and a model directory as upstream broke it.
ENTRY = """
import json, os, sys
from pathlib import Path

import kimi_tokenizers
from kimi_tokenizers.evidence import load_like_exo, verify

MODEL, OTHER = "moonshotai/Kimi-K2.6", "mlx-community/Qwen3-8B-4bit"
APP = Path(sys.executable).resolve().parent
PARAMETERS = {"properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
QUESTION = [{"role": "user", "content": "Weather in Paris?"}]
CALL = "functions.get_weather:0<|tool_call_argument_begin|>{\\"city\\": \\"Paris\\"}"

model_path = Path(sys.argv[1])
answer = {"frozen": sys.frozen, "elsewhere": [p for p in sys.path if APP not in Path(p).resolve().parents]}
answer["provides"] = [kimi_tokenizers.provides(name, "tokenization_kimi.py") for name in (MODEL, OTHER)]
answer["other"] = str(kimi_tokenizers.resolve(OTHER, model_path))
resolved = kimi_tokenizers.resolve(MODEL, model_path)
answer["resolved"] = str(resolved)

exo = load_like_exo(resolved)
answer["exo"] = exo.encode("Hello, world!<|im_end|><think>")
answer["prompt"] = exo.apply_chat_template(QUESTION, tokenize=False, add_generation_prompt=True, tools=[TOOL])
answer["call"] = exo.tool_parser(CALL)

tokenizer = kimi_tokenizers.load(MODEL, model_path)
answer["load"] = tokenizer.encode("Hello, world!<|im_end|><think>")
answer["chat"] = tokenizer.apply_chat_template(QUESTION, tools=[TOOL], add_generation_prompt=True, tokenize=False)
answer["load_mlx"] = kimi_tokenizers.load_mlx(MODEL, model_path).encode("Hello, world!")

kimi_tokenizers.register()
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(model_path)
answer["register"] = [type(tokenizer).__name__, tokenizer.encode("Hello, world!")]

import tiktoken
answer["tiktoken"] = tiktoken.get_encoding("kimi_k2_5").encode("<think>", allowed_special="all")

verified = verify()
answer["verify"] = [verified.problems, verified.files > 20, verified.answers > 400]
answer["fingerprint"] = verified.fingerprints["kimi-k2.6"]
from importlib.metadata import version
answer["version"] = [version("kimi-tokenizers"), kimi_tokenizers.__version__]

from kimi_tokenizers.commands import main
answer["command"] = main(["status", "--json"])
print(json.dumps(answer))
"""

# In the manner of exo's: the submodules of what it runs models with, and no data or hook of any package.
SPEC = """
from importlib.util import find_spec
from PyInstaller.utils.hooks import collect_submodules

hidden = []
for package in ("mlx", "mlx_lm", "mlx_vlm", "transformers"):
    if find_spec(package) is not None:
        hidden += collect_submodules(package)

analysis = Analysis(["entry.py"], hiddenimports=hidden)
pyz = PYZ(analysis.pure)
exe = EXE(pyz, analysis.scripts, [], exclude_binaries=True, name="exo", console=True)
COLLECT(exe, analysis.binaries, analysis.datas, name="exo")
"""

# What of the archive of modules is this package's: the compressed size.
ARCHIVED = """
import sys
from PyInstaller.archive.readers import CArchiveReader

modules = CArchiveReader(sys.argv[1]).open_embedded_archive("PYZ.pyz").toc
ours = [size for name, (_, _, size) in modules.items() if name.startswith(("kimi_tokenizers", "tiktoken_ext"))]
print(sum(ours), *sorted(modules))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    return build("wheel", copy_source(folder / "source"), folder / "wheel")


@pytest.fixture(scope="module")
def built(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, set[str]]:
    """The app, where it was moved to; the size of our modules in its archive, and the names of all."""
    folder = tmp_path_factory.mktemp("build")
    requirements = [text for text in wheel_requirements(wheel) if not text.startswith("kimi-tokenizers")]
    python, packages = make_environment(
        folder / "environment", [*EXO_HAS, *NOT_CARRIED, *requirements], left_out=NOT_ANALYSED
    )
    zipfile.ZipFile(wheel).extractall(packages)
    (folder / "entry.py").write_text(ENTRY, encoding="utf-8")
    (folder / "exo.spec").write_text(SPEC, encoding="utf-8")
    run_clean(python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "exo.spec", home=folder)
    app = tmp_path_factory.mktemp("Applications") / "EXO"
    shutil.move(folder / "dist" / "exo", app)
    size, *modules = run_clean(python, "-c", ARCHIVED, app / "exo", home=folder).split()
    shutil.rmtree(folder)
    return app, int(size), set(modules)


def wheel_requirements(wheel: Path) -> list[str]:
    """What the wheel requires where no extra is asked for."""
    from importlib.metadata import PathDistribution

    from packaging.requirements import Requirement

    with zipfile.ZipFile(wheel) as archive:
        info = next(path for path in zipfile.Path(archive).iterdir() if path.name.endswith(".dist-info"))
        requires = PathDistribution(info).requires or []  # type: ignore[arg-type]
    found = map(Requirement, requires)
    return [r.name for r in found if r.marker is None or r.marker.evaluate({"extra": ""})]


def run_clean(*command: str | Path, home: Path) -> str:
    """Run a command in `home`, with nothing of this process's environment but where programs are."""
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [str(word) for word in command], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_the_app_does_what_exo_does_far_from_where_it_was_built(
    built: tuple[Path, int, set[str]], tmp_path: Path
) -> None:
    app, _, _ = built
    model_dir = write_layout(tmp_path / "models" / "moonshotai--Kimi-K2.6", "broken")
    home = tmp_path / "home"
    home.mkdir()
    answer: dict[str, Any] = json.loads(run_clean(app / "exo", model_dir, home=home).splitlines()[-1])
    assert answer["frozen"] is True
    assert answer["elsewhere"] == []
    assert answer["provides"] == [True, False]
    assert answer["other"] == str(model_dir)
    assert answer["resolved"].startswith(str(home))
    ids = [19180, 11, 2695, 0, 163586, 163606]
    assert (answer["exo"], answer["load"], answer["load_mlx"]) == (ids, ids, ids[:4])
    assert answer["register"] == ["TikTokenTokenizer", ids[:4]]
    assert answer["tiktoken"] == [163606]
    assert "type get_weather = (_: {" in answer["prompt"]
    assert answer["prompt"] == answer["chat"]
    assert answer["call"] == [{"id": "functions.get_weather:0", "name": "get_weather", "arguments": {"city": "Paris"}}]
    assert answer["verify"] == [[], True, True]
    assert len(answer["fingerprint"]["tokens"]) == 64
    assert answer["version"][0] == answer["version"][1]


def test_what_is_checked_and_executed_is_there_as_source_byte_for_byte_and_once(
    built: tuple[Path, int, set[str]], wheel: Path
) -> None:
    inside = built[0] / "_internal"
    with zipfile.ZipFile(wheel) as archive:
        data = {
            name: archive.read(name)
            for name in archive.namelist()
            if name.startswith("kimi_tokenizers/") and ("/overlays/" in name or not name.endswith(".py"))
        }
    files = [path for path in inside.glob("kimi_tokenizers/**/*") if path.is_file()]
    assert {path.relative_to(inside).as_posix(): path.read_bytes() for path in files} == data
    assert len(list(built[0].rglob("tiktoken.model"))) == 1


def test_the_app_grows_by_what_is_ours_alone(built: tuple[Path, int, set[str]]) -> None:
    app, archived, modules = built
    files = [path for path in (app / "_internal").glob("kimi_tokenizers*/**/*") if path.is_file()]
    assert archived > 50_000
    assert sum(path.stat().st_size for path in files) + archived < GROWTH
    assert not {name.partition(".")[0] for name in modules} & {*NOT_CARRIED, "pytest", "_pytest"}
    assert not [path for name in NOT_CARRIED for path in (app / "_internal").glob(f"{name}*")]
