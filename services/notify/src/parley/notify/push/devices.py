"""An operator's devices: those whose login has not ended, and the end of the others."""

from __future__ import annotations

from collections.abc import Sequence

from parley.common.events.team import OperatorAccessChanged
from parley.common.observability.logging import get_logger
from parley.notify.push.model import PushToken
from parley.notify.push.ports import LoginReader, PushTokenRepository

log = get_logger(__name__)


class OperatorDevices:
    """A token ends with the login that registered it.

    Chat is asked before every push, so nothing depends on an event having arrived. The event ends a token earlier, so
    that its operator does not count as reachable until the next push.
    """

    def __init__(self, tokens: PushTokenRepository, logins: LoginReader) -> None:
        self._tokens = tokens
        self._logins = logins

    async def get(self, operator_id: int) -> list[PushToken]:
        """Return an operator's devices, newest first. Deletes those whose login has ended. Raises Unavailable."""
        tokens = await self._tokens.get_for_operator(operator_id)
        logins = {token.login for token in tokens if token.login is not None}
        if not logins:
            return tokens
        valid = await self._logins.filter_valid(operator_id, logins)
        await self._delete([token for token in tokens if token.login is not None and token.login not in valid])
        return [token for token in tokens if token.login is None or token.login in valid]

    async def on_access_changed(self, change: OperatorAccessChanged) -> None:
        """Delete the devices of logins that ended. Raises Unavailable.

        Where a device's login is unknown (an external identity provider, or the previous version), any login of the
        operator that ends is taken for it.
        """
        if change.suspended:
            await self._tokens.delete_all(change.operator_id)
            return
        devices = await self.get(change.operator_id)
        if change.session_id is not None or change.sessions_ended:
            await self._delete([token for token in devices if token.login is None])

    async def _delete(self, ended: Sequence[PushToken]) -> None:
        if ended:
            await self._tokens.delete_ended(ended)
            log.info("push_tokens_ended", operator_id=ended[0].operator_id, count=len(ended))
