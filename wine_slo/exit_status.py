"""What a process ends with: the exit statuses of every command, and what each of them means there.

`--help` of a command and docs/reference/exit-codes.md are written from these. Users rely on the numbers, so they stay.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Self


class ExitStatus(IntEnum):
    """An exit status; its docstring is what it means wherever a command does not say more."""

    OK = 0, "It is done, and what was checked is right."
    FAILED = 1, "It could not be done, or what was checked is not right; also a fault that nobody expected."
    BAD_INPUT = (
        2,
        "Input (an argument, a setting, a file) cannot be used, or an extra is not installed; nothing was done.",
    )
    NO_DATA = 3, "What was queried does not answer, or what it knows is not enough for an answer."
    TOO_LITTLE_TRAFFIC = 4, "There were no requests, or too few for a judgement."
    OUTPUT_LOST = 74, "All is right, but standard output cannot be written, as on a full disk (EX_IOERR of sysexits.h)."
    INTERRUPTED = 130, "Ctrl-C, as a shell has it: 128 and the number of SIGINT."

    def __new__(cls, number: int, meaning: str) -> Self:
        """Return a member with its docstring."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.__doc__ = meaning
        return member


# Where more than the docstring is to say: what a status means after each command.
OF_COMMANDS: Mapping[str, Mapping[ExitStatus, str]] = {
    "train": {
        ExitStatus.OK: "the model and its card are written",
        ExitStatus.BAD_INPUT: "they cannot be written",
    },
    "server": {
        ExitStatus.OK: "SIGTERM or SIGINT has stopped it",
        ExitStatus.FAILED: "its address cannot be listened on",
        ExitStatus.BAD_INPUT: "a setting is wrong",
    },
    "watchdog": {
        ExitStatus.OK: "SIGTERM or SIGINT has stopped it",
        ExitStatus.FAILED: "another watchdog holds the ledger or has taken it, the ledger cannot be read, its address "
        "cannot be listened on, or a part of it has ended or stalled",
        ExitStatus.BAD_INPUT: "a setting or the file of objectives is wrong, or the ledger on PostgreSQL cannot be "
        "used",
    },
    "check": {
        ExitStatus.OK: "met: every objective is met, or suspicious but not for long enough to be in breach",
        ExitStatus.FAILED: "breached: at least one is in breach",
        ExitStatus.BAD_INPUT: "bad_configuration: settings or the file of objectives cannot be used, or there is no "
        "objective of that name",
        ExitStatus.NO_DATA: "cannot_see: Prometheus cannot be queried, its answer cannot be trusted, all scrapes of "
        "the service fail, or a metric of an objective does not exist or its labels can never match",
        ExitStatus.TOO_LITTLE_TRAFFIC: "too_little_traffic: no requests, or too few for a judgement",
    },
    "validate": {
        ExitStatus.OK: "every file can be used",
        ExitStatus.BAD_INPUT: "there is a mistake in one of them",
    },
    "init": {
        ExitStatus.OK: "the file is written",
        ExitStatus.BAD_INPUT: "nothing is written: a setting is wrong, Prometheus cannot be queried or scrapes nothing "
        "yet, no file of another tool can be read or taken over, or there is a file already",
        ExitStatus.INTERRUPTED: "Ctrl-C, or the end of the input, before the file was written",
    },
    "status": {
        ExitStatus.OK: "the watchdog's last evaluation is of now",
        ExitStatus.FAILED: "it is too old to be the present",
        ExitStatus.BAD_INPUT: "a setting is wrong",
        ExitStatus.NO_DATA: "no watchdog answers",
    },
    "drill": {
        ExitStatus.OK: "every step happened as soon as the settings imply",
        ExitStatus.FAILED: "a step did not happen within --minutes, or was late; or the stop command has failed, also "
        "after Ctrl-C",
        ExitStatus.BAD_INPUT: "settings or the file of objectives cannot be used",
        ExitStatus.NO_DATA: "there was no drill: the objective is in breach or suspicious already, the watchdog does "
        "not answer or cannot judge it, or what is to be broken does not answer, is not this service, has no /sleep or "
        "is too busy",
        ExitStatus.INTERRUPTED: "Ctrl-C; nothing breaks the service any more",
    },
    "replay": {
        ExitStatus.OK: "the report is printed",
        ExitStatus.BAD_INPUT: "an option, a setting or a file cannot be used, or Prometheus refuses the query",
        ExitStatus.NO_DATA: "Prometheus does not answer, or has no data for the time range",
        ExitStatus.INTERRUPTED: "Ctrl-C; the same command continues from there, unless it had --no-keep",
    },
    "suggest": {
        ExitStatus.OK: "there is enough data for at least one objective",
        ExitStatus.BAD_INPUT: "settings or a file cannot be used",
        ExitStatus.NO_DATA: "Prometheus does not answer, or knows too little for any objective",
        ExitStatus.INTERRUPTED: "Ctrl-C; the same command continues from there",
    },
    "doctor": {
        ExitStatus.OK: "there is at most a warning",
        ExitStatus.FAILED: "something is wrong",
    },
    "ledger backup": {
        ExitStatus.OK: "the file is written",
        ExitStatus.FAILED: "the ledger cannot be read, or the file cannot be written or is there already",
        ExitStatus.BAD_INPUT: "a setting is wrong",
    },
    "ledger copy": {
        ExitStatus.OK: "everything is copied, and was read back",
        ExitStatus.FAILED: "nothing is copied: a watchdog works with the source, the target holds something, or one of "
        "them cannot be used",
        ExitStatus.BAD_INPUT: "an address is none",
    },
    "ledger check": {
        ExitStatus.OK: "the ledger is whole",
        ExitStatus.FAILED: "it is damaged, or cannot be read",
        ExitStatus.BAD_INPUT: "a setting is wrong, or there is no ledger yet",
    },
    "is-set": {
        ExitStatus.OK: "the variable has a value",
        ExitStatus.FAILED: "it has none",
        ExitStatus.BAD_INPUT: "`.env` cannot be read",
    },
}


def epilogue(command: str) -> str:
    """Return what `--help` says of the exit statuses of a command, a line each."""
    return "\n".join(("Exit status:", *(f"{status:d}  {meaning}" for status, meaning in OF_COMMANDS[command].items())))
