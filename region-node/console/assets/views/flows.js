// What every replicator knows that it got: one flow per table, shard and sink, with its checkpoint.  The
// shards of a link stand in one line.

import { h, show, sheet, empty, table, word, count, ms } from '../lib/dom.js';
import { regions, connecting } from '../lib/deployment.js';

const MOODS = { running: 'good', waiting: 'good', repair_needed: 'bad' };

function peers(worker) {
  return table(['Peer', 'Connected', { title: 'Round trip', number: true }, { title: 'Clock offset', number: true }, { title: 'Connects', number: true }, 'Reason'],
    worker.status.peers.map((p) => [p.own ? `${p.region} (own)` : p.region, p.connected ? word('yes', 'good') : word('no', 'bad'), ms(p.round_trip_ms), ms(p.clock_offset_ms), count(p.connects), p.reason || '–']));
}

const WORST = ['waiting', 'running', 'idle', 'asking', 'held', 'backing_off', 'repair_needed'];
const worse = (a, b) => (WORST.indexOf(b.state) > WORST.indexOf(a.state) ? b : a);

// The shards of one table to one sink as one line; where each is acknowledged.
function line(own) {
  const worst = own.reduce(worse), sum = (name) => own.reduce((n, f) => (n === null || f[name] === null ? null : n + f[name]), 0);
  const alike = own.every((f) => f.state === worst.state), waiting = sum('pending_records');
  const oldest = own.reduce((m, f) => (f.oldest_pending_ms === null ? m : Math.max(m ?? 0, f.oldest_pending_ms)), null);
  return [h('span', { class: 'nowrap' }, worst.table), h('span', { class: 'nowrap' }, worst.sink), h('span', {}, word(worst.state.replace('_', ' '), MOODS[worst.state] ?? 'uneasy'),
    !alike && h('small', {}, ` ${own.filter((f) => f.state === worst.state).length} of ${own.length} shards`), worst.reason && h('small', { class: 'wrap' }, `${alike ? '' : ':'} ${worst.reason}`)),
  h('span', { class: 'positions' }, own.map((f) => h('span', {}, h('b', {}, `${f.shard}:`), h('code', {}, f.acknowledged.sequence)))),
  count(sum('records_acknowledged')), count(waiting), waiting === 0 ? '–' : ms(oldest), count(sum('restarts'))];
}

function flows(worker) {
  if (!worker.status.flows.length) return empty(worker.status.leases.length ? 'It holds no lease: others ship the shards.' : 'Nothing to ship: no table here has a replica elsewhere.');
  const links = new Map();
  for (const f of worker.status.flows) links.set(`${f.table}|${f.sink}`, [...(links.get(`${f.table}|${f.sink}`) ?? []), f]);
  return table(['Table', 'Sink', 'State', 'Positions, by shard', { title: 'Shipped', number: true }, { title: 'Waiting', number: true }, { title: 'Oldest', number: true }, { title: 'Restarts', number: true }],
    [...links.values()].map(line));
}

function part(one, worker) {
  const several = one.workers.length > 1 && h('h3', {}, worker.name);
  if (!worker.asked) return [several, empty('Asking the replicator.')];
  if (!worker.status) return [several, empty(`The replicator ${worker.problem}.`)];
  return [several, peers(worker), h('h3', {}, several ? `Flows of ${worker.name}` : 'Flows'), flows(worker)];
}

export default {
  title: 'Checkpoints',
  mount(root) {
    const box = h('div');
    root.append(h('h1', {}, 'Checkpoints'), box);
    return { update() {
      if (connecting()) { show(box, empty('Asking the regions.')); return; }
      show(box, regions.map((one) => sheet(one.name, one.workers.some((w) => w.status?.leases.length) && h('a', { href: '#/leases', 'data-key': `leases-${one.name}` }, 'leases'),
        one.workers.length ? one.workers.map((worker) => part(one, worker)) : empty('This console was not told where the replicator is (setting console.replicators).'))));
    } };
  },
};
