"""What `make up` prints before it starts anything."""

import socket

from tools.addresses import Address, addresses
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service.settings import ServerSettings


def test_an_address_at_which_something_listens_is_in_use_and_a_free_one_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = Address("the server", "127.0.0.1", other.getsockname()[1], "set another")
        assert address.is_in_use
    assert not address.is_in_use


def test_an_address_that_does_not_exist_is_left_to_the_process_to_report() -> None:
    assert not Address("the server", "192.0.2.1", 8000, "set another").is_in_use


def test_the_addresses_are_those_of_the_settings_and_a_prometheus_that_is_not_started_has_none() -> None:
    server, watchdog = ServerSettings(port=8100), WatchdogSettings(watchdog_port=8101)
    own = [(each.process, each.port) for each in addresses(server, watchdog, has_prometheus=False)]
    assert own == [("the server", 8100), ("the watchdog", 8101), ("Prometheus", 9090)]
    assert [each.port for each in addresses(server, watchdog, has_prometheus=True)] == [8100, 8101]
