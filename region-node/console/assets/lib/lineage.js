// The shards of a stream with who descends from whom: each family a line, from its oldest shard that is kept.

import { h, word } from './dom.js';

// Families: {shard, children: [families]}, the oldest first; a parent that is trimmed already counts as none.
export function families(shards) {
  const nodes = new Map(shards.map((shard) => [shard.ShardId, { shard, children: [] }]));
  const roots = [];
  for (const node of nodes.values()) (nodes.get(node.shard.ParentShardId)?.children ?? roots).push(node);
  return roots;
}

export const isOpen = (shard) => shard.SequenceNumberRange.EndingSequenceNumber === undefined;

// What tells shards of one stream apart: the end of the id.
const short = (id) => id.slice(-8);

// They begin alike, and are longer than a number of JavaScript is exact.
const number = (text) => (text.length > 9 ? `…${text.slice(-9)}` : text);

function chip({ shard }) {
  const { StartingSequenceNumber: first, EndingSequenceNumber: last } = shard.SequenceNumberRange;
  return h('div', { class: `shard ${isOpen(shard) ? 'open' : 'closed'}`, title: shard.ShardId },
    h('span', {}, h('code', {}, short(shard.ShardId)), ' ', isOpen(shard) ? word('open', 'good') : word('closed')),
    h('small', {}, isOpen(shard) ? `from ${number(first ?? '')}` : `${number(first ?? '')} to ${number(last)}`));
}

function family(node) {
  return h('li', {}, chip(node), node.children.length > 0 && h('ol', {}, node.children.map(family)));
}

export const lineage = (shards) => h('div', { class: 'scroll' }, h('ol', { class: 'lineage', 'aria-label': 'Shards, each with its children' }, families(shards).map(family)));
