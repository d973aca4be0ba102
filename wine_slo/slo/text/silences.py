"""Silences: what they cover, until when, and by whom; and what is not clear of one that somebody wants."""

from datetime import datetime
from html import escape, unescape

from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import LONGEST_SILENCE, Action, Silence
from wine_slo.slo.oncall.not_understood import (
    NotUnderstoodError,
    PastError,
    SlipError,
    TooLongError,
    TooShortError,
)
from wine_slo.slo.oncall.silence_request import Missing, NoNumberError, SilenceRequest, UnclearError
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import Hole, shortened

MAX_LABEL = 40  # characters of a name on a button


def silence_scope(fmt: Formatter, silence: Silence) -> str:
    """Return what a silence is about: `Everything`, `Latency`, `Latency of /predict`."""
    return fmt.title(Key(silence.objective, silence.labels)) if silence.objective else fmt.say("Everything")


def silence_line(fmt: Formatter, action: Action, now: datetime, *, named: bool = True) -> str:
    """Return a silence: what it is about where that is to be named, how long it lasts, who made it and why."""
    silence = action.silence or Silence()
    holes: dict[str, Hole] = {"name": shortened(action.by.name)}
    if named:
        holes["what"] = silence_scope(fmt, silence)
    if silence.until is not None:
        holes["time"] = fmt.moment(silence.until, now)
    sentence = {
        (False, False): phrase("Silenced until recovery by {name}"),
        (False, True): phrase("Silenced until {time} by {name}"),
        (True, False): phrase("{what}: silenced until recovery by {name}"),
        (True, True): phrase("{what}: silenced until {time} by {name}"),
    }[named, silence.until is not None]
    text = fmt.say(sentence, **holes)
    return f"{text}: {shortened(silence.reason)}." if silence.reason else f"{text}."


def end_text(fmt: Formatter, end: datetime, now: datetime) -> str:
    """Return when something ends that begins now, as who has written it checks it: `20:30 MSK (1 h)`."""
    return fmt.say("{time} ({span})", time=fmt.end(end, now), span=end - now)


def silence_not_understood(fmt: Formatter, error: NotUnderstoodError, name: str, now: datetime) -> str:
    """Return what was wrong with a silence, and a right one, or what there is to choose from."""
    if isinstance(error, UnclearError) and error.missing is not Missing.BOTH:
        return _unclear(fmt, error, now)
    if isinstance(error, NoNumberError):
        return fmt.say("There is no {number}.", number=shortened(error.word))
    example = fmt.say("For example: /silence 1h {name} deploying, or /silence until 18:00 all.", name=escape(name))
    return f"{_wrong(fmt, error)} {example}"


def silence_choice(fmt: Formatter, request: SilenceRequest, error: UnclearError, now: datetime) -> str:
    """Return the button of one of the things that somebody may have wanted. Plain."""
    names = [unescape(fmt.title(each)) for each in request.keys]
    what = (", ".join(names) if names else fmt.say("Everything"))[:MAX_LABEL]
    if error.missing is Missing.WHAT or request.until is None:
        return what
    end = fmt.say("{span}, until {time}", span=request.until - now, time=fmt.end(request.until, now))
    return end if len({each.keys for each in error.choices}) == 1 else f"{what} · {end}"


def _wrong(fmt: Formatter, error: NotUnderstoodError) -> str:
    """Return what is wrong with the words of a silence."""
    word = shortened(error.word)
    match error:
        case PastError():
            return fmt.say("{word} is in the past.", word=word)
        case TooLongError():
            return fmt.say("{word} is too long: at most {span}.", word=word, span=LONGEST_SILENCE)
        case TooShortError():
            return fmt.say("{word} is over at once.", word=word)
        case SlipError(near=near) if near:
            return fmt.say("“{word}” is not understood. Did you mean {near}?", word=word, near=shortened(near))
        case _ if error.word:
            return fmt.say("“{word}” is not understood.", word=word)
        case _:
            return fmt.say("What should be silenced, and for how long?")


def _unclear(fmt: Formatter, error: UnclearError, now: datetime) -> str:
    """Return what is missing, and what is understood; there are buttons with the choices under it."""
    word = shortened(error.word)
    if error.missing is Missing.WHEN:
        if error.begins_later:
            return fmt.say("“{word}”: a silence begins at once. Until when?", word=word)
        return fmt.say("“{word}”: until when?", word=word) if word else fmt.say("For how long?")
    if error.near:
        what = fmt.say("There is no “{word}”. Did you mean {near}?", word=word, near=fmt.title(Key(error.near)))
    elif error.is_short:
        what = fmt.say("“{word}” can mean several objectives. Which one should be silenced?", word=word)
    elif word:
        what = fmt.say("“{word}” is not understood. What should be silenced?", word=word)
    else:
        what = fmt.say("What should be silenced?")
    end = error.choices[0].until
    until = fmt.say("Until recovery.") if end is None else fmt.say("Until {time}.", time=end_text(fmt, end, now))
    return f"{what}\n{until}"
