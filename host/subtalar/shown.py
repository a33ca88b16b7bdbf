"""Text of others on the terminal."""


def shown(text: str) -> str:
    """``text`` with a "�" for every character that a terminal would obey, or cannot show."""
    return "".join(c if c.isprintable() else "�" for c in text)
