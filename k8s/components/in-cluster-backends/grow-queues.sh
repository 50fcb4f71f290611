#!/bin/sh
# Gives every quorum queue and stream of Parley a member on every node of the RabbitMQ cluster, and checks that each has
# one. A queue that was declared before the other nodes had joined keeps one member for ever, and is lost with its node.
#
# Runs where RabbitMQ's tools can reach the cluster: in any node's container, or in the image with RABBITMQ_NODENAME and
# the cluster's cookie. Exits with status 1 if a queue still has fewer members than there are running nodes.
set -eu

tool() {
    name=$1
    shift
    # The tools read their standard input, which in the loop below is the list of queues.
    "$name" ${RABBITMQ_NODENAME:+--node "$RABBITMQ_NODENAME"} ${RABBITMQ_COOKIE:+--erlang-cookie "$RABBITMQ_COOKIE"} \
        "$@" </dev/null
}

running_nodes() {
    tool rabbitmqctl --quiet cluster_status --formatter json |
        tr -d ' \n' | sed 's/.*"running_nodes":\[\([^]]*\)\].*/\1/; s/[",]/ /g'
}

# Prints the name, the type and the members of each queue that has members: "parley.log stream rabbit@a,rabbit@b".
queues() {
    tool rabbitmqctl --quiet list_queues --vhost "${VHOST:-/}" --no-table-headers name type members |
        grep '^parley\.' | tr -d " []'" | awk -F '\t' '$3 != "" { print $1, $2, $3 }'
}

nodes=$(running_nodes)
: "${nodes:?the cluster does not answer}"
queues | while read -r queue type members; do
    for node in $nodes; do
        case ",$members," in *",$node,"*) continue ;; esac
        echo "$queue: adding a member on $node"
        if [ "$type" = stream ]; then
            tool rabbitmq-streams --quiet add_replica --vhost "${VHOST:-/}" "$queue" "$node" || true
        else
            tool rabbitmq-queues --quiet add_member --vhost "${VHOST:-/}" "$queue" "$node" || true
        fi
    done
done

wanted=$(echo "$nodes" | wc -w)
queues | awk -v wanted="$wanted" '
    split($3, members, ",") < wanted { print $1 " has fewer members than the cluster has nodes: " $3; missing = 1 }
    END { exit missing }'
echo "every queue has $wanted members"
