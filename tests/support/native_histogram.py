"""Native histograms as a client library exposes them: Prometheus reads them in protobuf alone.

Source: https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, log2

CONTENT_TYPE = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
SCHEMA = 3  # buckets grow by a factor of 2 to the power of an eighth
HISTOGRAM = 4  # a type of metric
ZERO = 1e-9  # seconds; what is at most so is in the zero bucket


@dataclass
class NativeHistogram:
    """Events by the index of their bucket.

    Attributes:
        labels: Of its series.
        counts: How many events each bucket has.
        sum: Of all values.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    sum: float = 0.0

    def observes(self, value: float, count: int = 1) -> None:
        """Count so many events of a value."""
        index = ceil(log2(value) * 2**SCHEMA)
        self.counts[index] = self.counts.get(index, 0) + count
        self.sum += value * count

    def encoded(self) -> bytes:
        """Return the metric as protobuf."""
        histogram = _varint(1, sum(self.counts.values())) + _double(2, self.sum) + _varint(5, _zigzag(SCHEMA))
        histogram += _double(6, ZERO) + _varint(7, 0)
        expected, before = 0, 0
        spans, deltas = b"", b""
        for index, count in sorted(self.counts.items()):
            spans += _message(12, _varint(1, _zigzag(index - expected)) + _varint(2, 1))
            deltas += _varint(13, _zigzag(count - before))
            expected, before = index + 1, count
        histogram += spans + deltas
        pairs = (_message(1, _text(1, name) + _text(2, value)) for name, value in self.labels.items())
        return b"".join(pairs) + _message(7, histogram)


def exposed(families: Mapping[str, list[NativeHistogram]]) -> bytes:
    """Return the answer to a scrape, by the names of the metrics."""
    found = b""
    for name, histograms in families.items():
        family = _text(1, name) + _varint(3, HISTOGRAM) + b"".join(_message(4, each.encoded()) for each in histograms)
        found += _number(len(family)) + family
    return found


def _number(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def _zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def _varint(place: int, value: int) -> bytes:
    return _number(place << 3) + _number(value)


def _double(place: int, value: float) -> bytes:
    return _number(place << 3 | 1) + struct.pack("<d", value)


def _message(place: int, content: bytes) -> bytes:
    return _number(place << 3 | 2) + _number(len(content)) + content


def _text(place: int, content: str) -> bytes:
    return _message(place, content.encode())
