import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from tests.system.conftest import CHAT, House
from wine_slo.slo.notification.record import Stage
from wine_slo.slo.views.status_schema import Judgement, Status


@asynccontextmanager
async def requesting(house: House, path: str) -> AsyncIterator[None]:
    """Somebody requests a page, ten times a second."""
    task = asyncio.create_task(house.requests(path))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_breach_is_notified_survives_a_kill_and_its_recovery_is_a_reply_in_the_chosen_language(
    house: House,
) -> None:
    chat = house.bot_api.chat(CHAT)
    async with requesting(house, "/ui"):
        async with requesting(house, "/sleep?seconds=1.6"):
            await house.watchdog.until_line("chat 42 was notified: breach of #1", seconds=40)
            await house.watchdog.until_line("was sent a chart of latency|gets no chart")
            await house.watchdog.kill()
            await house.start_watchdog()
            await house.watchdog.until_line("listening on")
            await house.bot_api.says(CHAT, CHAT, "/status")
            await house.bot_api.until(lambda: any("🔴 latency: " in text for text in chat.texts), seconds=20)
            await shows_the_breach(house)
            await house.bot_api.says(CHAT, CHAT, "/language ru")
            await house.bot_api.until(lambda: "Здесь я говорю по-русски." in chat.texts, seconds=10)
        await house.bot_api.until(
            lambda: any(text.startswith("🟢 Задержка в норме") for text in chat.texts), seconds=40
        )
        await house.bot_api.until(lambda: chat.messages[0].text.startswith("⚪️"), seconds=10)
        charts = [each for each in chat.messages if each.photo]  # none where the machine is too busy to draw in time
        await house.bot_api.until(lambda: all(each.text.startswith("🟢") for each in charts), seconds=40)
    texts = [each for each in chat.messages if each.photo is None]
    breach, recovery = texts[0], texts[-1]
    (status,) = (each for each in texts if "🔴 latency: " in each.text)
    repeated = [each for each in texts[1:-1] if each.versions[0].text.startswith("🔴 Latency")]  # by the kill
    assert all("This may be a duplicate" in each.versions[0].text for each in repeated), chat.texts
    assert breach.versions[0].text.startswith("🔴 Latency: p95 ")
    assert breach.is_loud
    assert [each.id for each in chat.messages if each.photo] == [each.id for each in charts], "it is replaced in place"
    for chart in charts:
        assert chart.reply_to == breach.id
        assert chart.versions[0].text.startswith("🔴 Latency: p95 ")
        assert chart.text.startswith("🟢 Задержка в норме: p95 ")
    assert "#1" in status.text
    assert recovery.reply_to == breach.id
    assert recovery.is_silent
    assert "Бюджет ошибок: " in recovery.text
    assert breach.text.startswith("⚪️ Восстановлено: Задержка, нарушение ")


async def shows_the_breach(house: House) -> None:
    """The watchdog's own pages say it too, and how it went, from before its start."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{house.watchdog_port}") as session:
        async with session.get("/api/status") as response:
            status = msgspec.json.decode(await response.read(), type=Status)
        async with session.get("/") as response:
            page = await response.text()
    latency = status.objectives[0]
    assert (latency.slo, latency.verdict, latency.incident) == ("latency", Judgement.BREACHED, 1)
    assert status.open_incidents[0].told is Stage.OPENED
    assert '<h1 class="headline breached">' in page
    seen_once, seen_longer = (
        r"[\d.–]+ s all the time",
        "from .* worse than the target",
    )  # it depends on how soon we query
    assert re.search(rf'aria-label="Latency over the last hour: ({seen_once}|{seen_longer})"', page)
    assert "does not say" not in page


async def test_who_has_no_telegram_reads_the_same_words_on_the_terminal(house: House) -> None:
    await house.watchdog.terminate()
    await house.start_watchdog(WINE_SLO_TELEGRAM_TOKEN="", WINE_SLO_DATABASE_URL="sqlite:///console.db")
    async with requesting(house, "/sleep?seconds=1.6"):
        await house.watchdog.until_line(r"│ 🔴 Latency: p95 [\d.–]+ s \(target ≤ 1 s, last 4 s\)", seconds=40)
    assert house.watchdog.output.count("│ 🔴 Latency") == 1
    assert await house.watchdog.terminate() == 0
    assert "Traceback" not in house.watchdog.output


async def test_without_prometheus_and_telegram_it_starts_says_so_and_goes_on(house: House) -> None:
    await house.watchdog.terminate()
    await house.prometheus.stop()
    await house.bot_api.refuses_connections()
    await house.start_watchdog(WINE_SLO_DATABASE_URL="sqlite:///alone.db")
    await house.watchdog.until_line("Telegram cannot be reached yet")
    await house.watchdog.until_line("sight of latency is blind: Prometheus: it cannot be reached")
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{house.watchdog_port}/health") as response,
    ):
        assert response.status == 200
    await house.watchdog.until_line(r"chat 42 was not notified \(breach\)")
    await house.bot_api.accepts_connections()
    await house.prometheus.start()
    chat = house.bot_api.chat(CHAT)
    await house.bot_api.until(lambda: chat.messages, seconds=30)
    await house.bot_api.until(lambda: "onitoring lost" in chat.messages[0].text, seconds=30)


async def test_wrong_settings_and_objectives_are_reported_at_once_and_2(house: House) -> None:
    await house.watchdog.terminate()
    await house.start_watchdog(WINE_SLO_POLL_SECONDS="often", WINE_SLO_TELEGRAM_CHAT_IDS="anna")
    assert await house.watchdog.wait() == 2
    assert house.watchdog.lines == [
        "WINE_SLO_POLL_SECONDS is 'often'; wanted: a number of seconds from 1 to 3600",
        "WINE_SLO_TELEGRAM_CHAT_IDS is 'anna'; wanted: chat ids separated by commas; send the bot /id",
    ]
    await house.start_watchdog(WINE_SLO_POLL_SECONDS="5")
    assert await house.watchdog.wait() == 2
    assert house.watchdog.lines == [
        "WINE_SLO_POLL_SECONDS is 5; wanted: at most half of blind_for in slo.yml, 3 seconds"
    ]
    (house.folder / "slo.yml").write_text("job: wine-slo\nobjectives:\n  - {name: latency, kind: up, objective: 2}\n")
    await house.start_watchdog()
    assert await house.watchdog.wait() == 2
    assert house.watchdog.lines == ["slo.yml:3: objectives.0.objective must lie between 0 and 1, both left out"]


async def test_a_port_in_use_is_one_sentence_and_1(house: House) -> None:
    await house.watchdog.until_line("listening on")
    first = house.watchdog
    await house.start_watchdog(WINE_SLO_DATABASE_URL="sqlite:///second.db")
    assert await house.watchdog.wait() == 1
    assert house.watchdog.lines[-1] == (f"cannot listen on 127.0.0.1:{house.watchdog_port}: Address already in use")
    assert "Traceback" not in house.watchdog.output
    assert first.is_running


async def test_objectives_that_go_bad_while_it_runs_change_nothing_and_are_reported(house: House) -> None:
    await house.watchdog.until_line("listening on")
    objectives = house.folder / "slo.yml"
    good = objectives.read_text()
    objectives.write_text("job: [")
    house.watchdog.send(signal.SIGHUP)
    await house.watchdog.until_line("the objectives stay as they were: slo.yml:1")
    objectives.write_text(good)
    house.watchdog.send(signal.SIGHUP)
    await house.watchdog.until_line("objectives are read anew")


async def test_what_only_prometheus_knows_of_the_objectives_is_reported_with_its_line(house: House) -> None:
    await house.watchdog.terminate()
    objectives = house.folder / "slo.yml"
    text = (
        objectives.read_text()
        .replace("threshold: 1s", "threshold: 1200ms")
        .replace('total: responses_total{job="wine-slo"', 'total: answers{job="wine-slo"')
    )
    objectives.write_text(text)
    lines = {line.split(":")[0].strip(): number for number, line in enumerate(text.splitlines(), start=1)}
    await house.start_watchdog()
    await house.watchdog.until_line(
        f"slo.yml:{lines['threshold']}: threshold of latency is 1.2 s, which is no bucket bound: "
        ".* off by up to 0.15 s; the nearest bounds are 1.1 s and 1.25 s",
        seconds=20,
    )
    await house.watchdog.until_line(f"slo.yml:{lines['total']}: total of errors matches no series")
