// Who of a region's replicators ships which shard: workers with their signs of life, and the leases.

import { h, show, sheet, empty, table, word, count, ms, clock, countdown } from '../lib/dom.js';
import { leasesOf, workersOf } from '../lib/leases.js';
import { regions, connecting } from '../lib/deployment.js';

// A worker counts up each of its leases once a round, which is two sevenths of the time of a lease.
const late = (silent, leaseMs) => silent !== null && silent > leaseMs * 0.6;

function state(who, leases) {
  const { worker } = who;
  if (worker && !worker.asked) return word('asking');
  if (worker && !worker.status) return h('span', {}, word('down', 'bad'), h('small', {}, ` ${worker.problem}`));
  if (leases && late(who.silent, leases.leaseMs)) return word('silent', 'bad');
  if (!worker) return h('span', {}, word('alive', 'good'), h('small', {}, ' not among console.replicators'));
  return worker.status.ready ? word('alive', 'good') : h('span', {}, word('not ready', 'uneasy'), h('small', { class: 'wrap' }, ` ${worker.status.reason}`));
}

function workers(one, leases) {
  return table(['Worker', 'State', { title: 'Last sign of life', number: true }, { title: 'Leases', number: true }, { title: 'Gained', number: true }, { title: 'Lost', number: true }, { title: 'Failed looks', number: true }],
    workersOf(one, leases).map((who) => ({ key: `${one.name}/${who.name}`, cells: [
      h('span', {}, who.name, who.run && h('small', {}, ` run ${who.run.slice(0, 8)}`)), state(who, leases),
      who.silent !== null ? `${ms(who.silent)} ago` : who.worker?.status ? 'answers' : '–', who.held === null ? '–' : count(who.held),
      who.worker?.status ? count(who.worker.status.leases_gained) : '–', who.worker?.status ? count(who.worker.status.leases_lost) : '–',
      who.worker?.status ? count(who.worker.status.lease_rounds_failed) : '–'] })));
}

function holder(row, leases) {
  if (!row.owner) return word('nobody', 'uneasy');
  return h('span', {}, row.name, late(row.silent, leases.leaseMs) && [' ', word('silent', 'bad')]);
}

function rows(one, leases) {
  if (!leases.rows.length) return empty('Nothing to share: no table here has a replica elsewhere.');
  return table(['Table', 'Shard', 'Held by', 'Since', 'Expires unless renewed', 'Fencing token', 'Asked for by'],
    leases.rows.map((row) => ({ key: `${one.name}/${row.table}/${row.shard}`, cells: [row.table || h('code', {}, row.table_id.slice(0, 8)), row.shard, holder(row, leases),
      row.since === null ? '–' : h('span', {}, clock(row.since), !row.exact && h('small', {}, ' or before')),
      row.left === null ? '–' : countdown(row.left, leases.leaseMs, late(row.silent, leases.leaseMs) && 'bad'), h('code', {}, row.token), row.wantedBy || '–'] })));
}

function region(one) {
  if (!one.workers.length) return sheet(one.name, null, empty('This console was not told where the replicators are (setting console.replicators).'));
  const leases = leasesOf(one);
  const aside = leases && `as ${leases.seenBy} saw it ${ms(leases.lookMs)} ago; a lease lasts ${ms(leases.leaseMs)}`;
  const shared = one.workers.some((w) => w.status && !w.status.worker);
  return sheet(one.name, aside, workers(one, leases), h('h3', {}, 'Leases'),
    leases ? rows(one, leases) : empty(shared ? 'Its replicator shares with nobody and ships everything.' :
      one.workers.every((w) => !w.asked) ? 'Asking the replicators.' : 'No replicator of this region answers: who holds what is not known.'));
}

export default {
  title: 'Leases',
  mount(root) {
    const box = h('div');
    root.append(h('h1', {}, 'Leases'), h('p', { class: 'lead' }, 'The replicators of a region share its shards. One that shows no sign of life for the time of a lease loses its shards to the others; a fencing token says whose checkpoints count.'), box);
    return { update() { show(box, connecting() ? empty('Asking the regions.') : regions.map(region)); } };
  },
};
