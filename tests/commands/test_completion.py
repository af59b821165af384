"""`completion`, in the real shells: each offers the commands, the options and the choices of the table."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kimi_tokenizers.commands import completion
from kimi_tokenizers.commands.arguments import COMMANDS, SHELLS


def needs(shell: str) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed here")
    return path


def output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def by_bash(script: Path, *words: str) -> set[str]:
    quoted = " ".join(f"'{word}'" for word in words)
    code = f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _kimi_tokenizers"
    return set(output(needs("bash"), "--norc", "-c", code + '; printf "%s\\n" "${COMPREPLY[@]}"').split())


def by_fish(script: Path, *words: str) -> set[str]:
    code = f"source {script}; complete -C '{' '.join(words)}'"
    return {line.split("\t")[0] for line in output(needs("fish"), "--no-config", "-c", code).splitlines()}


@pytest.mark.parametrize("by", [by_bash, by_fish])
def test_commands_options_and_choices_are_offered(tmp_path: Path, by: object) -> None:
    assert callable(by)
    script = tmp_path / "completion"
    script.write_text(completion.bash() if by is by_bash else completion.fish())
    offered = by(script, "kimi-tokenizers", "")
    assert offered >= set(COMMANDS)
    assert by(script, "kimi-tokenizers", "s") == {"status", "sync"}
    assert by(script, "kimi-tokenizers", "sync", "--dr") == {"--dry-run"}
    assert by(script, "kimi-tokenizers", "sync", "--no") == {"--no-lock"}
    assert by(script, "kimi-tokenizers", "completion", "f") == {"fish"}


@pytest.mark.slow
def test_zsh_completes_what_is_typed(tmp_path: Path) -> None:
    zsh = needs("zsh")
    script = tmp_path / "completion"
    script.write_text(completion.zsh())
    driver = f"""
zmodload zsh/zpty
zpty z {zsh} -f -i
zpty -w z "PROMPT='> '; autoload -Uz compinit; compinit -u -D; source {script}; echo REA''DY"
zpty -r -m z out '*READY*'
for typed in 'sync --dr' expl 'completion f'; do
  zpty -w -n z $'\\x15'"kimi-tokenizers $typed"$'\\t'
  sleep 3
done
zpty -w -n z $'\\x15exit\\n'
while zpty -r z out; do print -r -- "$out"; done
"""
    said = subprocess.run(
        [zsh, "-f", "-c", driver], capture_output=True, text=True, timeout=60, check=False, env={"TERM": "xterm"}
    ).stdout
    for text in ("--dry-run", "explain", "ish"):  # what zsh adds to what was typed
        assert text in said


@pytest.mark.parametrize("shell", SHELLS)
def test_every_word_of_the_table_is_in_every_script(shell: str) -> None:
    text = {"bash": completion.bash, "zsh": completion.zsh, "fish": completion.fish}[shell]()
    for name, command in COMMANDS.items():
        assert name in text
        for argument in command.arguments:
            if argument.name.startswith("--"):
                assert argument.name[2:] in text
