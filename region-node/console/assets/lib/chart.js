// The age of the oldest waiting record of links, over the last two minutes, in colours that follow the scheme.

const COLOURS = { light: ['#1f6f93', '#c2571a', '#5b8c2a', '#8a4fa8', '#a67c00', '#2a8f86'], dark: ['#6bb8dc', '#f0925a', '#a3cf6e', '#c99be0', '#e3c15a', '#6fd3c9'] };
const SPAN_S = 120;

const dark = window.matchMedia('(prefers-color-scheme: dark)');
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function paint(chart) {
  const { options } = chart;
  options.color = colour('--ink');
  for (const axis of Object.values(options.scales)) {
    axis.ticks.color = colour('--soft');
    axis.title.color = colour('--soft');
    axis.grid.color = colour('--line');
  }
}

export function lagChart(canvas) {
  const axis = (text, more) => ({ type: 'linear', title: { display: true, text }, grid: {}, ...more });
  const chart = new Chart(canvas, { type: 'line', data: { datasets: [] }, options: {
    animation: false, parsing: false, responsive: true, maintainAspectRatio: false,
    scales: { x: axis('seconds ago', { min: -SPAN_S, max: 0, ticks: { callback: (v) => -v, stepSize: 20 } }),
      y: axis('age', { beginAtZero: true, suggestedMax: 100, ticks: { callback: (v) => (v >= 1000 ? `${v / 1000} s` : `${v} ms`), maxTicksLimit: 6 } }) },
    plugins: { legend: { position: 'bottom', labels: { boxWidth: 14, boxHeight: 2 } } }, elements: { point: { radius: 0 }, line: { borderWidth: 2 } } } });
  const repaint = () => { paint(chart); chart.update('none'); };
  paint(chart);
  dark.addEventListener('change', repaint);
  return {
    update(links) {
      const now = Date.now(), colours = COLOURS[dark.matches ? 'dark' : 'light'];
      chart.data.datasets = links.map((l, i) => ({ label: `${l.source} → ${l.sink}`, borderColor: colours[i % colours.length], backgroundColor: colours[i % colours.length],
        data: l.history.map((s) => ({ x: (s.at - now) / 1000, y: s.oldest })) }));
      chart.update('none');
    },
    destroy() { dark.removeEventListener('change', repaint); chart.destroy(); },
  };
}
