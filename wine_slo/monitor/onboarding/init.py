"""`wine-slo init`: a commented slo.yml for what a Prometheus scrapes, with numbers that its last day has kept.

What a person reads goes to standard output, what is wrong to standard error; the exit status is 2 then. Nothing that is
there is overwritten unless that is wanted, and the file with the settings never.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from wine_slo.config import slo_file
from wine_slo.config.environment import SettingsError, read
from wine_slo.exit_status import ExitStatus
from wine_slo.integrations.console import questions
from wine_slo.integrations.console.terminal import Line, Terminal
from wine_slo.monitor.evaluate import source
from wine_slo.monitor.onboarding.choice import USUAL, choose
from wine_slo.monitor.onboarding.discovery.candidates import Candidate, candidates, remarks, with_distinct_names
from wine_slo.monitor.onboarding.discovery.found import Job
from wine_slo.monitor.onboarding.discovery.queries import discover
from wine_slo.monitor.onboarding.past import past_of
from wine_slo.monitor.onboarding.proposals import Proposal, bound_text, writable
from wine_slo.monitor.onboarding.settings_writer import OBJECTIVES, PROMETHEUS_URL, save_settings, url_of
from wine_slo.monitor.onboarding.slo_writer import OutputError, Section, refuse_overwriting, save, write
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.redaction import redact
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError
from wine_slo.slo.span import format_span, parse_span

LAST = timedelta(days=1)  # what the numbers are made of
WHAT_IT_IS = (
    "Where the last day says enough, it has kept these numbers with room to spare; change what you need otherwise. "
    "`wine-slo validate` says whether this file can be used, `wine-slo replay` which alarms it would have had."
)
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=3)  # seconds; an increase over a day takes a large Prometheus some
AT_ONCE = 4  # objectives whose past is queried


class InitError(Exception):
    """No file can be written; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the command.

    Attributes:
        prometheus: The root of its API; None for that of the settings.
        output: The file to write.
        force: Whether a file that is there is overwritten.
        yes: Whether every question is answered by what is proposed.
    """

    prometheus: str | None
    output: Path
    force: bool
    yes: bool


def main(options: Options) -> ExitStatus:
    """Discover, question, write, and return the exit status."""
    try:
        settings = _settings(options)
        try:
            text = _text(settings, options)
        except MetricSourceError as error:
            named = "" if options.prometheus else "; --prometheus URL names another one"
            return _refuse(f"Prometheus at {settings.prometheus_url}: {error}{named}")
        save(text, options.output, force=options.force)
    except (SettingsError, InitError, OutputError) as error:
        return _refuse(str(error))
    except (KeyboardInterrupt, EOFError):
        return _refuse("stopped; nothing is written", ExitStatus.INTERRUPTED)
    _print_next(options, settings)
    return ExitStatus.OK


def _settings(options: Options) -> WatchdogSettings:
    """Return the settings, with the Prometheus of the option.

    Raises:
        SettingsError: They cannot be used.
        OutputError: There is a file already, or the option is no URL.
        InitError: Nobody can be questioned.
    """
    refuse_overwriting(options.output, force=options.force)
    if not options.yes and not questions.can_be_answered():
        raise InitError("there is no terminal for questions; --yes takes what is proposed")
    settings = read(WatchdogSettings)
    if options.prometheus is None:
        return settings
    return msgspec.structs.replace(settings, prometheus_url=url_of(options.prometheus))


def _text(settings: WatchdogSettings, options: Options) -> str:
    """Return what the file will hold.

    Questions stand between the event loops: within one the first Ctrl-C would only cancel it, and end no question.

    Raises:
        MetricSourceError: Prometheus cannot be queried.
        InitError: It scrapes nothing, or nothing is wanted.
    """
    jobs = asyncio.run(_jobs(settings))
    Terminal().table(("job", "targets", "scraped every", "found"), map(_line, jobs))
    names = [each.name for each in jobs]
    if not options.yes and len(jobs) > 1:
        names = questions.chosen("Which jobs (names with commas between)", names)
    wanted = [each for each in jobs if each.name in names]
    proposals = asyncio.run(_proposals(settings, wanted))
    if not options.yes:
        proposals = [each for each in map(_questioned, proposals) if each is not None]
    if not proposals:
        raise InitError("no objective is wanted, so nothing is written")
    return written(settings, wanted, proposals)


async def _jobs(settings: WatchdogSettings) -> Sequence[Job]:
    """Return what Prometheus scrapes.

    Raises:
        MetricSourceError: It cannot be queried.
        InitError: That is nothing.
    """
    async with aiohttp.ClientSession() as session:
        api, info = source.connect(session, settings, timeout=TIMEOUT), source.info(session, settings)
        await api.query("vector(1)")
        jobs = await discover(api, info)
    if not jobs:
        raise InitError(
            f"Prometheus at {settings.prometheus_url} has no job yet: nothing is scraped and nothing was pushed; "
            "add a job to its scrape_configs, wait for the first scrape, and try again"
        )
    return jobs


async def _proposals(settings: WatchdogSettings, jobs: Sequence[Job]) -> list[Proposal]:
    async with aiohttp.ClientSession() as session:
        return await proposals_of(source.connect(session, settings, timeout=TIMEOUT), jobs)


def _line(job: Job) -> Line:
    is_up = job.targets_up == job.targets
    every = format_span(job.interval.span) if job.interval else "not known yet"
    found = ", ".join(each.name for each in candidates(job, is_only=True)) or "nothing"
    targets = f"{job.targets_up} of {job.targets} up" if job.targets else "none: its metrics are pushed"
    return Line("good" if is_up else "bad", (job.name, targets, every, found))


async def proposals_of(api: MetricSource, jobs: Sequence[Job]) -> list[Proposal]:
    """Return every objective that the jobs can have, with its numbers."""
    possible = with_distinct_names(each for job in jobs for each in candidates(job, is_only=len(jobs) == 1))
    by_name = {job.name: job for job in jobs}
    slots = asyncio.Semaphore(AT_ONCE)

    async def proposal(candidate: Candidate) -> Proposal:
        objective = _prototype(candidate, by_name[candidate.fields["job"]])
        async with slots:
            past = await past_of(api, objective, LAST)
        return Proposal(candidate, choose(past, writable(candidate.bounds), candidate.least_bound), past)

    return list(await asyncio.gather(*map(proposal, possible)))


def _prototype(candidate: Candidate, job: Job) -> Objective:
    """Return the objective as it is with some numbers, of which its queries are made."""
    numbers: dict[str, Any] = {"objective": USUAL}
    if candidate.bounds:
        numbers["threshold"] = bound_text(writable(candidate.bounds)[-1])
    text = write(Section(fields={"job": job.name}), [Section(fields={**candidate.fields, **numbers})])
    intervals = {} if job.interval is None else {job.name: job.interval.span}
    return slo_file.parse(text).objectives(intervals).all[0]


def _questioned(proposal: Proposal) -> Proposal | None:
    """Return a proposal as somebody wants it; None where it is not wanted."""
    if not questions.confirmed(f"{proposal.summary}\nWrite this objective"):
        return None
    choice, bounds = proposal.choice, writable(proposal.candidate.bounds)
    threshold = choice.threshold
    if threshold is not None:
        shown = ", ".join(map(bound_text, bounds))

        def bound(text: str) -> float:
            seconds = parse_span(text).total_seconds()
            if seconds not in bounds:
                raise ValueError(f"must be one of the histogram's bounds: {shown}")
            return seconds

        threshold = questions.answer("Threshold", bound_text(threshold), bound)
    return proposal.with_numbers(questions.answer("Objective", f"{choice.objective:g}", _ratio), threshold)


def _ratio(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.5 <= number < 1:
        raise ValueError("must be a share of good events, such as 0.99")
    return number


def written(settings: WatchdogSettings, jobs: Sequence[Job], proposals: Sequence[Proposal]) -> str:
    """Return the file's text, which `slo_file` can read."""
    named = dict.fromkeys(str(each.candidate.fields["job"]) for each in proposals)
    job = next(iter(named)) if len(named) == 1 else None
    head = Section(
        fields={} if job is None else {"job": job},
        above=[
            f"Written by `wine-slo init` for the Prometheus at {settings.prometheus_url}.",
            WHAT_IT_IS,
        ],
    )
    of_jobs = [Section(above=[each]) for job in jobs for each in remarks(job)]
    text = write(head, [*(each.section(job) for each in proposals), *of_jobs])
    slo_file.parse(text)
    return text


def _print_next(options: Options, settings: WatchdogSettings) -> None:
    """Print what was written, and the commands that come next."""
    said = save_settings(options.output, {PROMETHEUS_URL: settings.prometheus_url, OBJECTIVES: str(options.output)})
    sys.stdout.write(redact(f"{said}\nNext:\n  wine-slo replay --since 1d\n  wine-slo watchdog\n  wine-slo doctor\n"))


def _refuse(sentence: str, status: ExitStatus = ExitStatus.BAD_INPUT) -> ExitStatus:
    sys.stderr.write(f"{redact(sentence)}\n")
    return status
