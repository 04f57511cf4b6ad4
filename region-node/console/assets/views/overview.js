// The deployment at a glance: what needs somebody, regions, the ring of links, the matrix of region pairs.

import { h, show, sheet, empty, word, count, plural, ms, clock, sparkline } from '../lib/dom.js';
import { ring, legend } from '../lib/ring.js';
import { regions, links, moodOf, regionMood, tableNames, holders, tableIn, connecting, disconnected } from '../lib/deployment.js';

const WORST = { good: 0, uneasy: 1, bad: 2 };
const SAMPLES = 120;
const FLOOR_MS = 50; // a lag below is drawn low

// All tables of one pair of regions as one link.
function pair(source, sink) {
  const own = [...links.values()].filter((l) => l.source === source && l.sink === sink);
  if (!own.length) return null;
  const worst = own.reduce((a, b) => (WORST[moodOf(b)] > WORST[moodOf(a)] ? b : a));
  const sum = (name) => (own.some((l) => l[name] === null) ? null : own.reduce((n, l) => n + l[name], 0));
  const most = (name) => own.reduce((m, l) => (l[name] === null ? m : Math.max(m ?? 0, l[name])), null);
  const length = Math.max(...own.map((l) => l.history.length));
  const history = Array.from({ length }, (_, i) => own.reduce((m, l) => {
    const lag = l.history[l.history.length - length + i]?.lag ?? null;
    return lag === null ? m : Math.max(m ?? 0, lag);
  }, null));
  const watermark = own.some((l) => l.watermark === null) ? null : Math.min(...own.map((l) => l.watermark));
  return { mood: moodOf(worst), state: worst.state, reason: worst.reason, pending: sum('pending'),
    oldest: most('oldest'), p99: most('p99'), watermark, history };
}

function tiles() {
  const tables = tableNames();
  const known = regions.filter((r) => r.node);
  const over = (name, by) => tables.reduce((n, t) => n + by(...holders(t).map((r) => tableIn(r, t)[name])), 0);
  const faults = regions.reduce((n, r) => n + new Set(r.workers.flatMap((w) => w.status?.links ?? []).flatMap((l) => l.faults.map((f) => `${l.sink} ${f.text}`))).size, 0);
  const tile = (path, label, value, mood) => h('a', { class: `tile ${mood ?? ''}`, href: `#/${path}`, 'data-key': `tile-${path}` },
    h('span', { class: 'figure' }, known.length ? count(value) : '–'), h('span', {}, label));
  const conflicts = over('conflicts', Math.max), parked = over('parked', (...each) => each.reduce((a, b) => a + b, 0));
  return [tile('tables', 'tables', tables.length), tile('items', 'items', over('items', Math.max)),
    tile('conflicts', 'conflicts listed', conflicts, conflicts && 'uneasy'), tile('quarantine', 'in quarantine', parked, parked && 'bad'),
    tile('faults', 'faults on purpose', faults, faults && 'uneasy')];
}

function workersOf(one) {
  if (!one.workers.length) return null;
  const down = one.workers.filter((w) => w.asked && !w.status), ready = one.workers.filter((w) => w.status?.ready);
  if (one.workers.length === 1) {
    const [w] = one.workers;
    return !w.asked ? 'replicator not asked yet' : !w.status ? `replicator ${w.problem}` : w.status.ready ? 'replicator ready' : `replicator: ${w.status.reason}`;
  }
  return `${ready.length} of ${one.workers.length} replicators ready${down.length ? `; ${down.map((w) => w.name).join(', ')} ${down[0].problem}` : ''}`;
}

function card(one) {
  const mood = regionMood(one);
  const state = { good: 'ready', uneasy: 'not ready', bad: 'down', unknown: 'asking' }[mood];
  const lines = [];
  if (one.asked && !one.node) lines.push(`region node ${one.problem}`);
  if (one.node) {
    lines.push(one.node.ready ? `${plural(one.node.tables.length, 'table')}, ${plural(one.node.tables.reduce((n, t) => n + t.items, 0), 'item')}` : one.node.reason);
    if (one.node.clock?.stepped) lines.push(`its clock stepped by ${ms(one.node.clock.step_ms)}`);
  }
  return h('article', { class: `card ${mood}`, 'data-region': one.name },
    h('h3', {}, one.name, ' ', word(state, mood)), [...lines, workersOf(one)].filter(Boolean).map((line) => h('p', {}, line)));
}

function cell(source, sink) {
  if (source === sink) return h('td', { class: 'self' });
  const link = pair(source, sink);
  if (!link) return h('td', {}, h('small', {}, 'no table replicates this way'));
  const waits = link.pending === null ? 'what waits is not known' : link.pending === 0 ? 'nothing waits' :
    `${count(link.pending)} waiting${link.oldest ? `, oldest ${ms(link.oldest)}` : ''}`;
  const top = Math.max(0, ...link.history);
  return h('td', { class: link.mood, 'data-link': `${source}>${sink}`, 'data-title': `to ${sink}` }, h('div', {},
    h('span', { class: 'figure' }, link.mood === 'good' ? (link.p99 === null ? 'idle' : `p99 ${ms(link.p99)}`) : link.state.replace('_', ' ')),
    h('small', {}, waits), h('small', { title: `Everything of ${source} up to then is in ${sink}` }, `watermark ${link.watermark === null ? 'not known' : clock(link.watermark)}`),
    link.reason && h('small', {}, link.reason),
    sparkline(link.history, SAMPLES, FLOOR_MS, `Lag of the last two minutes, at most ${ms(top)}`)));
}

// Room for as many regions as there are.
function wide(element) {
  element.style.minWidth = `${9 + 8 * regions.length}rem`;
  return element;
}

const matrix = () => h('div', { class: 'scroll stack' }, wide(h('table', { class: 'matrix' },
  h('thead', {}, h('tr', {}, h('th', {}, 'from ', h('span', { 'aria-hidden': 'true' }, '↓'), ' to ', h('span', { 'aria-hidden': 'true' }, '→')), regions.map((r) => h('th', { scope: 'col' }, r.name)))),
  h('tbody', {}, regions.map((source) => h('tr', {}, h('th', { scope: 'row' }, source.name),
    regions.map((sink) => cell(source.name, sink.name))))))));

export default {
  title: 'Overview',
  mount(root) {
    const top = h('div', { class: 'tiles' }), cards = h('div', { class: 'cards' }), map = h('div'), grid = h('div');
    root.append(h('h1', {}, 'Overview'), top, h('section', { class: 'plain', 'aria-label': 'Regions' }, cards),
      h('div', { class: 'columns' }, sheet('Links', null, map, legend()), sheet('Replication, by pair of regions', 'all tables; p99 of the last minute; lag of the last two', grid)));
    return { update() {
      show(top, tiles());
      show(cards, regions.map(card));
      show(map, ring(regions.map((r) => r.name), (name) => regionMood(regions.find((r) => r.name === name)), pair));
      const none = connecting() ? 'Asking the regions.' : disconnected() ? 'No region answers: what waits is not known.' :
        'No table has a replica in another region yet. Create one under Tables.';
      show(grid, links.size ? matrix() : empty(none));
    } };
  },
};
