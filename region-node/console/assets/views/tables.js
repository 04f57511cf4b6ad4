// All tables, and the form that makes a replication group.

import { h, show, sheet, empty, table, count, bytes, notice } from '../lib/dom.js';
import { regions, tableNames, holders, tableIn, dynamo, homeRegion, noTable } from '../lib/deployment.js';
import { addReplica, ready } from '../lib/replicas.js';

function list() {
  const names = tableNames();
  if (!names.length) return empty(noTable().replace('under Tables', 'below, or with the AWS CLI'));
  return table(['Table', 'Regions', { title: 'Items', number: true }, { title: 'Bytes', number: true }, { title: 'Tombstones', number: true }, { title: 'Conflicts', number: true }, { title: 'In quarantine', number: true }, ''],
    names.map((name) => {
      const at = holders(name);
      // Regions may be on their way to each other: what most of them hold is not known, the largest is.
      const most = (figure) => Math.max(...at.map((r) => tableIn(r, name)[figure]));
      const link = (view, n) => (n ? h('a', { href: `#/${view}${view === 'conflicts' ? `/${encodeURIComponent(name)}` : ''}`, 'data-key': `${view}-${name}` }, count(n)) : '0');
      return [h('a', { href: `#/table/${encodeURIComponent(name)}`, 'data-key': `t-${name}` }, name), at.map((r) => r.name).join(', '),
        count(most('items')), bytes(most('bytes')), count(most('tombstones')), link('conflicts', most('conflicts')), link('quarantine', at.reduce((n, r) => n + tableIn(r, name).parked, 0)),
        h('a', { href: `#/items/${encodeURIComponent(name)}`, 'data-key': `i-${name}` }, 'items')];
    }));
}

async function create(form, tell) {
  const data = new FormData(form);
  const name = data.get('name').trim();
  const chosen = data.getAll('region');
  const keys = [[data.get('partition'), data.get('partitionType'), 'HASH'], [data.get('sort'), data.get('sortType'), 'RANGE']]
    .filter(([attribute]) => attribute);
  const first = regions.find((r) => r.name === chosen[0]);
  tell(`Creating ${name} in ${first.name}.`);
  await dynamo(first, 'CreateTable', { TableName: name, BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: keys.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    KeySchema: keys.map(([AttributeName, , KeyType]) => ({ AttributeName, KeyType })),
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } });
  await ready(first, name);
  for (const other of chosen.slice(1)) {
    tell(`Adding the replica in ${other}.`);
    await addReplica(first, name, other);
  }
  return name;
}

function form() {
  const types = (name) => h('select', { name, 'aria-label': 'type' }, ['S', 'N', 'B'].map((t) => h('option', {}, t)));
  const button = h('button', { class: 'main' }, 'Create'), progress = h('p', { class: 'hint', role: 'status' });
  const boxes = h('fieldset', {}, h('legend', {}, 'Regions'));
  const made = h('form', { class: 'inline', onsubmit: async (event) => {
    event.preventDefault();
    if (!new FormData(made).getAll('region').length) { notice('Choose at least one region.', 'bad'); return; }
    button.disabled = true;
    try {
      const name = await create(made, (text) => { progress.textContent = text; });
      notice(`${name} is there.`);
      location.hash = `#/table/${encodeURIComponent(name)}`;
    } catch (failure) {
      notice(failure.message, 'bad');
    } finally { button.disabled = false; progress.textContent = ''; }
  } },
  h('label', {}, 'Name', h('input', { name: 'name', required: true, minlength: 3, maxlength: 255, pattern: '[a-zA-Z0-9_.\\-]+' })),
  h('label', {}, 'Partition key', h('input', { name: 'partition', required: true, value: 'pk' })), h('label', {}, 'Type', types('partitionType')),
  h('label', {}, 'Sort key (optional)', h('input', { name: 'sort' })), h('label', {}, 'Type', types('sortType')), boxes, button);
  const ordered = [homeRegion(), ...regions.filter((r) => r !== homeRegion())];
  boxes.append(...ordered.map((r) => h('label', {}, h('input', { type: 'checkbox', name: 'region', value: r.name, checked: true }), r.name)));
  return [made, progress];
}

export default {
  title: 'Tables',
  mount(root) {
    const all = h('div');
    root.append(h('h1', {}, 'Tables'), sheet('All tables', null, all), sheet('New global table', 'a replica in each region chosen', form()));
    return { update() { show(all, list()); } };
  },
};
