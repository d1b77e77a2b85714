// What is wrong with how a page is laid out: text that is cut off or covered, boxes that overlap, sideways scrolling.
() => {
  const problems = [];
  const told = (element) => {
    const words = (element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") || ""}"> ${words}`;
  };
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth + 1) problems.push(`the page scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}`);

  const modal = document.querySelector("dialog[open]");
  const inSight = (element) => {
    if (modal && !modal.contains(element)) return false;
    if (element.closest(".unseen, option, optgroup")) return false;
    return element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  // What is left of a box inside all that clip it; `cut` tells whether something that cannot scroll cut it.
  const visible = (element, box) => {
    let [left, top, right, bottom] = [box.left, box.top, box.right, box.bottom];
    let cut = null;
    for (let up = element; up && up !== document.body; up = up.parentElement) {
      const style = getComputedStyle(up);
      const clip = up.getBoundingClientRect();
      const sideways = style.overflowX !== "visible";
      const upright = style.overflowY !== "visible";
      if (sideways && (left < clip.left - 1 || right > clip.right + 1)) {
        const excused = style.textOverflow === "ellipsis" && (up.closest("[title]") || up.querySelector("[title]"));
        if (!["auto", "scroll"].includes(style.overflowX) && !excused) cut ??= "sideways";
      }
      // A box of letters is higher than the letters are.
      if (upright && (top < clip.top - 4 || bottom > clip.bottom + 4)) {
        if (!["auto", "scroll"].includes(style.overflowY)) {
          let scrolls = false;
          for (let over = up; over; over = over.parentElement) scrolls ||= ["auto", "scroll"].includes(getComputedStyle(over).overflowY);
          if (!scrolls) cut ??= "in height";
        }
      }
      if (sideways) [left, right] = [Math.max(left, clip.left), Math.min(right, clip.right)];
      if (upright) [top, bottom] = [Math.max(top, clip.top), Math.min(bottom, clip.bottom)];
    }
    return { left, top, right, bottom, cut };
  };

  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element || !inSight(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue;
      const seen = visible(element, box);
      if (seen.cut) problems.push(`cut off ${seen.cut}: ${told(element)}`);
      if (seen.right - seen.left < 1 || seen.bottom - seen.top < 1) continue;
      const scrollable = root.scrollHeight > root.clientHeight;
      if (seen.right > root.clientWidth + 1 || (seen.bottom > innerHeight + 1 && !scrollable && !modal)) problems.push(`out of the window: ${told(element)}`);
      texts.push({ element, ...seen });
    }
  }
  const layerOf = (element) => element.closest(".menu, dialog");
  const covers = (a, b, slack) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > slack && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > slack;
  for (let i = 0; i < texts.length; i++) {
    for (let j = i + 1; j < texts.length; j++) {
      const [a, b] = [texts[i], texts[j]];
      if (a.element === b.element || layerOf(a.element) !== layerOf(b.element)) continue;
      if (covers(a, b, 3)) problems.push(`overlap: ${told(a.element)} / ${told(b.element)}`);
    }
  }

  const controls = [...document.querySelectorAll("button, a[href], input, select, textarea, summary")].filter(inSight);
  const boxes = controls
    .map((element) => ({ element, ...visible(element, element.getBoundingClientRect()) }))
    .filter((box) => box.right - box.left > 1 && box.bottom - box.top > 1);
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length; j++) {
      const [a, b] = [boxes[i], boxes[j]];
      if (a.element.contains(b.element) || b.element.contains(a.element) || layerOf(a.element) !== layerOf(b.element)) continue;
      if (covers(a, b, 2)) problems.push(`controls overlap: ${told(a.element)} / ${told(b.element)}`);
    }
  }
  return [...new Set(problems)];
};
