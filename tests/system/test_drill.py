"""`wine-slo drill` on the real processes, sped up, and every reason for which there is none."""

import asyncio
import json
import re
import signal

import aiohttp

from tests.support.real.processes import Process
from tests.system.conftest import CHAT, House
from wine_slo.integrations.peers import WatchdogApi
from wine_slo.slo.views.status_schema import Status


def settings(house: House, **changes: str) -> dict[str, str]:
    return {
        "WINE_SLO_SERVICE_URL": f"http://127.0.0.1:{house.server_port}",
        "WINE_SLO_WATCHDOG_PORT": str(house.watchdog_port),
        "WINE_SLO_PROMETHEUS_URL": house.prometheus.url,
        **changes,
    }


async def drill(house: House, *arguments: str, **changes: str) -> Process:
    return await house.processes.wine_slo("drill", *arguments, settings=settings(house, **changes))


async def metric(house: House, series: str) -> float:
    """A number of the service, as it is now."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{house.server_port}/metrics") as response,
    ):
        text = await response.text()
    found = re.search(f"^{re.escape(series)} (.*)$", text, re.MULTILINE)
    assert found, series
    return float(found[1])


async def status(house: House) -> Status:
    async with aiohttp.ClientSession() as session:
        return await WatchdogApi(session, f"http://127.0.0.1:{house.watchdog_port}").status()


async def test_it_is_detected_notified_and_ended_in_time_and_the_budget_is_spared(house: House) -> None:
    await house.watchdog.until_line("sight of latency is (no_traffic|clear)")
    others = asyncio.create_task(house.requests("/ui", per_second=2))
    process = await drill(house)
    assert await process.wait(90) == 0, process.output
    assert re.fullmatch(
        r"Sending 5 requests/s of 2 s each to violate latency\. The error budget leaves that out\.\n"
        r" +[\d.]+ s  seen by Prometheus; expected within 2 s\n"
        r" +[\d.]+ s  breach confirmed \(#1\); expected within 9 s\n"
        r" +[\d.]+ s  all chats notified; expected within 14 s\n"
        r"Sending as many fast requests\.\n"
        r" +[\d.]+ s  recovery confirmed; expected within 10 s\n"
        r" +[\d.]+ s  all chats notified of the recovery; expected within 15 s\n"
        r"Drill passed\.",
        process.output,
    )
    breach, recovery = (each for each in house.bot_api.chat(CHAT).messages if each.photo is None)
    assert breach.versions[0].text.startswith("🟠 DRILL\n🔴 Latency")
    cause = "of the bad requests: endpoint=/sleep?drill. All others are fine."  # an alert does not wait for it
    assert any(cause in each.text for each in breach.versions), [each.text for each in breach.versions]
    assert all(each.text.startswith("🟠 DRILL\n") and "Budget" not in each.text for each in breach.versions)
    assert recovery.text.startswith("🟠 DRILL\n🟢 Latency resolved")
    assert "Budget" not in recovery.text
    latency = (await status(house)).objectives[0]
    assert latency.good_ratio is not None
    assert latency.good_ratio < 0.9
    assert latency.budget_remaining_ratio == 1
    others.cancel()


async def test_ctrl_c_ends_it_at_once(house: House) -> None:
    await house.watchdog.until_line("sight of latency is (no_traffic|clear)")
    process = await drill(house)
    await process.until_line("seen by Prometheus")
    assert await metric(house, 'requests_in_flight{endpoint="/sleep?drill"}') > 1
    process.send(signal.SIGINT)
    assert await process.wait(seconds=20) == 130
    assert process.lines[-1].startswith("stopped: nothing breaks the service any more")
    assert "Traceback" not in process.output


async def test_a_service_that_is_another_is_left_alone(house: House) -> None:
    await house.watchdog.until_line("sight of latency is (no_traffic|clear)")
    refused = await drill(house, "--json", WINE_SLO_SERVICE_URL=house.prometheus.url)
    assert await refused.wait() == 3
    assert json.loads(refused.output) == {
        "refused": f"another service answers at {house.prometheus.url}/health; `drill` in slo.yml says how to break it"
    }


async def test_it_does_what_slo_yml_says_and_is_marked_as_a_drill(house: House) -> None:
    url = f"http://127.0.0.1:{house.server_port}/sleep?seconds=1.5"
    path = house.folder / "slo.yml"
    path.write_text(f"drill: {{url: '{url}', parallel: 10}}\n{path.read_text()}")
    await house.watchdog.kill()
    await house.start_watchdog(WINE_SLO_API_TOKEN="a-token")
    await house.watchdog.until_line("sight of latency is (no_traffic|clear)")
    others = asyncio.create_task(house.requests("/ui", per_second=2))
    process = await drill(house, WINE_SLO_API_TOKEN="a-token")
    assert await process.wait(90) in (0, 1), process.output  # 1 where this machine is slow
    others.cancel()
    assert process.lines[0] == (
        f"Requesting http://127.0.0.1:{house.server_port}/sleep, 10 at once, to violate latency. "
        "The error budget counts that."
    )
    assert re.fullmatch(r"Drill passed(, but slower than the settings imply)?\.", process.lines[-1])
    breach, recovery = (each for each in house.bot_api.chat(CHAT).messages if each.photo is None)
    assert breach.versions[0].text.startswith("🟠 DRILL\n🔴 Latency")
    assert recovery.text.startswith("🟠 DRILL\n🟢 Latency resolved")


async def test_a_chat_requests_one_and_receives_its_result(house: House) -> None:
    await house.watchdog.until_line("sight of latency is (no_traffic|clear)")
    chat = house.bot_api.chat(CHAT)
    await house.bot_api.says(CHAT, CHAT, "/drill")
    await house.bot_api.until(lambda: any("The next breach is a drill." in text for text in chat.texts), seconds=10)
    await house.bot_api.says(CHAT, CHAT, "/drill")
    await house.bot_api.until(lambda: chat.texts[-1] == "A drill is running. To stop it: /drill stop", seconds=10)
    await house.bot_api.until(lambda: any("Drill passed" in text for text in chat.texts), seconds=60)
    (said,) = (text for text in chat.texts if "Drill passed" in text)
    assert re.fullmatch(
        r"🟢 Drill passed: everyone was notified in time\.\n"
        r"Seen by Prometheus after [\d.]+ s, expected within 2 s\.\n"
        r"Breach confirmed after [\d.]+ s, expected within 9 s\.\n"
        r"All chats notified after [\d.]+ s, expected within 14 s\.\n"
        r"Recovery confirmed [\d.]+ s after it, expected within 10 s\.\n"
        r"All chats notified of the recovery [\d.]+ s after it, expected within 15 s\.",
        said,
    )
    assert await metric(house, 'requests_in_flight{endpoint="/sleep?drill"}') == 0
    breach, recovery = (each for each in chat.messages if "DRILL by Person" in each.text and "until" not in each.text)
    for text in (*(each.text for each in breach.versions), recovery.text):
        assert text.startswith(f"🟠 DRILL by Person {CHAT}\n")
    await house.bot_api.says(CHAT, CHAT, "/drill")
    await house.bot_api.until(lambda: "the next one can begin in" in chat.texts[-1], seconds=10)
