"""Why a login came to nothing."""

from enum import StrEnum

from domain.errors import Refusal


class LoginReason(StrEnum):
    """What stood in the way; the same word in every language of the API."""

    CONSENT_REFUSED = "consent-refused"
    CODE_EXPIRED = "code-expired"
    STATE_UNKNOWN = "state-unknown"
    PROVIDER_UNKNOWN = "provider-unknown"
    PROVIDER_UNREACHABLE = "provider-unreachable"
    PROVIDER_FAILED = "provider-failed"
    PERSON_MALFORMED = "person-malformed"
    TOKEN_FORGED = "token-forged"  # noqa: S105
    SIGNATURE_REFUSED = "signature-refused"
    NOT_A_MEMBER = "not-a-member"


class LoginRefused(Refusal):
    """Nobody was logged in. Params: `provider`, `reason` (a LoginReason)."""

    code = "login-refused"

    def __init__(self, provider: str, reason: LoginReason) -> None:
        super().__init__(provider=provider, reason=reason)
        self.provider = provider
        self.reason = reason
