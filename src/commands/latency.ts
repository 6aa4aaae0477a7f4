/** LATENCY and its subcommands: https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/ */
import type { Call } from "../engine/call.ts";
import { type Command, type CommandSpec, Flag } from "../engine/command.ts";
import type { LatencySeries } from "../observe/latency.ts";
import { noLatencySamples } from "../protocol/errors.ts";
import { replyHelp } from "./help.ts";

const GRAPH_ROWS = 4;
const GRAPH_COLUMNS = 80;

function latencyHistory({ args, reply, engine }: Call): void {
  const samples = engine.latency.events.get(args.binary(2))?.samples ?? [];
  reply.array(samples.length);
  for (const { time, ms } of samples) {
    reply.array(2);
    reply.integer(time);
    reply.integer(ms);
  }
}

function latencyLatest({ reply, engine }: Call): void {
  const { events } = engine.latency;
  reply.array(events.size);
  for (const [name, series] of events) {
    const last = series.samples[series.samples.length - 1];
    reply.array(4);
    reply.bulkText(name);
    reply.integer(last.time);
    reply.integer(last.ms);
    reply.integer(series.max);
  }
}

function latencyReset({ args, reply, engine }: Call): void {
  reply.integer(engine.latency.reset(args.binaries(2)));
}

function latencyHistogram({ args, reply, engine }: Call): void {
  let commands: readonly Command[] = engine.commands.all();
  if (args.count > 2) {
    const named: Command[] = [];
    for (let i = 2; i < args.count; i++) {
      const command = engine.commands.byName(args.binary(i).toLowerCase());
      if (command !== null) named.push(command, ...(command.subcommands?.values() ?? []));
    }
    commands = named;
  }
  const used = commands.filter((command) => (command.stats.histogram?.total ?? 0) > 0);
  reply.map(used.length);
  for (const command of used) {
    const { histogram } = command.stats;
    if (histogram === null) continue;
    reply.bulkText(command.fullName);
    reply.map(2);
    reply.bulkText("calls");
    reply.integer(histogram.total);
    reply.bulkText("histogram_usec");
    const rows = histogram.powersOfTwo();
    reply.map(rows.length);
    for (const [bound, count] of rows) {
      reply.integer(bound);
      reply.integer(count);
    }
  }
}

function latencyGraph({ args, reply, engine }: Call): void {
  const event = args.binary(2);
  const series = engine.latency.events.get(event);
  if (series === undefined) return reply.error(noLatencySamples(event));
  const now = Math.floor(engine.clock.nowMs() / 1000);
  reply.verbatim("txt", graph(event, series, now));
}

/** Draws the last samples as bars; below each stands how long ago it was, to be read downwards. */
function graph(event: string, series: LatencySeries, now: number): string {
  const samples = series.samples.slice(-GRAPH_COLUMNS);
  const high = Math.max(...samples.map((sample) => sample.ms));
  const low = Math.min(...samples.map((sample) => sample.ms));
  const lines = [
    `${event} - high ${high} ms, low ${low} ms (all time high ${series.max} ms)`,
    "-".repeat(GRAPH_COLUMNS),
  ];
  for (let row = GRAPH_ROWS; row > 0; row--) {
    lines.push(samples.map(({ ms }) => bar(ms, high, row)).join("").trimEnd());
  }
  lines.push("");
  const ages = samples.map((sample) => age(now - sample.time));
  const depth = Math.max(...ages.map((text) => text.length));
  for (let i = 0; i < depth; i++) lines.push(ages.map((text) => text[i] ?? " ").join("").trimEnd());
  return `${lines.join("\n")}\n`;
}

function bar(ms: number, high: number, row: number): string {
  const height = ms * GRAPH_ROWS / Math.max(high, 1);
  if (height >= row) return "#";
  return height > row - 1 || row === 1 ? "_" : " ";
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

function latencyDoctor({ reply, engine }: Call): void {
  const { latency } = engine;
  if (latency.thresholdMs === 0) {
    return reply.verbatim(
      "txt",
      "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. You may" +
        ' use "CONFIG SET latency-monitor-threshold <milliseconds>." in order to enable it.\n',
    );
  }
  if (latency.events.size === 0) {
    return reply.verbatim(
      "txt",
      "Dave, no latency spike was observed during the lifetime of this Redis instance, not in the" +
        " slightest bit.\n",
    );
  }
  const lines = ["Dave, I have observed latency spikes in this Redis instance.", ""];
  let number = 1;
  for (const [name, series] of latency.events) {
    const average = Math.round(series.sum / series.count);
    lines.push(
      `${number++}. ${name}: ${series.count} latency spikes (average ${average}ms). Worst all time` +
        ` event ${series.max}ms.`,
    );
  }
  lines.push(
    "",
    "SLOWLOG GET names the commands that took longest; O(N) commands on large keys and",
  );
  lines.push("large pipelines are the usual cause, and MEMORY DOCTOR looks at memory.", "");
  reply.verbatim("txt", lines.join("\n"));
}

function latencyHelp(call: Call): void {
  replyHelp(call, [
    ["DOCTOR", "A report for people."],
    ["GRAPH <event>", "The event's latest spikes as bars."],
    ["HISTORY <event>", "The event's latest spikes, as time and milliseconds."],
    ["LATEST", "The latest and the worst spike of each event."],
    ["RESET [<event> ...]", "Forgets the events named, or all."],
    ["HISTOGRAM [COMMAND ...]", "How long commands took, cumulatively by powers of two."],
  ]);
}

/** Rows of the table: see engine/command.ts. */
export const latencyCommands: readonly CommandSpec[] = [
  {
    name: "latency",
    usage: "",
    summary: "Tells where time was lost.",
    since: "2.8.13",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "doctor",
        usage: "",
        summary: "Returns a report on latency for people.",
        since: "2.8.13",
        complexity: "O(1)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        run: latencyDoctor,
      },
      {
        name: "graph",
        usage: "event",
        summary: "Draws the latest latencies of an event.",
        since: "2.8.13",
        complexity: "O(1)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        run: latencyGraph,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "2.8.13",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: latencyHelp,
      },
      {
        name: "histogram",
        usage: "[{command}*]",
        summary: "Returns how long commands took, as a cumulative distribution.",
        since: "7.0.0",
        complexity: "O(N)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        run: latencyHistogram,
      },
      {
        name: "history",
        usage: "event",
        summary: "Returns the latest latencies of an event.",
        since: "2.8.13",
        complexity: "O(1)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        run: latencyHistory,
      },
      {
        name: "latest",
        usage: "",
        summary: "Returns the latest latency of each event.",
        since: "2.8.13",
        complexity: "O(1)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        run: latencyLatest,
      },
      {
        name: "reset",
        usage: "[{event}*]",
        summary: "Forgets the latencies of some events or of all.",
        since: "2.8.13",
        complexity: "O(1)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        tips: ["request_policy:all_nodes", "response_policy:agg_sum"],
        run: latencyReset,
      },
    ],
  },
];
