// The deployment: its regions, asked again and again, and what they last said.
//
// Each node and each replicator is asked by itself, at its own pace; one that is slow or down says nothing of
// the others.  What is not known is null, never zero.

import { plural } from './dom.js';
import { keep, shown } from './token.js';

const ASK_MS = 1000;
const ANSWER_MS = 3000;
const KEPT = 120; // samples of each link's history
const PARKED = 200; // records in quarantine that are looked at, of one table in one region

// {name, admin, workers: [{address, name, status, problem, asked}], node, repairs, parked, problem, asked, heardAt}
export const regions = [];
export const links = new Map(); // "table|source|sink" -> link with history
let home = '';
let drillsAt = null; // where drills are run, if anywhere
let shut = false; // this region's node wants a token, or another one
const watchers = new Set();

export const homeRegion = () => regions.find((r) => r.name === home) ?? regions[0];
export const region = (name) => regions.find((r) => r.name === name);
export function watch(seen) { watchers.add(seen); return () => watchers.delete(seen); }

async function ask(url, { given, ...options } = {}) {
  const headers = { ...options.headers, ...shown(given) };
  const answer = await fetch(url, { ...options, headers, cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) });
  const text = await answer.text();
  let body;
  try { body = text ? JSON.parse(text) : {}; } catch { body = { error: text.trim() }; }
  if (!answer.ok) {
    const failure = new Error(body.message ?? body.Message ?? body.error ?? `HTTP ${answer.status}`);
    failure.type = (body.__type ?? '').split('#').pop();
    failure.status = answer.status;
    throw failure;
  }
  return body;
}

const send = (url, body) => ask(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}) });

export const admin = (one, path) => ask(one.admin + path);
export const adminPost = (one, path, body) => send(one.admin + path, body);

// The programs of a region: {name, get(path), post(path)}; its node first.
export const daemonsOf = (one) => [{ name: 'node', address: one.admin }, ...one.workers].map(({ name, address }) => ({
  name: name === 'node' || one.workers.length > 1 ? name : 'replicator',
  get: (path) => ask(address + path), post: (path, body) => send(address + path, body) }));

export const drills = () => drillsAt;
export const drillsGet = (path) => ask(`${drillsAt}/v1/drills${path}`);
export const drillsPost = (path) => ask(`${drillsAt}/v1/drills${path}`, { method: 'POST' });

// A file of a drill's report, where the server wants a token: no link can carry one.
export async function drillsFile(path) {
  const answer = await fetch(`${drillsAt}/v1/drills${path}`, { headers: shown(), signal: AbortSignal.timeout(ANSWER_MS) });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.blob();
}

// An operation of DynamoDB (or, for a `Streams.` name, of its streams) in one region; `extra`: more headers.
export function dynamo(one, operation, body, extra) {
  const api = operation.startsWith('Streams.') ? 'DynamoDBStreams_20120810' : 'DynamoDB_20120810';
  return ask(`${one.admin}/`, { method: 'POST', body: JSON.stringify(body), headers: {
    'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `${api}.${operation.replace('Streams.', '')}`,
    // Not verified; it names the region, as a client's signature does.  An admin token takes its place.
    Authorization: `AWS4-HMAC-SHA256 Credential=console/20260101/${one.name}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`, ...extra } });
}

const words = (failure) => (failure.name === 'TimeoutError' ? 'does not answer' : failure.status === 401 ? 'wants another token' :
  failure instanceof TypeError ? 'cannot be reached' : failure.message);

// Quantiles of a link that several workers share are the worst of theirs; what waits, the sum.
const WORSE = ['stopped', 'waiting', 'running', 'delayed', 'lossy', 'limited', 'quarantined', 'idle', 'asking', 'starting', 'paused', 'backing_off', 'cut',
  'held', 'repairing', 'repair_needed', 'unreachable', 'unknown'];
const badness = (state) => WORSE.indexOf(state);
const most = (a, b) => (a === null ? b : b === null ? a : Math.max(a, b));

function tell(link, part) {
  if (!link.told || badness(part.state) > badness(link.state)) {
    link.state = part.state;
    link.reason = part.reason;
  }
  link.p50 = most(link.p50, part.p50_ms);
  link.p99 = most(link.p99, part.p99_ms);
  link.max = most(link.max, part.max_ms);
  link.offset ??= part.clock_offset_ms;
  if (!link.counted) { // the node has not said it
    link.pending = !link.told ? part.pending_records : link.pending === null || part.pending_records === null ? null : link.pending + part.pending_records;
    link.oldest = most(link.oldest, part.oldest_pending_ms);
  }
  link.told = true;
}

// A repair moves rows both ways, so both links of the pair are under it, whoever began.  One that is cut, say,
// stays that: it keeps the repair from going on.
function tellRepair(seen, one, repair) {
  if (repair.doing !== 'repair') return;
  for (const [source, sink] of [[one.name, repair.peer], [repair.peer, one.name]]) {
    const link = seen.get(`${repair.table}|${source}|${sink}`);
    if (!link || (link.state !== 'repair_needed' && badness(link.state) >= badness('paused'))) continue;
    link.state = 'repairing';
    link.reason = `${one.name} repairs the table with ${repair.peer}${repair.needed ? `: ${repair.needed}` : ''}`;
  }
}

// Records that the sink could not apply: all has arrived, so nothing else may be wrong with the link.
function tellParked(seen, one, part) {
  const link = seen.get(`${part.table}|${part.source}|${one.name}`);
  if (!link || badness(link.state) >= badness('quarantined')) return;
  link.state = 'quarantined';
  link.reason = `${part.more ? 'more than ' : ''}${plural(part.records, 'record')} ${part.records === 1 ? 'waits' : 'wait'} in the quarantine of ${one.name}`;
}

// The links that there must be: from every region's list of replicas.
function gather() {
  const seen = new Map();
  for (const one of regions) for (const t of one.node?.tables ?? []) {
    for (const source of t.replicas) for (const sink of t.replicas) {
      const key = `${t.name}|${source}|${sink}`;
      if (source !== sink && !seen.has(key)) seen.set(key, { table: t.name, source, sink, state: 'unknown', reason: '', p50: null,
        p99: null, max: null, pending: null, oldest: null, offset: null, watermark: null, counted: false, told: false });
    }
  }
  for (const one of regions) {
    for (const t of one.node?.tables ?? []) for (const b of t.backlog ?? []) {
      const link = seen.get(`${t.name}|${one.name}|${b.sink}`);
      if (link) Object.assign(link, { counted: true, state: 'unreachable', reason: 'its replicator does not answer', pending: b.pending_records,
        oldest: b.oldest_pending_ms ?? (b.pending_records === 0 ? 0 : null) });
    }
    for (const worker of one.workers) for (const part of worker.status?.links ?? []) {
      const link = seen.get(`${part.table}|${one.name}|${part.sink}`);
      if (link) tell(link, part);
    }
    for (const t of one.node?.tables ?? []) for (const [source, us] of Object.entries(t.watermarks_us ?? {})) {
      const link = seen.get(`${t.name}|${source}|${one.name}`);
      if (link && us > 0) link.watermark = us / 1000;
    }
  }
  for (const one of regions) for (const repair of one.repairs) tellRepair(seen, one, repair);
  for (const one of regions) for (const part of one.parked) tellParked(seen, one, part);
  const at = Date.now();
  for (const [key, link] of seen) {
    const before = links.get(key)?.history ?? [];
    const sample = { at, pending: link.pending, oldest: link.oldest, p99: link.p99, lag: most(link.oldest, link.p99) };
    // Between two rounds something may have been heard at once: one sample a round.
    link.history = [...(at - (before.at(-1)?.at ?? 0) < ASK_MS / 2 ? before.slice(0, -1) : before), sample].slice(-KEPT);
  }
  links.clear();
  for (const [key, link] of seen) links.set(key, link);
}

export function moodOf(link) {
  if (['running', 'waiting'].includes(link.state)) return 'good';
  if (['unreachable', 'repair_needed', 'unknown', 'cut', 'quarantined'].includes(link.state)) return 'bad';
  return 'uneasy';
}

export function regionMood(one) {
  if (!one.asked) return 'unknown';
  if (!one.node) return 'bad';
  const shaky = one.workers.some((w) => w.asked && !w.status?.ready);
  return one.node.ready && !shaky ? 'good' : 'uneasy';
}

// Nothing was heard of any region yet; or nothing is heard of any more.
export const connecting = () => regions.every((r) => !r.asked);
export const disconnected = () => regions.every((r) => r.asked && !r.node);
export const heardAt = () => Math.max(...regions.map((r) => r.heardAt));

export const tableNames = () => [...new Set(regions.flatMap((r) => (r.node?.tables ?? []).map((t) => t.name)))].sort();
export const tableIn = (one, name) => one.node?.tables.find((t) => t.name === name);
export const holders = (name) => regions.filter((r) => tableIn(r, name));
// Why there is no table to show.
export const noTable = () => (connecting() ? 'Asking the regions.' : disconnected() ? 'No region answers.' : 'There is no table yet. Create one under Tables.');

const tellWatchers = () => watchers.forEach((seen) => seen());

// `heard(body, problem)` answers whether it is news that cannot wait for the next round.
async function follow(url, heard) {
  if (!document.hidden && !shut) {
    const news = await ask(url).then((body) => heard(body, null), (failure) => {
      if (failure.status === 401 && url.startsWith('/')) shut = true;
      return heard(null, words(failure)) || shut;
    });
    if (news) { gather(); tellWatchers(); }
  }
  setTimeout(follow, ASK_MS, url, heard);
}

// [{table, source, records, more}]: whose records a region has in quarantine, of the first PARKED of each table.
async function parkedIn(one) {
  const tables = (one.node?.tables ?? []).filter((t) => t.parked > 0);
  const pages = await Promise.all(tables.map((t) => admin(one, `/v1/tables/${encodeURIComponent(t.name)}/quarantine?limit=${PARKED}`)));
  return pages.flatMap(({ records, next }, i) => [...new Set(records.map((r) => r.source))].map((source) => (
    { table: tables[i].name, source, records: records.filter((r) => r.source === source).length, more: next !== null })));
}

async function followParked(one) {
  if (!document.hidden && !shut) one.parked = await parkedIn(one).catch(() => one.parked);
  setTimeout(followParked, ASK_MS, one);
}

function followRegion(one) {
  follow(`${one.admin}/v1/status`, (body, problem) => {
    const news = !one.asked || !body !== !one.node;
    Object.assign(one, { node: body, problem, asked: true, heardAt: body ? Date.now() : one.heardAt });
    return news;
  });
  follow(`${one.admin}/v1/repairs`, (body) => { one.repairs = body?.repairs ?? []; return false; });
  followParked(one);
  for (const worker of one.workers) follow(`${worker.address}/v1/status`, (body, problem) => {
    const news = !worker.asked || !body !== !worker.status;
    Object.assign(worker, { status: body, problem, asked: true, heardAt: Date.now(), name: body?.worker.split('/')[0] || worker.name });
    return news;
  });
}

function round() {
  if (!document.hidden) { gather(); tellWatchers(); }
  setTimeout(round, ASK_MS);
}

export const locked = () => shut;

// Tries a token on this region's node; keeps it if it is the right one, else throws.
export async function unlock(given) {
  if (!/^[\x21-\x7e]+$/.test(given)) throw Object.assign(new Error('not a token'), { status: 401 }); // nor for a header
  await ask('/v1/console', { given });
  keep(given);
  shut = false;
}

// Forgets the token.
export function lock() {
  keep('');
  shut = true;
  tellWatchers();
}

export async function start() {
  let told;
  try {
    told = await ask('/v1/console');
  } catch (failure) {
    if (failure.status === 401) shut = true;
    throw failure;
  }
  home = told.region;
  drillsAt = told.drills;
  for (const one of told.regions) {
    // The page may have been opened under another name of the same address: stay on its origin.
    const here = one.name === home ? '' : one.admin;
    const workers = one.replicators.map((address) => ({ address, name: new URL(address).host, status: null, problem: null, asked: false, heardAt: 0 }));
    regions.push({ name: one.name, admin: here, workers, node: null, repairs: [], parked: [], problem: null, asked: false, heardAt: 0 });
  }
  regions.forEach(followRegion);
  round();
}
