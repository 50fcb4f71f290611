/** Logs an operator in by what the panel stores for one. */

export function logIn(operatorId = 7, owner = true): void {
  const stored = {
    token: `token-${operatorId}`,
    expiresAt: Date.now() + 3_600_000,
    refreshToken: `refresh-${operatorId}`,
    user: { id: operatorId, name: "Alex", email: "alex@example.test", language: "en", owner },
  };
  localStorage.setItem("parley.session", JSON.stringify(stored));
}
