// What the workers of a region say of its leases, put together.
//
// Each worker shows the whole table as it saw it at its last round.  The freshest look is taken; since when a
// lease is held its holder knows best, because the others may have looked for the first time later than that.

const nameOf = (owner) => owner.split('/')[0];

const fresh = (worker) => worker.status?.worker && worker.status.lease_look_ms !== null;

// {rows: [{table, shard, token, owner, wanted, since, exact, silent, left}], leaseMs, lookMs, seenBy} of one
// region; null when nobody there can say.
export function leasesOf(one) {
  const told = one.workers.filter(fresh).sort((a, b) => a.status.lease_look_ms - b.status.lease_look_ms);
  if (!told.length) return null;
  const { status } = told[0];
  const own = new Map(told.flatMap((w) => w.status.leases.filter((row) => row.own).map((row) => [`${row.table_id}|${row.shard}|${row.token}`, row])));
  const rows = status.leases.map((row) => {
    const exact = own.get(`${row.table_id}|${row.shard}|${row.token}`);
    const { held_ms: held } = exact ?? row;
    return { ...row, name: nameOf(row.owner), wantedBy: nameOf(row.wanted), exact: Boolean(exact), since: held === null ? null : Date.now() - held,
      silent: row.silent_ms, left: row.silent_ms === null ? null : Math.max(0, status.lease_ms - row.silent_ms) };
  });
  return { rows, leaseMs: status.lease_ms, lookMs: status.lease_look_ms, seenBy: told[0].name };
}

// Everyone who takes part, or did a moment ago: {name, run, worker, held, silent}; `worker` is null for one
// whose address this console was not told, `held` for all when nobody says who holds what.
export function workersOf(one, leases) {
  const out = one.workers.map((worker) => ({ name: worker.name, run: worker.status?.worker.split('/')[1] ?? null, worker, held: leases ? 0 : null, silent: null }));
  for (const row of leases?.rows ?? []) {
    if (!row.owner) continue;
    let who = out.find((w) => w.name === row.name);
    if (!who) out.push(who = { name: row.name, run: row.owner.split('/')[1], worker: null, held: 0, silent: null });
    who.held += 1;
    who.silent = who.silent === null ? row.silent : Math.min(who.silent, row.silent);
  }
  return out;
}
