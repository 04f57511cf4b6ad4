// The conflict ledgers of the regions, put together.  The rule is that of conflict/ledger.h: a region is
// the authority for its own writes, and what any write that is known has in its chain is no loser.

import { admin } from './deployment.js';

const PAGE = 1000;
const PAGES_MAX = 3; // of one region; the rest is for `meridian conflicts export`

const hlc = (write) => write.version_hex.slice(0, 16);
export const originOf = (version) => version.slice(version.lastIndexOf('@') + 1);
export const msOf = (write) => parseInt(write.version_hex.slice(0, 12), 16);

// One region's ledger: {region, completeAfter, dropped, entries, cut}.  `since`: losers that were written later.
async function read(one, table, since) {
  const path = `/v1/tables/${encodeURIComponent(table)}/conflicts?images=0&limit=${PAGE}${since ? `&from_ms=${since}` : ''}`;
  const out = { region: one.name, entries: [], cut: false };
  for (let n = 0; n < PAGES_MAX; n += 1) {
    const last = out.entries.at(-1);
    const page = await admin(one, path + (last ? `&after_key=${last.key}&after_version=${last.loser.version_hex}` : ''));
    Object.assign(out, { completeAfter: page.complete_after, dropped: page.dropped, cut: page.more });
    out.entries.push(...page.entries);
    if (!page.more) break;
  }
  return out;
}

function chainsOf(ledgers) {
  const chains = new Set();
  const add = (write) => Object.entries(write?.context ?? {}).forEach(([region, at]) => chains.add(`${at}@${region}`));
  for (const ledger of ledgers) for (const entry of ledger.entries) [entry.loser, entry.winner, entry.current].forEach(add);
  return chains;
}

// The losers, once each, the newest first: entries with {listedBy, certain}.  Chains are of one key, but
// versions are unlike across keys too, so that all keys can be taken at once.
export function merge(ledgers) {
  const complete = new Map(ledgers.map((ledger) => [ledger.region, ledger.completeAfter]));
  const chains = chainsOf(ledgers);
  const losers = new Map();
  for (const ledger of ledgers) for (const entry of ledger.entries) {
    const { loser } = entry;
    const origin = originOf(loser.version);
    if (chains.has(`${hlc(loser)}@${origin}`)) continue;
    const own = origin === ledger.region;
    const decided = complete.has(origin) && hlc(loser) > complete.get(origin);
    if (own || (!decided && !losers.has(loser.version_hex))) losers.set(loser.version_hex, { ...entry, listedBy: ledger.region, certain: own });
  }
  return [...losers.values()].sort((a, b) => (a.loser.version_hex < b.loser.version_hex ? 1 : -1));
}

// What one region says, unmerged.
const alone = (ledger) => ledger.entries.map((entry) => ({ ...entry, listedBy: ledger.region,
  certain: originOf(entry.loser.version) === ledger.region })).sort((a, b) => (a.loser.version_hex < b.loser.version_hex ? 1 : -1));

// {conflicts, notes}: of all regions that have the table, or of `only` one.  Throws when none answers.
export async function conflictsOf(at, table, since, only) {
  const notes = [], ledgers = [];
  let failed = null;
  const ask = (one) => read(one, table, since).then((ledger) => ledgers.push(ledger), (failure) => {
    if (failure.status === 404) return; // no such table there
    failed = failure;
    notes.push(`${one.name} does not answer: what it wrote is listed as others know it.`);
  });
  await Promise.all(at.filter((one) => !only || one.name === only).map(ask));
  if (!ledgers.length) throw failed ?? new Error(`${only || 'no region'} has ${only ? 'no' : 'a'} table of that name`);
  ledgers.sort((a, b) => (a.region < b.region ? -1 : 1));
  for (const ledger of ledgers) {
    if (ledger.dropped > 0) notes.push(`The ledger of ${ledger.region} is full: its ${ledger.dropped} oldest losers are forgotten.`);
    if (ledger.cut) notes.push(`${ledger.region} lists more than can be shown here; choose a shorter time, or use meridian conflicts export.`);
  }
  return { conflicts: only ? alone(ledgers[0]) : merge(ledgers), notes };
}

// One conflict with both images, from the region that lists it.
export async function withImages(one, table, conflict) {
  const page = await admin(one, `/v1/tables/${encodeURIComponent(table)}/conflicts?key=${conflict.key}&version=${conflict.loser.version_hex}`);
  if (!page.entries.length) throw new Error('It is no longer listed: a write that was built on it has come, or the ledger was full.');
  return { ...conflict, ...page.entries[0] };
}

export const standing = (conflict) => conflict.current !== null && conflict.current.version_hex === conflict.winner.version_hex;

export function rule(conflict) {
  if (hlc(conflict.loser) === hlc(conflict.winner)) return 'same time, greater region name';
  const later = msOf(conflict.winner) - msOf(conflict.loser);
  return later === 0 ? 'later in the same millisecond' : `later by ${later.toLocaleString('en-US')} ms`;
}
