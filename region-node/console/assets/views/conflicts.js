// Writes that lost unseen: who lost to whom, both images side by side, and the loser written again.

import { h, show, open, sheet, empty, table, word, notice, confirmed, plural } from '../lib/dom.js';
import { versionCell, keyCell, valueText } from '../lib/cells.js';
import { conflictsOf, withImages, standing, rule, msOf } from '../lib/conflicts.js';
import { regions, region, tableNames, tableIn, holders, admin, dynamo, noTable } from '../lib/deployment.js';

const AGAIN_MS = 10000; // without a change of the regions' counts
const SOON_MS = 1500;
const SHOWN = 200;
const PERIODS = [['the last 10 minutes', 600], ['the last hour', 3600], ['the last day', 86400], ['all that is kept', 0]];

const kind = (write) => (write.tombstone ? word('delete', 'uneasy') : 'put');
const time = (us) => new Date(us / 1000).toISOString().replace('T', ' ').replace('Z', '');
const now = (conflict) => (conflict.current === null ? word('no row') : standing(conflict) ? 'winner stands' : word('written since', 'uneasy'));

// One line for each attribute of either image; what differs is marked by colour and in words.
function differences(conflict) {
  const { loser, winner } = conflict;
  const names = [...new Set([...Object.keys(loser.image ?? {}), ...Object.keys(winner.image ?? {})])].sort();
  const cell = (value, other) => (value === null ? word('not there') : h('pre', {}, value === other ? value : h('mark', {}, value)));
  if (!names.length) return empty('Both deleted the item.');
  return table(['Attribute', 'Lost', 'Won', ''], names.map((name) => {
    const left = valueText(loser.image?.[name]), right = valueText(winner.image?.[name]);
    return { class: left === right ? '' : 'differs', cells: [h('code', {}, name), cell(left, right), cell(right, left), h('span', {}, left === right ? 'same' : word('differs', 'uneasy'))] };
  }));
}

async function versionThere(one, name, key) {
  try { return (await admin(one, `/v1/tables/${encodeURIComponent(name)}/row?key=${key}`)).version_hex; } catch (failure) {
    if (failure.status === 404) return 'none';
    throw failure;
  }
}

// Writes the loser in `one` through DynamoDB's own API, over nothing but the version that the user was told of.
async function restore(name, conflict, one) {
  const there = await versionThere(one, name, conflict.key);
  const { image, version, tombstone } = conflict.loser;
  const stands = there === conflict.winner.version_hex;
  const text = `${tombstone ? 'The delete' : 'The image'} of ${version} is written in ${one.name} as a new write, and goes to all regions. ` +
    (stands ? 'It replaces what beat it.' : 'The item was written since: that newer write is replaced, which is not what beat this one.');
  if (!await confirmed('Restore what was lost?', text, stands ? 'Restore' : 'Replace the newer write')) return false;
  const request = tombstone ? { TableName: name, Key: conflict.key_json } : { TableName: name, Item: image };
  try {
    await dynamo(one, tombstone ? 'DeleteItem' : 'PutItem', request, { 'X-Meridian-If-Version': there });
  } catch (failure) {
    throw failure.type === 'ConditionalCheckFailedException' ? new Error('The item was written meanwhile; nothing was changed. Look at it again.') : failure;
  }
  notice(`Restored in ${one.name}.`);
  return true;
}

function facts(conflict) {
  const line = (term, ...about) => [h('dt', {}, term), h('dd', {}, about)];
  return h('dl', {}, line('Lost', h('code', {}, conflict.loser.version), ' ', kind(conflict.loser), `, committed ${time(conflict.loser.committed_us)}`),
    line('Won', h('code', {}, conflict.winner.version), ' ', kind(conflict.winner), `, committed ${time(conflict.winner.committed_us)}`, ` (${rule(conflict)})`),
    line('Listed', `${time(conflict.listed_us)} by ${conflict.listedBy}`, !conflict.certain && [' ', word('uncertain', 'uneasy'), ': its own region does not say so']),
    line('Now', now(conflict), !standing(conflict) && conflict.current && [' ', h('code', {}, conflict.current.version)]));
}

async function compare(name, listed, done) {
  const conflict = await withImages(region(listed.listedBy), name, listed);
  const where = h('select', { 'aria-label': 'Region to write in' }, holders(name).map((r) => h('option', {}, r.name)));
  where.value = conflict.listedBy;
  const undecodable = conflict.loser.image?.undecodable !== undefined;
  const button = h('button', { type: 'button', class: 'main', disabled: undecodable, onclick: async () => {
    button.disabled = true;
    try {
      if (await restore(name, conflict, region(where.value))) { dialog.close(); done(); }
    } catch (failure) { notice(failure.message, 'bad'); } finally { button.disabled = undecodable; }
  } }, 'Restore');
  const dialog = h('dialog', { class: 'wide', 'aria-label': 'Both writes side by side' }, h('h2', {}, h('code', {}, JSON.stringify(conflict.key_json))),
    facts(conflict), differences(conflict),
    h('form', { method: 'dialog', class: 'actions foot' }, h('label', {}, 'Write the loser again in', where), button, h('button', { autofocus: true }, 'Close')));
  open(dialog);
}

export default {
  title: 'Conflicts',
  mount(root, chosen) {
    const names = h('select', { name: 'table' }), by = h('select', { name: 'by' }), period = h('select', { name: 'period' }, PERIODS.map(([text], i) => h('option', { value: i }, text)));
    const filter = h('input', { name: 'key', type: 'search', placeholder: 'any' }), summary = h('p', { role: 'status' }), box = h('div'), notes = h('div');
    let last = null, busy = false, alive = true, stamp = '', loadedAt = 0, took = 0, options = '';
    period.value = 1;
    root.append(h('h1', {}, 'Conflicts'), sheet('Writes that lost unseen', 'neither the item as it is now, nor what another write was built on',
      h('div', { class: 'actions' }, h('label', {}, 'Table', names), h('label', {}, 'As listed by', by), h('label', {}, 'Lost in', period), h('label', {}, 'Key contains', filter)), summary, notes, box));
    show(box, empty('Reading the ledgers.'));

    function draw() {
      if (!last) return;
      const text = filter.value.toLowerCase();
      const found = last.conflicts.filter((c) => !text || JSON.stringify(c.key_json).toLowerCase().includes(text));
      const shown = found.slice(0, SHOWN);
      const counted = found.length ? plural(found.length, 'conflict') + (found.length > SHOWN ? `, the newest ${SHOWN} are shown` : '') : '';
      if (summary.textContent !== counted) summary.textContent = counted;
      show(notes, last.notes.map((note) => h('p', { class: 'note' }, note)));
      if (!found.length) { show(box, empty(text && last.conflicts.length ? 'No key of a conflict contains that.' : 'No write was lost in that time.')); return; }
      const side = (write) => h('span', {}, versionCell(write.version), ' ', kind(write));
      show(box, table(['Key', 'Lost', 'Won', 'Rule', 'Now', ''], shown.map((c) => [keyCell(c.key_json), side(c.loser), side(c.winner),
        h('span', {}, rule(c), !c.certain && [' ', word('uncertain', 'uneasy')]), h('span', {}, now(c)),
        h('button', { 'data-key': c.loser.version_hex, 'aria-label': `Compare ${c.loser.version}`, onclick: () => compare(names.value, c, load).catch((f) => notice(f.message, 'bad')) }, 'Compare')])));
    }
    async function load() {
      if (busy || !names.value) return;
      busy = true;
      loadedAt = Date.now();
      const asked = `${names.value}|${by.value}|${period.value}`;
      const seconds = PERIODS[period.value][1];
      const since = seconds ? Date.now() - seconds * 1000 : 0;
      try {
        const got = await conflictsOf(regions, names.value, since, by.value);
        last = got;
        if (seconds) last.conflicts = last.conflicts.filter((c) => msOf(c.loser) >= since);
        if (alive) draw();
      } catch (failure) {
        last = null;
        summary.textContent = '';
        show(notes);
        if (alive) show(box, empty(`The ledgers cannot be read: ${failure.message}.`));
      }
      took = Date.now() - loadedAt;
      busy = false;
      if (alive && asked !== `${names.value}|${by.value}|${period.value}`) await load();
    }
    const again = () => { last = null; summary.textContent = ''; show(notes); show(box, empty('Reading the ledgers.')); load(); };
    names.addEventListener('change', () => { chosen = names.value; history.replaceState(null, '', `#/conflicts/${encodeURIComponent(names.value)}`); again(); });
    by.addEventListener('change', again);
    period.addEventListener('change', again);
    filter.addEventListener('input', draw);
    return {
      update() {
        const all = tableNames();
        const wanted = `${all.join()}|${regions.map((r) => r.name).join()}`;
        if (wanted !== options) {
          options = wanted;
          const kept = names.value || chosen, keptBy = by.value;
          show(names, all.map((n) => h('option', {}, n)));
          if (all.includes(kept)) names.value = kept;
          show(by, h('option', { value: '' }, 'all regions, merged'), regions.map((r) => h('option', { value: r.name }, r.name)));
          by.value = keptBy;
        }
        if (!all.length) {
          show(box, empty(noTable()));
          return;
        }
        // What the regions count tells when there is something new to read.
        const seen = regions.map((r) => { const t = tableIn(r, names.value); return t ? `${t.conflicts},${t.conflicts_dropped}` : '-'; }).join('|');
        const idle = Date.now() - loadedAt;
        if (last && idle < Math.min(AGAIN_MS, Math.max(SOON_MS, 5 * took))) return; // in a storm there always is
        if (seen === stamp && idle < AGAIN_MS) return;
        stamp = seen;
        load();
      },
      unmount() { alive = false; },
    };
  },
};
