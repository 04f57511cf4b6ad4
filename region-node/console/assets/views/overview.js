// The deployment at a glance: regions, the ring of links, and the matrix of region pairs.

import { h, svg, show, sheet, empty, word, count, plural, ms, sparkline } from '../lib/dom.js';
import { regions, links, moodOf, regionMood } from '../lib/deployment.js';

const WORST = { good: 0, uneasy: 1, unknown: 2, bad: 3 };

// All tables of one pair of regions as one link.
function pair(source, sink) {
  const own = [...links.values()].filter((l) => l.source === source && l.sink === sink);
  if (!own.length) return null;
  const worst = own.reduce((a, b) => (WORST[moodOf(b)] > WORST[moodOf(a)] ? b : a));
  const sum = (name) => (own.some((l) => l[name] === null) ? null : own.reduce((n, l) => n + l[name], 0));
  const most = (name) => own.reduce((m, l) => (l[name] === null ? m : Math.max(m ?? 0, l[name])), null);
  const length = Math.max(...own.map((l) => l.history.length));
  const history = Array.from({ length }, (_, i) => own.reduce((m, l) => {
    const sample = l.history[l.history.length - length + i];
    return sample?.oldest == null ? m : Math.max(m ?? 0, sample.oldest);
  }, null));
  return { mood: moodOf(worst), state: worst.state, reason: worst.reason, pending: sum('pending'),
    oldest: most('oldest'), p50: most('p50'), p99: most('p99'), history };
}

function card(one) {
  const mood = regionMood(one);
  const lines = [];
  if (!one.node) lines.push(h('p', {}, `region node ${one.problem}`));
  else {
    lines.push(h('p', {}, one.node.ready ? `${plural(one.node.tables.length, 'table')}, ` +
      plural(one.node.tables.reduce((n, t) => n + t.items, 0), 'item') : one.node.reason));
    if (one.node.clock?.stepped) lines.push(h('p', {}, `its clock stepped by ${ms(one.node.clock.step_ms)}`));
  }
  if (one.replicator !== null && !one.worker) lines.push(h('p', {}, `replicator ${one.workerProblem ?? 'not asked yet'}`));
  else if (one.worker && !one.worker.ready) lines.push(h('p', {}, `replicator: ${one.worker.reason}`));
  const state = { good: 'ready', uneasy: 'not ready', bad: 'down' }[mood];
  return h('article', { class: `card ${mood}`, 'data-region': one.name },
    h('h3', {}, one.name, ' ', word(state, mood)), lines);
}

function ring() {
  const at = new Map(regions.map((r, i) => {
    const angle = (i / regions.length) * 2 * Math.PI - Math.PI / 2;
    return [r.name, { x: 160 + 105 * Math.cos(angle), y: 130 + 95 * Math.sin(angle) }];
  }));
  const lines = [];
  for (const from of regions) for (const to of regions) {
    if (from === to) continue;
    const link = pair(from.name, to.name);
    if (!link) continue;
    const a = at.get(from.name), b = at.get(to.name);
    const dx = b.x - a.x, dy = b.y - a.y, length = Math.hypot(dx, dy);
    const bend = 16; // each direction to its own side
    const cx = (a.x + b.x) / 2 - (dy / length) * bend, cy = (a.y + b.y) / 2 + (dx / length) * bend;
    lines.push(svg('path', { class: `link ${link.mood}`, d: `M${a.x} ${a.y}Q${cx} ${cy} ${b.x} ${b.y}` },
      svg('title', {}, `${from.name} to ${to.name}: ${link.state}`)));
    const t = .6; // where on the curve its arrow stands
    const point = (p, c, q) => (1 - t) ** 2 * p + 2 * t * (1 - t) * c + t ** 2 * q;
    const slope = (p, c, q) => 2 * (1 - t) * (c - p) + 2 * t * (q - c);
    const tx = point(a.x, cx, b.x), ty = point(a.y, cy, b.y);
    const turn = (Math.atan2(slope(a.y, cy, b.y), slope(a.x, cx, b.x)) * 180) / Math.PI;
    lines.push(svg('path', { class: link.mood, d: 'M-5 -4L5 0L-5 4Z', transform: `translate(${tx} ${ty}) rotate(${turn})` }));
  }
  const dots = regions.map((r) => {
    const p = at.get(r.name);
    return svg('g', {}, svg('circle', { class: regionMood(r), cx: p.x, cy: p.y, r: 9 }),
      svg('text', { x: p.x, y: p.y + (p.y < 130 ? -15 : 25) }, r.name));
  });
  return svg('svg', { class: 'ring', viewBox: '0 0 320 270', role: 'img',
    'aria-label': 'Regions and the links between them; the matrix says the same in words' }, lines, dots);
}

function cell(source, sink) {
  if (source === sink) return h('td', { class: 'self' });
  const link = pair(source, sink);
  if (!link) return h('td', {}, h('small', {}, 'no table replicates this way'));
  const waits = link.pending === null ? 'unknown' : link.pending === 0 ? 'nothing waits' :
    `${count(link.pending)} wait${link.oldest ? `, oldest ${ms(link.oldest)}` : ''}`;
  return h('td', { class: link.mood, 'data-link': `${source}>${sink}` },
    h('span', { class: 'figure' }, link.mood === 'good' ? (link.p99 === null ? 'idle' : `p99 ${ms(link.p99)}`) : link.state.replace('_', ' ')),
    h('small', {}, waits), link.reason && h('small', {}, link.reason),
    sparkline(link.history, 'Age of the oldest waiting record, last two minutes'));
}

const matrix = () => h('div', { class: 'scroll' }, h('table', { class: 'matrix' },
  h('thead', {}, h('tr', {}, h('th', {}, 'from \\ to'), regions.map((r) => h('th', { scope: 'col' }, r.name)))),
  h('tbody', {}, regions.map((source) => h('tr', {}, h('th', { scope: 'row' }, source.name),
    regions.map((sink) => cell(source.name, sink.name)))))));

export default {
  title: 'Overview',
  mount(root) {
    const cards = h('div', { class: 'cards' }), map = h('div'), grid = h('div');
    root.append(h('h1', {}, 'Overview'), h('section', { class: 'sheet', 'aria-label': 'Regions' }, cards),
      h('div', { class: 'columns' }, sheet('Links', null, map), sheet('Replication, by pair of regions', 'all tables; quantiles since the replicator started', grid)));
    return { update() {
      show(cards, regions.map(card));
      show(map, ring());
      show(grid, links.size ? matrix() : empty('No table has a replica in another region yet. Create one under Tables.'));
    } };
  },
};
