"""Notify's plugin of the `parley` command line: settings, push credentials, the mail server, new keys for Web Push."""

from __future__ import annotations

import aiosmtplib

from parley.common.cli import CommandError, CommandPlugin, CommandResult, HealthCheck, async_command
from parley.notify.clients.fcm import FcmClient
from parley.notify.clients.smtp import SmtpClient
from parley.notify.clients.vapid import VapidKey, generate_private_key
from parley.notify.mongo_schema import SCHEMA
from parley.notify.settings import NotifySettings


async def check_push(settings: NotifySettings) -> str:
    """Check the service account's private key. Raises CommandError if it cannot be read."""
    web_push = (
        "Web Push" if settings.vapid_key is not None else "no Web Push, since PARLEY_VAPID_PRIVATE_KEY is not set"
    )
    service_account = settings.fcm_service_account
    if service_account is None:
        return f"{web_push}; no FCM, since PARLEY_FCM_CREDENTIALS is not set"
    try:
        FcmClient(service_account, settings.fcm_url)
    except ValueError:
        raise CommandError("PARLEY_FCM_CREDENTIALS: the private key cannot be read") from None
    return f"{web_push}; FCM, project {service_account['project_id']}"


async def check_mail(settings: NotifySettings) -> str:
    """Connect to the mail server and log in, without sending. Raises CommandError with the server's answer."""
    account = settings.smtp_account
    if account is None:
        return "no mail, since PARLEY_SMTP_HOST is not set"
    try:
        await SmtpClient(account).check()
    except aiosmtplib.SMTPResponseException as exc:
        raise CommandError(f"{account.host}:{account.port} answers {exc.code} {exc.message}") from None
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as exc:
        raise CommandError(
            f"no mail server at {account.host}:{account.port} with PARLEY_SMTP_TLS={account.tls}: {type(exc).__name__}"
        ) from None
    login = f", logged in as {account.username}" if account.username else ""
    return f"{account.host}:{account.port}{login}; mail is sent from {account.sender.addr_spec}"


@async_command(
    "vapid-key create",
    "generate a key with which the server identifies itself to push services (Web Push)",
    details="Needs no settings and stores nothing. Browsers that are subscribed with another key have to subscribe"
    " again, which the panel does when it is opened.",
)
async def create_vapid_key() -> CommandResult:
    private_key = generate_private_key()
    public_key = VapidKey(private_key, "").public_key
    data = {"private_key": private_key, "public_key": public_key}
    return CommandResult(data, f"PARLEY_VAPID_PRIVATE_KEY={private_key}\n# Its public key: {public_key}")


PLUGIN = CommandPlugin(
    service="notify",
    settings=NotifySettings,
    commands=(create_vapid_key,),
    schema=SCHEMA,
    checks=(HealthCheck("push", check_push), HealthCheck("mail", check_mail)),
    queues=("parley.notify.erasures", "parley.notify.access", "parley.notify.mails"),
)
