// The console: which view is shown, and the line that says how the deployment is.

import { h, show, plural } from './lib/dom.js';
import * as deployment from './lib/deployment.js';
import overview from './views/overview.js';
import tables from './views/tables.js';
import tableView from './views/table.js';
import items from './views/items.js';
import conflicts from './views/conflicts.js';
import flows from './views/flows.js';
import quarantine from './views/quarantine.js';
import faults from './views/faults.js';
import drills from './views/drills.js';

// A view is {title, mount(root, parameter)}; mount answers {update(), unmount()}, both optional.
const VIEWS = [
  { path: '', label: 'Overview', view: overview },
  { path: 'tables', label: 'Tables', view: tables },
  { path: 'table', view: tableView },
  { path: 'items', label: 'Items', view: items },
  { path: 'conflicts', label: 'Conflicts', view: conflicts },
  { path: 'quarantine', label: 'Quarantine', view: quarantine },
  { path: 'checkpoints', label: 'Checkpoints', view: flows },
  { path: 'faults', label: 'Faults', view: faults },
  { path: 'drills', label: 'Drills', view: drills },
];

let mounted = null;

function navigate() {
  const [path, ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  const entry = VIEWS.find((v) => v.path === path) ?? VIEWS[0];
  mounted?.unmount?.();
  const root = document.getElementById('main');
  root.replaceChildren();
  mounted = entry.view.mount(root, rest.join('/')) ?? {};
  mounted.update?.();
  const current = entry.path === 'table' ? 'tables' : entry.path;
  show(document.getElementById('nav'), VIEWS.filter((v) => v.label).map((v) => h('a', {
    href: `#/${v.path}`, 'data-key': v.path || 'overview', 'aria-current': v.path === current && 'page' }, v.label)));
  document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }); // on a phone
  document.title = `${entry.view.title} · Meridian`;
}

function summarise() {
  const line = document.getElementById('summary');
  const down = deployment.regions.filter((r) => !r.node);
  const uneasy = deployment.regions.filter((r) => deployment.regionMood(r) === 'uneasy');
  const stalled = [...deployment.links.values()].filter((l) => deployment.moodOf(l) !== 'good');
  const parts = [];
  if (down.length) parts.push(`${down.map((r) => r.name).join(', ')} cannot be reached`);
  if (uneasy.length) parts.push(`${uneasy.map((r) => r.name).join(', ')} not ready`);
  if (stalled.length) parts.push(`${stalled.length} of ${deployment.links.size} links stand still`);
  const parked = deployment.regions.flatMap((r) => r.node?.tables ?? []).reduce((sum, t) => sum + t.parked, 0);
  if (parked) parts.push(`${plural(parked, 'record')} in quarantine`);
  line.className = `summary ${down.length ? 'bad' : parts.length ? 'uneasy' : 'good'}`;
  const text = parts.join(' · ') || `all ${deployment.regions.length} regions ready`;
  if (line.textContent !== text) line.textContent = text;
}

async function main() {
  try {
    await deployment.start();
  } catch (failure) {
    show(document.getElementById('main'), h('p', { class: 'empty' },
      `This region node does not answer (${failure.message}). The page tries again every few seconds.`));
    document.getElementById('summary').textContent = 'disconnected';
    setTimeout(main, 3000);
    return;
  }
  window.addEventListener('hashchange', () => { navigate(); document.getElementById('main').focus(); });
  navigate();
  deployment.watch(() => { summarise(); mounted?.update?.(); });
}

main();
