"""The kinds of appeal that the law tells apart, each with a term of its own.

Art. 4 of the АППК (29.06.2020 № 350-VI) names seven; the national register e-Өтініш splits them
by who asks and about what. Which kind has which term is data: catalogues/law/kz.yaml.
"""

from enum import StrEnum


class AppealKind(StrEnum):
    """What an appeal is before the law. A report of a broken lamp is none of these: it is a
    request for service, and has the city's own standards alone.
    """

    APPLICATION = "application"
    """Заявление: somebody asks for help with a right, or tells of a broken law."""
    COMPLAINT = "complaint"
    """Жалоба: against an act, or a failure to act, of a body."""
    COMPLAINT_STATE_SERVICE = "complaint-state-service"
    COMPLAINT_TAXPAYER = "complaint-taxpayer"
    COMPLAINT_TAX_MONITORED = "complaint-tax-monitored"
    REQUEST = "request"
    """Запрос: for information of personal or public interest."""
    REQUEST_MEDIA = "request-media"
    REQUEST_LAWYER = "request-lawyer"
    REQUEST_BAILIFF = "request-bailiff"
    REQUEST_NOTARY = "request-notary"
    REQUEST_INFORMATION = "request-information"
    REQUEST_DECLASSIFICATION = "request-declassification"
    APPLICATION_REHABILITATION = "application-rehabilitation"
    PROPOSAL = "proposal"
    """Предложение: how something could be done better."""
    RESPONSE = "response"
    """Отклик: what somebody thinks of what the state does."""
    MESSAGE = "message"
    """Сообщение: of a broken law, or of a shortcoming."""
