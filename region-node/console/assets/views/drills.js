// Failover drills: what can be run, the one that runs with its timeline, and the reports.  They are run by
// `meridian drill serve`, which the deployment names; without it this page says how to start it.

import { h, show, sheet, empty, table, word, notice, confirmed } from '../lib/dom.js';
import { drills, drillsFile, drillsGet, drillsPost } from '../lib/deployment.js';
import { held } from '../lib/token.js';

const AGAIN_MS = 1000;
const moods = { PASS: 'good', FAIL: 'bad', ABORTED: 'uneasy' };
const exits = { 3: 'The preflight refused it, and nothing was touched.', 5: 'The drill failed; what it had done is undone.' };

const seconds = (value) => (typeof value === 'number' ? `${value.toFixed(value < 10 ? 2 : 1)} s` : '–');

// With a token a file is fetched and saved: a page of this origin could not show it with its own styles.
async function save(event, folder, file) {
  if (!held()) return;
  event.preventDefault();
  try {
    const at = URL.createObjectURL(await drillsFile(`/${folder}/${file}`));
    h('a', { href: at, download: `${folder}-${file}` }).click();
    setTimeout(() => URL.revokeObjectURL(at), 60000);
  } catch (failure) { notice(failure.message, 'bad'); }
}
const link = (folder, file, text) => h('a', { href: `${drills()}/v1/drills/${folder}/${file}`, target: '_blank', rel: 'noopener', 'data-key': `${folder}/${file}`,
  onclick: (event) => save(event, folder, file) }, text);

function timeline(events) {
  if (!events.length) return empty('Looking whether the deployment is fit for it.');
  return table([{ title: 'At', number: true }, 'Phase', 'What'], events.map((e) => [seconds(e.at_s), word(e.phase, e.phase === 'ABORT' ? 'bad' : ''), e.text]));
}

function form(state, began) {
  const scenario = h('select', { name: 'scenario' }, state.scenarios.map((s) => h('option', { value: s.name }, s.name)));
  const region = h('select', { name: 'region' }, state.regions.map((name) => h('option', {}, name)));
  const number = (name, value, min, max) => h('input', { name, type: 'number', value, min, max, required: true });
  const fault = number('fault', 15, 1, 3600), rate = number('rate', 200, 1, 10000);
  const about = h('p', { class: 'note' });
  const explain = () => { about.textContent = `${region.value}: ${state.scenarios.find((s) => s.name === scenario.value).summary}.`; };
  scenario.addEventListener('change', explain);
  region.addEventListener('change', explain);
  explain();
  return [h('form', { class: 'inline', onsubmit: async (event) => {
    event.preventDefault();
    const text = `${about.textContent} All tables see it. It lasts ${fault.value} s, then everything is put right and compared.`;
    if (!await confirmed(`Break ${region.value} on purpose?`, text, 'Run the drill')) return;
    try {
      await drillsPost(`/run?scenario=${scenario.value}&region=${region.value}&fault=${fault.value}s&rate=${rate.value}`);
      began();
    } catch (failure) { notice(failure.message, 'bad'); }
  } }, h('label', {}, 'Scenario', scenario), h('label', {}, 'Region', region), h('label', {}, 'Fault, seconds', fault),
  h('label', {}, 'Writes a second', rate), h('button', { class: 'main' }, 'Run')), about];
}

function reports(list) {
  if (!list.length) return empty('No drill has been run yet.');
  const columns = ['Began', 'Scenario', 'Region', 'Verdict', { title: 'RTO', number: true }, { title: 'RPO', number: true },
    { title: 'Lost', number: true }, { title: 'Outage', number: true }, ''];
  return table(columns, list.map((r) => [h('small', {}, r.began.replace('T', ' ').slice(0, 19)), r.scenario, r.region, word(r.verdict, moods[r.verdict]),
    seconds(r.rto.total_s), r.rpo.writes === null ? '–' : `${r.rpo.writes} / ${seconds(r.rpo.seconds)}`, r.writes.lost, seconds(r.longest_outage_s),
    h('span', { class: 'actions' }, link(r.folder, 'report.html', 'report'), link(r.folder, 'report.json', 'JSON'))]));
}

export default {
  title: 'Drills',
  mount(root) {
    const start = h('div'), live = h('div'), past = h('div');
    let alive = true, shape = '', seen = '';
    root.append(h('h1', {}, 'Drills'));

    async function draw() {
      let state;
      try { state = await drillsGet(''); } catch (failure) {
        shape = '';
        if (failure.status === 401) {
          show(start, sheet('Drills want another token', null, empty(`${drills()} does not take the token of this region. Start meridian drill serve with the same one.`)));
          show(live); show(past);
          return;
        }
        const how = `Start it where the deployment runs: meridian drill serve --listen ${new URL(drills()).host}`;
        show(start, sheet('Drills are not at hand', null, empty(`${drills()} cannot be reached (${failure.message}).`), h('pre', {}, how)));
        show(live); show(past);
        return;
      }
      const running = state.running;
      const now = running ? `runs ${running.folder}` : 'idle';
      if (shape !== now) { // the form is kept while its user fills it in
        shape = now;
        show(start, running ? [] : sheet('Run one', 'it breaks one region on purpose, and puts everything right', form(state, draw)));
      }
      if (running) {
        show(live, sheet(`${running.scenario} of ${running.region}`, word('running', 'uneasy'), timeline(running.timeline),
          h('p', { class: 'actions' }, h('button', { class: 'danger', 'data-key': 'stop', onclick: async () => {
            try { await drillsPost('/stop'); notice('It heals first, then it ends.'); } catch (failure) { notice(failure.message, 'bad'); }
          } }, 'Stop and heal'))));
      } else if (state.last) {
        const ended = state.reports.find((r) => r.folder === state.last.folder);
        show(live, sheet(`The last: ${state.last.scenario} of ${state.last.region}`, ended ? word(ended.verdict, moods[ended.verdict]) : word('no report', 'bad'),
          state.last.timeline.length ? timeline(state.last.timeline) : null, exits[state.last.exit_code] && h('p', {}, exits[state.last.exit_code]),
          ended ? null : h('pre', {}, state.last.said)));
      } else show(live);
      const text = JSON.stringify(state.reports);
      if (seen !== text) { seen = text; show(past, sheet('Reports', `${state.reports.length}`, reports(state.reports))); }
    }

    root.append(start, live, past);
    (async function again() {
      if (!alive) return;
      if (drills() === null) show(start, sheet('Drills', null, empty('This deployment names no place where drills are run (setting console.drills).')));
      else await draw();
      setTimeout(again, AGAIN_MS);
    }());
    return { unmount() { alive = false; } };
  },
};
