/** --latency-dist: latencies as a spectrum of colours, a line an interval. */
import { type Context, pause } from "./context.ts";

const SAMPLE_EVERY_MS = 1;
const LINES_BETWEEN_LEGENDS = 20;
/** From rare to frequent, in the colours of a terminal that knows 256. */
const PALETTE = [
  0,
  233,
  234,
  235,
  237,
  239,
  241,
  243,
  245,
  247,
  144,
  143,
  142,
  184,
  226,
  214,
  208,
  202,
  196,
];
/** The upper limit of each column in ms, and the character that names it. */
const COLUMNS: readonly (readonly [number, string])[] = [
  [0.01, "."],
  [0.125, "-"],
  [0.25, "*"],
  [0.5, "#"],
  [1, "1"],
  [2, "2"],
  [3, "3"],
  [4, "4"],
  [5, "5"],
  [6, "6"],
  [7, "7"],
  [8, "8"],
  [9, "9"],
  [10, "A"],
  [20, "B"],
  [30, "C"],
  [40, "D"],
  [50, "E"],
  [100, "F"],
  [200, "G"],
  [300, "H"],
  [400, "I"],
  [500, "J"],
  [1000, "K"],
  [2000, "L"],
  [4000, "M"],
  [8000, "N"],
  [16_000, "O"],
  [30_000, "P"],
  [60_000, "Q"],
  [Infinity, "?"],
];

/** Goes on until the connection breaks. */
export async function draw(context: Context): Promise<never> {
  const { client, options, output } = context;
  const intervalMs = options.intervalMs > 0 ? options.intervalMs : 1000;
  for (let line = 0;; line++) {
    const counts = new Array<number>(COLUMNS.length).fill(0);
    let samples = 0;
    const began = performance.now();
    while (performance.now() - began < intervalMs) {
      const sent = performance.now();
      await client.demand("Error", "PING");
      const ms = performance.now() - sent;
      counts[COLUMNS.findIndex(([limit]) => ms <= limit)]++;
      samples++;
      await pause(SAMPLE_EVERY_MS);
    }
    if (line % LINES_BETWEEN_LEGENDS === 0) output.text(legend());
    output.text("\x1b[38;5;0m");
    for (const [i, [, name]] of COLUMNS.entries()) {
      output.text(`\x1b[48;5;${colour(counts[i] / samples)}m${name}`);
    }
    output.text("\x1b[0m\n");
    output.flush();
  }
}

function colour(share: number): number {
  return PALETTE[Math.ceil(share * (PALETTE.length - 1))];
}

function legend(): string {
  return "---------------------------------------------\n" +
    ". - * #          .01 .125 .25 .5 milliseconds\n" +
    "1,2,3,...,9      from 1 to 9     milliseconds\n" +
    "A,B,C,D,E        10,20,30,40,50  milliseconds\n" +
    "F,G,H,I,J        .1,.2,.3,.4,.5       seconds\n" +
    "K,L,M,N,O,P,Q,?  1,2,4,8,16,30,60,>60 seconds\n" +
    `From 0 to 100%: ${PALETTE.map((colour) => `\x1b[48;5;${colour}m `).join("")}\x1b[0m\n` +
    "---------------------------------------------\n";
}
