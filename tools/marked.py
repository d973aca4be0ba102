"""Parts of a text that a program writes, each between two marks; what is around them is written by people."""


def put(text: str, begin: str, end: str, part: str) -> str:
    """Return the text with another part between two lines.

    Args:
        text: What is written anew.
        begin: The line before the part.
        end: The line after it.
        part: What belongs between them, without a line feed at its end.

    Raises:
        ValueError: There are no such lines, or more than one pair of them.
    """
    before, found, rest = text.partition(f"{begin}\n")
    _, ended, after = rest.partition(end)
    if not (found and ended) or begin in after:
        raise ValueError(f"there is not one pair of {begin} and {end}")
    return f"{before}{begin}\n{part}\n{end}{after}"
