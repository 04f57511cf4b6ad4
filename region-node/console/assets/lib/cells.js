// Cells that several views show alike.

import { h } from './dom.js';

// "2026-11-25T10:49:03.147Z/0@us-east-1", for people: with its date unless that is today's; the whole of it is
// its title.
export function versionCell(version) {
  const [, date, time, region] = version.match(/^(.*)T(.*)Z\/.*@(.*)$/) ?? [];
  return h('span', { title: version }, time ? [h('code', {}, time), h('small', {}, ` ${new Date().toISOString().startsWith(date) ? '' : `${date} `}${region}`)] : h('code', {}, version));
}

// A value of an attribute as a line, or as several when it is long; null for none.
export function valueText(value) {
  if (value === undefined) return null;
  const line = JSON.stringify(value);
  return line.length < 60 ? line : JSON.stringify(value, null, 1);
}

// {"customer":{"S":"ada"},"order":{"S":"1"}} as "ada · 1".
export const keyCell = (key) => h('span', { class: 'key', title: JSON.stringify(key) }, h('code', {}, Object.values(key).map((v) => Object.values(v)[0]).join(' · ')));
