// The regions on a ring, and the links between them, one line for each direction.

import { h, svg } from './dom.js';

const X = 170, Y = 135; // the middle

// names: of the regions, in order; moodOf(name): of one; linkOf(from, to): {mood, state} or null.
export function ring(names, moodOf, linkOf) {
  const at = new Map(names.map((name, i) => {
    const angle = (i / names.length) * 2 * Math.PI - Math.PI / 2;
    return [name, { x: X + 110 * Math.cos(angle), y: Y + 95 * Math.sin(angle) }];
  }));
  const lines = names.flatMap((from) => names.filter((to) => to !== from).map((to) => {
    const link = linkOf(from, to);
    return link && arrow(at.get(from), at.get(to), link.mood, `${from} to ${to}: ${link.state.replace('_', ' ')}`);
  }));
  const dots = names.map((name) => {
    const { x, y } = at.get(name);
    return svg('g', {}, svg('circle', { class: moodOf(name), cx: x, cy: y, r: 10 }),
      svg('text', { x, y: y < Y ? y - 18 : y + 28 }, name));
  });
  return svg('svg', { class: 'ring', viewBox: `0 10 340 ${Math.max(...[...at.values()].map((p) => p.y)) + 28}`, role: 'img',
    'aria-label': 'Regions and the links between them; the matrix says the same in words' }, lines, dots);
}

const KEY = [['good', 'flows'], ['uneasy', 'slowed, or waits'], ['bad', 'down or cut']];

export const legend = () => h('ul', { class: 'legend' }, KEY.map(([mood, text]) => h('li', {},
  svg('svg', { viewBox: '0 0 40 8', 'aria-hidden': 'true' }, svg('g', { class: mood }, svg('path', { class: 'link', d: 'M0 4H40' }))), text)));

function arrow(a, b, mood, title) {
  const dx = b.x - a.x, dy = b.y - a.y, length = Math.hypot(dx, dy);
  const bend = 22; // each direction to its own side
  const cx = (a.x + b.x) / 2 - (dy / length) * bend, cy = (a.y + b.y) / 2 + (dx / length) * bend;
  const t = .62; // where on the curve its head stands
  const point = (p, c, q) => (1 - t) ** 2 * p + 2 * t * (1 - t) * c + t ** 2 * q;
  const slope = (p, c, q) => 2 * (1 - t) * (c - p) + 2 * t * (q - c);
  const turn = (Math.atan2(slope(a.y, cy, b.y), slope(a.x, cx, b.x)) * 180) / Math.PI;
  return svg('g', { class: mood }, svg('title', {}, title),
    svg('path', { class: 'link', d: `M${a.x} ${a.y}Q${cx} ${cy} ${b.x} ${b.y}` }),
    svg('path', { class: 'head', d: 'M-6 -5L6 0L-6 5Z',
      transform: `translate(${point(a.x, cx, b.x)} ${point(a.y, cy, b.y)}) rotate(${turn})` }));
}
