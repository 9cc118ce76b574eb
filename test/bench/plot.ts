// Plots of what grows: both axes are logarithms, so that a straight line is a power, and a flat one does not grow.

export interface Series {
  readonly title: string;
  /** What is on the axes, with their units. */
  readonly x: string;
  readonly y: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const panel = { width: 340, height: 240, left: 64, right: 16, top: 34, bottom: 44 };
const columns = 2;

/** The series as one SVG, two in a row. */
export function plot(all: readonly Series[]): string {
  const rows = Math.ceil(all.length / columns);
  const [width, height] = [columns * panel.width, rows * panel.height];
  const panels = all.map((series, index) => {
    const [left, top] = [(index % columns) * panel.width, Math.floor(index / columns) * panel.height];
    return `<g transform="translate(${left},${top})">\n${panelOf(series)}\n</g>`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">\n` +
    `<title id="title">What a gateway costs as its servers, tools, sessions and bodies grow</title>\n` +
    `<style>\n${style}</style>\n<rect class="ground" width="${width}" height="${height}"/>\n${panels.join('\n')}\n</svg>\n`
  );
}

const style = `text { font: 12px sans-serif; fill: #333 }
.title { font-weight: bold }
.ground { fill: #fff }
.grid { stroke: #ddd }
.line { fill: none; stroke: #2563eb; stroke-width: 2 }
circle { fill: #2563eb }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd }
  .ground { fill: #0d1117 }
  .grid { stroke: #333 }
  .line { stroke: #7aa2ff }
  circle { fill: #7aa2ff }
}
`;

function panelOf({ title, x, y, points }: Series): string {
  const xs = decades(points.map(([at]) => at));
  const ys = decades(points.map(([, at]) => at));
  const across = (value: number): number =>
    round(panel.left + share(value, xs) * (panel.width - panel.left - panel.right));
  const down = (value: number): number =>
    round(panel.height - panel.bottom - share(value, ys) * (panel.height - panel.top - panel.bottom));
  const [bottom, right] = [panel.height - panel.bottom, panel.width - panel.right];
  const grid = [
    ...ticks(xs).flatMap((at) => [
      `<line class="grid" x1="${across(at)}" x2="${across(at)}" y1="${panel.top}" y2="${bottom}"/>`,
      `<text x="${across(at)}" y="${bottom + 16}" text-anchor="middle">${short(at)}</text>`,
    ]),
    ...ticks(ys).flatMap((at) => [
      `<line class="grid" x1="${panel.left}" x2="${right}" y1="${down(at)}" y2="${down(at)}"/>`,
      `<text x="${panel.left - 6}" y="${down(at) + 4}" text-anchor="end">${short(at)}</text>`,
    ]),
  ];
  const line = points.map(([a, b]) => `${across(a)},${down(b)}`).join(' ');
  const dots = points.map(([a, b]) => `<circle cx="${across(a)}" cy="${down(b)}" r="3"/>`);
  return [
    `<text class="title" x="${panel.left}" y="20">${title}</text>`,
    ...grid,
    `<polyline class="line" points="${line}"/>`,
    ...dots,
    `<text x="${(panel.left + right) / 2}" y="${panel.height - 8}" text-anchor="middle">${x}</text>`,
    `<text x="14" y="${(panel.top + bottom) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(panel.top + bottom) / 2})">${y}</text>`,
  ].join('\n');
}

/** Powers of ten around all values, at least two of them. */
function decades(values: readonly number[]): [low: number, high: number] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  return [low, Math.max(Math.ceil(Math.log10(Math.max(...values))), low + 1)];
}

function ticks([low, high]: readonly [number, number]): number[] {
  return Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
}

function share(value: number, [low, high]: readonly [number, number]): number {
  return (Math.log10(value) - low) / (high - low);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function short(value: number): string {
  for (const [unit, size] of Object.entries({ M: 1e6, k: 1e3 })) if (value >= size) return `${value / size} ${unit}`;
  return String(Number(value.toPrecision(3)));
}

/** The power that y grows with from one point to another: 1 is as fast as x, 0 not at all. */
export function slope([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): number {
  return Math.log(y2 / y1) / Math.log(x2 / x1);
}
