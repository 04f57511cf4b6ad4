// The console: which view is shown, and the line that says how the deployment is.

import { h, show, plural, clock } from './lib/dom.js';
import * as deployment from './lib/deployment.js';
import overview from './views/overview.js';
import tables from './views/tables.js';
import tableView from './views/table.js';
import items from './views/items.js';
import conflicts from './views/conflicts.js';
import quarantine from './views/quarantine.js';
import flows from './views/flows.js';
import leases from './views/leases.js';
import faults from './views/faults.js';
import drills from './views/drills.js';
import login from './views/login.js';
import { held } from './lib/token.js';

// A view is {title, mount(root, parameter)}; mount answers {update(), unmount()}, both optional.
const VIEWS = [
  { path: '', label: 'Overview', view: overview },
  { path: 'tables', label: 'Tables', view: tables },
  { path: 'table', view: tableView },
  { path: 'items', label: 'Items', view: items },
  { path: 'conflicts', label: 'Conflicts', view: conflicts },
  { path: 'quarantine', label: 'Quarantine', view: quarantine },
  { path: 'checkpoints', label: 'Checkpoints', view: flows },
  { path: 'leases', label: 'Leases', view: leases },
  { path: 'faults', label: 'Faults', view: faults },
  { path: 'drills', label: 'Drills', view: drills },
];

let mounted = null;
let asking = false; // for the token, in place of every view

const element = (id) => document.getElementById(id);

function navigate() {
  const [path, ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  const entry = VIEWS.find((v) => v.path === path) ?? VIEWS[0];
  mounted?.unmount?.();
  const root = element('main');
  root.replaceChildren();
  mounted = entry.view.mount(root, rest.join('/')) ?? {};
  mounted.update?.();
  const current = entry.path === 'table' ? 'tables' : entry.path;
  show(element('nav'), VIEWS.filter((v) => v.label).map((v) => h('a', {
    href: `#/${v.path}`, 'data-key': v.path || 'overview', 'aria-current': v.path === current && 'page' }, v.label)));
  document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }); // on a phone
  document.title = `${entry.view.title} · Meridian`;
}

// What is the matter, in words; nothing when all is well.
function troubles() {
  const { regions, links, moodOf, regionMood } = deployment;
  const down = regions.filter((r) => r.asked && !r.node), uneasy = regions.filter((r) => regionMood(r) === 'uneasy');
  const disturbed = [...links.values()].filter((l) => moodOf(l) !== 'good');
  const parked = regions.flatMap((r) => r.node?.tables ?? []).reduce((sum, t) => sum + t.parked, 0);
  const names = (list) => list.map((r) => r.name).join(', ');
  return { down: down.length > 0, words: [down.length && `${names(down)} ${down.length > 1 ? 'are' : 'is'} down`, uneasy.length && `${names(uneasy)} not ready`,
    disturbed.length && `${disturbed.length} of ${plural(links.size, 'link')} disturbed`, parked && `${plural(parked, 'record')} in quarantine`].filter(Boolean) };
}

function summarise() {
  const line = element('summary'), gone = deployment.disconnected();
  const { down, words } = troubles();
  line.className = `summary ${deployment.connecting() ? '' : down ? 'bad' : words.length ? 'uneasy' : 'good'}`;
  const text = deployment.connecting() ? 'connecting' : gone ? 'disconnected' : words.join(' · ') || `all ${deployment.regions.length} regions ready`;
  if (line.textContent !== text) line.textContent = text;
  const heard = deployment.heardAt();
  show(element('banner'), gone && h('p', {}, h('b', {}, 'No region answers.'), heard ? ` The last was heard at ${clock(heard)}.` : '', ' The page goes on asking.'));
  const home = deployment.homeRegion();
  show(element('about'), h('p', {}, `Served by ${home.name}${home.node ? `, version ${home.node.version}` : ''}. Times are UTC. `,
    held() && h('button', { 'data-key': 'sign-out', onclick: deployment.lock }, 'Sign out')));
}

function signIn(entered) {
  asking = true;
  mounted?.unmount?.();
  for (const id of ['nav', 'banner', 'about', 'main']) element(id).replaceChildren();
  element('summary').className = 'summary';
  element('summary').textContent = 'signed out';
  document.title = `${login.title} · Meridian`;
  mounted = login.mount(element('main'), () => { asking = false; entered(); });
}

function heard() {
  if (deployment.locked()) {
    if (!asking) signIn(() => { navigate(); summarise(); });
    return;
  }
  summarise();
  mounted?.update?.();
}

async function main() {
  try {
    await deployment.start();
  } catch (failure) {
    if (deployment.locked()) { signIn(main); return; }
    show(element('main'), h('h1', {}, 'Meridian'), h('p', { class: 'empty' }, `This region node does not answer (${failure.message}). The page tries again every few seconds.`));
    element('summary').textContent = 'disconnected';
    setTimeout(main, 3000);
    return;
  }
  window.addEventListener('hashchange', () => { if (asking) return; navigate(); element('main').focus(); window.scrollTo(0, 0); });
  document.querySelector('.skip').addEventListener('click', (event) => { event.preventDefault(); element('main').focus(); }); // # is for views
  navigate();
  deployment.watch(heard);
  summarise();
}

main();
