"""The real Prometheus and the service it scrapes."""

from tests.conftest import StartPrometheus
from tests.support.fakes.service import Service


async def test_it_scrapes_what_the_service_counts(start_prometheus: StartPrometheus, service: Service) -> None:
    prometheus = await start_prometheus(service)
    service.answers(good=95, slow=5)
    service.oldest_request_seconds = 12.5

    await prometheus.until('requests_total{endpoint="/predict"} == 100')
    await prometheus.until('request_latency_seconds_bucket{endpoint="/predict",le="1.0"} == 95')
    await prometheus.until("oldest_request_age_seconds == 12.5")


async def test_a_target_can_hang_go_down_and_come_back(start_prometheus: StartPrometheus, service: Service) -> None:
    prometheus = await start_prometheus(service)
    service.answers(good=100)
    await prometheus.until("requests_total == 100")

    service.hangs = True
    await prometheus.until("up == 0")
    service.hangs = False
    await prometheus.until("up == 1")
    await service.goes_down()
    await prometheus.until("up == 0")
    await service.comes_back()

    await prometheus.until("up == 1 and on() requests_total == 0")


async def test_its_data_are_there_after_it_was_away(start_prometheus: StartPrometheus, service: Service) -> None:
    prometheus = await start_prometheus(service)
    service.answers(good=7)
    await prometheus.until("requests_total == 7")
    await prometheus.stop()
    await service.goes_down()

    await prometheus.start()

    await prometheus.until("last_over_time(requests_total[1m]) == 7")
