"""The same readings as one Faust event per record: JSON in, a mean and spread by sensor in a dict, nothing kept.

    python -m benchmarks.faust_peer BOOTSTRAP TOPIC COUNT

Less than a worker of ours does with each of them: no contract, no store, no digest. It ends after COUNT events and
prints the seconds from the first to the last.
"""

import asyncio
import os
import sys
import tempfile
from time import perf_counter
from typing import Any

import orjson


def main(bootstrap: str, topic: str, count: str) -> None:
    """Run the peer until it has had all events."""
    os.environ["FAUST_DATADIR"] = tempfile.mkdtemp()
    import faust

    wanted = int(count)
    app = faust.App(
        "peer",
        broker=f"kafka://{bootstrap}",
        value_serializer="raw",
        key_serializer="raw",
        web_enabled=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        broker_max_poll_records=500,
        consumer_auto_offset_reset="earliest",
    )
    states: dict[str, tuple[float, float]] = {}
    seen = 0
    begun = 0.0

    async def take(stream: Any) -> None:
        nonlocal seen, begun
        async for value in stream:
            if not seen:
                begun = perf_counter()
            reading = orjson.loads(value)
            mean, spread = states.get(reading["sensor"], (reading["value"], 1.0))
            off = reading["value"] - mean
            states[reading["sensor"]] = (mean + 0.02 * off, spread + 0.02 * (abs(off) - spread))
            seen += 1
            if seen == wanted:
                print(perf_counter() - begun, flush=True)
                os._exit(0)

    app.agent(app.topic(topic, value_serializer="raw", partitions=1), concurrency=1)(take)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(app.start())
    loop.run_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
