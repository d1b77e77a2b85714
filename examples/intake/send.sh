#!/bin/sh
# One event, a batch with one broken event, and the batch again. KEY is what `forewarn key create hotline` printed.
#   KEY=fw_... sh examples/intake/send.sh http://127.0.0.1:8080
set -eu
site=${1:-http://127.0.0.1:8080}
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)

post() {
  curl -sS -X POST "$site/api/v1/intake" -H "Authorization: Bearer $KEY" -H "Content-Type: $1" --data-binary "$2"
  echo
}

event() {
  printf '{"specversion":"1.0","id":"%s","source":"/hotline","type":"city.signal","data":%s}' "$1" "$2"
}

good=$(event e1 '{"id":"r1","matter":"m1","at":"'"$now"'","step":"registered","category":"lighting","place":"east","text":"路灯不亮，请尽快处理"}')
broken=$(event e2 '{"id":"r2","matter":"m2","at":"yesterday","step":"registered","category":"drainage","place":"west"}')

post application/cloudevents+json "$good"
post application/cloudevents-batch+json "[$good,$broken]"
post application/cloudevents-batch+json "[$good,$broken]"
