/** How a site's server signs a token; `docs/identify.md` has more languages. */

export type ServerLanguage = "Node.js" | "Python" | "PHP";

export const SERVER_SNIPPETS: Record<ServerLanguage, string> = {
  "Node.js": `import { createHmac } from "node:crypto";

const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");

export function parleyToken(user) {
  const claims = { sub: String(user.id), name: user.name, email: user.email };
  claims.exp = Math.floor(Date.now() / 1000) + 3600;
  const signed = \`\${encode({ alg: "HS256", typ: "JWT" })}.\${encode(claims)}\`;
  const mac = createHmac("sha256", process.env.CHAT_IDENTITY_SECRET);
  return \`\${signed}.\${mac.update(signed).digest("base64url")}\`;
}`,
  Python: `import os
import time

import jwt  # PyJWT


def parley_token(user):
    claims = {"sub": str(user.id), "name": user.name, "email": user.email}
    claims["exp"] = int(time.time()) + 3600
    return jwt.encode(claims, os.environ["CHAT_IDENTITY_SECRET"], algorithm="HS256")`,
  PHP: `function parley_token(array $user): string {
    $encode = fn (string $part) => rtrim(strtr(base64_encode($part), '+/', '-_'), '=');
    $claims = ['sub' => (string) $user['id'], 'name' => $user['name'], 'email' => $user['email']];
    $claims['exp'] = time() + 3600;
    $signed = $encode(json_encode(['alg' => 'HS256', 'typ' => 'JWT'])) . '.' . $encode(json_encode($claims));
    $mac = hash_hmac('sha256', $signed, getenv('CHAT_IDENTITY_SECRET'), true);
    return $signed . '.' . $encode($mac);
}`,
};
