"""Silences: what they cover, until when, and by whom."""

from datetime import datetime

from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import Action, Silence
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import Hole, shortened


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
