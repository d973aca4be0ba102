"""Which metric is meant where there is none of a name: one whose words are nearly the same."""

from collections.abc import Iterable
from difflib import get_close_matches

LONG_WORD = 5  # letters; shorter words that differ are other words: rx and tx, get and set
VERY_LONG_WORD = 8  # letters; in a word of so many two may be wrong, and one may be another
LONGEST_WORD = 10  # letters; two words of so many that differ by two letters are one
MOST_EDITS = 2  # letters that are wrong, missing or too many in one word
MOST_WORDS = 2  # that differ
OTHER_WORDS = {"http", "https"}  # no forms of one word
PART_OF_NAME = ("total", "bucket", "count", "sum")  # words that are often left out


def near_name(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is surely meant, as it differs by spelling alone; None where there is none.

    `errors_5xx_total` is not meant by `errors_4xx_total`, nor `invalid_total` by `valid_total`: they are counted apart.
    """
    found = [(edits, each) for each in names if each != name and (edits := _edits(name, each)) is not None]
    return min(found)[1] if found else None


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like it, where it is known that it is wrong; None where none is like it."""
    known = sorted({*names} - {name})
    return near_name(name, known) or next(iter(get_close_matches(name, known, n=1, cutoff=0.6)), None)


def _edits(name: str, other: str) -> int | None:
    """Return how far apart two names are; None where they are not spellings of one."""
    words, others = (_words(each) for each in (name, other))
    if len(words) != len(others):
        return None
    edits = [_edits_of_word(*pair) for pair in zip(words, others, strict=True) if pair[0] != pair[1]]
    if len(edits) > MOST_WORDS or None in edits:
        return None
    return sum(each for each in edits if each is not None)


def _words(name: str) -> list[str]:
    words = name.lower().replace(":", "_").split("_")
    return [each for each in words if each and each not in PART_OF_NAME]


def _edits_of_word(word: str, other: str) -> int | None:
    """Return how many letters of two words differ; None where they are other words.

    Words with another beginning are: valid and invalid, import and export, ingress and egress, encode and decode. So
    are short ones in which a letter is another one, such as passed and parsed.
    """
    digits, other_digits = ([each for each in text if each.isdigit()] for text in (word, other))
    if digits != other_digits or word[0] != other[0] or {word, other} == OTHER_WORDS:
        return None
    short, long = sorted((word, other), key=len)
    if long.startswith(short) and len(long) - len(short) <= MOST_EDITS and len(short) > 1:
        return len(long) - len(short)  # a plural, or another form of the word
    if len(short) < LONG_WORD - 1 or len(long) < LONG_WORD:
        return None
    edits, is_very_long = _distance(word, other), len(short) >= VERY_LONG_WORD
    is_another = len(short) == len(long) < LONGEST_WORD and sorted(short) != sorted(long)  # a letter is
    most = MOST_EDITS if is_very_long and not is_another else 1
    return edits if edits <= most and (is_very_long or not is_another) else None


def _distance(word: str, other: str) -> int:
    """Return how many letters must be changed, added, left out or exchanged with the next one."""
    before: list[int] = []
    row: list[int] = [*range(len(other) + 1)]
    for place, letter in enumerate(word, start=1):
        last, before, row = before, row, [place]
        for number, each in enumerate(other, start=1):
            cost = min(before[number] + 1, row[-1] + 1, before[number - 1] + (letter != each))
            is_exchanged = place > 1 and number > 1 and letter == other[number - 2] and word[place - 2] == each
            row.append(min(cost, last[number - 2] + 1) if is_exchanged else cost)
    return row[-1]
