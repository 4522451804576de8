"""How a provider's name of a person is kept: a blind index to find it by, and a seal."""


def subject_key(provider: str, subject: str) -> str:
    """What is indexed. eGov names people by their IIN, which a bare hash would not hide."""
    return f"identity {provider} {subject}"
