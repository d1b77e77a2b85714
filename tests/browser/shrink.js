// A picture of a screen as a small PNG: 256 colours at most, deflated by the browser itself.
async (base64) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height);
  const brush = canvas.getContext("2d");
  brush.drawImage(image, 0, 0);
  const pixels = brush.getImageData(0, 0, width, height).data;

  // The colours that are there most often, of which none is too near another; the rest take the nearest of them.
  const counts = new Map();
  for (let n = 0; n < pixels.length; n += 4) {
    const colour = (pixels[n] << 16) | (pixels[n + 1] << 8) | pixels[n + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const apart = (a, b) => Math.abs((a >> 16) - (b >> 16)) + Math.abs(((a >> 8) & 255) - ((b >> 8) & 255)) + Math.abs((a & 255) - (b & 255));
  const palette = [];
  for (const [colour] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (palette.length === 256) break;
    if (palette.length < 24 || palette.every((other) => apart(colour, other) > 12)) palette.push(colour);
  }
  const nearest = new Map();
  for (const colour of counts.keys()) {
    let best = 0;
    for (let n = 1; n < palette.length; n++) if (apart(colour, palette[n]) < apart(colour, palette[best])) best = n;
    nearest.set(colour, best);
  }
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0, n = 0; y < height; y++) {
    for (let x = 0; x < width; x++, n += 4) {
      rows[y * (width + 1) + 1 + x] = nearest.get((pixels[n] << 16) | (pixels[n + 1] << 8) | pixels[n + 2]);
    }
  }
  const deflated = new Uint8Array(
    await new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"))).arrayBuffer(),
  );

  const table = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n >>> 0;
  });
  const checksum = (data) => {
    let sum = 0xffffffff;
    for (const byte of data) sum = table[(sum ^ byte) & 255] ^ (sum >>> 8);
    return (sum ^ 0xffffffff) >>> 0;
  };
  const chunk = (name, data) => {
    const out = new Uint8Array(data.length + 12);
    const view = new DataView(out.buffer);
    view.setUint32(0, data.length);
    out.set(new TextEncoder().encode(name), 4);
    out.set(data, 8);
    view.setUint32(data.length + 8, checksum(out.subarray(4, data.length + 8)));
    return out;
  };
  const head = new Uint8Array(13);
  new DataView(head.buffer).setUint32(0, width);
  new DataView(head.buffer).setUint32(4, height);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Uint8Array.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const parts = [Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("PLTE", colours), chunk("IDAT", deflated), chunk("IEND", new Uint8Array(0))];
  const whole = new Uint8Array(await new Blob(parts).arrayBuffer());
  let text = "";
  for (let n = 0; n < whole.length; n += 8192) text += String.fromCharCode(...whole.subarray(n, n + 8192));
  return btoa(text);
};
