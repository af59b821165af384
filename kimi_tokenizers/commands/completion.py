"""`completion`: what bash, zsh and fish need to complete this command line, made from the table of commands.

It is written here, because the one file for operators and a clone have no package that could do it. Every script calls
nothing back: completing starts no Python.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

from kimi_tokenizers.commands.arguments import COMMANDS, Command
from kimi_tokenizers.commands.output import emit

_NAMES = "kimi-tokenizers kimi-tokenizers.pyz"


class _Option(NamedTuple):
    name: str
    what: str
    takes_value: bool


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    for line in {"bash": bash, "zsh": zsh, "fish": fish}[arguments.shell]().splitlines():
        emit(line)
    return 0


def bash() -> str:
    """For bash 3.2 (a Mac's own) and newer. Without a match it leaves file names to bash."""
    cases = "".join(
        f'    {name}) words="{" ".join([*(option.name for option in _options(command)), *_choices(command)])}" ;;\n'
        for name, command in COMMANDS.items()
    )
    return f"""\
_kimi_tokenizers() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" command="${{COMP_WORDS[1]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{" ".join([*COMMANDS, *_GENERAL])}" -- "$current"))
    return
  fi
  case "$command" in
{cases}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _kimi_tokenizers {_NAMES}
"""


def zsh() -> str:
    """For zsh's own completion system, which is started if it was not yet."""
    commands = "\n".join(f"    {_quoted(f'{name}:{command.what}')}" for name, command in COMMANDS.items())
    cases = ""
    for name, command in COMMANDS.items():
        options = " ".join(_quoted(f"{option.name}:{option.what}") for option in _options(command))
        choices = " ".join(map(_quoted, _choices(command)))
        more = f"\n      (( CURRENT == 3 )) && compadd -- {choices}" if choices else ""
        cases += f"    {name}) options=({options}){more} ;;\n"
    return f"""\
#compdef {_NAMES}
_kimi_tokenizers() {{
  local -a commands options
  commands=(
{commands}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "$words[2]" in
{cases}  esac
  if [[ "$PREFIX" == -* ]]; then
    _describe option options
  else
    _files
  fi
}}
(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit; }}
compdef _kimi_tokenizers {_NAMES}
"""


def fish() -> str:
    """For fish."""
    lines = []
    for program in _NAMES.split():
        for name, command in COMMANDS.items():
            what = _fish_quoted(command.what)
            lines.append(f"complete -c {program} -n __fish_use_subcommand -f -a {name} -d {what}")
            inside = f"-n '__fish_seen_subcommand_from {name}'"
            for option in _options(command):
                value = " -r" if option.takes_value else ""
                what = _fish_quoted(option.what)
                lines.append(f"complete -c {program} {inside} -l {option.name[2:]}{value} -d {what}")
            for choice in _choices(command):
                lines.append(f"complete -c {program} {inside} -f -a {choice}")
    return "\n".join(lines) + "\n"


_GENERAL = ("--help", "--version")


def _options(command: Command) -> Iterator[_Option]:
    yield _Option("--help", "Say what it does and takes.", False)
    for argument in command.arguments:
        if argument.name.startswith("--"):
            action = argument.settings.get("action")
            what = str(argument.settings["help"]).replace("%(default)s", str(argument.settings.get("default")))
            yield _Option(argument.name, what, action in (None, "append"))
            if action is argparse.BooleanOptionalAction:
                yield _Option(f"--no-{argument.name[2:]}", what, False)


def _choices(command: Command) -> list[str]:
    """The words that an operand can be."""
    operands = (argument for argument in command.arguments if not argument.name.startswith("--"))
    return [str(choice) for argument in operands for choice in argument.settings.get("choices", ())]


def _quoted(text: str) -> str:
    """A text in single quotes, for bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    """A text in single quotes, for fish, where a backslash escapes inside them."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
