"""Errors of identification. `code` is part of the API; those of tokens are for the developers of the site."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound, Unauthenticated, ValidationFailed


class SessionEnded(Unauthenticated):
    """The same as the gateway's, for a request that it has let in meanwhile."""

    code = "session_ended"
    default_message = "This session has ended. Begin with a new session id."


class TooManyIdentitySecrets(Conflict):
    code = "too_many_identity_secrets"
    default_message = "A site has at most 5 identity secrets. Revoke one that is not in use."


class IdentitySecretNotFound(NotFound):
    code = "not_found"


class IdentityTokenRefused(ValidationFailed):
    """A token does not prove who the visitor is. `reason` says why, in the field `token`."""

    code = "identity_token_refused"
    default_message = "The identity token was refused."

    def __init__(self, reason: str) -> None:
        super().__init__({"token": reason}, f"The identity token was refused: {reason}.")


class IdentityNotConfigured(IdentityTokenRefused):
    code = "identity_not_configured"


class IdentityTokenMalformed(IdentityTokenRefused):
    code = "identity_token_malformed"


class IdentityTokenAlgorithm(IdentityTokenRefused):
    code = "identity_token_algorithm"


class IdentityTokenSignature(IdentityTokenRefused):
    code = "identity_token_signature"


class IdentityTokenExpired(IdentityTokenRefused):
    code = "identity_token_expired"


class IdentityTokenLifetime(IdentityTokenRefused):
    code = "identity_token_lifetime"


class IdentityTokenAudience(IdentityTokenRefused):
    code = "identity_token_audience"


class IdentityTokenClaims(IdentityTokenRefused):
    code = "identity_token_claims"
