// Records that a region could not apply: what they are, and what is to become of them.

import { h, show, open, sheet, empty, table, word, notice, confirmed, plural, bytes } from '../lib/dom.js';
import { versionCell, keyCell } from '../lib/cells.js';
import { regions, region, admin, adminPost } from '../lib/deployment.js';

const PAGE = 200; // of one table in one region; the rest is for `meridian quarantine list`
const AGAIN_MS = 5000; // without a change of the regions' counts
const SAID = { applied: 'is applied', beaten: 'was beaten by a newer version', discarded: 'is given up', gone: 'is gone: a newer version has retired it' };

const path = (record) => `/v1/tables/${encodeURIComponent(record.table)}/quarantine`;
const name = (record) => Object.values(record.key_json).map((v) => Object.values(v)[0]).join(' · ');
const time = (ms) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

// {records, notes}: of every region that answers.
async function parked() {
  const records = [], notes = [];
  await Promise.all(regions.map(async (one) => {
    if (!one.node) { notes.push(`${one.name} does not answer: what is in quarantine there is not known.`); return; }
    for (const t of one.node.tables.filter((each) => each.parked > 0)) {
      try {
        const page = await admin(one, `/v1/tables/${encodeURIComponent(t.name)}/quarantine?limit=${PAGE}`);
        records.push(...page.records.map((record) => ({ ...record, region: one.name, table: t.name })));
        if (page.next !== null) notes.push(`${one.name} holds ${plural(page.parked, 'record')} of ${t.name}; the first ${PAGE} are shown.`);
      } catch (failure) { notes.push(`${one.name}, ${t.name}: ${failure.message}.`); }
    }
  }));
  records.sort((a, b) => (a.region + a.table + a.key + a.version_hex < b.region + b.table + b.key + b.version_hex ? -1 : 1));
  return { records, notes: notes.sort() };
}

const nothing = () => (regions.every((r) => r.node) ? 'Nothing is in quarantine.' :
  regions.some((r) => r.node) ? 'Nothing is in quarantine where a region answers.' : 'No region answers.');

// Answers {settled, text}.
async function decide(record, action) {
  let told;
  try {
    told = await adminPost(region(record.region), `${path(record)}/${action}?key=${record.key}&version=${record.version_hex}`);
  } catch (failure) {
    if (failure.status !== 404) throw failure;
    told = { status: 'gone' };
  }
  const settled = told.status in SAID;
  return { settled, text: `${name(record)} ${settled ? SAID[told.status] : `stays in quarantine in ${record.region}: ${told.reason || told.status}`}.` };
}

async function retry(records, done) {
  let settled = 0, last = null;
  try {
    for (const record of records) {
      last = await decide(record, 'retry');
      settled += last.settled ? 1 : 0;
    }
    const all = settled === records.length;
    notice(records.length === 1 ? last.text : `${settled} of ${plural(records.length, 'record')} settled.`, all ? '' : 'bad');
  } catch (failure) { notice(failure.message, 'bad'); }
  done();
}

async function discard(record, done) {
  const text = `${record.region} never shows version ${record.version} of ${name(record)}, written in ${record.source}: the regions differ at this key until it is written again.`;
  if (!await confirmed('Give this record up?', text, 'Discard')) return;
  try { notice((await decide(record, 'discard')).text); } catch (failure) { notice(failure.message, 'bad'); }
  done();
}

function details(record) {
  const line = (term, ...about) => [h('dt', {}, term), h('dd', {}, about)];
  const dialog = h('dialog', { class: 'wide', 'aria-label': 'Record in quarantine' }, h('h2', {}, h('code', {}, JSON.stringify(record.key_json))),
    h('dl', {}, line('Cannot be applied', `in ${record.region}, table ${record.table}: `, word(record.reason, 'bad')),
      line('Version', h('code', {}, record.version)), line('Written', `in ${record.source}, ${time(record.committed_ms)}; shard ${record.shard}, sequence number ${record.sequence}`),
      line('Kind', record.delete ? 'delete' : `put, image of ${bytes(record.image_bytes)}`), line('Id', h('code', {}, record.id))),
    !record.delete && [h('h3', {}, record.image_hex.length / 2 < record.image_bytes ? `First ${bytes(record.image_hex.length / 2)} of the image` : 'Image'), h('pre', {}, record.image_hex.replace(/(.{2})/g, '$1 '))],
    h('form', { method: 'dialog', class: 'actions foot' }, h('button', { autofocus: true }, 'Close')));
  open(dialog);
}

export default {
  title: 'Quarantine',
  mount(root) {
    const all = h('button', { hidden: true }, 'Retry all'), box = h('div'), notes = h('div'), summary = h('p', { role: 'status' });
    let alive = true, busy = false, stamp = '', loadedAt = 0, records = [];
    root.append(h('h1', {}, 'Quarantine'), sheet('Records that could not be applied', 'only their keys wait; a newer version retires them',
      summary, notes, box, h('div', { class: 'actions foot' }, all)));
    show(box, empty('Asking the regions.'));
    function draw(found) {
      records = found.records;
      const counted = records.length ? plural(records.length, 'record') : '';
      if (summary.textContent !== counted) summary.textContent = counted;
      show(notes, found.notes.map((note) => h('p', { class: 'note' }, note)));
      all.hidden = records.length < 2;
      if (!records.length) { show(box, empty(nothing())); return; }
      const button = (label, record, mood, onclick) => h('button', { class: mood, 'data-key': `${label}-${record.region}-${record.id}`, 'aria-label': `${label} ${name(record)} in ${record.region}`, onclick }, label);
      show(box, table(['Key', 'Cannot be applied in', 'Table', 'Version', 'Reason', ''], records.map((r) => [keyCell(r.key_json), h('span', {}, r.region), h('span', {}, r.table),
        h('span', {}, versionCell(r.version), r.delete && [' ', word('delete', 'uneasy')]), h('span', {}, r.reason),
        h('span', { class: 'actions' }, button('Show', r, '', () => details(r)), button('Retry', r, '', () => retry([r], load)), button('Discard', r, 'danger', () => discard(r, load)))])));
    }
    async function load() {
      if (busy) return;
      busy = true;
      loadedAt = Date.now();
      const found = await parked();
      busy = false;
      if (alive) draw(found);
    }
    all.addEventListener('click', async () => { all.disabled = true; await retry(records, load); all.disabled = false; });
    return {
      update() {
        if (regions.some((r) => !r.asked)) return; // or it would be said that they do not answer
        const seen = regions.map((r) => (r.node ? r.node.tables.map((t) => `${t.name}:${t.parked}`).join() : '-')).join('|');
        if (seen === stamp && Date.now() - loadedAt < AGAIN_MS) return;
        stamp = seen;
        load();
      },
      unmount() { alive = false; },
    };
  },
};
