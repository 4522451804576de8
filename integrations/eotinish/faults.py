"""What goes wrong between the city and the gateway, where no code of the gateway names it."""

from domain.eotinish.model import GatewayFault, Remedy


def unreachable(error: BaseException) -> GatewayFault:
    """No answer came: it may have been taken or not."""
    return GatewayFault("unreachable", Remedy.RETRY, type(error).__name__)


class TooLarge(GatewayFault):
    """An answer of which no more is read."""

    def __init__(self) -> None:
        super().__init__("answer-unfit", Remedy.RETRY, "too large")


def too_large(fault: str, size: int) -> GatewayFault:
    """What we would send is no smaller the next time."""
    return GatewayFault(fault, Remedy.QUARANTINE, f"{size} bytes")


def unfit(why: str) -> GatewayFault:
    """An answer that is not believed: too large, no XML, of another form, badly signed. The call
    may have been taken, so it is made again under the same id.
    """
    return GatewayFault("answer-unfit", Remedy.RETRY, why)
