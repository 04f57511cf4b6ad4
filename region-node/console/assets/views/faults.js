// Faults on purpose: which links are cut, paused, delayed, limited or lossy, for how long yet, and the form
// that makes one.  Each ends by itself.

import { h, show, sheet, empty, note, table, word, countdown, notice } from '../lib/dom.js';
import { regions, daemonsOf } from '../lib/deployment.js';

const WHAT = { cut: 'Nothing goes through, and nobody is told.', pause: 'Nothing is shipped; connections stay up.',
  delay: 'Everything arrives later.', lose: 'So many segments are lost, and sent again.', limit: 'So much a second goes through.' };

// A link's ends of work: what the region's replicators ship, and what its node asks of the peer.
async function listed() {
  const found = new Map(), silent = [];
  await Promise.all(regions.flatMap((one) => daemonsOf(one).map(async (daemon) => {
    let page;
    try { page = await daemon.get('/v1/links'); } catch { silent.push(`${one.name} ${daemon.name}`); return; }
    for (const link of page.links) for (const fault of link.faults) {
      const key = `${link.from}|${link.to}|${fault.text}`;
      const row = found.get(key) ?? { from: link.from, to: link.to, text: fault.text, left: 0, of: fault.for_ms, on: [] };
      row.left = Math.max(row.left, fault.left_ms);
      row.on.push(daemon.name);
      found.set(key, row);
    }
  })));
  return { rows: [...found.values()].sort((a, b) => (a.from + a.to + a.text < b.from + b.to + b.text ? -1 : 1)), silent: silent.sort() };
}

async function everywhere(from, to, verb) {
  const one = regions.find((r) => r.name === from);
  const refused = [];
  for (const daemon of daemonsOf(one)) {
    try { await daemon.post(`/v1/links/${to}/${verb}`); } catch (failure) { refused.push(`${from} ${daemon.name}: ${failure.message}`); }
  }
  if (refused.length) throw new Error(refused.join('; '));
}

function form(done) {
  const names = () => regions.map((r) => h('option', {}, r.name));
  const from = h('select', { name: 'from' }, names()), to = h('select', { name: 'to' }, names());
  to.selectedIndex = Math.min(1, regions.length - 1);
  const kind = h('select', { name: 'kind' }, ['cut', 'pause', 'delay', 'lose', 'limit'].map((k) => h('option', {}, k)));
  const number = (name, value, min, max) => h('input', { name, type: 'number', value, min, max, required: true });
  const seconds = number('seconds', 30, 1, 86400), delay = number('delay', 80, 1, 60000), jitter = number('jitter', 10, 0, 60000), lost = number('lost', 10, 1, 500), rate = number('rate', 256, 1, 1000000);
  const extra = { delay: [h('label', {}, 'Delay, ms', delay), h('label', {}, 'Jitter, ms', jitter)], lose: [h('label', {}, 'Segments lost of 1000', lost)], limit: [h('label', {}, 'KiB per second', rate)] };
  const slot = h('span', { class: 'actions' });
  const about = h('p', { class: 'hint' });
  const choose = () => { show(slot, extra[kind.value] ?? []); about.textContent = `${WHAT[kind.value]} It ends by itself when its time is over.`; };
  kind.addEventListener('change', choose);
  choose();
  return [h('form', { class: 'inline', onsubmit: async (event) => {
    event.preventDefault();
    if (from.value === to.value) { notice('A link leads from one region to another.', 'bad'); return; }
    let query = `${kind.value}?for_ms=${seconds.value * 1000}`;
    if (kind.value === 'delay') query += `&delay_ms=${delay.value}&jitter_ms=${jitter.value}`;
    if (kind.value === 'lose') query += `&lost_permille=${lost.value}`;
    if (kind.value === 'limit') query += `&bytes_per_second=${rate.value * 1024}`;
    try {
      await everywhere(from.value, to.value, query);
      notice(`${from.value} → ${to.value}: ${kind.value} for ${seconds.value} s.`);
      done();
    } catch (failure) { notice(failure.message, 'bad'); }
  } },
  h('label', {}, 'From', from), h('label', {}, 'To', to), h('label', {}, 'Fault', kind), slot, h('label', {}, 'Seconds', seconds), h('button', { class: 'main' }, 'Begin')), about];
}

export default {
  title: 'Faults',
  mount(root) {
    const box = h('div');
    let alive = true;
    async function draw() {
      const { rows, silent } = await listed();
      // What does not answer has no fault left when it starts again; nothing else is known of it.
      const unknown = silent.length ? note(`${silent.join(', ')} ${silent.length > 1 ? 'do' : 'does'} not answer.`) : null;
      show(box, unknown, rows.length ? table(['From', 'To', 'Fault', 'Ends in', 'At', ''], rows.map((f) => [f.from, f.to, word(f.text, 'uneasy'), countdown(f.left, f.of, 'uneasy'), f.on.sort((x, y) => (x === 'node' ? -1 : y === 'node' ? 1 : x < y ? -1 : 1)).join(', '),
        h('button', { 'data-key': `${f.from}>${f.to}${f.text}`, onclick: async () => {
          try { await everywhere(f.from, f.to, 'heal'); notice(`${f.from} → ${f.to} is healed.`); draw(); } catch (failure) { notice(failure.message, 'bad'); }
        } }, 'Heal')])) : empty(silent.length === regions.reduce((n, r) => n + daemonsOf(r).length, 0) ? 'No region answers.' : 'No link has a fault.'));
    }
    show(box, empty('Asking the regions.'));
    root.append(h('h1', {}, 'Faults on purpose'), sheet('Now', 'each ends by itself, or when its daemon starts again', box), sheet('Begin one', 'one direction of one link', form(draw)));
    (async function again() { if (alive) { await draw(); setTimeout(again, 1000); } }());
    return { unmount() { alive = false; } };
  },
};
