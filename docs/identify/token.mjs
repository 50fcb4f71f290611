// Prints a token for a user. The library jsonwebtoken does the same: jwt.sign(claims, secret, { expiresIn: "1h" }).
import { createHmac } from "node:crypto";

const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");

export function parleyToken(userId, name, email) {
  const claims = { sub: userId, name, email, exp: Math.floor(Date.now() / 1000) + 3600 };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  const signature = createHmac("sha256", process.env.CHAT_IDENTITY_SECRET).update(signed);
  return `${signed}.${signature.digest("base64url")}`;
}

process.stdout.write(parleyToken(...process.argv.slice(2, 5)));
