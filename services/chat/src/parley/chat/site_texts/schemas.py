"""Request and response bodies of a site's texts."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from parley.chat.common_fields import Language
from parley.chat.site_texts.model import MAX_CHARACTERS, ApprovedText, DraftText, hash_original
from parley.chat.site_texts.originals import list_originals
from parley.chat.site_texts.service import TextChange
from parley.chat.sites.model import Site
from parley.common.events.schemas import OperatorRef, Timestamp
from parley.common.http import RequestBody, SuccessResponse


def _normalize(tag: str) -> str:
    """The usual case of a language tag: pt-BR, zh-Hant."""
    language, *rest = tag.split("-")
    return "-".join([language.lower(), *(part.upper() if len(part) == 2 else part.title() for part in rest)])


LanguageTag = Annotated[Language, AfterValidator(_normalize)]
TextKey = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Content = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS, strip_whitespace=True)]


class TextBody(RequestBody):
    content: Content
    approved: bool = Field(
        False, description="Whether a person has checked it: visitors read it from now on. False saves a draft."
    )
    original: Content | None = Field(
        None, description="The original that it translates; by default the present one. If they differ, it is stale."
    )

    def to_change(self) -> TextChange:
        return TextChange(self.content, self.approved, self.original)


class UpdateTextsBody(RequestBody):
    """Texts that are absent stay unchanged; null removes a translation."""

    language: LanguageTag
    texts: Annotated[dict[TextKey, TextBody | None], Field(min_length=1, max_length=100)]

    def to_changes(self) -> dict[str, TextChange | None]:
        return {key: body.to_change() if body else None for key, body in self.texts.items()}


class TranslateTextsBody(RequestBody):
    language: LanguageTag
    keys: Annotated[list[TextKey], Field(min_length=1, max_length=100)] | None = Field(
        None, description="By default, all texts without a draft or an approved version of the present original."
    )


class DraftTextSchema(BaseModel):
    content: str
    stale: bool = Field(description="Whether the original has changed since.")
    at: Timestamp


class ApprovedTextSchema(DraftTextSchema):
    approved_by: OperatorRef


class TextTranslationSchema(BaseModel):
    approved: ApprovedTextSchema | None = Field(description="What visitors of this language read.")
    draft: DraftTextSchema | None = Field(description="What nobody has approved; no visitor reads it.")


class SiteTextSchema(BaseModel):
    key: str
    original: str
    translations: dict[str, TextTranslationSchema] = Field(description="By language tag.")


class SiteTextsResponse(SuccessResponse):
    """The texts that the site has written itself. Parley's own defaults are there in many languages."""

    language: str = Field(description="The site's language, in which the originals are written.")
    texts: list[SiteTextSchema]


class TranslatedTextsResponse(SiteTextsResponse):
    untranslated: list[str] = Field(description="Keys of texts that no engine has translated.")


def serialize_texts(site: Site) -> SiteTextsResponse:
    return SiteTextsResponse(language=site.language, texts=_serialize(site))


def serialize_translated(site: Site, untranslated: list[str]) -> TranslatedTextsResponse:
    return TranslatedTextsResponse(language=site.language, texts=_serialize(site), untranslated=untranslated)


def _serialize(site: Site) -> list[SiteTextSchema]:
    texts = []
    for key, original in list_originals(site.settings).items():
        digest = hash_original(original)
        translations = {
            language: TextTranslationSchema(
                approved=_serialize_approved(translation.approved, digest),
                draft=_serialize_draft(translation.draft, digest),
            )
            for language, of_key, translation in site.texts
            if of_key == key
        }
        texts.append(SiteTextSchema(key=key, original=original, translations=translations))
    return texts


def _serialize_draft(draft: DraftText | None, digest: str) -> DraftTextSchema | None:
    if draft is None:
        return None
    return DraftTextSchema(content=draft.content, stale=draft.original_hash != digest, at=draft.at)


def _serialize_approved(text: ApprovedText | None, digest: str) -> ApprovedTextSchema | None:
    if text is None:
        return None
    return ApprovedTextSchema(
        content=text.content,
        stale=text.original_hash != digest,
        at=text.at,
        approved_by=OperatorRef(id=text.approved_by_id, name=text.approved_by_name),
    )
