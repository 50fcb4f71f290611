"""Questions of visitors that the AI could not answer, grouped by meaning into gaps of a site's knowledge."""
