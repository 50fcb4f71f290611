"""A site's knowledge: questions with their answers, edited by operators and searched by the AI."""
