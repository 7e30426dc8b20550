#!/bin/sh
# Make the incidents' namespace with its search attributes. Safe to run again: it brings an existing namespace to the
# same settings. `make check` holds the attributes and the retention to what the program expects.
set -eu

: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}"
RETENTION=90d # how long a closed incident stays readable in the Temporal UI; its evidence is kept elsewhere, for good

# Try for two minutes: the server opens its port before it can serve, and knows a new namespace only after seconds.
persist() {
    attempts=60
    until "$@" >/tmp/answer 2>&1; do
        attempts=$((attempts - 1))
        if [ "$attempts" -le 0 ]; then
            echo "Gave up on: $*" >&2
            cat /tmp/answer >&2
            return 1
        fi
        sleep 2
    done
    cat /tmp/answer
}

namespace() {
    # The server's own default would be 3 days.
    if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
        temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
    else
        temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
    fi
}

attribute() {
    echo "Search attribute $1 ($2)"
    persist temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type "$2"
}

persist temporal operator cluster health
persist namespace
attribute IncidentNumber Int
attribute IncidentSeverity Keyword
attribute IncidentStatus Keyword
attribute IncidentService Keyword
attribute IncidentCommander Keyword
attribute IncidentAckSeconds Int
attribute IncidentResolveSeconds Int
attribute IncidentDrill Bool
attribute IncidentBadReleases KeywordList
attribute IncidentRestoredDeployments KeywordList
attribute IncidentPostmortem Keyword
attribute IncidentPostmortemDue Datetime
attribute IncidentUpdateOverdueAt Datetime
attribute IncidentLastUpdateAt Datetime
