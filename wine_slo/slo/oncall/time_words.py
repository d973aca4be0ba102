"""The words of times, in English and Russian, as people write them in a chat: units, numbers, days, parts of a day.

Words are compared in the form that `low` gives them. Both languages are read, whatever the chat's language.
"""

import re
from datetime import timedelta

from wine_slo.slo.span import UNITS

MONTH, YEAR = timedelta(days=30), timedelta(days=365)  # too long for anything here, and known as that
UNIT_NAMES = {  # beside the short one
    "s": ("sec", "secs", "second", "seconds", "с", "сек", "секунд", "секунды", "секунду", "секунда"),
    "m": ("min", "mins", "minute", "minutes", "м", "мин", "минут", "минуты", "минуту", "минута", "минуток", "минутку"),
    "h": ("hr", "hrs", "hour", "hours", "ч", "час", "часа", "часов", "часик", "часика", "часиков", "часок"),
    "d": ("day", "days", "д", "дн", "день", "дня", "дней", "сут", "сутки", "суток"),
    "w": ("week", "weeks", "wk", "wks", "н", "нед", "неделя", "неделю", "недели", "недель", "недельку"),
}
LENGTHS = {
    **{name: UNITS[unit] for unit, names in UNIT_NAMES.items() for name in (unit, *names)},
    **dict.fromkeys(("month", "months", "mo", "мес", "месяц", "месяца", "месяцев"), MONTH),
    **dict.fromkeys(("year", "years", "год", "года", "лет"), YEAR),
}
ALONE = (  # one of it
    *("minute", "hour", "day", "week", "month", "year"),
    *("минуту", "минутку", "час", "часика", "часик", "часок", "день", "сутки", "неделю", "недельку", "месяц", "год"),
    *("минуты", "часа", "дня", "суток", "недели"),  # в течение часа
)
PLURAL = ("минут", "часа", "часов", "часика", "дня", "дней", "недели", "секунд")  # before a number: минут двадцать
WHOLE = {  # a span in one word
    "полминуты": timedelta(seconds=30),
    **dict.fromkeys(("полчаса", "полчасика", "halfhour", "half-hour"), timedelta(minutes=30)),
    **dict.fromkeys(("полдня", "полсуток"), timedelta(hours=12)),
}
FRACTIONS = {
    **dict.fromkeys(("half", "пол", "половину", "половина"), 0.5),
    **dict.fromkeys(("quarter", "четверть"), 0.25),
}
QUARTERS = ("quarters", "четверти")  # of which there are three
NUMBERS = {
    **dict.fromkeys(("a", "an", "one", "один", "одну", "одни", "одного", "одной"), 1),
    **dict.fromkeys(("полтора", "полторы", "полутора"), 1.5),
    **dict.fromkeys(("two", "couple", "два", "две", "двое", "двух", "пару", "пара", "пары"), 2),
    **dict.fromkeys(("three", "три", "трое", "трех"), 3),
    **dict.fromkeys(("four", "четыре", "четверо", "четырех"), 4),
    **dict.fromkeys(("five", "пять", "пяти"), 5),
    **dict.fromkeys(("six", "шесть", "шести"), 6),
    **dict.fromkeys(("seven", "семь", "семи"), 7),
    **dict.fromkeys(("eight", "восемь", "восьми"), 8),
    **dict.fromkeys(("nine", "девять", "девяти"), 9),
    **dict.fromkeys(("ten", "десять", "десяти", "десяток"), 10),
    **dict.fromkeys(("eleven", "одиннадцать", "одиннадцати"), 11),
    **dict.fromkeys(("twelve", "двенадцать", "двенадцати"), 12),
    **dict.fromkeys(("fifteen", "пятнадцать", "пятнадцати"), 15),
    **dict.fromkeys(("twenty", "двадцать", "двадцати"), 20),
    **dict.fromkeys(("thirty", "тридцать", "тридцати"), 30),
    **dict.fromkeys(("forty", "сорок", "сорока"), 40),
    **dict.fromkeys(("fifty", "пятьдесят", "пятидесяти"), 50),
    **dict.fromkeys(("sixty", "шестьдесят", "шестидесяти"), 60),
    **dict.fromkeys(("ninety", "девяносто"), 90),
}
ARTICLES = ("a", "an", "of", "the")  # between a number and its unit: half an hour
AND_A_HALF = (("and", "a", "half"), ("and", "half"), ("с", "половиной"))
SUM = ("and", "и", ",", "&", "+")  # between the parts of a span
FROM_NOW = (("from", "now"), ("or", "so"), ("вперед",), ("примерно",))  # after a span

UNTIL = ("until", "till", "til", "'til", "untill", "до")
UNTIL_NOT = ("пока", "не")  # until, of something that happens
BY = ("by", "to", "к", "ко", "по")  # until, where a moment follows
FOR = ("for", "within", "на")
FOR_IN_WORDS = ("в", "течение")
OVER = ("over",)  # the weekend
ON = ("на",)  # минут на двадцать
MORE = (  # for the next hour, about an hour
    *("the", "next", "another", "about", "around", "roughly"),
    *("ближайший", "ближайшие", "следующий", "следующие", "еще", "примерно", "около"),
)
AT = ("at", "в", "во", "на", "on", "до", "около", "the", "this", "next", "coming", "ближайшего", "ближайшей")
NEXT = ("следующего", "следующей", "следующую", "следующий", "этого", "этой", "эту", "ближайшую", "ближайший")
THIS = ("this", "next", "coming", *NEXT)  # before a day
FILLERS = (*AT, *NEXT)  # before a day or a time of day
BETWEEN = ("between", "между")
BEGINS = ("at", "on", "from", "since", "after", "starting", "с", "со", "в", "во", *BETWEEN)  # before a moment
BEGINS_IN = ("in", "after", "через", "спустя")  # before a span
DASHES = ("-", "\N{EN DASH}", "\N{EM DASH}")
TO = ("to", "until", "till", "до", "по", *DASHES)  # after a beginning
BETWEEN_TO = ("and", "и", *TO)

YESTERDAY = ("yesterday", "вчера")
TODAY = ("today", "сегодня", "сегодняшнего")
TOMORROW = ("tomorrow", "tmrw", "tmr", "завтра", "завтрашнего")
AFTER_TOMORROW = ("послезавтра", "overmorrow")
DAYS = {
    **dict.fromkeys(YESTERDAY, -1),
    **dict.fromkeys(TODAY, 0),
    **dict.fromkeys(TOMORROW, 1),
    **dict.fromkeys(AFTER_TOMORROW, 2),
}
DAYS_IN_WORDS = (("the", "day", "after", "tomorrow"), ("day", "after", "tomorrow"))
WEEKDAYS = (
    ("monday", "mon", "понедельник", "понедельника", "пн"),
    ("tuesday", "tue", "tues", "вторник", "вторника", "вт"),
    ("wednesday", "wed", "weds", "среда", "среду", "среды", "ср"),
    ("thursday", "thu", "thur", "thurs", "четверг", "четверга", "чт"),
    ("friday", "fri", "пятница", "пятницу", "пятницы", "пт"),
    ("saturday", "sat", "суббота", "субботу", "субботы", "сб"),
    ("sunday", "sun", "воскресенье", "воскресенья", "вс"),
)
MONTHS = (
    ("january", "jan", "января", "янв"),
    ("february", "feb", "февраля", "фев"),
    ("march", "mar", "марта", "мар"),
    ("april", "apr", "апреля", "апр"),
    ("may", "мая"),
    ("june", "jun", "июня", "июн"),
    ("july", "jul", "июля", "июл"),
    ("august", "aug", "августа", "авг"),
    ("september", "sep", "sept", "сентября", "сен", "сент"),
    ("october", "oct", "октября", "окт"),
    ("november", "nov", "ноября", "ноя", "нояб"),
    ("december", "dec", "декабря", "дек"),
)
ORDINAL = ("st", "nd", "rd", "th", "го", "е")  # after the day of a month
END = ("end", "rest", "close", "конца", "конец", "окончания", "остаток")
OF_END = ("of", "the", "this", "business", "work", "working", "рабочего", "этого", "этой", "текущей", "текущего")
OF_WORK = ("business", "work", "working", "рабочего")  # a day that ends in the evening
DAY_NAMES = ("day", "today", "дня", "суток", "сегодня", "день")
WEEK_NAMES = ("week", "недели", "неделю")
WEEKEND = ("weekend", "weekends", "выходных", "выходные")
MONTH_NAMES = ("month", "месяца")
TONIGHT = (  # of which nobody knows when it is over
    *(("tonight",), ("this", "evening"), ("this", "night"), ("today", "evening")),
    *(("сегодня", "вечером"), ("сегодня", "ночью"), ("вечером",), ("ночью",), ("evening",), ("вечера",)),
)
END_OF_DAY, END_OF_WORK, END_OF_WEEK = ("eod",), ("eob", "cob"), ("eow",)
NIGHT = ("night", "ночь", "overnight")  # for the night: until the morning

HOUR = 60  # minutes
NOON, MIDNIGHT = 12 * HOUR, 24 * HOUR
MORNING, LUNCH, EVENING = 9 * HOUR, 13 * HOUR, 18 * HOUR  # minutes after midnight, where no hour is said
AM, PM = 0, 12  # hours before an hour of a clock's face
POINTS = {  # of a day, which need no `until`
    **dict.fromkeys(("noon", "midday", "полудня", "полдень"), NOON),
    **dict.fromkeys(("midnight", "полуночи", "полночь"), MIDNIGHT),
}
PARTS = {  # of a day: when people mean, and which half of the day an hour beside it is in
    **dict.fromkeys(("morning", "утра", "утром", "утро"), (MORNING, AM)),
    **dict.fromkeys(("lunch", "lunchtime", "обеда"), (LUNCH, PM)),
    **dict.fromkeys(("evening", "tonight", "вечера", "вечером", "вечер"), (EVENING, PM)),
}
HALVES = {  # which half of the day an hour is in
    **dict.fromkeys(("am", "a.m", "утра", "ночи"), AM),
    **dict.fromkeys(("pm", "p.m", "дня", "вечера"), PM),
}
IN_THE = ("in", "the", "at")  # seven in the evening
HOURS = ("h", "hrs", "hours", "o'clock", "oclock", "ч", "час", "часа", "часов")  # after an hour
ONE_O_CLOCK = ("часа", "часу")  # до часа
HALF_TO = {  # половины седьмого, полседьмого: half an hour before it
    name: number
    for number, name in enumerate(
        (
            *("первого", "второго", "третьего", "четвертого", "пятого", "шестого"),
            *("седьмого", "восьмого", "девятого", "десятого", "одиннадцатого", "двенадцатого"),
        ),
        1,
    )
}
HALF_OF = ("половины", "половина", "пол", "полу")
PAST, BEFORE = ("past", "after"), ("to", "before")
QUARTER_BEFORE = ("без", "четверти")

RECOVERY = (
    *("recovery", "recovered", "recovers", "resolved", "resolves", "resolution", "fixed", "fix", "green"),
    *("восстановления", "восстановится", "восстановят", "восстановим", "починят", "починим", "починится"),
    *("починки", "исправят", "исправим", "исправления", "исправится", "решения", "решится"),
)
MOST_SKIPPED = 2  # words before it: until it is fixed
FOREVER = ("forever", "always", "indefinitely", "permanently", "навсегда", "бессрочно", "вечно")
ZONES = {  # hours east of Greenwich, of names that people write after a time
    **dict.fromkeys(("utc", "gmt", "z", "zulu", "гринвичу"), 0.0),
    **dict.fromkeys(("msk", "мск", "москве", "московскому"), 3.0),
    "bst": 1.0,
    "cet": 1.0,
    "cest": 2.0,
    "eet": 2.0,
    "eest": 3.0,
    "ist": 5.5,
    "jst": 9.0,
    "est": -5.0,
    "edt": -4.0,
    "cst": -6.0,
    "cdt": -5.0,
    "mst": -7.0,
    "mdt": -6.0,
    "pst": -8.0,
    "pdt": -7.0,
}
SLIPS = (  # words that are often mistyped, and what they are to be
    *UNTIL[:2],
    *TODAY[:2],
    *TOMORROW[:1],
    "завтра",
    *AFTER_TOMORROW[:1],
    *(name for names in WEEKDAYS for name in names if len(name) > len("вторн")),
    *("midnight", "morning", "evening", "weekend", "понедельника", "пятницы", "recovery", "восстановления"),
)

_TWINS = str.maketrans("aceopxykmthb", "асеорхукмтнв")
_LATIN, _CYRILLIC = re.compile(r"[a-z]"), re.compile(r"[а-я]")


def low(word: str) -> str:
    """Return a word as it is compared: small, without quotes and the signs after it, in one alphabet."""
    plain = word.casefold().replace("ё", "е").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    plain = plain.strip('"`“”„«»()').rstrip(".,;!?").lstrip("~≈") or plain
    if _LATIN.search(plain) and _CYRILLIC.search(plain):
        plain = plain.translate(_TWINS)
    return plain
