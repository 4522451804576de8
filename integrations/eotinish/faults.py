"""What goes wrong between the city and the gateway, by name, with what helps."""

from domain.eotinish.model import Remedy


class GatewayFault(Exception):
    """A call that brought no success. `fault` is a stable word, `code` the gateway's own, if any;
    `detail` never holds what a message was about.
    """

    def __init__(self, fault: str, remedy: Remedy, detail: str = "", code: str = "") -> None:
        super().__init__(" ".join(filter(None, (fault, code, detail))))
        self.fault = fault
        self.remedy = remedy
        self.detail = detail
        self.code = code


def unreachable(error: BaseException) -> GatewayFault:
    """No answer came: it may have been taken or not."""
    return GatewayFault("unreachable", Remedy.RETRY, type(error).__name__)


def unfit(why: str) -> GatewayFault:
    """An answer that is not believed: too large, no XML, of another form, badly signed. The call
    may have been taken, so it is made again under the same id.
    """
    return GatewayFault("answer-unfit", Remedy.RETRY, why)
