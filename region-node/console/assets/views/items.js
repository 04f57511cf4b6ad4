// Rows of a table side by side across its regions: the same key, version and content, or not.

import { h, show, open, sheet, empty, note, table, word, notice } from '../lib/dom.js';
import { versionCell, keyCell, valueText } from '../lib/cells.js';
import { regions, tableNames, tableIn, holders, admin, dynamo, noTable } from '../lib/deployment.js';

const PAGE = 50;

// One page of each region from the same key on, merged; only as far as every page reaches.
async function page(name, after) {
  const notes = regions.filter((r) => !r.node).map((r) => `${r.name} does not answer: what it holds is not known.`);
  const asked = await Promise.all(holders(name).map((r) => admin(r, `/v1/tables/${encodeURIComponent(name)}/rows?after=${after}&limit=${PAGE}`)
    .then((body) => ({ r, rows: body.rows }), (failure) => { notes.push(`${r.name}: ${failure.message}.`); return null; })));
  const at = asked.filter(Boolean).map((each) => each.r), answers = asked.filter(Boolean).map((each) => each.rows);
  if (!at.length) throw new Error('No region that answers has it.');
  const full = answers.filter((rows) => rows.length === PAGE).map((rows) => rows.at(-1).key).sort();
  const end = full[0];
  const merged = new Map();
  answers.forEach((rows, i) => rows.forEach((row) => {
    if (end !== undefined && row.key > end) return;
    if (!merged.has(row.key)) merged.set(row.key, { key: row.key, text: row.key_json, by: new Map() });
    merged.get(row.key).by.set(at[i].name, row);
  }));
  return { regions: at.map((r) => r.name), notes, rows: [...merged.values()].sort((a, b) => (a.key < b.key ? -1 : 1)), next: end };
}

const same = (row, names) => names.every((n) => {
  const a = row.by.get(names[0]), b = row.by.get(n);
  return a && b && a.version_hex === b.version_hex && a.image_hash === b.image_hash;
});

function keyOf(text) { return typeof text === 'string' ? JSON.parse(text) : text; }

// What one region has at a key: {image} or {said}, with its version.
async function itemIn(name, row, region) {
  const own = row.by.get(region);
  if (!own) return { said: word('not here', 'bad') };
  if (own.tombstone) return { version: own.version, said: word('deleted', 'uneasy') };
  try {
    const { Item } = await dynamo(regions.find((r) => r.name === region), 'GetItem', { TableName: name, Key: keyOf(row.text), ConsistentRead: true });
    return Item ? { version: own.version, image: Item } : { version: own.version, said: word('not here any more', 'uneasy') };
  } catch (failure) { return { version: own.version, said: word(failure.message, 'bad') }; }
}

// A line for each attribute that any region has; what is not the same everywhere is marked.
function attributes(found) {
  const names = [...new Set(found.flatMap((f) => Object.keys(f.image ?? {})))].sort();
  return names.map((attribute) => {
    const texts = found.map((f) => valueText(f.image?.[attribute]));
    const differs = new Set(texts).size > 1;
    return { class: differs ? 'differs' : '', cells: [h('code', {}, attribute), ...texts.map((text) => (text === null ? word('not there') : h('pre', {}, differs ? h('mark', {}, text) : text)))] };
  });
}

async function compare(name, row, names) {
  const found = await Promise.all(names.map((n) => itemIn(name, row, n)));
  const equal = same(row, names);
  const dialog = h('dialog', { class: 'wide', 'aria-label': 'Item side by side' }, h('h2', {}, h('code', {}, JSON.stringify(keyOf(row.text)))),
    h('p', {}, equal ? word('The same in all regions.', 'good') : word('The regions differ.', 'uneasy')),
    table(['', ...names], [{ cells: [h('span', {}, 'version'), ...found.map((f) => [f.version && versionCell(f.version), f.version && f.said && h('br'), f.said])] }, ...attributes(found)]),
    h('form', { method: 'dialog', class: 'actions foot' }, h('button', { autofocus: true }, 'Close')));
  open(dialog);
}

export default {
  title: 'Items',
  mount(root, chosen) {
    const names = h('select', { name: 'table' }), box = h('div'), only = h('input', { type: 'checkbox' });
    const back = h('button', { disabled: true }, 'First page'), forward = h('button', { disabled: true }, 'Next page');
    show(box, empty('Asking the regions.'));
    let after = '', last = null, busy = false, alive = true, listed = '';
    root.append(h('h1', {}, 'Items'), sheet('Side by side', h('div', { class: 'actions' }, h('label', {}, 'Table', names), h('label', { class: 'check' }, only, 'only what differs'), back, forward), box));
    async function load() {
      if (busy || !names.value || regions.some((r) => !r.asked)) return; // or it would show some regions as if they were all
      busy = true;
      try {
        last = await page(names.value, after);
        draw();
      } catch (failure) { show(box, empty(failure.message)); } finally { busy = false; }
    }
    function draw() {
      if (!last) return;
      const rows = last.rows.filter((row) => !only.checked || !same(row, last.regions));
      back.disabled = after === '';
      forward.disabled = last.next === undefined;
      const notes = last.notes.map(note);
      if (!rows.length) { show(box, notes, empty(only.checked ? 'Nothing on this page differs.' : after ? 'There are no more items.' : 'The table is empty.')); return; }
      show(box, notes, table(['Key', ...last.regions, ''], rows.map((row) => ({ class: same(row, last.regions) ? '' : 'differs', cells: [
        keyCell(keyOf(row.text)), ...last.regions.map((n) => {
          const own = row.by.get(n);
          return own ? [versionCell(own.version), own.tombstone && word(' deleted', 'uneasy')] : word('not here', 'bad');
        }), h('button', { 'data-key': row.key, onclick: () => compare(names.value, row, last.regions).catch((f) => notice(f.message, 'bad')) }, 'Compare')] }))));
    }
    names.addEventListener('change', () => { chosen = names.value; after = ''; history.replaceState(null, '', `#/items/${encodeURIComponent(names.value)}`); load(); });
    only.addEventListener('change', draw);
    back.addEventListener('click', () => { after = ''; load(); });
    forward.addEventListener('click', () => { after = last.next; load(); });
    (async function again() { if (alive) { await load(); setTimeout(again, 2000); } }());
    return {
      update() {
        const all = tableNames();
        if (!all.length) show(box, empty(noTable()));
        const seen = `${all.join()}|${regions.map((r) => `${r.asked}${Boolean(tableIn(r, names.value))}`)}`;
        if (seen === listed) return;
        listed = seen;
        const kept = names.value || chosen;
        show(names, all.map((n) => h('option', {}, n)));
        if (all.includes(kept)) names.value = kept;
        last = null;
        load();
      },
      unmount() { alive = false; },
    };
  },
};
