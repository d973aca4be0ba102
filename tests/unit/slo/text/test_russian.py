"""How everything reads in Russian, by the examples of the English texts, and that nothing of them stays English."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.catalogue import written
from tests.support.fakes.telegram_html import visible_text
from tests.support.message_examples import (
    BESIDE,
    BUDGET,
    EXAMPLES,
    FORMATTER,
    NOTHING,
    burning,
    check,
    incidents,
)
from tests.support.scene import ALL, LATENCY, Scene, at
from wine_slo.config import translations
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight, without_data
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.objectives.objective import BURNS, Key, Objectives
from wine_slo.slo.reason import Reason
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incidents.breach import breach_text
from wine_slo.slo.text.incidents.group import grouped_text
from wine_slo.slo.text.incidents.resolved import late_text
from wine_slo.slo.text.status_list import status_list

RUSSIAN = translations.load()["ru"]
SAYS = replace(FORMATTER, language=RUSSIAN)
ALLOWED = frozenset(
    "ID Prometheus Telegram API JSON PNG RE2 UTC wine-slo p95 watchdog OD280 OD315".split()  # noqa: SIM905 - reads better
)
OF_OTHERS = re.compile(  # names and texts that others chose: objectives, endpoints, titles, commands, what SQLite says
    r"\{[a-z]+=\"[^\"]*\"\}|/[a-z]\w*(/\d+| all| off| stop)?|\b(latency|errors|availability|sight|ledger)\b"
    r"|\b(eu|us)-1\b|\bblackbox\b"
    r"|\b(busy|few|gone|hidden|quiet|unknown)\b|Errors|WINE_SLO_\w+|slo\.yml|database or disk is full"
    r"|\b(probe|queue|backup|calls)\b|Probe|Queue|Backup|Calls|probe_success|queue_length|time\(\) - last_\w+"
    r"|\b(endpoint|instance|version|zone)="
)
TOO_FEW = Reason("only {seen} of the {needed} requests that a judgement needs", {"seen": 3, "needed": 5})
BLIND = Reason("Prometheus: {why}", {"why": Reason("it answered {status}: {error}", {"status": 503, "error": "busy"})})
TWICE = replace(burning(BURNS[3]), budget=replace(BUDGET, bad_ratios={**BUDGET.bad_ratios, timedelta(days=3): 0.12}))


def status(fmt: Formatter) -> str:
    """All that a line of it can be."""
    titled = [replace(LATENCY, name=name) for name in ("busy", "quiet", "few", "hidden", "gone", "unknown")]
    objectives = Objectives((*titled, *ALL.all))
    seen = Reading(
        at=at(0), sight=Sight.CLEAR, intervals=(Interval(at(0), 0, 50),), good_ratio=0.998, events_per_second=9.83
    )
    scene = Scene()
    scene.objectives = objectives
    readings = {
        Key("busy"): replace(seen, recent_seconds=0.05, budget=BUDGET),
        Key("quiet"): without_data(at(0), Sight.NO_TRAFFIC, ""),
        Key("few"): without_data(at(0), Sight.TOO_FEW, TOO_FEW),
        Key("hidden"): without_data(at(0), Sight.BLIND, BLIND),
        Key("gone"): without_data(at(0), Sight.TARGET_DOWN, ""),
        Key("unknown"): Reading(at=at(0), sight=Sight.CLEAR),
        Key("errors"): seen,
        Key("availability"): seen,
    }
    scene.evaluate(readings)
    scene.has(1.0, 30)
    scene.evaluate(readings)
    return status_list(replace(fmt, objectives=objectives), scene.state, at(scene.second + 12))


MORE: dict[str, Callable[[Formatter], str]] = {
    "the budget melts twice as fast": lambda fmt: breach_text(fmt, TWICE, NOTHING, State(), at(120)),
    "status": status,
}

EVERYTHING = EXAMPLES | BESIDE | MORE

READS = {
    "one of three down, then all": (
        "🔴 wine-slo не работает: не отвечает 3 из 3 экземпляров; цель нарушена уже <b>1 мин</b> (с 22:41:00)\n"
        "№ 12 · availability"
    ),
    "a probe of one target": (
        "🔴 Probe: <b>50 %</b> хороших значений (цель ≥ 99 %, за 20 с)\n"
        "С 22:41:00 (1 мин). Не выполнено probe_success == 1: 6 из 12 значений. Худшее значение сейчас: 0.\n"
        "100 % плохих значений: instance=b:8000. Остальные в норме.\n"
        "№ 12 · probe"
    ),
    "the last target is down too": (
        "🔴 wine-slo не работает: не отвечает 3 из 3 экземпляров; цель нарушена уже <b>1 мин</b> (с 22:41:00)\n"
        "Никто не подтвердил.\n"
        "№ 12 · availability"
    ),
    "closed gauge": "⚪️ Восстановлено: Queue, нарушение 22:41:00–22:54:20 (13 мин). № 12",
    "slow, and one of three is down": (
        "🔴 Задержка: p95 <b>2,4 с</b> (цель ≤ 1 с, за 20 с)\n"
        "С 22:41:00 (1 мин). Дольше 1 с: 46 из 58 запросов.\n"
        "Не отвечает 1 из 3 экземпляров (b:8000).\n"
        "№ 12 · latency"
    ),
    "a breach": (
        "🔴 Задержка: p95 <b>2,4 с</b> (цель ≤ 1 с, за 20 с)\n"
        "С 22:41:00 (1 мин). Дольше 1 с: 46 из 58 запросов.\n"
        "100 % плохих запросов: endpoint=/sleep. Остальные в норме.\n"
        "Бюджет ошибок: осталось 97 % за 30 дней, при такой скорости хватит на 3 дня.\n"
        "№ 12 · latency"
    ),
    "a breach after a change": (
        "🔴 Задержка: p95 <b>2,4 с</b> (цель ≤ 1 с, за 20 с)\n"
        "С 22:41:00 (1 мин). Дольше 1 с: 46 из 58 запросов.\n"
        "100 % плохих запросов: endpoint=/sleep. Остальные в норме.\n"
        "За 6 мин до этого выкатили новую версию (3021… → 9188…).\n"
        "Бюджет ошибок: осталось 97 % за 30 дней, при такой скорости хватит на 3 дня.\n"
        "№ 12 · latency"
    ),
    "a breach in a young history": (
        "🔴 Задержка: p95 <b>2,4 с</b> (цель ≤ 1 с, за 20 с)\n"
        "С 22:41:00 (1 мин). Дольше 1 с: 13 из 13 запросов.\n"
        "Бюджет ошибок: история пока за 1 мин.\n"
        "№ 12 · latency"
    ),
    "a recovery in a young history": (
        "🟢 Задержка в норме: p95 0,041 с (за 20 с)\n"
        "Длилось 13 мин (22:41:00–22:54:20). Максимум 2,6 с в 22:41.\n"
        "Дольше 1 с: 15 из 120 запросов.\n"
        "Бюджет ошибок: история пока за 16 мин.\n"
        "Оповещение через 27 с.\n"
        "№ 12 · latency"
    ),
    "a breach that lasts": (
        "🔴 Задержка: p95 <b>2,4 с</b> (цель ≤ 1 с, за 20 с) · 11 мин\n"
        "С 22:41:00. Максимум 2,6 с в 22:41. Дольше 1 с: 46 из 58 запросов.\n"
        "100 % плохих запросов: endpoint=/sleep. Остальные в норме.\n"
        "Бюджет ошибок: осталось 97 % за 30 дней, при такой скорости хватит на 3 дня.\n"
        "№ 12 · latency"
    ),
    "a breach of which nothing more is known": (
        "🔴 Задержка: нарушение (цель ≤ 1 с)\nС 22:41:00 (1 мин). Дольше 1 с: 46 из 58 запросов.\n№ 12 · latency"
    ),
    "a breach that may be a repeat": (
        "🔴 Задержка: p95 <b>2,4 с</b> (цель ≤ 1 с, за 20 с)\n"
        "С 22:41:00 (1 мин). Дольше 1 с: 46 из 58 запросов.\n"
        "Возможно, это дубль: первая отправка не подтверждена.\n"
        "№ 12 · latency"
    ),
    "a breach that came back": (
        "🔴 Задержка снова: p95 <b>2,4 с</b> (цель ≤ 1 с, за 20 с)\n"
        "С 22:51:00 (30 с). Дольше 1 с: 25 из 30 запросов.\n"
        "100 % плохих запросов: endpoint=/sleep. Остальные в норме.\n"
        "Бюджет ошибок: осталось 97 % за 30 дней, при такой скорости хватит на 3 дня.\n"
        "С 22:41:00 нарушалось 3 раза, всего 2 мин 5 с. Дольше 1 с: 151 из 188 запросов. Максимум 2,6 с в 22:41.\n"
        "№ 12 · latency"
    ),
    "a service that hangs": (
        "🔴 Задержка: нет ответа уже <b>72 с</b> (цель ≤ 1 с)\n"
        "С 22:41:00 (1 мин). Дольше 1 с: 46 из 58 запросов.\n"
        "№ 12 · latency"
    ),
    "several causes that are as good": (
        "🔴 Задержка: p95 <b>2,4 с</b> (цель ≤ 1 с, за 20 с)\n"
        "С 22:41:00 (1 мин). Дольше 1 с: 46 из 58 запросов.\n"
        "98 % плохих запросов: instance=a:8000, b:8000; version=1.4. Среди остальных плохих 8,3 %.\n"
        "№ 12 · latency"
    ),
    "a cause of failed scrapes": (
        "🔴 wine-slo: не отвечает 1 из 3 экземпляров (b:8000) уже <b>1 мин</b> (с 22:41:00)\n"
        "100 % неудачных опросов: zone=b. Остальные в норме.\n"
        "№ 12 · availability"
    ),
    "a recovery from what had a cause": (
        "🟢 Задержка в норме: p95 0,041 с (за 20 с)\n"
        "Длилось 13 мин (22:41:00–22:54:20). Максимум 2,6 с в 22:41.\n"
        "Дольше 1 с: 640 из 1\u00a0910 запросов.\n"
        "100 % плохих запросов: endpoint=/sleep.\n"
        "Бюджет ошибок: потрачено 5,3 %, осталось 97 % за 30 дней.\n"
        "Оповещение через 27 с.\n"
        "№ 12 · latency"
    ),
    "failing": (
        "🔴 Errors: <b>11 %</b> запросов с ошибкой (цель ≤ 1 %, за 20 с)\n"
        "С 22:41:00 (1 мин). С ошибкой: 46 из 58 запросов.\n"
        "№ 12 · errors"
    ),
    "down": (
        "🔴 wine-slo не работает: метрики не собираются уже <b>1 мин</b> (с 22:41:00)\n"
        "Инцидент № 11 (Задержка) остаётся открытым.\n"
        "№ 12 · availability"
    ),
    "one of three down": (
        "🔴 wine-slo: не отвечает 1 из 3 экземпляров (b:8000) уже <b>1 мин</b> (с 22:41:00)\n№ 12 · availability"
    ),
    "three of three down": (
        "🔴 wine-slo не работает: не отвечает 3 из 3 экземпляров уже <b>1 мин</b> (с 22:41:00)\n№ 12 · availability"
    ),
    "one of three down, each by itself": (
        "🔴 wine-slo (b:8000) не работает: метрики не собираются уже <b>1 мин</b> (с 22:41:00)\n"
        "№ 12 · availability{instance=&quot;b:8000&quot;}"
    ),
    "a probe": (
        "🔴 Probe: <b>0 %</b> хороших значений (цель ≥ 99 %, за 20 с)\n"
        "С 22:41:00 (1 мин). Не выполнено probe_success == 1: 12 из 12 значений. Худшее значение сейчас: 0.\n"
        "№ 12 · probe"
    ),
    "a queue": (
        "🔴 Queue: <b>0 %</b> хороших значений (цель ≥ 99 %, за 20 с)\n"
        "С 22:41:00 (1 мин). Не выполнено queue_length &lt; 100: 12 из 12 значений. Худшее значение сейчас: 4800.\n"
        "№ 12 · queue"
    ),
    "a queue that is short again": (
        "🟢 Queue в норме: 100 % хороших значений (за 20 с)\n"
        "Длилось 13 мин (22:41:00–22:54:20).\n"
        "Не выполнено queue_length &lt; 100: 24 из 40 значений.\n"
        "Оповещение через 27 с.\n"
        "№ 12 · queue"
    ),
    "a batch job": (
        "🔴 Backup: <b>50 %</b> хороших значений (цель ≥ 99 %, за 20 с)\n"
        "С 22:41:00 (1 мин). Не выполнено time() - last_success_timestamp_seconds &lt; 1h: 6 из 12 значений. "
        "Самое давнее: 2 ч 1 мин назад.\n"
        "№ 12 · backup"
    ),
    "slow or failed": (
        "🔴 Calls: <b>40 %</b> запросов медленные или с ошибкой (цель ≤ 5 %, за 20 с)\n"
        "С 22:41:00 (1 мин). Дольше 1 с или с ошибкой: 46 из 58 запросов.\n"
        "№ 12 · calls"
    ),
    "buckets that are wide": (
        "🔴 Задержка: p95 <b>2–2,5 с</b> (цель ≤ 1 с, за 20 с)\n"
        "С 22:41:00 (1 мин). Дольше 1 с: 46 из 58 запросов.\n"
        "100 % плохих запросов: endpoint=/sleep. Остальные в норме.\n"
        "Бюджет ошибок: осталось 97 % за 30 дней, при такой скорости хватит на 3 дня.\n"
        "№ 12 · latency"
    ),
    "one label set": (
        "🔴 Задержка /predict: p95 <b>2,4 с</b> (цель ≤ 1 с, за 20 с)\n"
        "С 22:41:00 (1 мин). Дольше 1 с: 46 из 58 запросов.\n"
        "№ 12 · latency{endpoint=&quot;/predict&quot;}"
    ),
    "no requests": (
        "🔴 Задержка: последнее p95 2,4 с (цель ≤ 1 с) · 14 мин · запросов нет уже 2 мин\n"
        "Остаётся открытым: без трафика восстановление не подтвердить.\n"
        "№ 12 · latency"
    ),
    "too few requests": (
        "🔴 Задержка: последнее p95 2,4 с (цель ≤ 1 с) · 14 мин · запросов слишком мало для оценки\n"
        "Остаётся открытым: слишком мало запросов, чтобы подтвердить восстановление.\n"
        "№ 12 · latency"
    ),
    "it went down": (
        "🔴 Задержка: последнее p95 2,4 с (цель ≤ 1 с) · 14 мин · сервис не работает уже 2 мин\n"
        "Остаётся открытым: сервис не отвечает.\n"
        "№ 12 · latency"
    ),
    "it cannot be seen": (
        "🔴 Задержка: последнее p95 2,4 с (цель ≤ 1 с) · 14 мин · нет данных уже 2 мин\n"
        "Остаётся открытым: без данных восстановление не подтвердить.\n"
        "№ 12 · latency"
    ),
    "blind": (
        "🟣 Потерян мониторинг, уже <b>2 мин</b>: Prometheus недоступен (в соединении отказано)\n"
        "С 22:41 не оцениваются 3 цели, их состояние неизвестно.\n"
        "№ 13 · Мониторинг"
    ),
    "the ledger cannot be written": (
        "🔴 База не принимает запись уже <b>2 мин</b>: database or disk is full\n"
        "Состояние сейчас только в памяти: при перезапуске пропадёт всё после 22:41.\n"
        "№ 13 · База данных"
    ),
    "the ledger is written again": (
        "🟢 База снова принимает запись, ничего не потеряно.\n"
        "База не принимала запись 2 мин 5 с (22:41:00–22:43:05).\n№ 13 · База данных"
    ),
    "the ledger was written again": "⚪️ Восстановлено: база не принимала запись 22:41:00–22:43:05 (2 мин 5 с). № 13",
    "the budget burns": (
        "🔴 Задержка: бюджет ошибок расходуется со скоростью <b>16×</b> от допустимой: за 1 ч потрачено 2,2 %.\n"
        "Бюджет ошибок: осталось 97 % за 30 дней, при такой скорости хватит на 43 ч.\n"
        "№ 12 · latency (бюджет)"
    ),
    "the budget melts": (
        "🟡 Задержка: бюджет ошибок расходуется со скоростью <b>1×</b> от допустимой: за 3 дня потрачено 10 %. "
        "Ночью ничего делать не нужно.\n"
        "Бюджет ошибок: осталось 97 % за 30 дней.\n"
        "№ 12 · latency (бюджет)"
    ),
    "reminder": "⏱ Не закрыт уже 4 ч, никто не подтвердил: Задержка, p95 1,7 с (за 20 с). № 12",
    "recovery": (
        "🟢 Задержка в норме: p95 0,041 с (за 20 с)\n"
        "Длилось 13 мин (22:41:00–22:54:20). Максимум 2,6 с в 22:41.\n"
        "Дольше 1 с: 640 из 1\N{NO-BREAK SPACE}910 запросов.\n"
        "Бюджет ошибок: потрачено 5,3 %, осталось 97 % за 30 дней.\n"
        "Оповещение через 27 с.\n"
        "№ 12 · latency"
    ),
    "recovery of a short one": (
        "🟢 Задержка в норме: p95 0,041 с (за 20 с)\n"
        "Длилось 55 с (22:41:00–22:41:55). Максимум 2,6 с в 22:41.\n"
        "Дольше 1 с: 640 из 1\N{NO-BREAK SPACE}910 запросов.\n"
        "Бюджет ошибок: потрачено 5,3 %, осталось 97 % за 30 дней.\n"
        "Оповещение через 27 с.\n"
        "№ 12 · latency"
    ),
    "recovery after it came back": (
        "🟢 Задержка в норме: p95 0,041 с (за 20 с)\n"
        "Длилось 3 мин 20 с (22:51:00–22:54:20).\n"
        "Дольше 1 с: 514 из 1\N{NO-BREAK SPACE}752 запросов.\n"
        "С 22:41:00 нарушалось 3 раза, всего 4 мин 55 с. Дольше 1 с: 640 из 1\N{NO-BREAK SPACE}910 запросов. "
        "Максимум 2,6 с в 22:41.\n"
        "Бюджет ошибок: потрачено 5,3 %, осталось 97 % за 30 дней.\n"
        "Оповещение через 30 с.\n"
        "№ 12 · latency"
    ),
    "recovery of errors": (
        "🟢 Errors в норме: 0 % запросов с ошибкой (за 20 с)\n"
        "Длилось 13 мин (22:41:00–22:54:20). Максимум 20 % в 22:41.\n"
        "С ошибкой: 640 из 1\N{NO-BREAK SPACE}910 запросов.\n"
        "Оповещение через 27 с.\n"
        "№ 12 · errors"
    ),
    "up again": (
        "🟢 Доступность в норме: 100 % (за 20 с)\n"
        "Длилось 13 мин (22:41:00–22:54:20).\n"
        "Оповещение через 27 с.\n"
        "№ 12 · availability"
    ),
    "seeing again": (
        "🟢 Мониторинг восстановлен: Prometheus отвечает.\n"
        "Мониторинга не было 5 мин 40 с (22:41:00–22:46:40).\n№ 13 · Мониторинг"
    ),
    "the budget lasts again": (
        "🟢 Задержка: скорость расхода бюджета ошибок снова в норме\n"
        "Бюджет ошибок: осталось 97 % за 30 дней.\n"
        "№ 12 · latency (бюджет)"
    ),
    "closed": "⚪️ Восстановлено: Задержка, нарушение 22:41:00–22:54:20 (13 мин), максимум 2,6 с. № 12",
    "closed blindness": "⚪️ Восстановлено: потеря мониторинга 22:41:00–22:43:05 (2 мин 5 с). № 13",
    "closed budget": (
        "⚪️ Восстановлено: Задержка, слишком быстрый расход бюджета ошибок 22:37:00–22:41:55 (4 мин 55 с). № 12"
    ),
    "missed": (
        "⚪️ Доставлено с опозданием (сообщения не отправлялись): Задержка, нарушение 22:41:00–22:54:20 (13 мин), "
        "максимум 2,6 с, уже в норме. № 12"
    ),
    "expired": (
        "⚪️ Задержка: с 22:41 нет запросов. Инцидент № 12 закрыт через 30 мин без данных; это не восстановление."
    ),
    "withdrawn": "⚪️ Задержка: цель убрана из настроек, инцидент закрыт; это не восстановление. № 12",
    "a storm": (
        "🔴 Задержка: нарушение в <b>21</b> из 21 набора меток (цель ≤ 1 с)\n"
        "С 22:41:00 (1 мин 30 с).\n"
        "Хуже всего: /21 (22 с), /20 (21 с), /19 (20 с), /18 (19 с), /17 (18 с) и ещё 16.\n"
        "Все: /status"
    ),
    "the end of a storm": (
        "🟢 Задержка: в норме <b>6</b> из 6 наборов меток\n"
        "Длилось 55 с (22:41:00–22:41:55).\n"
        "Хуже всего: /6 (7 с), /5 (6 с), /4 (5 с), /3 (4 с), /2 (3 с) и ещё 1.\n"
        "Больше ничего не нарушено."
    ),
    "the end of a part of a storm": (
        "🟢 Задержка: в норме <b>6</b> из 6 наборов меток\n"
        "Длилось 55 с (22:41:00–22:41:55).\n"
        "Хуже всего: /6 (7 с), /5 (6 с), /4 (5 с), /3 (4 с), /2 (3 с) и ещё 1.\n"
        "Ещё нарушены 2 цели: /status"
    ),
    "a storm that is no recovery": (
        "⚪️ Задержка: закрыто <b>7</b> из 7 наборов меток\n"
        "Длилось 55 с (22:41:00–22:41:55).\n"
        "Закрыто без восстановления: Задержка (2,6 с).\n"
        "Хуже всего: /6 (7 с), /5 (6 с), /4 (5 с), /3 (4 с), /2 (3 с) и ещё 2.\n"
        "Больше ничего не нарушено."
    ),
    "a storm of a part": (
        "🔴 Задержка: нарушение в <b>5 000</b> из 10 000 наборов меток (цель ≤ 1 с)\n"
        "С 22:41:00 (1 мин 30 с).\n"
        "Общее: zone=eu-1 (4 980 из 5 000).\n"
        "Хуже всего: /5000, us-1 (5001 с), /4999, us-1 (5000 с), /4998, us-1 (4999 с), /4997, us-1 "
        "(4998 с), /4996, us-1 (4997 с) и ещё 4 995.\n"
        "Подтверждено 2 из 5 000, последнее – Анна в 22:42.\n"
        "Все: /status"
    ),
    "a storm that is partly over": (
        "🔴 Задержка: нарушение ещё в <b>34</b> из 40 наборов меток (цель ≤ 1 с)\n"
        "С 22:41:00 (4 мин).\n"
        "Хуже всего: /40 (41 с), /39 (40 с), /38 (39 с), /37 (38 с), /36 (37 с) и ещё 29.\n"
        "Подтвердил(а) Анна в 22:42.\n"
        "Все: /status"
    ),
    "a storm in which each objective breaches once": (
        "🔴 Нарушены <b>3</b> цели\n"
        "С 22:41:00 (1 мин 30 с).\n"
        "Все – wine-slo.\n"
        "Открыты: Доступность (0 %), Errors /8 (20 %), Задержка /1 (2 с).\n"
        "Все: /status"
    ),
    "a storm of objectives": (
        "🔴 Нарушено <b>10</b> целей\n"
        "С 22:41:00 (1 мин 30 с).\n"
        "Все – wine-slo. По целям: Задержка 7, Errors 2, Доступность 1.\n"
        "Хуже всего: Доступность (0 %), Errors /8 (20 %), Errors /9 (20 %), Задержка /7 (8 с), Задержка "
        "/6 (7 с) и ещё 5.\n"
        "Все: /status"
    ),
    "a storm of slow burns": (
        "🟡 Слишком быстро тратятся <b>7</b> бюджетов ошибок\n"
        "С 22:41:00 (1 мин 30 с). Ночью действий не требуется.\n"
        "Хуже всего: /7 (8 с), /6 (7 с), /5 (6 с), /4 (5 с), /3 (4 с) и ещё 2.\n"
        "Все: /status"
    ),
    "a reminder of a storm": (
        "⏱ Не закрыто уже 4 ч 9 мин, никто не подтвердил: Задержка, 7 наборов меток.\n"
        "Хуже всего: /7 (8 с), /6 (7 с), /5 (6 с), /4 (5 с), /3 (4 с) и ещё 2."
    ),
    "a reminder of a storm that is partly acknowledged": (
        "⏱ Не закрыто уже 4 ч 9 мин, подтверждено не всё: Задержка, 7 наборов меток.\n"
        "Хуже всего: /7 (8 с), /6 (7 с), /5 (6 с), /4 (5 с), /3 (4 с) и ещё 2."
    ),
    "a reminder of a storm that is acknowledged": (
        "⏱ Не закрыто уже 4 ч 9 мин: Задержка, 7 наборов меток.\n"
        "Подтвердил(а) Анна в 22:42.\n"
        "Хуже всего: /7 (8 с), /6 (7 с), /5 (6 с), /4 (5 с), /3 (4 с) и ещё 2."
    ),
    "an escalation of a storm": (
        "⏱ Эскалация: никто не подтвердил за 15 мин: Задержка, 7 наборов меток.\n"
        "Хуже всего: /7 (8 с), /6 (7 с), /5 (6 с), /4 (5 с), /3 (4 с) и ещё 2."
    ),
    "the end of most of a storm": (
        "🟢 Задержка: в норме <b>6</b> из 8 наборов меток\n"
        "Длилось 55 с (22:41:00–22:41:55).\n"
        "Ещё нарушено 2: /8 (9 с), /7 (8 с)."
    ),
    "a storm that is closed": ("⚪️ Восстановлено: Задержка, 6 наборов меток, 55 с (22:41:00–22:41:55)."),
    "a storm of services": (
        "🔴 Нарушено <b>8</b> целей\n"
        "С 22:41:00 (1 мин 30 с).\n"
        "По сервисам: wine-slo 7, blackbox 1.\n"
        "Хуже всего: Probe (0 %), Задержка /7 (8 с), Задержка /6 (7 с), Задержка /5 (6 с), Задержка /4 "
        "(5 с) и ещё 3.\n"
        "Все: /status"
    ),
    "what is left of a storm of objectives": (
        "🔴 Ещё нарушено <b>3</b> из 9 целей\n"
        "С 22:41:00 (1 мин 30 с).\n"
        "Все – wine-slo. По целям: Errors 2, Доступность 1.\n"
        "Открыты: Доступность (0 %), Errors /8 (20 %), Errors /9 (20 %).\n"
        "🔇 Errors: заглушено до 23:42, Анна. (2 из 3)\n"
        "Все: /status"
    ),
    "a part of a storm of objectives is over": (
        "🟢 Снова в норме <b>6</b> из 7 целей\nДлилось 55 с (22:41:00–22:41:55).\nЕщё нарушено 1: Доступность (0 %)."
    ),
    "the end of a storm of objectives": (
        "🟢 Снова в норме <b>7</b> из 7 целей\n"
        "Длилось 55 с (22:41:00–22:41:55).\n"
        "Хуже всего: Errors (200 %), Задержка /6 (7 с), Задержка /5 (6 с), Задержка /4 (5 с), Задержка "
        "/3 (4 с) и ещё 2.\n"
        "Больше ничего не нарушено."
    ),
    "an escalation of a storm of objectives": (
        "⏱ Эскалация: никто не подтвердил за 15 мин: 10 целей.\n"
        "Хуже всего: Доступность (0 %), Errors /8 (20 %), Errors /9 (20 %), Задержка /7 (8 с), Задержка "
        "/6 (7 с) и ещё 5."
    ),
    "a storm that is closed and did not recover": ("⚪️ Закрыто: Задержка, 7 наборов меток, 55 с (22:41:00–22:41:55)."),
    "a storm that was missed and did not recover": (
        "⚪️ Доставлено с опозданием: Задержка, 7 наборов меток, нарушение длилось 55 с "
        "(22:41:00–22:41:55); уже закрыто, восстановилось не всё.\n"
        "Хуже всего: /6 (7 с), /5 (6 с), /4 (5 с), /3 (4 с), /2 (3 с) и ещё 2.\n"
        "Все: /incidents"
    ),
    "a storm that was missed": (
        "⚪️ Доставлено с опозданием: Задержка, 6 наборов меток, нарушение длилось 55 с "
        "(22:41:00–22:41:55), уже в норме.\n"
        "Хуже всего: /6 (7 с), /5 (6 с), /4 (5 с), /3 (4 с), /2 (3 с) и ещё 1.\n"
        "Все: /incidents"
    ),
    "a gap": "🔄 Перерыв в наблюдении: 4 мин 10 с. Открыт 1 инцидент: № 12 latency.",
    "a gap, and nothing is open": "🔄 Перерыв в наблюдении: 4 мин 10 с. Открытых инцидентов нет.",
    "a restart": "🔄 Мониторинг перезапущен, перерыв в наблюдении: 4 мин 10 с. Открытых инцидентов нет.",
    "evaluations that failed": (
        "🔄 Перерыв в наблюдении: 4 мин 10 с, проверки завершались ошибкой. Открытых инцидентов нет."
    ),
    "a suspension": (
        "🔄 Перерыв в наблюдении: 4 мин 10 с, процесс мониторинга был приостановлен. Открытых инцидентов нет."
    ),
    "a clock that was ahead": (
        "🔄 Часы переведены назад: последняя проверка оказалась в будущем и отброшена. Открытых инцидентов нет."
    ),
    "the budget melts twice as fast": (
        "🟡 Задержка: бюджет ошибок расходуется со скоростью <b>2,4×</b> от допустимой: за 3 дня потрачено 24 %. "
        "Ночью ничего делать не нужно.\n"
        "Бюджет ошибок: осталось 97 % за 30 дней, при такой скорости хватит на 12 дней.\n"
        "№ 12 · latency (бюджет)"
    ),
    "status": (
        "🔴 latency: после запуска ещё не проверялось · № 1 с 22:40:00 (42 с)\n"
        "🟢 availability: 99,8 % (цель ≥ 99,5 %, за 5 мин)\n"
        "🟢 busy: p95 0,05 с (цель ≤ 1 с, за 20 с) · бюджет 97 %\n"
        "🟢 errors: 0,2 % запросов с ошибкой (цель ≤ 1 %, за 5 мин)\n"
        "⚪️ few: мало запросов: 3, для оценки нужно 5\n"
        "⚪️ gone: сервис не работает уже 12 с\n"
        "⚪️ hidden: нет данных: Prometheus ответил 503: busy\n"
        "⚪️ quiet: запросов нет уже 12 с\n"
        "⚪️ unknown: чисел пока нет\n"
        "Запросов в секунду: 9,8. Проверено 12 с назад. Ничего не заглушено."
    ),
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_it_reads(name: str) -> None:
    text = EVERYTHING[name](SAYS)
    assert text == READS[name]
    if name != "status":  # which is as long as there are objectives
        check(text)
    assert english(visible_text(text)) == []


def english(text: str) -> list[str]:
    """The English words of a text that nobody but us has chosen."""
    words = re.findall(r"[A-Za-z][\w-]+", OF_OTHERS.sub("", text))
    return [word for word in words if word not in ALLOWED]


@given(incidents(), st.sampled_from([Kind.BREACH, Kind.RECOVERY, Kind.MISSED]))
@settings(max_examples=30, deadline=None)
def test_whatever_it_is_about_telegram_takes_it(truth: Incident, kind: Kind) -> None:
    state = State(incidents={truth.number + 100: truth})
    check(grouped_text(SAYS, kind, [truth] * 6, state, at(200)))
    check(
        late_text(SAYS, truth, state)
        if truth.closed_at
        else breach_text(SAYS, truth, NOTHING, state, truth.last_bad_at)
    )


def test_no_translation_holds_an_english_word() -> None:
    for message in written(RUSSIAN):
        for text in [message.string] if isinstance(message.string, str) else message.string or ():
            assert english(re.sub(r"\{\w+\}|</?b>|&\w+;", "", text) if message.id else "") == [], message.id


def test_an_english_word_would_be_found() -> None:
    assert english(visible_text(EXAMPLES["a breach"](FORMATTER)))
    assert english("Since вчера, p95, /status, latency") == ["Since"]
