#!/bin/sh
# Writes deploy/.env with new random secrets unless it exists: secrets in use are never changed. Environment:
#   PARLEY_OWNER_EMAIL   the first owner's account (owner@example.com)
#   PARLEY_PUBLIC_URL    where browsers reach this deployment (http://localhost:8080)
set -eu

file=${1:-$(dirname "$0")/.env}
if [ -e "$file" ]; then
    exit 0
fi

random() {
    head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

umask 077
draft=$(mktemp "$file.XXXXXX")
trap 'rm -f "$draft"' EXIT
cat >"$draft" <<END
PARLEY_PUBLIC_URL=${PARLEY_PUBLIC_URL:-http://localhost:8080}
# The gateway's address on this machine. Put a TLS proxy in front of it, and set that proxy's network below.
PARLEY_BIND=127.0.0.1:8080
PARLEY_TRUSTED_PROXIES=

PARLEY_OWNER_EMAIL=${PARLEY_OWNER_EMAIL:-owner@example.com}
PARLEY_OWNER_PASSWORD=$(random 10)

PARLEY_IDENTITY_SECRET=$(random 32)
PARLEY_ENCRYPTION_SECRET=$(random 32)
PARLEY_JWT_SECRET=$(random 32)
# Identifies this installation to the push services of browsers (Web Push). In use, it is never changed.
PARLEY_VAPID_PRIVATE_KEY=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
PARLEY_VAPID_SUBJECT=mailto:${PARLEY_OWNER_EMAIL:-owner@example.com}

MONGODB_ROOT_PASSWORD=$(random 16)
MONGODB_SET_KEY=$(random 32)
MONGODB_CHAT_PASSWORD=$(random 16)
MONGODB_PRESENCE_PASSWORD=$(random 16)
MONGODB_NOTIFY_PASSWORD=$(random 16)
MONGODB_TRANSLATE_PASSWORD=$(random 16)
RABBITMQ_PASSWORD=$(random 16)
S3_PASSWORD=$(random 16)
END
mv "$draft" "$file"
trap - EXIT
echo "Created $file with new secrets; it contains the first owner's e-mail address and password."
