// One table: its replicas, its links with their history, the shards of its stream.

import { h, show, sheet, empty, table, word, meter, count, bytes, ms, notice, confirmed } from '../lib/dom.js';
import { regions, links, holders, tableIn, moodOf, dynamo } from '../lib/deployment.js';
import { startReplica, removeReplica } from '../lib/replicas.js';

const COLOURS = ['#1f6f93', '#c2571a', '#5b8c2a', '#8a4fa8', '#b58900', '#2a8f86'];

async function act(work, done) {
  try { await work; notice(done); } catch (failure) { notice(failure.message, 'bad'); }
}

function replicas(name, described) {
  const present = holders(name);
  const seed = present[0];
  const statuses = new Map((described?.Replicas ?? []).map((r) => [r.RegionName, r]));
  const rows = regions.map((r) => {
    const own = tableIn(r, name);
    const told = statuses.get(r.name);
    if (!own && !told) {
      return [r.name, r.node ? word('none') : word('unknown', 'bad'), '', '', '', r.node && seed && h('button', { 'data-key': `add-${r.name}`,
        onclick: () => act(startReplica(seed, name, r.name), `Making the replica in ${r.name}.`) }, 'Add replica')];
    }
    const percent = told?.ReplicaStatusPercentProgress;
    const status = told?.ReplicaStatus ?? own?.status ?? 'ACTIVE';
    return [r.name, [word(status, status === 'ACTIVE' ? 'good' : 'uneasy'),
      status === 'CREATING' && percent !== undefined && meter(percent)],
    count(own?.items), own ? bytes(own.bytes) : '–', count(own?.tombstones),
    present.length > 1 && h('button', { class: 'danger', 'data-key': `rm-${r.name}`, onclick: async () => {
      const asked = present.find((p) => p !== r) ?? r;
      if (await confirmed(`Remove the replica in ${r.name}?`, `Its copy of ${name} is deleted. The other regions keep theirs.`, 'Remove'))
        act(removeReplica(asked, name, r.name), `Removing the replica in ${r.name}.`);
    } }, 'Remove')];
  });
  return table(['Region', 'Status', { title: 'Items', number: true }, { title: 'Bytes', number: true }, { title: 'Tombstones', number: true }, ''], rows);
}

function linkRows(name) {
  const own = [...links.values()].filter((l) => l.table === name);
  if (!own.length) return empty('This table has no replica in another region.');
  return table(['From', 'To', 'State', { title: 'p50', number: true }, { title: 'p99', number: true }, { title: 'Max', number: true }, { title: 'Waiting', number: true }, { title: 'Oldest', number: true }, { title: 'Clock offset', number: true }],
    own.map((l) => [l.source, l.sink, [word(l.state.replace('_', ' '), moodOf(l)), l.reason && h('small', {}, ` ${l.reason}`)], ms(l.p50), ms(l.p99), ms(l.max), count(l.pending), l.pending === 0 ? '–' : ms(l.oldest), ms(l.offset)]));
}

// Age of the oldest waiting record of each link, over the last two minutes.
function lagChart(canvas, name) {
  const style = getComputedStyle(document.documentElement);
  const chart = new Chart(canvas, { type: 'line', data: { datasets: [] }, options: {
    animation: false, parsing: false, responsive: true, maintainAspectRatio: false, color: style.getPropertyValue('--ink'),
    scales: {
      x: { type: 'linear', title: { display: true, text: 'seconds ago' }, ticks: { callback: (v) => -v, color: style.getPropertyValue('--soft') }, grid: { color: style.getPropertyValue('--line') }, max: 0, min: -120 },
      y: { beginAtZero: true, suggestedMax: 100, title: { display: true, text: 'oldest waiting, ms' }, ticks: { color: style.getPropertyValue('--soft') }, grid: { color: style.getPropertyValue('--line') } } },
    plugins: { legend: { position: 'bottom' } }, elements: { point: { radius: 0 }, line: { borderWidth: 2 } } } });
  return { update() {
    const now = Date.now();
    const own = [...links.values()].filter((l) => l.table === name);
    chart.data.datasets = own.map((l, i) => ({ label: `${l.source} → ${l.sink}`, borderColor: COLOURS[i % COLOURS.length], backgroundColor: COLOURS[i % COLOURS.length],
      data: l.history.map((s) => ({ x: (s.at - now) / 1000, y: s.oldest })) }));
    chart.update('none');
  }, destroy: () => chart.destroy() };
}

// Shards of the stream in one region: parent, first and last sequence number.
async function shards(one, described) {
  if (!described?.LatestStreamArn) return empty('The stream is not enabled.');
  const rows = [];
  let from;
  do {
    const { StreamDescription } = await dynamo(one, 'Streams.DescribeStream', { StreamArn: described.LatestStreamArn, ExclusiveStartShardId: from });
    rows.push(...StreamDescription.Shards);
    from = StreamDescription.LastEvaluatedShardId;
  } while (from);
  return table(['Shard', 'Parent', 'First sequence number', 'Last', 'State'], rows.map((s) => [h('code', {}, s.ShardId), h('code', {}, s.ParentShardId ?? '–'),
    h('code', {}, s.SequenceNumberRange.StartingSequenceNumber ?? '–'), h('code', {}, s.SequenceNumberRange.EndingSequenceNumber ?? '–'),
    s.SequenceNumberRange.EndingSequenceNumber ? 'closed' : word('open', 'good')]));
}

export default {
  title: 'Table',
  mount(root, name) {
    const copies = h('div'), rows = h('div'), shardBox = h('div'), canvas = h('canvas', { role: 'img', 'aria-label': 'Age of the oldest waiting record of each link' });
    const select = h('select', { 'aria-label': 'Region of the stream' });
    root.append(h('h1', {}, name), sheet('Replicas', [h('a', { href: `#/items/${encodeURIComponent(name)}` }, 'items side by side'), ' · ', h('a', { href: `#/conflicts/${encodeURIComponent(name)}` }, 'conflicts')], copies),
      sheet('Links', 'quantiles since the replicator started', rows), sheet('Oldest waiting record', 'last two minutes', h('div', { class: 'chart' }, canvas)),
      sheet('Stream shards', select, shardBox));
    const chart = lagChart(canvas, name);
    let described = null;
    let alive = true;
    async function describe() {
      const seed = holders(name)[0];
      if (seed) { try { described = (await dynamo(seed, 'DescribeTable', { TableName: name })).Table; } catch { described = null; } }
      if (alive) setTimeout(describe, 2000);
    }
    async function showShards() {
      const one = holders(name).find((r) => r.name === select.value) ?? holders(name)[0];
      if (!one) return;
      try {
        const own = (await dynamo(one, 'DescribeTable', { TableName: name })).Table;
        show(shardBox, await shards(one, own));
      } catch (failure) { show(shardBox, empty(failure.message)); }
    }
    select.addEventListener('change', showShards);
    describe().then(showShards);
    return {
      update() {
        const at = holders(name);
        if (!at.length) { show(copies, empty(`No region that answers has a table named ${name}.`)); show(rows); return; }
        if (select.options.length !== at.length) { const kept = select.value; show(select, at.map((r) => h('option', {}, r.name))); if (kept) select.value = kept; showShards(); }
        show(copies, replicas(name, described));
        show(rows, linkRows(name));
        chart.update();
      },
      unmount() { alive = false; chart.destroy(); },
    };
  },
};
