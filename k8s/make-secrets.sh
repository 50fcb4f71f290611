#!/bin/sh
# Prints the Secrets of an overlay as manifests, with new random values. Nothing is stored on this machine:
#
#   k8s/make-secrets.sh production | kubectl create --namespace parley --filename -
#
# `create` fails for existing Secrets, so running it again does not change a secret in use. Environment:
#   OWNER_EMAIL                     the first owner (owner@example.com in dev)
#   S3_ACCESS_KEY, S3_SECRET_KEY    object storage (random in dev, where SeaweedFS uses them too)
set -eu

overlay=${1:-}
case $overlay in
dev | production) ;;
*)
    echo "usage: $0 dev|production" >&2
    exit 64
    ;;
esac

random() {
    head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# 32 bytes are a private key of P-256, in base64url.
random_key() {
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'
}

# secret NAME KEY VALUE [KEY VALUE]...
secret() {
    printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ntype: Opaque\nstringData:\n' "$1"
    shift
    while [ $# -gt 0 ]; do
        printf "  %s: '%s'\n" "$1" "$(printf %s "$2" | sed "s/'/''/g")"
        shift 2
    done
}

secret parley-identity secret "$(random 32)"
secret parley-encryption secret "$(random 32)"
secret parley-jwt secret "$(random 32)"
secret parley-vapid private-key "$(random_key)" subject "mailto:${OWNER_EMAIL:-owner@example.com}"

if [ "$overlay" = dev ]; then
    uri='mongodb://mongodb:27017/?replicaSet=rs0'
    secret parley-mongodb chat "$uri" presence "$uri" notify "$uri" translate "$uri"
    password=$(random 16)
    secret parley-rabbitmq username parley password "$password" url "amqp://parley:$password@rabbitmq:5672/"
    secret parley-s3 access-key "${S3_ACCESS_KEY:-$(random 8)}" secret-key "${S3_SECRET_KEY:-$(random 16)}"
    secret parley-owner email "${OWNER_EMAIL:-owner@example.com}" password "$(random 8)"
else
    : "${OWNER_EMAIL:?set it to the e-mail address of the first owner}" "${S3_ACCESS_KEY:?}" "${S3_SECRET_KEY:?}"
    for service in chat presence notify translate exporter; do
        secret "parley-mongodb-$service-password" password "$(random 16)"
    done
    secret parley-s3 access-key "$S3_ACCESS_KEY" secret-key "$S3_SECRET_KEY"
    secret parley-owner email "$OWNER_EMAIL" password "$(random 8)"
fi
