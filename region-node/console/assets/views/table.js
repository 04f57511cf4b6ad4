// One table: its replicas, its links with their history, the shards of its stream.

import { h, show, sheet, empty, note, table, word, meter, count, bytes, ms, clock, notice, confirmed } from '../lib/dom.js';
import { lagChart } from '../lib/chart.js';
import { lineage, isOpen } from '../lib/lineage.js';
import { regions, links, holders, tableIn, moodOf, dynamo, connecting, disconnected } from '../lib/deployment.js';
import { startReplica, removeReplica } from '../lib/replicas.js';

const AGAIN_MS = 1000;
const SHARDS_AGAIN_MS = 5000;

async function act(work, done) {
  try { await work; notice(done); } catch (failure) { notice(failure.message, 'bad'); }
}

// What each region says of the table: a Map of descriptions by region.
async function describe(name) {
  const out = new Map();
  await Promise.all(regions.filter((r) => r.node).map((r) => dynamo(r, 'DescribeTable', { TableName: name })
    .then(({ Table }) => out.set(r.name, Table), () => null)));
  return out;
}

// Of the replica in `name`: as that region says, else as another does.
function replicaIn(described, name) {
  const all = [described.get(name), ...described.values()];
  return all.flatMap((t) => t?.Replicas ?? []).find((replica) => replica.RegionName === name);
}

function copyProgress(told) {
  const percent = Number(told.ReplicaStatusPercentProgress ?? 0);
  return h('div', { class: 'copy' }, meter(percent), h('small', {}, `${percent} %${told.ReplicaStatusDescription ? `, ${told.ReplicaStatusDescription}` : ''}`));
}

function replicaRow(name, described, r) {
  const own = tableIn(r, name), told = replicaIn(described, r.name), present = holders(name);
  const seed = present.find((p) => described.get(p.name)?.TableStatus !== 'CREATING');
  if (!own && !told) {
    return [r.name, r.node ? word('none') : r.asked ? word('unknown', 'bad') : word('asking'), '–', '–', '–', r.node && seed && h('button', { 'data-key': `add-${r.name}`,
      onclick: () => act(startReplica(seed, name, r.name), `Making the replica in ${r.name}.`) }, 'Add replica')];
  }
  const status = told?.ReplicaStatus ?? 'ACTIVE';
  return [r.name, [word(status, status === 'ACTIVE' ? 'good' : 'uneasy'), r.asked && !r.node && [' ', word('down', 'bad')], status === 'CREATING' && copyProgress(told)],
    own ? count(own.items) : '–', own ? bytes(own.bytes) : '–', own ? count(own.tombstones) : '–',
    present.length > 1 && h('button', { class: 'danger', 'data-key': `rm-${r.name}`, 'aria-label': `Remove the replica in ${r.name}`, onclick: async () => {
      const asked = present.find((p) => p !== r) ?? r;
      if (await confirmed(`Remove the replica in ${r.name}?`, `Its copy of ${name} is deleted once the others have all that it has. They keep theirs.`, 'Remove'))
        act(removeReplica(asked, name, r.name), `Removing the replica in ${r.name}.`);
    } }, 'Remove')];
}

const replicas = (name, described) => table(['Region', 'Status', { title: 'Items', number: true }, { title: 'Bytes', number: true }, { title: 'Tombstones', number: true }, ''],
  regions.map((r) => replicaRow(name, described, r)));

function linkRows(name) {
  const own = [...links.values()].filter((l) => l.table === name);
  if (!own.length) return empty('This table has no replica in another region.');
  return table(['From', 'To', 'State', { title: 'p50', number: true }, { title: 'p99', number: true }, { title: 'Max', number: true }, { title: 'Waiting', number: true }, { title: 'Oldest', number: true }, { title: 'Watermark', number: true }, { title: 'Clock offset', number: true }],
    own.map((l) => [h('span', { class: 'nowrap' }, l.source), h('span', { class: 'nowrap' }, l.sink), [word(l.state.replace('_', ' '), moodOf(l)), l.reason && h('small', { class: 'wrap' }, ` ${l.reason}`)],
      ms(l.p50), ms(l.p99), ms(l.max), count(l.pending), l.pending === 0 ? '–' : ms(l.oldest), l.watermark === null ? '–' : clock(l.watermark), ms(l.offset)]));
}

async function shardsOf(one, arn) {
  const found = [];
  let from;
  do {
    const { StreamDescription } = await dynamo(one, 'Streams.DescribeStream', { StreamArn: arn, ExclusiveStartShardId: from });
    found.push(...StreamDescription.Shards);
    from = StreamDescription.LastEvaluatedShardId;
  } while (from);
  return found;
}

function shardTable(shards) {
  return h('details', { 'data-key': 'ids' }, h('summary', {}, 'Ids and sequence numbers'), table(['Shard', 'Parent', 'First sequence number', 'Last', 'State'], shards.map((s) => [
    h('code', {}, s.ShardId), h('code', {}, s.ParentShardId ?? '–'), h('code', {}, s.SequenceNumberRange.StartingSequenceNumber ?? '–'),
    h('code', {}, s.SequenceNumberRange.EndingSequenceNumber ?? '–'), isOpen(s) ? word('open', 'good') : 'closed'])));
}

async function streamOf(one, name, unfolded) {
  if (!one) return [empty('No region that answers has it.')];
  const { Table } = await dynamo(one, 'DescribeTable', { TableName: name });
  if (!Table.LatestStreamArn) return [empty('The stream is not enabled.')];
  const shards = await shardsOf(one, Table.LatestStreamArn);
  const details = shardTable(shards);
  details.open = unfolded;
  return [!Table.StreamSpecification?.StreamEnabled && note('The stream is disabled; what it has is kept for a day.'),
    h('p', { class: 'hint' }, `${Table.StreamSpecification?.StreamViewType?.replaceAll('_', ' ').toLowerCase() ?? ''}; each line is a family, parents before their children.`),
    shards.length ? lineage(shards) : empty('It has no shard.'), details].filter(Boolean);
}

export default {
  title: 'Table',
  mount(root, name) {
    const copies = h('div'), rows = h('div'), stream = h('div'), canvas = h('canvas', { role: 'img', 'aria-label': 'Age of the oldest waiting record of each link' });
    const select = h('select', { 'aria-label': 'Region of the stream' });
    root.append(h('h1', {}, name), sheet('Replicas', [h('a', { href: `#/items/${encodeURIComponent(name)}` }, 'items side by side'), ' · ', h('a', { href: `#/conflicts/${encodeURIComponent(name)}` }, 'conflicts')], copies),
      sheet('Links', 'lag of the last minute', rows), sheet('Oldest waiting record', 'last two minutes', h('div', { class: 'chart' }, canvas)),
      sheet('Stream shards', select, stream));
    const chart = lagChart(canvas);
    let described = new Map(), alive = true, offered = '';
    show(stream, empty('Asking the regions.'));
    function draw() {
      if (connecting()) { show(copies, empty('Asking the regions.')); return; }
      const none = disconnected() ? 'No region answers.' : `No region that answers has a table named ${name}.`;
      show(copies, holders(name).length ? replicas(name, described) : empty(none));
    }
    async function describeAgain() {
      described = await describe(name);
      if (!alive) return;
      draw();
      setTimeout(describeAgain, AGAIN_MS);
    }
    async function showShards() {
      const one = holders(name).find((r) => r.name === select.value) ?? holders(name)[0];
      const unfolded = stream.querySelector('details')?.open ?? false;
      if (!connecting()) show(stream, await streamOf(one, name, unfolded).catch((failure) => [empty(failure.message)]));
    }
    async function shardsAgain() {
      await showShards();
      if (alive) setTimeout(shardsAgain, SHARDS_AGAIN_MS);
    }
    select.addEventListener('change', showShards);
    describeAgain();
    shardsAgain();
    return {
      update() {
        draw();
        const at = holders(name).map((r) => r.name);
        if (offered !== at.join()) {
          offered = at.join();
          const kept = select.value;
          show(select, at.map((each) => h('option', {}, each)));
          if (at.includes(kept)) select.value = kept;
          showShards();
        }
        show(rows, linkRows(name));
        chart.update([...links.values()].filter((l) => l.table === name));
      },
      unmount() { alive = false; chart.destroy(); },
    };
  },
};
