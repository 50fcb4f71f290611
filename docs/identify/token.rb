# Prints a token for a user. The gem jwt does the same: JWT.encode(claims, secret, "HS256").
require "base64"
require "json"
require "openssl"

def encode(part)
  Base64.urlsafe_encode64(part, padding: false)
end

def parley_token(user_id, name, email)
  claims = { sub: user_id, name: name, email: email, exp: Time.now.to_i + 3600 }
  signed = [{ alg: "HS256", typ: "JWT" }, claims].map { |part| encode(JSON.generate(part)) }.join(".")
  signed + "." + encode(OpenSSL::HMAC.digest("SHA256", ENV.fetch("CHAT_IDENTITY_SECRET"), signed))
end

print parley_token(*ARGV[0, 3])
