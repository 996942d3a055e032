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

/** Controls that a screen reader could not name. */
export function namelessControls() {
  const byId = (ids) => (ids ?? '').split(/\s+/).filter(Boolean).map((id) => document.getElementById(id)?.textContent.trim() ?? '').join(' ').trim();
  const name = (e) =>
    e.getAttribute('aria-label') || byId(e.getAttribute('aria-labelledby')) || e.textContent.trim() || e.getAttribute('title') || (e.labels && [...e.labels].map((l) => l.textContent.trim()).join(''));
  return [...document.querySelectorAll('button, a[href], input, select, textarea, summary, [role="tab"], [role="option"]')].filter((e) => !name(e)).map((e) => e.outerHTML.slice(0, 120));
}

/** What a screen reader stumbles over: after the rules of axe that apply to a page like this. */
export function structureProblems() {
  const problems = [];
  const seen = (e) => e.getClientRects().length > 0;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const tell = (what, e) => problems.push(`${what}: ${e.outerHTML.slice(0, 100)}`);
  const ids = all('[id]').map((e) => e.id);
  for (const id of ids.filter((x, i) => ids.indexOf(x) !== i)) problems.push(`two elements have the id ${id}`);
  for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'aria-activedescendant', 'for']) {
    for (const e of all(`[${name}]`)) {
      for (const id of e.getAttribute(name).split(/\s+/)) if (!document.getElementById(id)) tell(`${name} names nothing`, e);
    }
  }
  for (const [selector, count] of [['main', 1], ['main h1', 1], ['header.top', 1], ['nav[aria-label]', 1]]) {
    if (all(selector).length !== count) problems.push(`${all(selector).length} of ${selector}`);
  }
  let level = 1;
  for (const h of all('main :is(h1, h2, h3, h4)')) {
    const own = Number(h.tagName[1]);
    if (own > level + 1) tell(`heading after h${level}`, h);
    level = own;
  }
  for (const e of all('main section, main aside, [role="region"], [role="group"], dialog[open]')) {
    if (!e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby')) tell('without a name', e);
  }
  for (const e of all('[role="tab"]')) if (!e.closest('[role="tablist"]')) tell('tab outside a list of tabs', e);
  for (const e of all('[role="option"]')) if (!e.closest('[role="listbox"]')) tell('option outside a listbox', e);
  for (const e of all('ul > *, ol > *')) if (e.tagName !== 'LI') tell('not an item of its list', e);
  for (const e of all('dl > *')) if (!['DT', 'DD', 'DIV'].includes(e.tagName)) tell('not a part of its dl', e);
  for (const e of all('svg, canvas')) if (!e.closest('[aria-hidden="true"], [aria-label], [role]')) tell('picture without a name', e);
  for (const e of all('table')) if (all('th[scope]').length === 0) tell('table without headers', e);
  for (const e of all('main :is(td, th)').filter(seen)) if (e.scrollWidth > e.clientWidth + 1) tell('runs over its neighbour', e);
  for (const e of all('[aria-hidden="true"] :is(a, button, input, select, textarea, [tabindex="0"])')) tell('hidden, but takes the focus', e);
  for (const e of all('button, .button, select, input:not([type="checkbox"], [type="radio"])').filter(seen)) {
    const { width, height } = e.getBoundingClientRect();
    if ((width < 24 || height < 24) && !e.matches('.link')) tell(`${Math.round(width)} by ${Math.round(height)}, too small to hit`, e);
  }
  for (const e of all('main *').filter(seen)) {
    const style = getComputedStyle(e);
    const scrolls = /auto|scroll/.test(style.overflowY + style.overflowX) && (e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1);
    if (scrolls && e.tabIndex < 0 && !e.querySelector('a, button, [tabindex="0"]') && e.tagName !== 'TEXTAREA' && e.tagName !== 'PRE') tell('scrolls, but not by the keyboard', e);
  }
  return problems;
}

/** English words on a Chinese screen.  What the site calls its things is marked translate="no", or is in `names`. */
export function foreignWords(names) {
  const allowed = /Sparkplug B|MQTT|Modbus|JSON|CSV|TLS|WebSocket|\bsedge\b|English|\bEN\b|\$SYS|io_uring|epoll|\bKiB\b|\bMiB\b|\bEnter\b|\bEsc\b|\bCtrl\b/g;
  const found = [];
  const look = (text, where) => {
    let rest = text;
    for (const name of names) rest = rest.split(name).join(' ');
    const words = rest.replace(allowed, ' ').match(/[A-Za-z]{2,}/g);
    if (words) found.push(`${where}: "${text.trim().slice(0, 80)}"`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!e.closest('[translate="no"], noscript, style, script')) look(walker.currentNode.data, e.tagName);
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'aria-description', 'data-label', 'alt']) {
    // As in HTML, what is not translated has attributes that are not either.
    for (const e of document.querySelectorAll(`[${name}]:not([translate="no"])`)) look(e.getAttribute(name), name);
  }
  look(document.title, 'document.title');
  return [...new Set(found)];
}
