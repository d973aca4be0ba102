"""Questions that somebody answers at a terminal; the answers that are proposed are taken by Enter.

All raise EOFError where there is no answer: Ctrl-C or Ctrl-D, or the terminal is gone.
"""

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import typer

from wine_slo.config.visible import visible, visible_lines

T = TypeVar("T")


def can_be_answered() -> bool:
    """Return whether somebody sits at standard input and output."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def confirmed(question: str) -> bool:
    """Return whether the answer is yes, which Enter is too.

    Raises:
        EOFError: There is none.
    """
    try:
        return typer.confirm(visible_lines(question), default=True)
    except typer.Abort as error:
        typer.echo()
        raise EOFError from error


def answer(question: str, proposed: str, read: Callable[[str], T]) -> T:
    """Return an answer that can be read; the question is repeated until there is one.

    Args:
        question: What is wanted.
        proposed: The answer that Enter gives.
        read: Returns the value of an answer; raises ValueError, whose text says what is wanted, where it is none.

    Raises:
        EOFError: There is none.
    """
    while True:
        try:
            text = typer.prompt(visible(question), default=proposed, type=str)
            return read(text.strip())
        except typer.Abort as error:
            typer.echo()
            raise EOFError from error
        except ValueError as error:
            typer.echo(f"That {error}.")


def chosen(question: str, names: Sequence[str]) -> list[str]:
    """Return some of these names, in their order; all by Enter."""

    def read(text: str) -> list[str]:
        if text == "all":
            return list(names)
        wanted = {part.strip() for part in text.split(",") if part.strip()}
        unknown = sorted(wanted - set(names))
        if unknown or not wanted:
            raise ValueError(f"names no {', '.join(unknown) or 'job'}; write names with commas between, or all")
        return [each for each in names if each in wanted]

    return answer(question, "all", read)
