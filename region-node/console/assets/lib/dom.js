// Elements, words and small drawings.  Text is always set as text: what a table holds is never markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// Puts `children` into `root` in place of what is there, unless it looks the same already (so that what is
// selected or hovered over stays); whoever had the focus keeps it, by data-key.
export function show(root, ...children) {
  const next = children.flat(Infinity).filter(Boolean);
  if (next.length === root.childNodes.length && next.every((child, i) => child.isEqualNode?.(root.childNodes[i]))) return;
  const key = root.contains(document.activeElement) ? document.activeElement.dataset?.key : undefined;
  const left = [...root.querySelectorAll('.scroll')].map((box) => box.scrollLeft);
  root.replaceChildren(...next);
  root.querySelectorAll('.scroll').forEach((box, i) => { box.scrollLeft = left[i] ?? 0; });
  if (key) root.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

export const sheet = (title, aside, ...children) => h('section', { class: 'sheet' },
  h('div', { class: 'head' }, h('h2', {}, title), aside && h('div', { class: 'aside' }, aside)), children);

export const empty = (text) => h('p', { class: 'empty' }, text);
export const note = (text) => h('p', { class: 'note' }, text);

// columns: [title, {number}]; rows: arrays of cells, or {cells, class, key}.  Where the page is narrow a row
// stands as a block of its own, one cell a line.
export function table(columns, rows) {
  const head = columns.map((c) => h('th', { scope: 'col', class: c.number && 'number' }, c.title ?? c));
  const body = rows.map((row) => h('tr', { class: row.class, 'data-row': row.key }, (row.cells ?? row).map((cell, i) =>
    h('td', { class: columns[i].number && 'number', 'data-title': columns[i].title ?? columns[i] }, h('div', {}, cell)))));
  return h('div', { class: 'scroll stack' }, h('table', {}, h('thead', {}, h('tr', {}, head)), h('tbody', {}, body)));
}

// A bar that is `percent` full.  (The page's policy forbids style attributes; the object model is allowed.)
export function meter(percent) {
  const bar = h('i');
  bar.style.width = `${Number(percent)}%`;
  return h('div', { class: 'meter', role: 'progressbar', 'aria-valuenow': percent, 'aria-valuemin': 0,
    'aria-valuemax': 100 }, bar);
}

function minutes(left) {
  const seconds = Math.floor(left / 1000), two = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600), rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest} h` : `${rest} min`;
}

// What is left of so much time, as a bar that empties, and in words.
export function countdown(left, of, mood) {
  const bar = h('i');
  bar.style.width = `${Math.max(0, Math.min(100, (left / of) * 100)).toFixed(1)}%`;
  return h('span', { class: `countdown ${mood ?? ''}` }, h('span', { class: 'meter', 'aria-hidden': 'true' }, bar), h('span', { class: 'left' }, left < 120000 ? ms(left) : minutes(left)));
}

export const word = (text, mood) => h('span', { class: `word ${mood ?? ''}` }, text);

export const count = (n) => (n === null || n === undefined ? 'unknown' : Number(n).toLocaleString('en-US'));

export const plural = (n, thing) => `${count(n)} ${thing}${n === 1 ? '' : 's'}`;

export function ms(value) {
  if (value === null || value === undefined) return '–';
  if (Math.abs(value) < 0.05) return '0.0 ms';
  if (Math.abs(value) < 1000) return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
  if (Math.abs(value) < 120000) return `${(value / 1000).toFixed(1)} s`;
  if (Math.abs(value) < 7200000) return `${(value / 60000).toFixed(0)} min`;
  return `${(value / 3600000).toFixed(1)} h`;
}

// A moment, to the second, UTC; with its date when that is another day.
export function clock(at) {
  const [date, time] = new Date(at).toISOString().split(/[T.]/);
  return new Date().toISOString().startsWith(date) ? time : `${date} ${time}`;
}

export function bytes(value) {
  if (value === null || value === undefined) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (value >= 1024 && i < units.length - 1) { value /= 1024; i += 1; }
  return `${value.toFixed(i === 0 ? 0 : 1)} ${units[i]}`;
}

// A line of the last `slots` values, the newest at the right edge; null is a gap.  `floor`: the least that the
// top stands for, so that small noise stays small.
export function sparkline(values, slots, floor, label) {
  const top = Math.max(...values.filter((v) => v !== null), floor);
  const x = (i) => ((slots - values.length + i) / (slots - 1)) * 100;
  const y = (v) => 19 - (v / top) * 18;
  let line = '', area = '', from = -1;
  values.forEach((v, i) => {
    if (v === null) return;
    const first = i === 0 || values[i - 1] === null;
    if (first) from = i;
    line += `${first ? 'M' : 'L'}${x(i).toFixed(2)} ${y(v).toFixed(2)}`;
    area += `${first ? `M${x(i).toFixed(2)} 20L` : 'L'}${x(i).toFixed(2)} ${y(v).toFixed(2)}`;
    if (i === values.length - 1 || values[i + 1] === null) area += `L${x(i).toFixed(2)} 20L${x(from).toFixed(2)} 20Z`;
  });
  return svg('svg', { class: 'spark', viewBox: '0 0 100 20', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    svg('path', { class: 'area', d: area }), svg('path', { class: 'line', d: line }));
}

export function notice(text, mood) {
  const box = h('div', { class: `notice ${mood ?? ''}` }, text);
  document.getElementById('notices').append(box);
  setTimeout(() => box.remove(), mood === 'bad' ? 12000 : 5000);
}

// Shows a dialog, from its beginning; it goes when it is closed.
export function open(dialog) {
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  dialog.scrollTop = 0; // what has the focus is at its end
}

// Asks before something that cannot be taken back; answers whether it may be done.
export function confirmed(title, text, action) {
  return new Promise((resolve) => {
    const dialog = h('dialog', { 'aria-label': title }, h('h2', {}, title), h('p', {}, text),
      h('form', { method: 'dialog', class: 'actions foot' },
        h('button', { value: 'no', autofocus: true }, 'Cancel'),
        h('button', { value: 'yes', class: 'danger' }, action)));
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'));
    open(dialog);
  });
}
