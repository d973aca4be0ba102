"""A Prometheus that understands queries that are joined by `or`, and counts requests."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Sample, Series, Vector

CALL = "label_replace("
PART = re.compile(r'^label_replace\((.*), "(slo_query)", "(\d+)", "", ""\)$', re.DOTALL)


class JoiningPrometheus:
    """The fake.

    Args:
        inner: Answers each query of a joined one.
        refuses: Says whether it has no answer to a text.

    Attributes:
        texts: Every query that it received.
    """

    def __init__(self, inner: MetricSource, refuses: Callable[[str], bool] = lambda _: False) -> None:
        self.texts: list[str] = []
        self.refuses = refuses
        self._inner = inner

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        parts = self._parts(promql)
        if parts is None:
            return await self._inner.query(promql, at)
        answers = await asyncio.gather(*(self._inner.query(text, at) for text, _, _ in parts))
        samples = [
            Sample({**each.labels, label: number}, each.value)
            for answer, (_, label, number) in zip(answers, parts, strict=True)
            for each in answer.samples
        ]
        return Vector(tuple(samples), answers[0].at)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        parts = self._parts(promql)
        if parts is None:
            return await self._inner.query_range(promql, start, end, step)
        answers = await asyncio.gather(*(self._inner.query_range(text, start, end, step) for text, _, _ in parts))
        return [
            replace(each, labels={**each.labels, label: number})
            for answer, (_, label, number) in zip(answers, parts, strict=True)
            for each in answer
        ]

    def _parts(self, promql: str) -> list[tuple[str, str, str]] | None:
        """The queries of a joined one, with the label and the number of each; None where it is one query.

        Raises:
            MetricSourceError: It has no answer to that.
        """
        self.texts.append(promql)
        if self.refuses(promql):
            raise MetricSourceError("it answered 422: found duplicate series", is_of_query=True)
        if '"slo_query"' not in promql:
            return None
        found, begin = [], promql.find(CALL)
        while begin >= 0:
            own = _call(promql, begin)
            if (part := PART.match(own)) is not None:
                found.append((part[1], part[2], part[3]))
            begin = promql.find(CALL, begin + len(own))
        return found


def _call(text: str, begin: int) -> str:
    """The call of a function that begins there, up to its closing bracket."""
    depth, is_quoted = 0, False
    for index in range(begin, len(text)):
        letter = text[index]
        is_quoted ^= letter == '"' and text[index - 1] != "\\"
        depth += 0 if is_quoted else (letter == "(") - (letter == ")")
        if not depth and letter == ")" and not is_quoted:
            return text[begin : index + 1]
    raise AssertionError(f"no end: {text}")
