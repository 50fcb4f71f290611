"""The route table of accounts and administration: method, path, handler, who may call it, what it takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parley.chat.accounts import handlers as auth
from parley.chat.api_keys import handlers as api_keys
from parley.chat.audit import handlers as audit
from parley.chat.common_fields import PageQuery, Permissions
from parley.chat.internal_api import handlers as errands
from parley.chat.invitations import handlers as invitations
from parley.chat.knowledge import handlers as knowledge
from parley.chat.schemas import Done
from parley.chat.sites import chatbot_handlers
from parley.chat.sites import handlers as sites
from parley.chat.team import handlers as team
from parley.common.auth.identity import Permission
from parley.common.http import Rate, Route, Who

OPERATOR, GATEWAY = Who.OPERATOR, Who.GATEWAY
MANAGE = Permission.MANAGE
_API = "/api/v1"
_SITE = f"{_API}/sites/{{site_id}}"
_MEMBER = f"{_API}/team/{{id}}"
_WRITE: Any = {"rate": Rate.WRITE}
_MANAGING: Any = {"needs": MANAGE, "rate": Rate.WRITE}
_OWNING: Any = {"owner_only": True, "rate": Rate.WRITE}
_ENTRY = {"question": "When are you open?", "answer": "Monday to Friday, nine to six."}


@dataclass(frozen=True, slots=True)
class Handlers:
    """Everything that the table points to."""

    auth: auth.AuthHandlers
    api_keys: api_keys.ApiKeyHandlers
    sites: sites.SiteHandlers
    chatbot: chatbot_handlers.ChatbotHandlers
    knowledge: knowledge.KnowledgeHandlers
    team: team.TeamHandlers
    invitations: invitations.InvitationHandlers
    audit: audit.AuditHandlers
    errands: errands.ErrandHandlers


def routes(handlers: Handlers) -> list[Route]:
    """The whole table."""
    return [
        *_accounts(handlers.auth, handlers.api_keys),
        *_sites(handlers.sites),
        *_chatbot(handlers.chatbot, handlers.knowledge),
        *_team(handlers.team, handlers.invitations),
        *_site_team(handlers.team),
        *_audit(handlers.audit),
        *_errands(handlers.errands),
    ]


def _accounts(account: auth.AuthHandlers, keys: api_keys.ApiKeyHandlers) -> list[Route]:
    return [
        Route("GET", f"{_API}/auth/me", account.me, OPERATOR, auth.AccountAnswer, "Your own account"),
        Route(
            "PUT",
            f"{_API}/auth/me",
            account.update,
            OPERATOR,
            auth.AccountAnswer,
            "Change your name or language",
            body=auth.ProfileBody,
            example={"name": "Alex Moreau", "language": "fr"},
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_API}/auth/change-password",
            account.change_password,
            OPERATOR,
            Done,
            "Change your password; every other session of yours ends",
            body=auth.PasswordBody,
            rate=Rate.LOGIN,
            example={"current_password": "the one until now", "new_password": "a longer one from now on"},
        ),
        Route("GET", f"{_API}/api-keys", keys.page, OPERATOR, api_keys.KeysAnswer, "Your API keys", query=PageQuery),
        Route(
            "POST",
            f"{_API}/api-keys",
            keys.create,
            OPERATOR,
            api_keys.NewKeyAnswer,
            "Make an API key; it is shown this once",
            body=api_keys.KeyBody,
            status=201,
            example={"name": "Nightly export"},
            **_WRITE,
        ),
        Route("DELETE", f"{_API}/api-keys/{{id}}", keys.revoke, OPERATOR, Done, "Revoke an API key", **_WRITE),
    ]


def _sites(site: sites.SiteHandlers) -> list[Route]:
    draft = {"name": "Corner shop", "domains": ["shop.example.com"]}
    return [
        Route("GET", f"{_API}/sites", site.page, OPERATOR, sites.SitesAnswer, "Your sites", query=PageQuery),
        Route(
            "POST",
            f"{_API}/sites",
            site.create,
            OPERATOR,
            sites.SiteAnswer,
            "Make a site",
            body=sites.NewSiteBody,
            status=201,
            example=draft,
            **_OWNING,
        ),
        Route("GET", _SITE, site.show, OPERATOR, sites.SiteAnswer, "A site", needs=MANAGE),
        Route(
            "PUT",
            _SITE,
            site.update,
            OPERATOR,
            sites.SiteAnswer,
            "Change a site",
            body=sites.SiteBody,
            example=draft,
            **_MANAGING,
        ),
        Route("DELETE", _SITE, site.delete, OPERATOR, Done, "Delete a site", **_OWNING),
        Route(
            "POST",
            f"{_SITE}/rotate-key",
            site.rotate_key,
            OPERATOR,
            sites.SiteAnswer,
            "Give a site a new public key; widgets with the old one stop working",
            **_MANAGING,
        ),
        Route(
            "GET",
            f"{_SITE}/widget-code",
            site.widget_code,
            OPERATOR,
            sites.WidgetCodeAnswer,
            "What to put into the site's pages",
            needs=MANAGE,
        ),
        Route(
            "GET",
            f"{_SITE}/my-access",
            site.my_access,
            OPERATOR,
            sites.MyAccessAnswer,
            "What you may do on a site",
        ),
    ]


def _chatbot(bot: chatbot_handlers.ChatbotHandlers, known: knowledge.KnowledgeHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            f"{_SITE}/chatbot",
            bot.show,
            OPERATOR,
            chatbot_handlers.ChatbotAnswer,
            "The settings of a site's assistant",
        ),
        Route(
            "PUT",
            f"{_SITE}/chatbot",
            bot.update,
            OPERATOR,
            chatbot_handlers.ChatbotAnswer,
            "Change the settings of a site's assistant",
            body=chatbot_handlers.ChatbotBody,
            example={
                "name": "Robin",
                "welcome": "Hello! What are you looking for?",
                "operator_timeout": 300,
                "hours": {
                    "time_zone": "Europe/Berlin",
                    "weekly": [{"day": "monday", "from": "09:00", "to": "18:00"}],
                    "closed": ["2026-12-25"],
                },
                "translation": {"glossary": ["Corner Shop"]},
            },
            **_MANAGING,
        ),
        Route(
            "GET",
            f"{_SITE}/chatbot/knowledge",
            known.page,
            OPERATOR,
            knowledge.EntriesAnswer,
            "What a site's assistant knows",
            query=PageQuery,
        ),
        Route(
            "POST",
            f"{_SITE}/chatbot/knowledge",
            known.add,
            OPERATOR,
            knowledge.EntryAnswer,
            "Teach a site's assistant an answer",
            body=knowledge.EntryBody,
            status=201,
            example=_ENTRY,
            **_MANAGING,
        ),
        Route(
            "PUT",
            f"{_SITE}/chatbot/knowledge/{{entry_id}}",
            known.replace,
            OPERATOR,
            knowledge.EntryAnswer,
            "Change an answer",
            body=knowledge.EntryBody,
            example=_ENTRY,
            **_MANAGING,
        ),
        Route(
            "DELETE",
            f"{_SITE}/chatbot/knowledge/{{entry_id}}",
            known.remove,
            OPERATOR,
            Done,
            "Forget an answer",
            **_MANAGING,
        ),
    ]


def _team(members: team.TeamHandlers, invited: invitations.InvitationHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            f"{_API}/team",
            members.page,
            OPERATOR,
            team.TeamAnswer,
            "The people on your sites",
            needs=MANAGE,
            query=PageQuery,
        ),
        Route(
            "POST",
            f"{_API}/team",
            members.create,
            OPERATOR,
            team.NewMemberAnswer,
            "Add somebody to the team; without a password they are invited",
            body=team.NewMemberBody,
            status=201,
            example={
                "email": "sam@example.com",
                "name": "Sam",
                "site_ids": [1],
                "permissions": {"can_chat": True, "can_view_conversations": True, "can_manage": False},
            },
            **_MANAGING,
        ),
        Route("GET", _MEMBER, members.show, OPERATOR, team.MemberAnswer, "A member of the team", needs=MANAGE),
        Route(
            "PUT",
            _MEMBER,
            members.update,
            OPERATOR,
            team.MemberAnswer,
            "Change a member of the team",
            body=team.MemberBody,
            example={"suspended": True},
            **_MANAGING,
        ),
        Route("DELETE", _MEMBER, members.remove, OPERATOR, Done, "Take somebody off the team", **_MANAGING),
        Route(
            "POST",
            f"{_MEMBER}/invitation",
            invited.invite_again,
            OPERATOR,
            invitations.InvitationAnswer,
            "A new invitation for somebody who has not come in yet",
            status=201,
            **_MANAGING,
        ),
    ]


def _site_team(members: team.TeamHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            f"{_SITE}/team",
            members.on_site,
            OPERATOR,
            team.TeamAnswer,
            "The people of a site",
            needs=MANAGE,
            query=PageQuery,
        ),
        Route(
            "PUT",
            f"{_SITE}/team/{{operator_id}}",
            members.grant,
            OPERATOR,
            team.MemberAnswer,
            "Put somebody on a site, or change what they may do there",
            body=Permissions,
            example={"can_chat": True, "can_view_conversations": True, "can_manage": False},
            **_MANAGING,
        ),
        Route(
            "DELETE",
            f"{_SITE}/team/{{operator_id}}",
            members.take_off,
            OPERATOR,
            Done,
            "Take somebody off a site",
            **_MANAGING,
        ),
    ]


def _audit(log: audit.AuditHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            f"{_API}/audit",
            log.page,
            OPERATOR,
            audit.AuditAnswer,
            "Who did what, when, and from where; newest first",
            needs=MANAGE,
            query=audit.AuditQuery,
        )
    ]


def _errands(errand: errands.ErrandHandlers) -> list[Route]:
    inner = "/internal"
    login: Any = {"rate": Rate.LOGIN}
    return [
        Route(
            "POST",
            f"{inner}/login",
            errand.login,
            GATEWAY,
            errands.LoginAnswer,
            "Check a password",
            body=errands.LoginBody,
            **login,
        ),
        Route(
            "POST",
            f"{inner}/refresh",
            errand.refresh,
            GATEWAY,
            errands.LoginAnswer,
            "Carry a session on",
            body=errands.RefreshBody,
            **login,
        ),
        Route("POST", f"{inner}/logout", errand.logout, GATEWAY, Done, "End a session", body=errands.LogoutBody),
        Route(
            "GET",
            f"{inner}/access/{{operator_id}}",
            errand.access,
            GATEWAY,
            errands.AccessAnswer,
            "What an operator may touch",
            query=errands.AccessQuery,
        ),
        Route(
            "POST",
            f"{inner}/access-by-key",
            errand.access_by_key,
            GATEWAY,
            errands.AccessAnswer,
            "What an API key opens",
            body=errands.KeyBody,
        ),
        Route(
            "POST",
            f"{inner}/accept-invitation",
            errand.accept_invitation,
            GATEWAY,
            errands.LoginAnswer,
            "Let an invited person in",
            body=errands.AcceptBody,
            **login,
        ),
        Route(
            "GET",
            f"{inner}/site",
            errand.site,
            GATEWAY,
            errands.SiteFactsAnswer,
            "The site with a public key",
            query=errands.SiteKeyQuery,
        ),
        Route(
            "GET",
            f"{inner}/origin",
            errand.origin,
            GATEWAY,
            errands.OriginAnswer,
            "Whether some site takes calls from an origin",
            query=errands.OriginQuery,
        ),
    ]
