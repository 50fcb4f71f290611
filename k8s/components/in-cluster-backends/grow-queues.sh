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
    table=$(tool rabbitmqctl --quiet list_queues --vhost "${VHOST:-/}" --no-table-headers name type members)
    echo "$table" | grep '^parley\.' | tr -d " []'" | awk -F '\t' '$3 != "" { print $1, $2, $3 }'
}

# Prints how many nodes run the coordinator of all streams and agree on it. RabbitMQ adds nodes to it by itself, within
# half a minute. As long as it has one member only, no stream survives the loss of that member's node.
coordinator_members() {
    tool rabbitmqctl --quiet eval 'case ra:members({rabbit_stream_coordinator, node()}, 5000) of
        {ok, Members, Leader} ->
            {ok, _, _} = ra:consistent_query(Leader, fun(_) -> ok end, 5000),
            length([Node || {Name, Node} <- Members, is_pid(rpc:call(Node, erlang, whereis, [Name]))]);
        _ -> 0
    end.' || echo 0
}

nodes=$(running_nodes)
: "${nodes:?the cluster does not answer}"
listed=$(queues)
echo "$listed" | while read -r queue type members; do
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
listed=$(queues)
echo "$listed" | awk -v wanted="$wanted" '
    split($3, members, ",") < wanted { print $1 " has fewer members than the cluster has nodes: " $3; missing = 1 }
    END { exit missing }'
attempts=24
while [ "$(coordinator_members)" -lt "$wanted" ]; do
    attempts=$((attempts - 1))
    [ "$attempts" -gt 0 ] || { echo "the streams' coordinator has fewer members than the cluster has nodes"; exit 1; }
    sleep 5
done
echo "every queue has $wanted members"
