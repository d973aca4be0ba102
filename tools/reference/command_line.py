"""Every command, argument and option, as typer's own tree has them."""

from collections.abc import Iterator, Mapping
from functools import cache
from inspect import cleandoc
from typing import Any

import typer

from tools.reference.markdown import code, table
from wine_slo.cli import app

HEAD = ("argument or option", "value", "default", "what it is for")


@cache
def commands() -> Mapping[str, Any]:
    """Return every command by what is typed after `wine-slo`; the program itself is the empty text."""
    return dict(_commands(typer.main.get_command(app), ""))


def page() -> str:
    """Return a section for each command that is not hidden."""
    return "\n\n".join(_section(name, command) for name, command in commands().items() if not command.hidden)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for each, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{name} {each}".strip())


def _section(name: str, command: Any) -> str:
    typed = f"wine-slo {name}".strip()
    usage = command.get_usage(typer.Context(command, info_name=typed)).removeprefix("Usage: ")
    rows = [_row(each) for each in command.params]
    parts = (f"## `{typed}`", f"```\n{usage}\n```", cleandoc(command.help or ""), table(HEAD, rows) if rows else "")
    return "\n\n".join(filter(None, parts))


def _row(each: Any) -> tuple[str, ...]:
    is_argument = each.param_type_name == "argument"
    is_flag = not is_argument and each.is_flag
    names = (each.metavar or each.name,) if is_argument else (*each.opts, *each.secondary_opts)
    value = f"{each.min:g} to {each.max:g}" if each.min is not None else "" if is_argument else code(each.metavar or "")
    default = "must be given" if each.required else "" if each.default is None else code(str(each.default))
    return ", ".join(map(code, names)), value, "" if is_flag else default, each.help or ""
