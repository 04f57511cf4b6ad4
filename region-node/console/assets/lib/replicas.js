// Making and removing replicas, over DynamoDB's own API.

import { dynamo } from './deployment.js';

const pause = (wait) => new Promise((resolve) => { setTimeout(resolve, wait); });

// Waits until the table and all its replicas are ACTIVE; a copy of a large table takes its time.
export async function ready(one, name) {
  for (;;) {
    const { Table } = await dynamo(one, 'DescribeTable', { TableName: name });
    const settled = Table.TableStatus === 'ACTIVE' && (Table.Replicas ?? []).every((r) => r.ReplicaStatus === 'ACTIVE');
    if (settled) return Table;
    await pause(500);
  }
}

export async function addReplica(one, name, other) {
  await dynamo(one, 'UpdateTable', { TableName: name, ReplicaUpdates: [{ Create: { RegionName: other } }] });
  return ready(one, name);
}

export const startReplica = (one, name, other) =>
  dynamo(one, 'UpdateTable', { TableName: name, ReplicaUpdates: [{ Create: { RegionName: other } }] });
export const removeReplica = (one, name, other) =>
  dynamo(one, 'UpdateTable', { TableName: name, ReplicaUpdates: [{ Delete: { RegionName: other } }] });
