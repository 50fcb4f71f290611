"""A site's own texts in other languages: drafts by the translation service, approved by a person."""
