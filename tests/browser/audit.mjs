// Checks that run inside the page, so each function stands alone.

/** Texts whose contrast is below WCAG AA (4.5, or 3 for large text). */
export function contrastProblems() {
  const parse = (text) => {
    const numbers = (text.match(/[\d.]+/g) ?? []).map(Number);
    const [r = 0, g = 0, b = 0, a = 1] = numbers;
    return { r, g, b, a };
  };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a),
    g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a),
    a: 1,
  });
  const channel = (c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const light = ({ r, g, b }) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const background = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.a > 0) layers.push(colour);
      // What is drawn inside the picture stands on the boxes' colour.
      if (e.matches?.('a.station')) layers.push(parse(getComputedStyle(e.querySelector('.box')).fill));
      if (colour.a === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
  };
  const problems = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || element.closest('.unseen, .skip, :disabled, [aria-hidden], noscript, dialog:not([open]), .badge')) continue;
    const style = getComputedStyle(element);
    if (element.getClientRects().length === 0 || style.visibility === 'hidden') continue;
    const ink = parse(element.namespaceURI.endsWith('svg') ? style.fill : style.color);
    const under = background(element);
    const [a, b] = [light(over(ink, under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) problems.push(`${ratio.toFixed(2)} "${text}" in .${element.getAttribute('class') ?? element.tagName}`);
  }
  return [...new Set(problems)];
}

/** Buttons, links and fields that a screen reader could not name. */
export function namelessControls() {
  const name = (e) =>
    e.getAttribute('aria-label') || e.textContent.trim() || e.getAttribute('title') || (e.labels && [...e.labels].map((l) => l.textContent.trim()).join(''));
  return [...document.querySelectorAll('button, a[href], input')].filter((e) => !name(e)).map((e) => e.outerHTML.slice(0, 120));
}
