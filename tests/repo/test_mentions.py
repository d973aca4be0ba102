"""Documents cannot lie: what they, the examples and the messages mention exists, and so does its counterpart."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest

from tests.repo.mentions import ROOT, Mention, Text, arguments, found, in_code, pieces, texts
from tools.reference import bot, command_line, endpoints, metrics, processes, settings
from wine_slo import exit_status
from wine_slo.config import environment
from wine_slo.config.slo_schema import schema
from wine_slo.monitor.publish import inbox
from wine_slo.service.app import routes_of
from wine_slo.service.web import openapi
from wine_slo.slo.views import status_schema

Check = Callable[[Sequence[Text]], Sequence[Mention | str]]


@pytest.fixture(scope="module")
def project() -> list[Text]:
    return list(texts())


def listed(wrong: Sequence[Mention | str]) -> str:
    """All of them, a line each; pytest itself shows the first alone."""
    return "\n".join(dict.fromkeys(map(str, wrong)))


# Settings

SETTING = re.compile(r"\b(WINE_SLO_[A-Z0-9_]+)")
# What only tests read: how long they run, and what they write anew.
READ_BY_TESTS = re.compile(r'environ(?:\.get\(|\[)"(WINE_SLO_[A-Z_]+)|"(WINE_SLO_[A-Z_]+)" in os.environ')


def variables() -> set[str]:
    listed = {name for group in settings.groups().values() for setting in group for name in setting.variables}
    tests = (path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    of_tests = {name for text in tests for names in READ_BY_TESTS.findall(text) for name in names if name}
    return listed | of_tests | {environment.WHERE}


def wrong_settings(those: Sequence[Text]) -> list[Mention]:
    known = variables()
    return [
        each
        for each in found(SETTING, those)
        if each.name not in known
        and not (each.name.endswith("_") and any(name.startswith(each.name) for name in known))
    ]


def test_every_setting_that_is_mentioned_exists(project: list[Text]) -> None:
    assert not (wrong := wrong_settings(project)), listed(wrong)


# Commands


NAME = re.compile(r"[a-z][a-z-]*")


def wrong_commands(those: Sequence[Text]) -> list[str]:
    lines = arguments("wine-slo", in_code(those))
    return [f"{place}: {wrong}" for place, words in lines if (wrong := _wrong(words))]


OPTION = re.compile(r"^(--[a-z][\w.-]*)")
OF_PROMETHEUS = ("--web.", "--query-range.", "--storage.")


def wrong_options(those: Sequence[Text]) -> list[Mention]:
    """An option that stands alone is one of some command."""
    known = {name for command in command_line.commands() for each in _options(command) for name in _names(each)}
    spans = [each for each in in_code(those) if "\n" not in each.text]
    return [each for each in found(OPTION, spans) if each.name not in known and not each.name.startswith(OF_PROMETHEUS)]


def _wrong(words: list[str]) -> str:
    """What of a command line the command does not have; nothing where it can be typed as it stands."""
    name, rest = "", list(words)
    while rest:
        word = rest.pop(0)
        options = {option: each for each in _options(name) for option in _names(each)}
        if word.startswith("--"):
            option, _, value = word.partition("=")
            if option not in options:
                return f"wine-slo {name} has no option {option}"
            if not (value or options[option].is_flag):
                rest[:1] = []
        elif getattr(command_line.commands()[name], "commands", None):
            if not NAME.fullmatch(word):
                return ""  # a placeholder, or a pattern
            name = f"{name} {word}".strip()
            if name not in command_line.commands():
                return f"there is no command wine-slo {name}"
    return ""


class Help:
    opts, secondary_opts, is_flag = ("--help",), (), True


def _options(name: str) -> list[Any]:
    params = command_line.commands()[name].params
    return [Help, *(each for each in params if each.param_type_name == "option")]


def _names(option: Any) -> tuple[str, ...]:
    return (*option.opts, *option.secondary_opts)


def test_every_option_that_is_mentioned_belongs_to_a_command(project: list[Text]) -> None:
    written_for_users = [each for each in project if not each.path.startswith(("benchmarks/", "dashboards/", "tools/"))]
    assert not (wrong := wrong_options(written_for_users)), listed(wrong)


def test_every_command_that_is_mentioned_can_be_typed(project: list[Text]) -> None:
    assert not (wrong := wrong_commands(project)), listed(wrong)


# Endpoints, and commands of the bot

PATH = re.compile(r"^(?:GET |POST )?(/[^\s?]*)")
IN_SENTENCE = re.compile(r"(?<![\w/.:<>\"'`}])(/[a-zа-я_]+)\b(?!/)")
URL = re.compile(r"(?:127\.0\.0\.1|localhost):800[01](/[^\s?\"'`<>)]*)")
OF_MACHINES = re.compile(r"/(etc|opt|var|dev|proc|tmp|run|usr|root|app|home|sys|lib|bin|srv|mnt)(/|$)")
# A command of @BotFather, and endpoints of Prometheus and of services in examples.
OF_OTHERS = re.compile(r"/(revoke|api/v1/.*|checkout)$")


def is_known(path: str) -> bool:
    word = path.removeprefix("/").partition("@")[0]
    return word in bot.words() or any(each.match(path) for each in (_endpoint(), OF_MACHINES, OF_OTHERS))


@cache
def _endpoint() -> re.Pattern[str]:
    holes = ("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", path))) for path in endpoints.paths())
    return re.compile(f"(?:{'|'.join(holes)})$")


def wrong_paths(those: Sequence[Text]) -> list[Mention]:
    spans = (each for each in in_code(those) if "\n" not in each.text)
    return [each for each in (*found(PATH, spans), *found(URL, those)) if not is_known(each.name)]


def test_every_endpoint_and_command_of_the_bot_that_is_mentioned_exists(project: list[Text]) -> None:
    documents = [each for each in project if each.path.endswith((".md", ".ipynb.md"))]
    assert not (wrong := wrong_paths(documents)), listed(wrong)


def test_every_command_of_the_bot_in_a_message_exists(project: list[Text]) -> None:
    catalogue = [each for each in project if each.path.endswith(".po")]
    assert catalogue
    wrong = [each for each in found(IN_SENTENCE, catalogue) if not is_known(each.name)]
    assert not wrong, listed(wrong)


# Metrics

# The first words of our metrics that no other exporter begins with.
OUR_METRIC = re.compile(
    r"(?<![\w{./$-])((?:watchdog|slo|predictions?|model|feature|responses|oldest_request|requests_in)_[a-z0-9_]+)\b"
    r"(?![.(])"
)


def other_names() -> set[str]:
    """What reads like a metric and is something else: a field of a file, of a document or of the settings."""
    fields = {field for entry in schema()["$defs"].values() for field in entry["properties"]}
    fields |= {setting.field for group in settings.groups().values() for setting in group}
    return fields | {field for each in vars(status_schema).values() for field in getattr(each, "__struct_fields__", ())}


def wrong_metrics(those: Sequence[Text]) -> list[Mention]:
    known = metrics.names() | other_names()
    return [each for each in found(OUR_METRIC, in_code(those)) if each.name not in known]


def test_every_metric_that_is_mentioned_is_exported(project: list[Text]) -> None:
    assert not (wrong := wrong_metrics([each for each in project if not each.path.endswith(".py")])), listed(wrong)


# Targets of make

NAME_OF_TARGET = r"make ([a-z]+(?:-[a-z]+)*)\b(?!-)"
TARGET = re.compile(rf"(?:`|# |run: |\$ ){NAME_OF_TARGET}")
TARGET_ALONE = re.compile(rf"^ *{NAME_OF_TARGET}", re.MULTILINE)
MAKEFILE = (ROOT / "Makefile").read_text()


def targets() -> set[str]:
    return {*re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)}


def wrong_targets(those: Sequence[Text]) -> list[Mention]:
    known = targets()
    blocks = (each for each in those if each.is_code and not each.path.endswith(".py"))
    return [each for each in (*found(TARGET, those), *found(TARGET_ALONE, blocks)) if each.name not in known]


def test_every_target_of_make_that_is_mentioned_exists(project: list[Text]) -> None:
    assert not (wrong := wrong_targets(project)), listed(wrong)


def test_the_makefile_begins_with_what_each_of_its_targets_is_for() -> None:
    named = {*re.findall(r"^# make ([a-z-]+)", MAKEFILE, re.MULTILINE)}
    assert named == targets()


# Exit statuses

NUMBERED = re.compile(r"(?:sys\.exit|os\._exit|typer\.Exit|SystemExit)\((\d+)\)")


def test_every_command_has_its_exit_statuses() -> None:
    """A group of commands alone prints its help."""
    ends = {name for name, each in command_line.commands().items() if not getattr(each, "commands", None)}
    assert exit_status.OF_COMMANDS.keys() == ends


def test_no_exit_status_is_a_number_of_its_own() -> None:
    code = [Text(str(path.relative_to(ROOT)), 1, path.read_text()) for path in (ROOT / "wine_slo").rglob("*.py")]
    assert not (wrong := list(found(NUMBERED, code))), listed(wrong)


# What an endpoint answers with

STATUS = re.compile(r"(?:Problem\(|status=)([1-5]\d\d)\b")


def test_the_statuses_of_reports_are_those_that_their_code_answers_with() -> None:
    source = (ROOT / "wine_slo" / "monitor" / "publish" / "inbox.py").read_text()
    routes = processes.watchdog().ticker.routes()
    declared = {status for path in inbox.PATHS for status in routes[path].statuses}
    assert {int(each) for each in STATUS.findall(source)} == declared


def test_the_contract_has_no_status_that_the_reference_lacks() -> None:
    routes = routes_of(processes.SERVER)
    for path, operations in (openapi.PATHS | openapi.FAULTS).items():
        (operation,) = operations.values()
        statuses = {int(each) for each in operation["responses"] if each.isdecimal()}
        assert statuses - {*routes[path].statuses} == set(), path


# What is wrong is found


@pytest.mark.parametrize(
    ("check", "text", "wrong"),
    [
        (wrong_settings, "Set `WINE_SLO_PORTS`.", "page.md:1"),
        (wrong_commands, "\nRun `wine-slo explode`.", "page.md:2"),
        (wrong_commands, "```\n$ wine-slo check --fast\n```", "page.md:2"),
        (wrong_commands, "```sh\nA=1 .venv/bin/wine-slo ledger restore x | head\n```", "page.md:2"),
        (wrong_options, "Give it `--fast`.", "page.md:1"),
        (wrong_paths, "See `/api/state`.", "page.md:1"),
        (wrong_paths, "Write `/acknowledged 12`.", "page.md:1"),
        (wrong_paths, "<http://127.0.0.1:8001/statuses>", "page.md:1"),
        (wrong_metrics, "\n\n`watchdog_ticks_total`", "page.md:3"),
        (wrong_targets, "```\nmake everything\n```", "page.md:2"),
    ],
)
def test_what_does_not_exist_is_named_with_its_file_and_line(check: Check, text: str, wrong: str) -> None:
    (mention,) = {str(each) for each in check([*pieces("page.md", text)])}
    assert mention.startswith(f"{wrong}: ")
