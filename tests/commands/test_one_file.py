"""The one file for operators, on the real Pythons of this machine, and that the same commit gives the same bytes.

Every Python from 3.9 to 3.14 that is here runs it, isolated and without site-packages; one that is not here shows up as
skipped, and fewer than two are a failure.
"""

from __future__ import annotations

import ast
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from interpreters import Interpreter, interpreters
from sync_directories import FOLDER, MODEL, OVERLAY, assert_same, broken, mixed, snapshot

from kimi_tokenizers import catalogue
from kimi_tokenizers.commands import one_file
from kimi_tokenizers.evidence import verify
from kimi_tokenizers.model_dirs import TokenizerFiles, prompt_fingerprint, token_fingerprint

OLDEST, NEWEST = (3, 9), (3, 14)
FEWEST = 2  # Pythons that it must have been run on
TOO_OLD = ((2, 7), (3, 6), (3, 7), (3, 8))
FILES = sum(len(overlay.files) for overlay in catalogue.overlays().values())


def pythons() -> dict[tuple[int, int], Interpreter]:
    """Those that the one file must run on."""
    return {version: found for version, found in interpreters().items() if OLDEST <= version <= NEWEST}


def spelt(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def one_of(version: tuple[int, int]) -> Interpreter:
    if version not in interpreters():
        pytest.skip(f"there is no Python {spelt(version)} on this machine")
    return interpreters()[version]


@pytest.fixture(params=[(3, minor) for minor in range(OLDEST[1], NEWEST[1] + 1)], ids=spelt)
def python(request: pytest.FixtureRequest) -> Interpreter:
    return one_of(request.param)


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file, made by this environment, in a folder that nothing may be written to and whose name has spaces."""
    path = tmp_path_factory.mktemp("one file") / "for operators" / one_file.NAME
    path.parent.mkdir()
    one_file.write_one_file(path)
    path.parent.chmod(0o555)
    return path


def run(python: Interpreter, pyz: Path, home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the file with nothing but the standard library."""
    return subprocess.run(
        [python.path, "-I", "-S", str(pyz), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env={"HOME": str(home), "PATH": os.defpath, "LC_ALL": "C.UTF-8", "XDG_CACHE_HOME": str(home / "cache")},
    )


def report(done: subprocess.CompletedProcess[str], status: int) -> dict[str, Any]:
    """What was printed as JSON."""
    assert (done.returncode, done.stderr) == (status, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# -- in the default run -----------------------------------------------------------------------------------------


def test_it_holds_what_operators_need_and_nothing_else() -> None:
    data = one_file.one_file()
    assert data.startswith(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    licences = {path.name for name in ("LICENSE*", "NOTICE*") for path in ROOT.glob(name)}
    assert {name for name in members if not name.startswith("kimi_tokenizers/")} == {"__main__.py", *licences}
    assert b"Copyright (c) 2025 Moonshot AI" in b"".join(members[name] for name in licences)
    package = {name.partition("/")[2]: members[name] for name in members if name.startswith("kimi_tokenizers/")}
    left_out = {"testing.py", "commands/pytest_plugin.py", "tokenizer/tiktoken_ext/kimi_tokenizers_ext.py"}
    python = {
        path.relative_to(ROOT / "kimi_tokenizers").as_posix() for path in (ROOT / "kimi_tokenizers").rglob("*.py")
    }
    overlays = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "overlays").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert set(package) == (python | overlays | {"tokenizer/known_answers.jsonl"}) - left_out
    for name, content in package.items():
        assert content == (ROOT / "kimi_tokenizers" / name).read_bytes()
    assert len(data) < 2_000_000


def test_status_on_the_oldest_and_the_newest_python_of_this_machine(pyz: Path, tmp_path: Path) -> None:
    found = list(pythons().items())
    assert found, f"no Python of {spelt(OLDEST)} to {spelt(NEWEST)} but {[*map(spelt, interpreters())]}"
    broken(tmp_path / "models")
    for version, python in {found[0], found[-1]}:
        [model] = report(run(python, pyz, tmp_path, "status", tmp_path / "models", "--json"), 1)["models"]
        assert (model["model"], model["state"]) == (MODEL, "broken"), spelt(version)


# -- on every Python -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_was_run_on_at_least_two_pythons(capsys: pytest.CaptureFixture[str]) -> None:
    here = ", ".join(f"{spelt(version)} ({found.path})" for version, found in pythons().items())
    with capsys.disabled():
        print(f"\nThe one file is run on Python {here}")
    assert len(pythons()) >= FEWEST, f"the one file was run on Python {here or '-'} only, so it is as good as untested"


@pytest.mark.slow
def test_every_module_that_operators_use_can_be_imported(python: Interpreter, pyz: Path) -> None:
    program = (
        "import importlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "for name in sys.argv[2:]: importlib.import_module('kimi_tokenizers.' + name)\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'filelock', 'tomli', 'importlib_resources'}))"
    )
    folders = ("catalogue", "model_dirs", "resolver", "sync", "view", "evidence", "tokenizer")
    commands = ("status", "sync", "view", "verify", "one_file", "count", "demo", "upstream")
    names = [*folders, *(f"commands.{name}" for name in commands)]
    done = subprocess.run(
        [python.path, "-I", "-S", "-c", program, str(pyz), *names], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("model_dir", [broken, mixed])
def test_status_sync_and_restore(python: Interpreter, pyz: Path, tmp_path: Path, model_dir: Any) -> None:
    models = tmp_path / "models"
    path = model_dir(models)
    before, beside = snapshot(models), snapshot(pyz.parent.parent)

    done = run(python, pyz, tmp_path, "status", models)
    assert done.returncode == 1
    assert "broken" in done.stdout
    assert report(run(python, pyz, tmp_path, "sync", models, "--dry-run", "--json"), 0)["ok"] is True
    assert_same(snapshot(models), before)

    synced = report(run(python, pyz, tmp_path, "sync", models, "--json"), 0)
    assert synced["ok"] is True
    for name in ("tokenization_kimi.py", "tiktoken.model", "tool_declaration_ts.py"):
        assert (path / name).read_bytes() == OVERLAY.read(name)
    [model] = report(run(python, pyz, tmp_path, "status", models, "--json"), 0)["models"]
    assert (model["state"], model["would_load"]) == ("overlaid", True)
    assert model["fingerprints"] == {
        "tokens": token_fingerprint(OVERLAY, TokenizerFiles(path)),
        "prompts": prompt_fingerprint(OVERLAY, TokenizerFiles(path)),
    }
    again = run(python, pyz, tmp_path, "sync", models)
    assert (again.returncode, again.stderr) == (0, "")
    assert "nothing to do" in again.stdout

    assert report(run(python, pyz, tmp_path, "restore", models, "--json"), 0)["ok"] is True
    assert_same(snapshot(models), before)
    assert_same(snapshot(pyz.parent.parent), beside)
    assert {entry.name for entry in tmp_path.iterdir()} <= {"models", "cache"}


@pytest.mark.slow
def test_syntax_that_only_newer_pythons_know_is_not_said_to_fail_in_exo(
    python: Interpreter, pyz: Path, tmp_path: Path
) -> None:
    path = broken(tmp_path / "models")
    for name in ("tiktoken.model", "tool_declaration_ts.py"):
        (path / name).write_bytes(OVERLAY.read(name))
    (path / "tokenization_kimi.py").write_text("type Ids = list[int]\n\n\nclass TikTokenTokenizer:\n    pass\n")
    [model] = report(run(python, pyz, tmp_path, "status", tmp_path / "models", "--json"), 1)["models"]
    assert model["would_load"] is None
    assert model["fingerprints"] is None
    (path / "tokenization_kimi.py").write_text("class TikTokenTokenizer(\n")
    [model] = report(run(python, pyz, tmp_path, "status", tmp_path / "models", "--json"), 1)["models"]
    assert model["state"] == "broken"
    assert model["error"].startswith("SyntaxError: ")


@pytest.mark.slow
def test_view(python: Interpreter, pyz: Path, tmp_path: Path) -> None:
    models, target = tmp_path / "models", tmp_path / "a view"
    broken(models)
    before = snapshot(models)
    made = report(run(python, pyz, tmp_path, "view", target, "--from", models, "--json"), 0)
    assert made["ok"] is True
    assert made["models"][0]["complete"] is True
    assert (target / FOLDER / "tokenization_kimi.py").read_bytes() == OVERLAY.read("tokenization_kimi.py")
    again = report(run(python, pyz, tmp_path, "view", target, "--from", models, "--json"), 0)
    assert again["models"][0]["changes"] == []
    assert run(python, pyz, tmp_path, "view", target, "--remove").returncode == 0
    assert not target.exists()
    assert_same(snapshot(models), before)


@pytest.mark.slow
def test_verify_checks_the_files_and_says_what_it_did_not_check(python: Interpreter, pyz: Path, tmp_path: Path) -> None:
    found = report(run(python, pyz, tmp_path, "verify", "--json"), 0)
    assert (found["ok"], found["problems"], found["files"], found["answers"]) == (True, [], FILES, 0)
    [what] = found["not_checked"]
    assert what.startswith("the known answers (they need tiktoken")
    assert found["fingerprints"].keys() == catalogue.overlays().keys()
    done = run(python, pyz, tmp_path, "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert "NOT CHECKED: the known answers (they need tiktoken" in done.stdout
    assert "all fine" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def shorter(pyz: Path, damaged: Path) -> None:
    """The file with a rank table that ends too early."""
    name = "kimi_tokenizers/overlays/common/tiktoken.model"
    with zipfile.ZipFile(pyz) as source, zipfile.ZipFile(damaged, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.namelist():
            target.writestr(member, source.read(member)[: -1 if member == name else None])


def garbled(pyz: Path, damaged: Path) -> None:
    """The file as a bad copy: the compressed rank table, which is most of it, has other bytes in the middle."""
    data = bytearray(pyz.read_bytes())
    with zipfile.ZipFile(pyz) as archive:
        member = archive.getinfo("kimi_tokenizers/overlays/common/tiktoken.model")
    middle = member.header_offset + member.compress_size // 2
    data[middle : middle + 100] = bytes(100)
    damaged.write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [shorter, garbled])
def test_a_damaged_file_is_found_and_nothing_is_written(
    python: Interpreter, pyz: Path, tmp_path: Path, damage: Callable[[Path, Path], None]
) -> None:
    damaged = tmp_path / one_file.NAME
    damage(pyz, damaged)
    found = report(run(python, damaged, tmp_path, "verify", "--json"), 1)
    assert found["ok"] is False
    assert len(found["problems"]) == len(catalogue.overlays())
    assert all("'common/tiktoken.model' " in problem for problem in found["problems"])
    assert found["not_checked"] == ["the known answers (a damaged tokenizer is not run)"]
    broken(tmp_path / "models")
    before = snapshot(tmp_path / "models")
    done = run(python, damaged, tmp_path, "sync", tmp_path / "models")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "'common/tiktoken.model'" in done.stderr
    assert_same(snapshot(tmp_path / "models"), before)


@pytest.mark.slow
def test_other_commands_say_which_package_they_need(python: Interpreter, pyz: Path, tmp_path: Path) -> None:
    for command in ("demo", "count", "parity tiktoken", "upstream"):
        done = run(python, pyz, tmp_path, *command.split())
        assert (done.returncode, done.stdout) == (1, ""), command
        [line] = done.stderr.splitlines()
        assert line.startswith("kimi-tokenizers: this command needs the package ")
        assert "install kimi-tokenizers as its README says" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_help_names_the_file_and_wrong_usage_is_2(python: Interpreter, pyz: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "k.pyz"
    shutil.copy(pyz, renamed)
    assert run(python, renamed, tmp_path, "status", "--help").stdout.startswith("usage: k.pyz status ")
    assert run(python, renamed, tmp_path, "status", "--no-such-option").returncode == 2
    assert run(python, renamed, tmp_path).returncode == 2


@pytest.mark.slow
def test_a_reader_who_has_gone_is_no_error_to_trace(python: Interpreter, pyz: Path, tmp_path: Path) -> None:
    broken(tmp_path / "models")
    for arguments in (["status", str(tmp_path / "models"), "--json"], ["verify"], ["--help"]):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [python.path, "-I", "-S", str(pyz), *arguments], stdout=write, stderr=subprocess.PIPE, check=False
        )
        os.close(write)
        assert (done.returncode, done.stderr) == (1, b""), arguments


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_output_to_a_full_disk_is_an_error_in_one_line(python: Interpreter, pyz: Path, tmp_path: Path) -> None:
    broken(tmp_path / "models")
    for arguments in (["status", str(tmp_path / "models"), "--json"], ["verify"], ["--help"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [python.path, "-I", "-S", str(pyz), *arguments], stdout=full, stderr=subprocess.PIPE, check=False
            )
        assert done.returncode == 1, arguments
        assert done.stderr == (
            b"kimi-tokenizers: the output cannot be written: No space left on device. "
            b"Make room for it, or send it elsewhere.\n"
        ), arguments


@pytest.mark.slow
def test_it_is_a_program_of_its_own(python: Interpreter, pyz: Path, tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(python.path)
    done = subprocess.run([str(pyz), "--version"], env={"PATH": str(tmp_path)}, capture_output=True, check=False)
    if b"env" in done.stderr:  # where `env` itself is not found without a PATH
        done = subprocess.run(
            [str(pyz), "--version"], env={"PATH": f"{tmp_path}:{os.defpath}"}, capture_output=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"kimi-tokenizers ")


@pytest.mark.slow
@pytest.mark.parametrize("script", ["one file", "scripts/sync_overlays.py"])
@pytest.mark.parametrize("version", TOO_OLD, ids=spelt)
def test_an_old_python_gets_one_line(version: tuple[int, int], pyz: Path, script: str) -> None:
    old = one_of(version)
    path = pyz if script == "one file" else ROOT / script
    done = subprocess.run([old.path, "-S", "-E", str(path), "status"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert f"needs Python 3.9 or newer, and this is {'Python ' * (path == pyz)}{spelt(version)}. Run it with" in line


@pytest.mark.slow
def test_where_everything_is_installed_everything_is_checked(pyz: Path) -> None:
    done = subprocess.run([sys.executable, str(pyz), "verify", "--json"], capture_output=True, text=True, check=False)
    found = report(done, 0)
    assert (found["not_checked"], found["answers"]) == ([], verify().answers)
    assert found["answers"] > 100


@pytest.mark.slow
def test_the_script_of_a_clone_runs_too(python: Interpreter, tmp_path: Path) -> None:
    script = ROOT / "scripts" / "sync_overlays.py"
    broken(tmp_path / "models")
    before = snapshot(tmp_path / "models")
    assert report(run(python, script, tmp_path, "sync", tmp_path / "models", "--json"), 0)["ok"] is True
    assert report(run(python, script, tmp_path, "status", tmp_path / "models", "--json"), 0)["ok"] is True
    assert run(python, script, tmp_path, "restore", tmp_path / "models").returncode == 0
    assert_same(snapshot(tmp_path / "models"), before)


# -- the same commit, the same bytes ---------------------------------------------------------------------------------


def untidy_copy(folder: Path) -> Path:
    """The checkout as somebody else has it: other times and modes, bytecode, and what an editor leaves."""
    for name in ("kimi_tokenizers", "overlays", "scripts"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, copy_function=shutil.copyfile)
    for path in (*ROOT.glob("LICENSE*"), *ROOT.glob("NOTICE*")):
        shutil.copyfile(path, folder / path.name)
    for path in (folder / "overlays").rglob("*"):
        path.chmod(0o700)
        os.utime(path, (1, 1))
    cache = folder / "kimi_tokenizers" / "sync" / "__pycache__"
    cache.mkdir(exist_ok=True)
    for name in (cache / "old.cpython-39.pyc", cache.parent / "lock.py~", cache.parent / ".lock.py.swp"):
        name.write_bytes(b"left")
    return folder


@pytest.mark.slow
def test_the_same_commit_gives_the_same_bytes_whoever_builds_it(pyz: Path, tmp_path: Path) -> None:
    copy = untidy_copy(tmp_path / "copy")
    built: dict[str, dict[str, bytes]] = {}
    for number, (version, python) in enumerate(pythons().items()):
        out = tmp_path / f"{spelt(version)}.pyz"
        script = (ROOT if number % 2 else copy) / "scripts" / "build_pyz.py"
        done = subprocess.run(
            [python.path, "-I", "-S", str(script), str(out)],
            capture_output=True,
            text=True,
            check=False,
            cwd=[tmp_path, "/", ROOT][number % 3],
            preexec_fn=lambda umask=[0o000, 0o077][number % 2]: os.umask(umask) and None,
            env={"TZ": ["UTC", "Asia/Tokyo"][number % 2], "PYTHONHASHSEED": str(number), "LC_ALL": "C"},
        )
        assert done.returncode == 0, done.stderr
        assert out.stat().st_mode & 0o777 == 0o755
        built.setdefault(python.zlib, {})[spelt(version)] = out.read_bytes()
    here = {version: content for group in built.values() for version, content in group.items()}
    assert len(here) >= FEWEST, f"it was built with {[*here]} only"
    for zlib, group in built.items():
        assert len(set(group.values())) == 1, f"{[*group]}, all with zlib {zlib}, do not build the same"
    with zipfile.ZipFile(pyz) as expected:
        for version, content in here.items():
            with zipfile.ZipFile(io.BytesIO(content)) as found:
                assert found.namelist() == sorted(expected.namelist()), version
                for name in found.namelist():
                    info = found.getinfo(name)
                    assert found.read(name) == expected.read(name), (version, name)
                    assert (info.date_time, info.external_attr >> 16) == ((1980, 1, 1, 0, 0, 0), 0o100644)
    assert pyz.read_bytes() == built[interpreters()[sys.version_info[:2]].zlib][spelt(sys.version_info[:2])]


@pytest.mark.slow
def test_it_makes_a_copy_of_itself(python: Interpreter, pyz: Path, tmp_path: Path) -> None:
    program = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "from kimi_tokenizers.commands.one_file import write_one_file\n"
        "write_one_file(pathlib.Path(sys.argv[2]))"
    )
    copy = tmp_path / "copy.pyz"
    done = subprocess.run(
        [python.path, "-I", "-S", "-c", program, str(pyz), str(copy)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    if python.zlib == interpreters()[sys.version_info[:2]].zlib:
        assert copy.read_bytes() == pyz.read_bytes()
    assert run(python, copy, tmp_path, "verify").returncode == 0


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    script = str(ROOT / "scripts" / "build_pyz.py")
    (tmp_path / "folder" / one_file.NAME / "x").mkdir(parents=True)
    for out in (tmp_path / "missing" / "k.pyz", tmp_path / "folder"):
        done = subprocess.run([sys.executable, script, str(out)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        [line] = done.stderr.splitlines()
        assert line.startswith(f"build_pyz.py: {out}")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == [one_file.NAME]


def test_a_bare_copy_of_the_package_does_not_make_it(tmp_path: Path) -> None:
    """The licences go with every copy; where there are none, none is made."""
    shutil.copytree(ROOT / "kimi_tokenizers", tmp_path / "kimi_tokenizers")
    program = "from kimi_tokenizers.commands.one_file import one_file; one_file()"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "OverlayError: kimi-tokenizers.pyz cannot be made here: the texts of the licences" in done.stderr


def test_the_first_lines_can_be_read_by_any_python() -> None:
    with zipfile.ZipFile(io.BytesIO(one_file.one_file())) as archive:
        main = archive.read("__main__.py").decode("ascii")
    assert ast.parse(main, feature_version=(3, 4))
    assert not {"f'", 'f"', "print "} & set(main.split())
