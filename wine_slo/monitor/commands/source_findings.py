"""What the doctor finds of Prometheus: whether it answers, what it scrapes, and what it knows of the objectives."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta

from wine_slo.config.slo_file import SloFile, SloFileError
from wine_slo.monitor.commands.finding import Finding, Findings, Grade, ok, warning, wrong
from wine_slo.monitor.commands.server_findings import lag_findings, server_findings
from wine_slo.monitor.evaluate.objective_checks import check_objectives
from wine_slo.monitor.evaluate.queries.slow_queries import known_for
from wine_slo.monitor.evaluate.scrape_intervals import ScrapeInterval, scrape_intervals, wrongly_written
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Objective, Objectives, scopes_by_name
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.objectives.selector import few
from wine_slo.slo.source.clocks import WallClock
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, SourceInfo, Target
from wine_slo.slo.span import format_span
from wine_slo.slo.text.language import ENGLISH

PROBE = "probe_success"  # of the blackbox exporter and what is like it
MARGIN = 1.1  # of the retention over the budget's window; Prometheus drops whole blocks


async def source_findings(
    url: str, file: SloFile | None, source: MetricSource, info: SourceInfo, clock: WallClock
) -> Findings:
    """Yield what is found of Prometheus, of what it scrapes, and of what it knows of the objectives."""
    about = "prometheus"
    try:
        before = clock()
        at = (await source.query("vector(1)")).at
        after = clock()
    except MetricSourceError as error:
        yield wrong(
            about,
            f"at {url}: {error}",
            _remedy(error),
        )
        return
    async for finding in server_findings(url, source, info, (before, at, after)):
        yield finding
    if file is not None:
        async for finding in _of_objectives(url, file, source, info):
            yield finding


async def _of_objectives(url: str, file: SloFile, source: MetricSource, info: SourceInfo) -> Findings:
    """Yield what is found of what it scrapes, and of what it knows of the objectives."""
    try:
        intervals = await scrape_intervals(file.objectives().scopes, source, info)
    except MetricSourceError as error:
        yield wrong("prometheus", f"at {url}: {error}", _remedy(error))
        return
    try:
        objectives = file.objectives({job: each.span for job, each in intervals.items()})
    except SloFileError as error:
        for each in error.mistakes:
            yield wrong("objectives", each, "correct that line; it is wrong at the real scrape interval alone")
        return
    targets = await info.targets()
    async for finding in _targets(objectives, targets, intervals, source):
        yield finding
    async for finding in _unalerted(objectives, targets, source):
        yield finding
    async for finding in lag_findings(objectives, source, info):
        yield finding
    async for finding in _series(file, objectives, source):
        yield finding
    async for finding in _deployments(objectives, source):
        yield finding
    async for finding in _history(objectives, await info.retention(), source):
        yield finding


def _remedy(error: MetricSourceError) -> str:
    """Return what to do where Prometheus gives no answer that can be trusted."""
    match error.status:
        case 401:
            return "set WINE_SLO_PROMETHEUS_TOKEN, or WINE_SLO_PROMETHEUS_USERNAME and _PASSWORD, to what it knows"
        case 403:
            return "let these credentials query: /api/v1/query and /api/v1/query_range, by GET or POST"
        case 404 | 200:
            return "set WINE_SLO_PROMETHEUS_URL to the root of its API, with the prefix that it has"
        case int(status) if 300 <= status < 400:
            return "set WINE_SLO_PROMETHEUS_URL to the address that answers by itself, with its scheme and prefix"
        case int():
            return "see its log, and that of what stands in front of it"
        case None if error.is_of_trust:
            return "see its certificate, and those that WINE_SLO_PROMETHEUS_CA_FILE, _CERT_FILE and _KEY_FILE name"
        case None if error.is_too_much:
            return "see why it takes so long: its load, and what lies between"
        case _:
            return "start it (`make up` does), or set WINE_SLO_PROMETHEUS_URL to the root of its API"


async def _targets(
    objectives: Objectives,
    targets: Collection[Target] | None,
    intervals: Mapping[str, ScrapeInterval],
    api: MetricSource,
) -> Findings:
    about = "targets"
    if targets is None:
        yield warning(about, "it does not say what it scrapes", "see in it yourself whether every target answers")
    for scope in objectives.scopes:
        job = scope.name
        real = intervals.get(job)
        for finding in _intervals(job, real, wrongly_written(objectives, intervals)):
            yield finding
        if not scope.names_jobs:
            yield await _samples(scope, api)
            continue
        if targets is None:
            continue
        mine = [each for each in targets if scope.covers(each.job)]
        jobs = sorted({each.job for each in targets})
        missing = ", ".join(scope.jobs_missing(jobs)) or ("" if mine else job)
        if missing:
            yield wrong(
                about,
                f"it scrapes no job {missing}; its jobs: {', '.join(jobs) or 'none'}",
                f"add the job {missing} to prometheus.yml and restart it, or name the right job in slo.yml",
            )
        if not mine:
            continue
        if scope != Scope.of_jobs(*job.split(", ")) and (absent := await _samples(scope, api)).grade is Grade.WRONG:
            yield absent
        elif down := [each for each in mine if not each.is_up]:
            yield _down(job, down, of=len(mine))
        else:
            every = f", scraped every {format_span(real.span)}" if real else ""
            yield ok(about, f"{len(mine)} of {job} {'answers' if len(mine) == 1 else 'answer'}{every}")


async def _unalerted(objectives: Objectives, targets: Collection[Target] | None, api: MetricSource) -> Findings:
    """Yield which outages nothing would alert on."""
    about = "coverage"
    scopes = objectives.scopes
    others = sorted({each.job for each in targets or () if not any(scope.covers(each.job) for scope in scopes)})
    if others:
        yield ok(about, f"no objective is about {few(others)}: nothing would alert if they were down")
    covered = scopes_by_name(each for each in objectives.all if each.is_up)
    for scope in [] if objectives.target_down else objectives.scopes:
        if scope.name not in covered:
            yield warning(
                about,
                f"nothing would alert if {scope.name} were down: target_down is off",
                "take that line out of slo.yml, or add an objective of the kind up",
            )
    judged = {
        each.scope.name for each in objectives.all if each.counts_scrapes and PROBE in each.source.scraped(each.scope)
    }
    for job, scope in covered.items():
        if job in judged:
            continue
        try:
            probes = (await api.query(promql.count(scope.select(PROBE)))).samples
        except MetricSourceError:
            return
        if probes:
            yield warning(
                about,
                f"up of {job} says that its exporter answers, and nothing of what it probes",
                f"add an objective of kind: gauge with good: {PROBE} == 1",
            )


def _down(job: str, down: Sequence[Target], *, of: int) -> Finding:
    """Return what is wrong with the targets of a job that do not answer; that is no fault of the set-up if some do."""
    first, *others = down
    why = first.trouble or "there was none yet"
    which = f"the scrapes of {first.url} of {job} fail: {why}"
    if others:
        which = f"{len(down)} of {of} targets of {job} fail: {first.url} ({why}), {few([each.url for each in others])}"
    elif of > 1:
        which = f"1 of {of} targets of {job} fails: {first.url} ({why})"
    grade = wrong if len(down) == of else warning
    return grade(
        "targets",
        which,
        "raise that limit in prometheus.yml, or export less"
        if "limit exceeded" in first.trouble
        else "start the service, or correct its address in prometheus.yml",
    )


async def _samples(scope: Scope, api: MetricSource) -> Finding:
    """Return whether there are samples of targets that have no `up`, or are not selected by their jobs."""
    about = "targets"
    try:
        there = (await api.query(promql.count(scope.samples))).samples
    except MetricSourceError as error:
        return warning(about, f"whether {scope.name} sends samples is not known: {error}", "try again")
    if not there:
        return wrong(
            about, f"Prometheus has no sample of {scope.samples}", "start what sends them, or correct it in slo.yml"
        )
    return ok(about, f"there are samples of {scope.samples}")


def _intervals(
    job: str, real: ScrapeInterval | None, wrong_ones: Collection[tuple[Objective, ScrapeInterval]]
) -> Iterator[Finding]:
    """Yield what is wrong with what is known, or written, of how often a job is scraped."""
    if real is None:
        yield warning(
            "targets",
            f"how often {job} is scraped is not known",
            "wait for its third scrape; if it stays so, write scrape_interval into slo.yml",
        )
    for objective, interval in wrong_ones:
        if objective.job == job:
            yield _other_interval(objective, interval.span)


def _other_interval(objective: Objective, real: timedelta) -> Finding:
    slo, span = format_span(objective.scrape_interval), format_span(real)
    return wrong(
        "targets",
        f"{objective.job} is scraped every {span}, but slo.yml says scrape_interval: {slo}",
        f"leave scrape_interval out, or write {span}; the watchdog judges interval by interval",
    )


async def _series(file: SloFile, objectives: Objectives, api: MetricSource) -> Findings:
    about = "metrics"
    try:
        mistakes = await check_objectives(api, objectives)
    except MetricSourceError as error:
        yield warning(about, f"could not be examined: {error}", "try again")
        return
    for each in mistakes:
        where = file.place(each.objective, each.field)
        said = f"{where}: {each.field} of {each.objective} {each.sentence}"
        if each.is_usual:
            yield ok(about, said)
        else:
            remedy = "correct it there, or in the service; a service without requests may have no series yet"
            yield (warning if each.is_doubtful else wrong)(about, said, remedy)
    if not mistakes:
        yield ok(about, "every series of the objectives exists, and every threshold is a bucket bound")


async def _deployments(objectives: Objectives, api: MetricSource) -> Findings:
    """Yield which gauges of deployments show no version, so that no message would name one."""
    for each in objectives.deployments or ():
        about, remedy = "deployments", "correct it in slo.yml, or leave deployments out, to have it guessed"
        try:
            one = (await api.query(promql.any_of(each.selector))).samples
        except MetricSourceError as error:
            yield warning(about, f"{each.selector} could not be examined: {error}", remedy)
            continue
        labels = sorted({name for sample in one for name in sample.labels} - {"__name__"})
        if not one:
            yield warning(about, f"{each.selector} has no series", remedy)
        elif each.label not in labels:
            yield warning(about, f"{each.selector} has no label {each.label}: {few(labels)}", remedy)


async def _history(objectives: Objectives, retention: timedelta | None, api: MetricSource) -> Findings:
    about = "history"
    longest = max(objectives.all, key=lambda each: each.longest_window)
    span = longest.longest_window
    window = longest.window_name if longest.calendar is None else f"{span.days}d"
    if retention is not None and retention < span:
        yield warning(
            about,
            f"Prometheus keeps {format_span(retention)}, and the error budget of {longest.name} is one of {window}",
            f"start it with --storage.tsdb.retention.time={span.days + 5}d",
        )
    try:
        known = await _known(longest, api)
    except MetricSourceError as error:
        yield warning(about, f"could not be fetched: {error}", "try again")
        return
    if known is None:
        yield warning(about, "there is none yet", "nothing: it begins with the first scrape")
    elif known < span / MARGIN:
        yield warning(
            about,
            f"Prometheus knows {longest.job} for {ENGLISH.span(known)}, of the {window} of the error budget",
            "nothing: the rest is assumed to be good, and messages say how much is known",
        )
    else:
        yield ok(about, f"reaches back over the {window} of the error budget")


async def _known(objective: Objective, api: MetricSource) -> timedelta | None:
    """Return for how long Prometheus knows the job; None where it does not.

    Raises:
        MetricSourceError: It does not say.
    """
    return known_for(await api.query(promql.seconds_of_history(objective, objective.longest_window)))
