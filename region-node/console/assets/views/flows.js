// What every replicator knows that it got: one flow per table, shard and sink, with its checkpoint.

import { h, show, sheet, empty, table, word, count, ms } from '../lib/dom.js';
import { regions } from '../lib/deployment.js';

const MOODS = { running: 'good', waiting: 'good', repair_needed: 'bad' };

function peers(one) {
  return table(['Peer', 'Connected', { title: 'Round trip', number: true }, { title: 'Clock offset', number: true }, { title: 'Connects', number: true }, 'Reason'],
    one.worker.peers.map((p) => [p.own ? `${p.region} (own)` : p.region, p.connected ? word('yes', 'good') : word('no', 'bad'), ms(p.round_trip_ms), ms(p.clock_offset_ms), count(p.connects), p.reason]));
}

function flowRows(one) {
  if (!one.worker.flows.length) return empty('Nothing to ship: no table here has a replica elsewhere.');
  return table(['Table', { title: 'Shard', number: true }, 'Sink', 'State', { title: 'Acknowledged', number: true }, { title: 'Shipped', number: true }, { title: 'Waiting', number: true }, { title: 'Oldest', number: true }, { title: 'Restarts', number: true }],
    one.worker.flows.map((f) => [f.table, f.shard, f.sink, [word(f.state.replace('_', ' '), MOODS[f.state] ?? 'uneasy'), f.reason && ` ${f.reason}`],
      h('code', {}, f.acknowledged.sequence), count(f.records_acknowledged), count(f.pending_records), f.pending_records === 0 ? '–' : ms(f.oldest_pending_ms), count(f.restarts)]));
}

export default {
  title: 'Checkpoints',
  mount(root) {
    const box = h('div');
    root.append(h('h1', {}, 'Checkpoints'), box);
    return { update() {
      show(box, regions.map((one) => sheet(one.name, null, !one.worker ? empty(one.replicator === null ? 'This console was not told where the replicator is.' : `The replicator ${one.workerProblem ?? 'is not asked yet'}.`) :
        [peers(one), h('h3', {}, 'Flows'), flowRows(one)])));
    } };
  },
};
