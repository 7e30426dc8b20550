#!/bin/sh
# Make Temporal's two databases and bring their schemas up to this image's version. Safe to run again: what is there
# already stays, and an upgrade of the images runs the new migrations before the new server starts.
set -eu

: "${SQL_HOST:?}" "${SQL_USER:?}" "${SQL_PASSWORD:?}"
export SQL_PLUGIN=postgres12
schemas=${SCHEMA_DIR:-/etc/temporal/schema/postgresql/v12}

prepare() {
    echo "Schema of database $1"
    temporal-sql-tool --db "$1" create-database
    temporal-sql-tool --db "$1" setup-schema --version 0.0
    temporal-sql-tool --db "$1" update-schema --schema-dir "$schemas/$2/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
