"""The AI that answers visitors: replies, prompts, engines, a site's own endpoint and key, and token budgets."""
