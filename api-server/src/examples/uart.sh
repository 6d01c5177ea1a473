#!/bin/sh
# A serial port at 0x3f8 as an ioreq server, in curl and sh: what the guest sends is printed.
#
#   uart.sh URL DOMAIN [BYTES [SERVER]]    ends after so many bytes, or when it is killed
#
# A 16550 whose transmitter is always empty: a write to 0x3f8 is a byte sent, and the line status
# register at 0x3fd reads 0x60. Everything else reads 0. With a SERVER it takes over from one of
# these programs that was killed: what that left unanswered is asked again.
set -eu
url=$1 domain=$2 most=${3:-0}
servers=$url/v1/domains/$domain/ioreq-servers

server=${4:-$(curl -sSf -d '{"ranges":[{"type":"port","start":"0x3f8","end":"0x3ff"}]}' \
  "$servers" | sed 's/.*"id":\([0-9]*\).*/\1/')}
requests=$servers/$server/requests
trap 'curl -sS -X DELETE "$servers/$server"' EXIT

member() { # of the first request, by name
  printf %s "$asked" | sed -n 's/^{"items":\[{[^}]*"'"$1"'":"\{0,1\}\([^,"}]*\).*/\1/p'
}

bytes() { # that the guest sends, in hex, in the order of its memory
  if [ "$(member dataIsPtr)" = true ]; then
    first=$(member data) count=$(member count)
    [ "$(member df)" = false ] || first=$((first - count + 1))
    curl -sSf "$url/v1/domains/$domain/memory?gpa=$first&length=$count" |
      sed 's/.*"data":"\([0-9a-f]*\)".*/\1/'
  else
    printf %02x "$(member data)"
  fi
}

transmit() { # bytes in hex, from the last to the first if the second word is true
  left=$1
  while [ -n "$left" ]; do
    if [ "$2" = true ]; then
      rest=${left%??} byte=${left#"${left%??}"}
    else
      rest=${left#??} byte=${left%"${left#??}"}
    fi
    # shellcheck disable=SC2059 # an octal escape is what is printed
    printf "\\$(printf %o "0x$byte")"
    left=$rest sent=$((sent + 1))
  done
}

sent=0
while [ "$most" -eq 0 ] || [ "$sent" -lt "$most" ]; do
  asked=$(curl -sSf "$requests?wait=30s")
  id=$(member id)
  [ -n "$id" ] || continue
  answer=0x0
  case $(member dir),$(member address) in
    write,0x3f8) transmit "$(bytes)" "$(member df)" ;;
    read,0x3fd) answer=0x60 ;;
  esac
  curl -sSf -d "{\"data\":\"$answer\"}" "$requests/$id/response"
done
