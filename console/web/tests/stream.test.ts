import assert from "node:assert/strict";
import { test } from "node:test";

import { covers, formatCursor, later, parseCursor } from "../src/live/cursor.js";
import { EventReader } from "../src/live/events.js";

test("a cursor is read and written as the stream has it", () => {
  assert.deepEqual(parseCursor("signals-0:1234,site-0:56"), { "signals-0": 1234, "site-0": 56 });
  assert.equal(formatCursor({ "site-0": 56, "signals-0": 1234 }), "signals-0:1234,site-0:56");
  assert.deepEqual(parseCursor("rubbish,:5,x:"), {});
});

test("of two cursors the later counts, partition by partition", () => {
  const both = later({ a: 5, b: 1 }, { b: 3, c: 1 });
  assert.deepEqual(both, { a: 5, b: 3, c: 1 });
  assert.ok(covers(both, { b: 3 }));
  assert.ok(!covers({ a: 5 }, both));
});

test("an event is whole only with its empty line, however the pieces are cut", () => {
  const text = 'id: s-0:1\nevent: beat\ndata: {"now":\ndata: 1}\n\n: note\r\nevent: reset\r\ndata: {}\r\n\r\n';
  for (const size of [1, 3, 7, text.length]) {
    const reader = new EventReader();
    const found = [];
    for (let n = 0; n < text.length; n += size) found.push(...reader.read(text.slice(n, n + size)));
    assert.deepEqual(
      found.map(({ type, data }) => [type, data]),
      [
        ["beat", '{"now":\n1}'],
        ["reset", "{}"],
      ],
    );
    assert.equal(found[0]?.id, "s-0:1");
  }
});

test("an event without data is none", () => assert.deepEqual(new EventReader().read("event: beat\n\n"), []));
