"""Quality values of Accept fields (RFC 9110 §12.4.2)."""


def quality(parameters: str) -> float:
    """The weight among `;`-separated parameters: 1 where none is said, 0 for what is no number."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            return _number(value)
    return 1.0


def _number(value: str) -> float:
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
