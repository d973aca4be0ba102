"""Which metric is meant by a name that none has."""

import pytest

from wine_slo.slo.objectives.near_name import near_name, nearest_name


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("http_request_errors_total", "http_requests_errors_total"),
        ("http_requests_failed", "http_requests_failed_total"),
        ("http_reqeusts_total", "http_requests_total"),
        ("http_unsucessfull_requests_total", "http_unsuccessful_requests_total"),
        ("http_requests_fail_total", "http_requests_failed_total"),
        ("Orders_failed_total", "orders_failed_total"),
        ("requests_sucess_total", "requests_success_total"),
        ("mails_recieved_total", "mails_received_total"),
        ("page_errros_total", "page_errors_total"),
        ("payments_authenticeted_total", "payments_authenticated_total"),
    ],
)
def test_a_name_that_differs_by_spelling_alone_is_meant(name: str, other: str) -> None:
    assert near_name(name, ["up", other]) == other


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("http_responses_5xx_total", "http_responses_4xx_total"),
        ("tx_errors_total", "rx_errors_total"),
        ("get_errors_total", "set_errors_total"),
        ("http_requests_failed_total", "http_requests_total"),
        ("reads_failed_total", "writes_failed_total"),
        ("mails_bounced_total", "mails_delivered_total"),
        ("jobs_failure_total", "jobs_success_total"),
        ("tokens_invalid_total", "tokens_valid_total"),
        ("keys_unknown_total", "keys_known_total"),
        ("ingress_errors_total", "egress_errors_total"),
        ("import_errors_total", "export_errors_total"),
        ("decode_errors_total", "encode_errors_total"),
        ("sync_errors_total", "async_errors_total"),
        ("https_errors_total", "http_errors_total"),
        ("files_parsed_total", "files_passed_total"),
        ("jobs_deleted_total", "jobs_delayed_total"),
        ("jobs_rejected_total", "jobs_repeated_total"),
        ("events_invalid_total", "events_valid_total"),
        ("events_valid_total", "events_invalid_total"),
        ("requests_unhandled_total", "requests_handled_total"),
        ("backups_incomplete_total", "backups_complete_total"),
        ("messages_dropped_total", "messages_stopped_total"),
        ("requests_rejected_total", "requests_selected_total"),
        ("jobs_stalled_total", "jobs_started_total"),
        ("orders_refused_total", "orders_refunded_total"),
    ],
)
def test_what_is_counted_apart_is_not_meant(name: str, other: str) -> None:
    assert near_name(name, [name, other]) is None


def test_of_several_names_the_nearest_is_meant() -> None:
    names = ["request_latency_milliseconds", "request_latency_seconds", "up"]
    assert nearest_name("request_latency_secs", names) == "request_latency_seconds"
    assert nearest_name("requests_latency_seconds", names) == "request_latency_seconds"
    assert nearest_name("queue_length", names) is None
    assert nearest_name("x", []) is None
