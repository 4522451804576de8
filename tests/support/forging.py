"""Something that is nearly what it was."""


def nearly(text: str) -> str:
    """The same text but for the letter in its middle: another in any case, where an end put in the
    place of its own may be the very same.
    """
    middle = len(text) // 2
    return text[:middle] + ("B" if text[middle] == "A" else "A") + text[middle + 1 :]
