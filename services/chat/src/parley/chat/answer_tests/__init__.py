"""Answer tests: questions with what the AI must answer, run against candidate settings before visitors meet them."""
