"""Every exit status of every command."""

from tools.reference.markdown import code, table
from wine_slo.exit_status import OF_COMMANDS, ExitStatus


def of_all() -> str:
    """Return what each status means."""
    return table(("status", "meaning"), ((f"{each:d}", each.__doc__ or "") for each in ExitStatus))


def of_commands() -> str:
    """Return what each status of a command says."""
    rows = (
        (code(f"wine-slo {command}"), f"{status:d}", meaning)
        for command, statuses in OF_COMMANDS.items()
        for status, meaning in statuses.items()
    )
    return table(("command", "status", "when"), rows)
