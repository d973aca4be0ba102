"""Import SLOs: find out which tool wrote a text, take over what can be, and say of each what became of it."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wine_slo.config import slo_file
from wine_slo.config.files import text_file
from wine_slo.config.files.yaml_file import YamlError
from wine_slo.monitor.onboarding.importing.documents import Part, documents
from wine_slo.monitor.onboarding.importing.formats import openslo, pyrra, rules, slo_generator, sloth
from wine_slo.monitor.onboarding.importing.formats.openslo_window import CALENDAR
from wine_slo.monitor.onboarding.importing.promql.expression import ExpressionError
from wine_slo.monitor.onboarding.importing.remarks import CHANGED
from wine_slo.monitor.onboarding.importing.slo import Built, Slo
from wine_slo.monitor.onboarding.slo_writer import Section, write
from wine_slo.slo.objectives.objective import TAKEN

LONGEST_NAME = 100
ENDINGS = ("*.yml", "*.yaml", "*.json")


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one SLO.

    Attributes:
        where: File and line.
        fields: The objective as slo.yml has it; empty where it is left out.
        remarks: What was changed or left out, and why.
        same_as: The name of another entry that says exactly the same; empty where there is none.
    """

    name: str
    where: str
    fields: dict[str, Any] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    same_as: str = ""

    @property
    def is_changed(self) -> bool:
        """Return whether it no longer means quite the same."""
        return any(each.startswith(CHANGED) for each in self.remarks)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of all.

    Attributes:
        time_zone: Of calendar windows; empty where there are none.
        mistakes: Files that cannot be read, and why.
        skipped: Files in which there are no SLOs.
    """

    entries: Sequence[Entry]
    time_zone: str = ""
    mistakes: Sequence[str] = ()
    skipped: Sequence[str] = ()

    @property
    def taken(self) -> list[Entry]:
        """Return what is taken over."""
        return [each for each in self.entries if each.fields]


def import_files(paths: Sequence[Path]) -> Imported:
    """Return what becomes of the SLOs in files and, of folders, in all YAML and JSON files in them."""
    texts: list[tuple[str, str]] = []
    mistakes: list[str] = []
    unread: list[str] = []
    for path in paths:
        found = _files(path)
        if not found:
            mistakes.append(f"{path}: there is no YAML or JSON file")
        for each in found:
            try:
                texts.append((str(each), text_file.read(each)))
            except text_file.TextFileError as error:
                (unread if path.is_dir() else mistakes).append(f"{each} cannot be read: {error}")
    imported = import_texts(texts)
    wrong = [each for each in imported.mistakes if each.startswith(tuple(f"{path}:" for path in paths))]
    others = [each for each in imported.mistakes if each not in wrong]
    return Imported(imported.entries, imported.time_zone, [*mistakes, *wrong], [*unread, *others, *imported.skipped])


def _files(path: Path) -> list[Path]:
    """Return the files that a path stands for: a file, those of a folder, or those of a pattern nobody has expanded."""
    if path.is_dir():
        return sorted({each for ending in ENDINGS for each in path.rglob(ending) if each.is_file()})
    if not path.exists() and any(sign in str(path) for sign in "*?["):
        return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    return [path]


def import_texts(texts: Sequence[tuple[str, str]]) -> Imported:
    """Return what becomes of the SLOs in texts, each with the name of its file."""
    found: list[Part] = []
    mistakes, skipped = [], []
    for name, text in texts:
        try:
            parts = documents(text, name)
        except YamlError as error:
            mistakes.append(f"{name}:{error.line}: {error}")
            continue
        if not any(map(_is_known, parts)):
            skipped.append(f"{name}: no SLO or alerting rule that is known here")
        found += parts
    slos = list(_slos(found))
    zones = list(dict.fromkeys(each.time_zone for each in slos if each.time_zone))
    entries = _named([entry for each in slos for entry in _entries(each, zones)])
    checked = [_checked(each) for each in entries]
    has_calendar = any(each.fields.get("window") in CALENDAR for each in checked)
    return Imported(checked, zones[0] if has_calendar else "", mistakes, skipped)


def _is_known(part: Part) -> bool:
    formats = (sloth.reads, pyrra.reads, openslo.reads, slo_generator.reads, slo_generator.reads_globo, rules.reads)
    return any(reads(part) for reads in formats)


def _slos(parts: Sequence[Part]) -> Iterator[Slo]:
    """Return the SLOs of all documents, in their order; alerts last, as several of them can be one."""
    recorded = rules.records(parts)
    beside = openslo.others(parts, recorded)
    for part in parts:
        if sloth.reads(part):
            yield from sloth.slos(part, recorded)
        elif pyrra.reads(part):
            yield from pyrra.slos(part)
        elif openslo.reads(part):
            yield from openslo.slos(part, beside)
        elif slo_generator.reads(part):
            yield from slo_generator.slos(part)
        elif slo_generator.reads_globo(part):
            yield from slo_generator.globo_slos(part)
    yield from rules.slos([each for each in parts if rules.reads(each)], recorded)


def _entries(slo: Slo, zones: Sequence[str]) -> Iterator[tuple[Slo, Entry]]:
    """Return what one SLO becomes, its own name still in it."""
    try:
        made: Sequence[Built] = slo.build()
    except ExpressionError as error:
        yield slo, Entry(slo.name, slo.where, remarks=[f"it {error}"])
        return
    for each in made:
        name = f"{slo.name}-{each.suffix}" if each.suffix else slo.name
        remarks = list(each.remarks)
        if slo.time_zone and slo.time_zone != zones[0]:
            remarks.append(
                f"{CHANGED}its calendar is that of {zones[0]}, not {slo.time_zone}: a file has one time zone"
            )
        title = f"{slo.title}: {each.suffix}" if slo.title and each.suffix else slo.title
        fields = {"name": name, **({"title": title[:200]} if title else {}), **each.fields}
        yield slo, Entry(name, slo.where, fields, remarks)


def _named(found: Sequence[tuple[Slo, Entry]]) -> list[Entry]:
    """Return entries with names as slo.yml has them, each once: with the service in it where two are the same."""
    different = {_meaning(slo, entry): (slo, entry) for slo, entry in reversed(found)}
    often = Counter(_slug(entry.name) for _, entry in different.values())
    taken: set[str] = set()
    entries: list[Entry] = []
    names: dict[str, str] = {}
    for slo, entry in found:
        name, meaning = _slug(entry.name), _meaning(slo, entry)
        if meaning in names:
            entries.append(Entry(entry.name, entry.where, same_as=names[meaning]))
            continue
        has_owner = slo.owner and not name.startswith(f"{_slug(slo.owner)}-")
        wanted = _slug(f"{slo.owner}-{entry.name}") if often[name] > 1 and has_owner else name
        unique, number = wanted, 1
        while unique in taken:
            number += 1
            unique = f"{wanted[: LONGEST_NAME - 4]}-{number}"
        taken.add(unique)
        names[meaning] = unique
        fields = {**entry.fields, "name": unique} if entry.fields else {}
        if fields and "title" not in fields and unique != entry.name and often[name] == 1:
            fields = {"name": unique, "title": entry.name[:200], **fields}
        entries.append(Entry(unique, entry.where, fields, entry.remarks))
    return entries


def _meaning(slo: Slo, entry: Entry) -> str:
    """Return what is the same for SLOs of one name that say the same; an SLO that is left out is like no other."""
    if not entry.fields:
        return f"{entry.where} {entry.name}"
    return json.dumps([slo.owner, {**entry.fields, "title": ""}])


def _slug(name: str) -> str:
    """Return a name as slo.yml wants it."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()
    slug = re.sub(r"[^a-z0-9_]+", "-", words).strip("-_")
    slug = slug if re.match("[a-z]", slug) and slug not in TAKEN else f"slo-{slug}".rstrip("-")
    return slug[:LONGEST_NAME].rstrip("-_")


def _checked(entry: Entry) -> Entry:
    """Return an entry, left out where slo.yml does not load with it."""
    if not entry.fields:
        return entry
    try:
        slo_file.parse(write(Section(), [Section(entry.fields)]))
    except slo_file.SloFileError as error:
        reasons = "; ".join(each.split(": ", 1)[-1] for each in error.mistakes)
        return Entry(entry.name, entry.where, remarks=[f"slo.yml cannot have it: {reasons}"])
    return entry
