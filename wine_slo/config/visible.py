"""Write out what is no letter: what would begin a line of its own, colour a terminal or turn a text around.

Others choose the names that are logged and printed: a service its labels, people their names.
"""

import re

# What would do so, and what no stream can encode.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """Return a text on one line, in which what is no letter is written out."""
    if text.isprintable():
        return text
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def visible_lines(text: str) -> str:
    """Return the same of a text of several lines."""
    return "\n".join(map(visible, text.split("\n")))
