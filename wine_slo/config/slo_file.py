"""`slo.yml`, in which people write the objectives, and what it includes; every mistake has its file and line."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from wine_slo.config.files import slo_includes
from wine_slo.config.files.slo_includes import SloFileError
from wine_slo.config.files.slo_objective import Judgement, is_silent
from wine_slo.config.files.slo_page import Entry, Mistake, Page
from wine_slo.config.files.yaml_file import Place
from wine_slo.config.slo_extras import DrillEntry, series_of, wrong_with_deployments, wrong_with_drill
from wine_slo.config.slo_schema import SloFileEntry
from wine_slo.slo.objectives.objective import BURNS_WINDOW, Objective, Objectives, scopes_by_name
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.span import format_span, parse_span

LEAST_BLIND_FOR = timedelta(seconds=2)

__all__ = ["SloFile", "SloFileError", "load", "parse"]


@dataclass(frozen=True, slots=True)
class SloFile:
    """What a file says; it has objectives as soon as it is known how often their jobs are scraped.

    Attributes:
        name: Of the main file.
        silent_scopes: The jobs whose scrape interval it does not say.
    """

    name: str
    silent_scopes: tuple[Scope, ...]
    _pages: tuple[Page, ...]
    _places: Mapping[str, tuple[Page, Entry]]

    def objectives(self, intervals: Mapping[str, timedelta] = MappingProxyType({})) -> Objectives:
        """Return the objectives of the file.

        Args:
            intervals: How often jobs are scraped. What the file says itself goes before; one that neither says is 5 s.

        Raises:
            SloFileError: Not every line of it can be used.
        """
        return _objectives(self._pages, intervals)

    @property
    def drill(self) -> DrillEntry | None:
        """Return how a drill breaks the service; None where the file does not say it."""
        return self._pages[0].content.drill

    def lengthened(self, objectives: Objectives, known: Container[str]) -> list[str]:
        """Return a sentence for each span of the file that is too short for how often its job is scraped.

        Args:
            objectives: Of this file, with the spans as they are used.
            known: The jobs of which it is known.
        """
        found = []
        for name, (page, entry) in self._places.items():
            used = objectives.by_name[name]
            for field in ("bad_for", "good_for", "over"):
                text, length = getattr(entry.content, field), getattr(used, field)
                if used.job in known and text is not None and length > parse_span(text):
                    interval = format_span(used.scrape_interval)
                    sentence = f"is {text}, which is too short: {used.job} is scraped every {interval}, so it counts as"
                    place: Place = ("objectives", entry.number, field)
                    found += page.sentences([(place, f"{sentence} {format_span(length)}")])
        return found

    def left_out(self, objectives: Objectives) -> list[str]:
        """Return a sentence for each objective for which some of the usual burn-rate alerts can never fire."""
        sentences = []
        for each in objectives.all:
            if each.burns_left_out:
                rates = ", ".join(
                    f"{burn.factor(BURNS_WINDOW):g} over {format_span(burn.long)}" for burn in each.burns_left_out
                )
                where = self.place(each.name, "objective")
                sentences.append(
                    f"{where}: {each.name} has not the usual burn-rate alerts that can never fire: {rates}"
                )
        return sentences

    def place(self, objective: str, field: str) -> str:
        """Return where a field of an objective stands: `slo.yml:14`."""
        page, entry = self._places[objective]
        there: Place = ("objectives", entry.number, field)
        if field in SloFileEntry.__struct_fields__ and there not in page.lines:
            there = (field,)
        return f"{page.name}:{page.line(there)}"


def load(path: Path) -> SloFile:
    """Return what a file and those that it includes say.

    Raises:
        SloFileError: One cannot be read, or not every line of it can be used.
    """
    return _file(*slo_includes.load(path))


def parse(text: str, name: str = "slo.yml") -> SloFile:
    """Return what a text says; `name`, its path, stands in front of each mistake.

    Raises:
        SloFileError: Not every line of it can be used.
    """
    return _file(*slo_includes.parse(text, name))


def _file(pages: list[Page], unread: list[str]) -> SloFile:
    try:
        objectives = _objectives(pages, {}, is_whole=not unread)
    except SloFileError as error:
        raise SloFileError([*unread, *error.mistakes]) from error
    if unread:
        raise SloFileError(unread)
    places = {each.content.name: (page, each) for page in pages for each in page.entries}
    silent = {name for name, (page, each) in places.items() if is_silent(page.content, each.content)}
    scopes = scopes_by_name(each for each in objectives.all if each.name in silent)
    return SloFile(pages[0].name, tuple(scopes.values()), tuple(pages), places)


def _objectives(pages: Iterable[Page], intervals: Mapping[str, timedelta], *, is_whole: bool = True) -> Objectives:
    """Return the objectives of files, at how often their jobs are scraped.

    Args:
        pages: The files, the main one first.
        intervals: How often jobs are scraped.
        is_whole: Whether these are all files.

    Raises:
        SloFileError: Anything is wrong with any of them.
    """
    main, *_ = pages = tuple(pages)
    objectives: list[Objective] = []
    sentences: list[str] = []
    jobs: set[str] = set()
    named: dict[str, tuple[Page, Entry]] = {}
    for page in pages:
        found = [*page.mistakes, *(_wrong_with_all(page, pages, is_whole=is_whole) if page is main else ())]
        for entry in page.entries:
            judgement = Judgement(page, entry, intervals)
            found += [(_place(entry, field), sentence) for field, sentence in judgement.mistakes]
            if judgement.mistakes and is_silent(page.content, entry.content):
                jobs.add(judgement.job)
            if judgement.objective is not None:
                objectives.append(judgement.objective)
            name = entry.content.name
            if "name" not in entry.wrong.fields and named.setdefault(name, (page, entry)) != (page, entry):
                found.append((("objectives", entry.number, "name"), _repeated(name, page, *named[name])))
        sentences += page.sentences(found)
    if sentences:
        raise SloFileError(sentences, frozenset(jobs))
    return Objectives(
        tuple(objectives),
        blind_for=parse_span(main.content.blind_for),
        target_down=main.content.target_down not in (False, "off"),
        deployments=series_of(main.content.deployments),
    )


def _wrong_with_all(main: Page, pages: Iterable[Page], *, is_whole: bool) -> list[Mistake]:
    """Return what is wrong with what only the main file says, and with all files together.

    What a drill names is not held against names that cannot be read.
    """
    found: list[Mistake] = []
    if parse_span(main.content.blind_for) < LEAST_BLIND_FOR:
        found.append((("blind_for",), "must be 2s or more: it is two evaluations at least"))
    if not any(page.entries or page.mistakes for page in pages):
        found.append((("objectives",), "must hold at least one objective"))
    drill, entries = main.content.drill, [entry for page in pages for entry in page.entries]
    are_known = is_whole and not any("name" in entry.wrong.fields for entry in entries)
    names = {entry.content.name for entry in entries} if are_known else None
    if not main.wrong.explains("drill", ""):
        found += [(("drill",), each) for each in wrong_with_drill(drill, names)]
    for number, field, sentence in wrong_with_deployments(main.content.deployments):
        if not main.wrong.explains(f"deployments.{number}.{field}", sentence):
            found.append((("deployments", number, field), sentence))
    return found


def _place(entry: Entry, dotted: str) -> Place:
    """Return the place of a field of an objective: in the file, where that says it for all of its objectives."""
    field: Place = tuple(int(part) if part.isdigit() else part for part in dotted.split("."))
    is_of_file = field[0] in SloFileEntry.__struct_fields__ and getattr(entry.content, str(field[0]), None) is None
    return field if is_of_file else ("objectives", entry.number, *field)


def _repeated(name: str, page: Page, first_page: Page, first: Entry) -> str:
    """Return that an objective has the name of an earlier one."""
    where = "" if first_page is page else f", {first_page.name}:{first_page.line(('objectives', first.number, 'name'))}"
    return f"is {name!r}, as another objective's is{where}"
