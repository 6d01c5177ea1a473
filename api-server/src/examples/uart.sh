#!/bin/sh
# A serial port at 0x3f8 as an ioreq server, in curl and sh: what the guest sends is printed.
#
#   uart.sh URL DOMAIN [BYTES]    ends after so many bytes, or when it is killed
#
# A 16550 whose transmitter is always empty: a write to 0x3f8 is a byte sent, and the line status
# register at 0x3fd reads 0x60. Everything else reads 0.
set -eu
url=$1 domain=$2 most=${3:-0}

server=$(curl -sSf -d '{"ranges":[{"type":"port","start":"0x3f8","end":"0x3ff"}]}' \
  "$url/v1/domains/$domain/ioreq-servers" | sed 's/.*"id":\([0-9]*\).*/\1/')
requests=$url/v1/domains/$domain/ioreq-servers/$server/requests
trap 'curl -sS -X DELETE "$url/v1/domains/$domain/ioreq-servers/$server"' EXIT

member() { # of the first request, by name
  printf %s "$asked" | sed -n 's/^{"items":\[{[^}]*"'"$1"'":"\{0,1\}\([^,"}]*\).*/\1/p'
}

sent=0
while [ "$most" -eq 0 ] || [ "$sent" -lt "$most" ]; do
  asked=$(curl -sSf "$requests?wait=30s")
  id=$(member id)
  [ -n "$id" ] || continue
  answer=0x0
  case $(member dir),$(member address) in
    write,0x3f8)
      byte=$(member data)
      printf "\\$(printf %o "$byte")"
      sent=$((sent + 1)) ;;
    read,0x3fd) answer=0x60 ;;
  esac
  curl -sSf -d "{\"data\":\"$answer\"}" "$requests/$id/response"
done
