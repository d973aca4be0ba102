"""How labels say whether an event was good, bad, or the client's own fault: HTTP codes, gRPC codes, words.

Source of the gRPC codes: https://grpc.io/docs/guides/status-codes/
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wine_slo.slo.objectives.selector import quoted

STATUS_LABELS = (  # of several the first counts
    "http_response_status_code", "http_status_code", "status_code", "http_status", "response_code",
    "envoy_response_code", "envoy_response_code_class", "code", "status", "grpc_code", "grpc_status",
    "rpc_grpc_status_code", "rcode", "outcome", "result", "success", "error",
)  # fmt: skip
GRPC_CODES = (
    "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied",
    "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable",
    "DataLoss", "Unauthenticated",
)  # fmt: skip
GRPC_BAD = ("Unknown", "DeadlineExceeded", "Unimplemented", "Internal", "Unavailable", "DataLoss")
GRPC_NEUTRAL = (  # what the client did, which is no fault of the service
    "Canceled", "InvalidArgument", "NotFound", "AlreadyExists", "PermissionDenied", "FailedPrecondition", "Aborted",
    "OutOfRange", "Unauthenticated",
)  # fmt: skip
HTTP = r"[1-5](\d\d|xx)"
NO_ANSWER = "0"  # what Envoy and Istio write where there was no response
WORDS_OF_CLIENT = "client_error", "cancell?ed", "invalid", "not_?found", "denied", "rejected"
WORDS_OF_SERVICE = (
    "error", "server_error", "fail(ed|ure|s)?", "time(d_?)?out", "exception", "panic", "crash(ed)?", "unavailable",
)  # fmt: skip
WORDS_OF_SUCCESS = (
    "success(ful)?",
    "succeeded",
    "ok",
    "informational",
    "redirection",
    "done",
    "completed?",
    "hit",
    "miss",
)
DNS_BAD = ("SERVFAIL", "REFUSED")


@dataclass(frozen=True, slots=True)
class Status:
    """How a label says how events ended.

    Attributes:
        label: Its name.
        bad: A regular expression of the values of bad events.
        neutral: The same of what is no event at all, as the client made it fail; empty for none.
    """

    label: str
    bad: str
    neutral: str = ""

    @property
    def is_bad(self) -> str:
        """Return the matcher of bad events."""
        return matcher(self.label, "=~", self.bad)

    @property
    def is_counted(self) -> str:
        """Return the matcher of all events that count; empty where all do."""
        return matcher(self.label, "!~", self.neutral) if self.neutral else ""


def status_of(label: str, values: Iterable[str]) -> Status | None:
    """Return how a label says how events ended; None where its values say nothing of that."""
    seen = sorted({each for each in values if each})
    if not seen:
        return None
    if label == "rcode":
        return Status(label, "|".join(DNS_BAD))
    if label.endswith("_class") and all(each in "12345" for each in seen):
        return Status(label, "5", "4")
    if "grpc" in label and all(each.isdecimal() and int(each) < len(GRPC_CODES) for each in seen):
        return Status(label, _grpc(_number, GRPC_BAD), _grpc(_number, GRPC_NEUTRAL))
    of_http = [each for each in seen if re.fullmatch(HTTP, each, re.IGNORECASE)]
    if 2 * len(of_http) >= len(seen):
        return Status(label, f"5..|{NO_ANSWER}" if label.endswith("response_code") else "5..", "4..")
    for spelling in (str, _upper, _lower):
        known = {spelling(each) for each in GRPC_CODES}
        if known.issuperset(seen) and ("code" in label or seen != [spelling("OK")]):
            return Status(label, _grpc(spelling, GRPC_BAD), _grpc(spelling, GRPC_NEUTRAL))
    return _of_words(label, seen)


def _of_words(label: str, seen: list[str]) -> Status | None:
    if label in ("success", "error") and {each.lower() for each in seen} <= {"true", "false"}:
        return Status(label, "(?i)false" if label == "success" else "(?i)true")
    if not any(_is_of((*WORDS_OF_SUCCESS, *WORDS_OF_SERVICE), each) for each in seen):
        return None
    neutral = [each for each in seen if _is_of(WORDS_OF_CLIENT, each)]
    return Status(label, f"(?i){'|'.join(WORDS_OF_SERVICE)}", "|".join(map(re.escape, neutral)))


def matcher(label: str, sign: str, pattern: str) -> str:
    """Return a label matcher of PromQL."""
    return f"{label}{sign}{quoted(pattern)}"


def _is_of(words: Iterable[str], value: str) -> bool:
    return re.fullmatch("|".join(words), value, re.IGNORECASE) is not None


def _grpc(spelling: Callable[[str], str], names: Iterable[str]) -> str:
    return "|".join(map(spelling, names))


def _number(name: str) -> str:
    return str(GRPC_CODES.index(name))


def _lower(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _upper(name: str) -> str:
    return _lower(name).upper()
