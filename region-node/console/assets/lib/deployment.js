// The deployment: its regions, asked again and again, and what they last said.
//
// Each region's node and replicator are asked by themselves; one that is down says nothing of the
// others.  What is not known is null, never zero.

const ASK_MS = 1000;
const ANSWER_MS = 3000;
const KEPT = 120; // samples of each link's history

export const regions = []; // {name, admin, replicator, node, worker, problem, workerProblem}
export const links = new Map(); // "table|source|sink" -> link with history
let home = '';
let drillsAt = null; // where drills are run, if anywhere
const watchers = new Set();

export const homeRegion = () => regions.find((r) => r.name === home) ?? regions[0];
export const region = (name) => regions.find((r) => r.name === name);
export function watch(seen) { watchers.add(seen); return () => watchers.delete(seen); }

async function ask(url, options) {
  const answer = await fetch(url, { ...options, cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) });
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

export const admin = (one, path) => ask(one.admin + path);
export const replicatorGet = (one, path) => ask(one.replicator + path);
export const adminPost = (one, path, body) => ask(one.admin + path, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}) });
export const replicatorPost = (one, path, body) => ask(one.replicator + path, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}) });

export const drills = () => drillsAt;
export const drillsGet = (path) => ask(`${drillsAt}/v1/drills${path}`);
export const drillsPost = (path) => ask(`${drillsAt}/v1/drills${path}`, { method: 'POST' });

// An operation of DynamoDB (or, for a `Streams.` name, of its streams) in one region; `extra`: more headers.
export function dynamo(one, operation, body, extra) {
  const api = operation.startsWith('Streams.') ? 'DynamoDBStreams_20120810' : 'DynamoDB_20120810';
  return ask(`${one.admin}/`, { method: 'POST', body: JSON.stringify(body), headers: {
    'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `${api}.${operation.replace('Streams.', '')}`,
    // Not verified; it names the region, as a client's signature does.
    Authorization: `AWS4-HMAC-SHA256 Credential=console/20260101/${one.name}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`, ...extra } });
}

const words = (failure) => (failure.name === 'TimeoutError' ? 'no answer' :
  failure instanceof TypeError ? 'cannot be reached' : failure.message);

async function askRegion(one) {
  const node = ask(`${one.admin}/v1/status`).then((body) => { one.node = body; one.problem = null; },
    (failure) => { one.node = null; one.problem = words(failure); });
  const worker = one.replicator === null ? null :
    ask(`${one.replicator}/v1/status`).then((body) => { one.worker = body; one.workerProblem = null; },
      (failure) => { one.worker = null; one.workerProblem = words(failure); });
  await Promise.all([node, worker]);
}

// The links that there must be: from every region's list of replicas.
function gather() {
  const seen = new Map();
  for (const one of regions) {
    for (const t of one.node?.tables ?? []) {
      for (const source of t.replicas) for (const sink of t.replicas) {
        if (source === sink) continue;
        const key = `${t.name}|${source}|${sink}`;
        if (!seen.has(key)) seen.set(key, { table: t.name, source, sink, state: 'unknown', reason: '', p50: null,
          p99: null, max: null, pending: null, oldest: null, offset: null });
      }
    }
  }
  for (const one of regions) {
    for (const t of one.node?.tables ?? []) for (const b of t.backlog ?? []) {
      const link = seen.get(`${t.name}|${one.name}|${b.sink}`);
      if (link) { link.pending = b.pending_records; link.oldest = b.oldest_pending_ms ?? (b.pending_records === 0 ? 0 : null); link.state = 'unreachable'; }
    }
    for (const l of one.worker?.links ?? []) {
      const link = seen.get(`${l.table}|${one.name}|${l.sink}`);
      if (!link) continue;
      Object.assign(link, { state: l.state, reason: l.reason, p50: l.p50_ms, p99: l.p99_ms, max: l.max_ms, offset: l.clock_offset_ms });
      link.pending ??= l.pending_records;
      link.oldest ??= l.oldest_pending_ms;
    }
  }
  for (const [key, link] of seen) {
    const before = links.get(key);
    link.history = [...(before?.history ?? []), { at: Date.now(), pending: link.pending, oldest: link.oldest, p99: link.p99 }].slice(-KEPT);
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
  if (!one.node) return 'bad';
  if (!one.node.ready || (one.replicator !== null && !one.worker?.ready)) return 'uneasy';
  return 'good';
}

export const tableNames = () => [...new Set(regions.flatMap((r) => (r.node?.tables ?? []).map((t) => t.name)))].sort();
export const tableIn = (one, name) => one.node?.tables.find((t) => t.name === name);
export const holders = (name) => regions.filter((r) => tableIn(r, name));

async function round() {
  if (!document.hidden) {
    await Promise.all(regions.map(askRegion));
    gather();
    watchers.forEach((seen) => seen());
  }
  setTimeout(round, ASK_MS);
}

export async function start() {
  const told = await ask('/v1/console');
  home = told.region;
  drillsAt = told.drills;
  for (const one of told.regions) {
    // The page may have been opened under another name of the same address: stay on its origin.
    const here = one.name === home ? '' : one.admin;
    regions.push({ name: one.name, admin: here, replicator: one.replicator, node: null, worker: null, problem: 'not asked yet', workerProblem: null });
  }
  round();
}
