"""`wine-slo doctor` beside real processes: nothing to say where all is well, and all of it where it is not."""

import json
import re

from tests.system.conftest import CHAT, ROOT, House


def settings(house: House) -> dict[str, str]:
    return {
        "WINE_SLO_SERVICE_URL": f"http://127.0.0.1:{house.server_port}",
        "WINE_SLO_WATCHDOG_PORT": str(house.watchdog_port),
        "WINE_SLO_PROMETHEUS_URL": house.prometheus.url,
        "WINE_SLO_MODEL": str(ROOT / "models" / "model.pkl"),
        "WINE_SLO_TELEGRAM_TOKEN": house.bot_api.token,
        "WINE_SLO_TELEGRAM_API_URL": house.bot_api.url,
        "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
        "WINE_SLO_POLL_SECONDS": "2",
    }


async def test_a_set_up_that_is_right_and_one_that_is_not(house: House) -> None:
    await house.watchdog.until_line("sight of latency is (no_traffic|clear)", seconds=20)
    doctor = await house.processes.wine_slo("doctor", settings=settings(house))
    assert await doctor.wait(40) == 0, doctor.output
    history = [line for line in doctor.lines if line.startswith("warning  history")]
    assert history[0] == "warning  history     Prometheus keeps 15d, and the error budget of latency is one of 30d"
    # How much is known is written to ten seconds, which may be none of them yet.
    assert re.search("of the 30d of the error budget$|there is none yet$", history[1])
    assert [each for each in doctor.lines if not each.startswith(("ok ", f"{'':<20} → nothing: "))] == [
        history[0],
        "                     → start it with --storage.tsdb.retention.time=35d",
        history[1],
        "warning  heartbeat   is not set: an outage of the watchdog itself is not detected",
        "                     → set WINE_SLO_HEARTBEAT_URL to a dead-man's switch, such as one of healthchecks.io",
        "",
        "0 wrong, 3 warnings",
    ]
    assert [line.split()[1] for line in doctor.lines if line.startswith("ok ")] == [
        "settings", "objectives", "prometheus", "targets", "metrics", "service", "model", "watchdog",
        "ledger", "telegram", "chat",
    ]  # fmt: skip
    objectives = house.folder / "slo.yml"
    wrong = objectives.read_text().replace("threshold: 1s", "threshold: 1200ms")
    objectives.write_text(wrong.replace("blind_for:", "scrape_interval: 1500ms\nblind_for:"))
    doctor = await house.processes.wine_slo("doctor", "--json", settings=settings(house))
    assert await doctor.wait(40) == 1
    found = json.loads(doctor.output)
    sentences = [each["sentence"] for each in found["findings"] if each["grade"] == "wrong"]
    assert len(sentences) == 2, sentences
    assert sentences[0].endswith("is scraped every 1s, but slo.yml says scrape_interval: 1500ms")
    assert "threshold of latency is 1.2 s, which is no bucket bound" in sentences[1]
    assert house.bot_api.token not in doctor.output
