"""Errors about transcripts by e-mail. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, TooManyRequests


class TranscriptMailIsOff(Conflict):
    code = "transcript_email_off"
    default_message = "Transcripts are not sent by e-mail here."


class NothingToSend(Conflict):
    code = "nothing_to_send"
    default_message = "There is no conversation to send yet."


class TooManyTranscripts(TooManyRequests):
    """A limit of a day was reached: of the conversation, of the address or of the site."""

    code = "too_many_transcripts"
    default_message = "Too many transcripts were sent today. Please try again tomorrow."
