#!/usr/bin/env bash
# Make the base image where no registry can be reached: base.sh IMAGE. Needs root, debootstrap and
# Debian's mirror. Debian 11 is the newest with OpenSSL 1.1, which the older servers want.
set -euo pipefail
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=libcurl4,libssl1.1,haproxy bullseye "$root"
tar -C "$root" --exclude=./var/cache/apt --exclude=./usr/share/{doc,locale} -c . |
  docker import - "$1"
