"""Send signals to a site with nothing but the standard library: batches, patience, and no signal lost or doubled.

    KEY=fw_... python examples/intake/send.py http://127.0.0.1:8080 < signals.jsonl

Every line is one record of the source. A batch is repeated until it is answered: the site knows it again, so a repeat
after a lost answer changes nothing.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import islice

BATCH = 500


def batches(lines: Iterator[str]) -> Iterator[bytes]:
    """Batches of CloudEvents, one event a line."""
    number = 0
    while part := [line for line in islice(lines, BATCH) if line.strip()]:
        events = []
        for line in part:
            number += 1
            event = {"specversion": "1.0", "id": str(number), "source": "/hotline", "type": "city.signal"}
            events.append({**event, "data": json.loads(line)})
        yield json.dumps(events, ensure_ascii=False).encode()


def send(site: str, key: str, body: bytes) -> dict[str, object]:
    """What the site answered once everything taken was durable; waits as long as it asks us to."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/cloudevents-batch+json"}
    while True:
        request = urllib.request.Request(f"{site}/api/v1/intake", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found: dict[str, object] = json.load(answer)
                return found
        except urllib.error.HTTPError as refused:
            if refused.code not in (429, 503):
                raise SystemExit(f"{refused.code}: {refused.read().decode()}") from refused
            time.sleep(float(refused.headers.get("retry-after", 1)))
        except OSError as error:
            print(f"no answer ({error}); trying again", file=sys.stderr)
            time.sleep(1)


def main() -> None:
    """Send standard input."""
    site = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    for body in batches(iter(sys.stdin)):
        print(json.dumps(send(site, os.environ["KEY"], body), ensure_ascii=False))


if __name__ == "__main__":
    main()
