"""Mail by SMTP: transcripts that visitors and operators asked for."""
