// Rows of a table side by side across its regions: the same key, version and content, or not.

import { h, show, sheet, empty, table, word, notice } from '../lib/dom.js';
import { versionCell, keyCell } from '../lib/cells.js';
import { regions, tableNames, holders, admin, dynamo } from '../lib/deployment.js';

const PAGE = 50;

// One page of each region from the same key on, merged; only as far as every page reaches.
async function page(name, after) {
  const at = holders(name);
  const answers = await Promise.all(at.map((r) => admin(r, `/v1/tables/${encodeURIComponent(name)}/rows?after=${after}&limit=${PAGE}`)
    .then((body) => body.rows, (failure) => { throw new Error(`${r.name}: ${failure.message}`); })));
  const full = answers.filter((rows) => rows.length === PAGE).map((rows) => rows.at(-1).key).sort();
  const end = full[0];
  const merged = new Map();
  answers.forEach((rows, i) => rows.forEach((row) => {
    if (end !== undefined && row.key > end) return;
    if (!merged.has(row.key)) merged.set(row.key, { key: row.key, text: row.key_json, by: new Map() });
    merged.get(row.key).by.set(at[i].name, row);
  }));
  return { regions: at.map((r) => r.name), rows: [...merged.values()].sort((a, b) => (a.key < b.key ? -1 : 1)), next: end };
}

const same = (row, names) => names.every((n) => {
  const a = row.by.get(names[0]), b = row.by.get(n);
  return a && b && a.version_hex === b.version_hex && a.image_hash === b.image_hash;
});

function keyOf(text) { return typeof text === 'string' ? JSON.parse(text) : text; }

async function compare(name, row, names) {
  const parts = await Promise.all(names.map(async (n) => {
    const own = row.by.get(n);
    let body = 'not here';
    if (own?.tombstone) body = 'deleted (tombstone)';
    else if (own) {
      try {
        const { Item } = await dynamo(regions.find((r) => r.name === n), 'GetItem', { TableName: name, Key: keyOf(row.text), ConsistentRead: true });
        body = Item ? JSON.stringify(Item, null, 2) : 'not here any more';
      } catch (failure) { body = failure.message; }
    }
    return h('section', {}, h('h3', {}, n), h('p', {}, h('code', {}, own?.version ?? 'no version')), h('pre', {}, body));
  }));
  const dialog = h('dialog', { 'aria-label': 'Item side by side' }, h('h2', {}, h('code', {}, JSON.stringify(keyOf(row.text)))), h('div', { class: 'side' }, parts),
    h('form', { method: 'dialog', class: 'actions' }, h('button', { autofocus: true }, 'Close')));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

export default {
  title: 'Items',
  mount(root, chosen) {
    const names = h('select', { 'aria-label': 'Table' }), box = h('div'), only = h('input', { type: 'checkbox' });
    const back = h('button', { disabled: true }, 'First page'), forward = h('button', { disabled: true }, 'Next page');
    let after = '', last = null, busy = false, alive = true, listed = '';
    root.append(h('h1', {}, 'Items'), sheet('Side by side', h('div', { class: 'actions' }, names, h('label', {}, 'only what differs', only), back, forward), box));
    async function load() {
      if (busy || !names.value) return;
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
      if (!rows.length) { show(box, empty(only.checked ? 'Nothing on this page differs.' : 'The table is empty.')); return; }
      show(box, table(['Key', ...last.regions, ''], rows.map((row) => ({ class: same(row, last.regions) ? '' : 'differs', cells: [
        keyCell(keyOf(row.text)), ...last.regions.map((n) => {
          const own = row.by.get(n);
          return own ? [versionCell(own.version), own.tombstone && word(' deleted', 'uneasy')] : word('not here', 'bad');
        }), h('button', { 'data-key': row.key, onclick: () => compare(names.value, row, last.regions).catch((f) => notice(f.message, 'bad')) }, 'Compare')] }))));
    }
    names.addEventListener('change', () => { after = ''; history.replaceState(null, '', `#/items/${encodeURIComponent(names.value)}`); load(); });
    only.addEventListener('change', draw);
    back.addEventListener('click', () => { after = ''; load(); });
    forward.addEventListener('click', () => { after = last.next; load(); });
    (async function again() { if (alive) { await load(); setTimeout(again, 2000); } }());
    return {
      update() {
        const all = tableNames();
        if (all.join() === listed) return;
        listed = all.join();
        const kept = names.value || chosen;
        show(names, all.map((n) => h('option', {}, n)));
        if (all.includes(kept)) names.value = kept;
        if (!all.length) show(box, empty('There is no table yet.'));
        load();
      },
      unmount() { alive = false; },
    };
  },
};
