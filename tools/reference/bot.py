"""Every command of the bot, as its router answers them."""

from tools.reference.markdown import code, table
from tools.reference.processes import watchdog
from wine_slo.monitor.chatops.router import ALIASES, OF_STRANGERS
from wine_slo.slo.chat.messages import Command

HEAD = ("command", "what it does", "who may", "other words")


def page() -> str:
    """Return the table of the commands, in the order of `/help`."""
    return table(HEAD, map(_row, watchdog().router.commands))


def words() -> frozenset[str]:
    """Return every word after a slash that the bot knows."""
    return frozenset({each.name for each in watchdog().router.commands} | ALIASES.keys())


def _row(command: Command) -> tuple[str, ...]:
    others = (word for word, name in ALIASES.items() if name == command.name)
    return code(f"/{command.name} {command.usage}".strip()), command.help, _who(command), ", ".join(map(code, others))


def _who(command: Command) -> str:
    if command.is_for_first_chats:
        return "who may change, but not from an escalation chat"
    if command.changes:
        return "who may change"
    return "anybody" if command.name in OF_STRANGERS else "who may query"
