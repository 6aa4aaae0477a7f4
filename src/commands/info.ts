/** INFO: figures about the server, in sections. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import type { Engine } from "../engine/engine.ts";
import { Kind } from "../engine/pubsub.ts";
import { humanBytes } from "../lib/human_bytes.ts";
import { memoryRatios } from "./memory_ratios.ts";

type Field = readonly [name: string, value: string | number];
type Section = readonly [title: string, fields: (engine: Engine) => readonly Field[]];

/** In Redis's order. */
const SECTIONS: readonly Section[] = [
  ["Server", server],
  ["Clients", clients],
  ["Memory", memory],
  ["Persistence", persistence],
  ["Stats", stats],
  ["Replication", replication],
  ["CPU", cpu],
  ["Modules", () => []],
  ["Commandstats", commandstats],
  ["Errorstats", errorstats],
  ["Latencystats", latencystats],
  ["Cluster", () => [["cluster_enabled", 0]]],
  ["Keyspace", keyspace],
  ["Debug", debug],
];
const NOT_DEFAULT = ["commandstats", "latencystats"];

function info({ args, reply, engine }: Call): void {
  const wanted = new Set(args.binaries(1).map((word) => word.toLowerCase()));
  const isDefault = wanted.size === 0 || wanted.has("default");
  const isAll = wanted.has("all") || wanted.has("everything");
  const shown = SECTIONS.filter(([title]) => {
    const name = title.toLowerCase();
    if (name === "debug") return wanted.has(name);
    return isAll || wanted.has(name) || (isDefault && !NOT_DEFAULT.includes(name));
  });
  const texts = shown.map(([title, fields]) =>
    `# ${title}\r\n${fields(engine).map(([name, value]) => `${name}:${value}\r\n`).join("")}`
  );
  reply.verbatim("txt", texts.join("\r\n"));
}

function server(engine: Engine): Field[] {
  const { host, clock, parameters } = engine;
  const upSeconds = Math.floor((clock.nowMs() - engine.startedMs) / 1000);
  return [
    ["redis_version", host.version],
    ["redis_git_sha1", "00000000"],
    ["redis_git_dirty", 0],
    ["redis_build_id", "respite"],
    ["redis_mode", "standalone"],
    ["os", `${host.os} ${host.architecture}`],
    ["arch_bits", 64],
    ["monotonic_clock", "POSIX clock_gettime"],
    ["multiplexing_api", "tokio"],
    ["atomicvar_api", "none"],
    ["gcc_version", "0.0.0"],
    ["process_id", host.pid],
    ["process_supervised", "no"],
    ["run_id", host.runId],
    ["tcp_port", parameters.values.port || parameters.values.tlsPort],
    ["server_time_usec", Math.floor(clock.unixUs())],
    ["uptime_in_seconds", upSeconds],
    ["uptime_in_days", Math.floor(upSeconds / 86400)],
    ["hz", parameters.values.hz],
    ["configured_hz", parameters.values.hz],
    ["lru_clock", Math.floor(clock.nowMs() / 1000) & 0xffffff],
    ["executable", host.executable],
    ["config_file", host.configFile],
    ["io_threads_active", 0],
    ["log_lines_lost", engine.log.lostLines],
    ...listeners(engine),
  ];
}

/** Where the server listens, in Redis's order. */
function listeners({ parameters }: Engine): Field[] {
  const { bind, port, tlsPort, unixsocket } = parameters.values;
  const bound = bind.split(" ").map((address) => `bind=${address}`).join(",");
  const texts = [
    port === 0 ? null : `name=tcp,${bound},port=${port}`,
    unixsocket === "" ? null : `name=unix,bind=${unixsocket}`,
    tlsPort === 0 ? null : `name=tls,${bound},port=${tlsPort}`,
  ].filter((text) => text !== null);
  return texts.map((text, i) => [`listener${i}`, text]);
}

function clients(engine: Engine): Field[] {
  const all = [...engine.clients.values()];
  const most = (sizes: readonly number[]): number => sizes.reduce((a, b) => Math.max(a, b), 0);
  return [
    ["connected_clients", all.length],
    ["cluster_connections", 0],
    ["maxclients", engine.parameters.values.maxclients],
    ["client_recent_max_input_buffer", most(all.map((client) => client.transport.queryBytes))],
    ["client_recent_max_output_buffer", most(all.map((client) => client.outputWaiting))],
    ["blocked_clients", all.filter((one) => one.blocked !== null || one.isPostponed).length],
    ["tracking_clients", engine.tracking?.clientCount ?? 0],
    ["clients_in_timeout_table", engine.blocking.deadlineCount],
    ["total_blocking_keys", engine.blocking.keyCount],
    ["total_blocking_keys_on_nokey", engine.blocking.goneKeyCount],
  ];
}

function memory(engine: Engine): Field[] {
  const { keyspace, counters, host, parameters, clientMemory } = engine;
  const used = engine.usedBytes;
  const peak = Math.max(counters.peakMemoryBytes, used);
  counters.peakMemoryBytes = peak;
  const resident = host.residentBytes();
  const overhead = engine.overheadBytes;
  const dataset = Math.max(used - overhead, 0);
  const { maxmemory, maxmemoryPolicy } = parameters.values;
  const { active, fragmentation, resident: outside, overhead: beyond, total } = memoryRatios(
    engine,
    used,
    resident,
  );
  return [
    ["used_memory", used],
    ["used_memory_human", humanBytes(used)],
    ["used_memory_rss", resident],
    ["used_memory_rss_human", humanBytes(resident)],
    ["used_memory_peak", peak],
    ["used_memory_peak_human", humanBytes(peak)],
    ["used_memory_peak_perc", `${(used / Math.max(peak, 1) * 100).toFixed(2)}%`],
    ["used_memory_overhead", overhead],
    ["used_memory_startup", engine.startupBytes],
    ["used_memory_dataset", dataset],
    ["used_memory_dataset_perc", `${(dataset / Math.max(used, 1) * 100).toFixed(2)}%`],
    ["allocator_allocated", used],
    ["allocator_active", active],
    ["allocator_resident", resident],
    ["total_system_memory", host.systemBytes()],
    ["total_system_memory_human", humanBytes(host.systemBytes())],
    ...scriptMemory(engine),
    ["maxmemory", maxmemory],
    ["maxmemory_human", humanBytes(maxmemory)],
    ["maxmemory_policy", maxmemoryPolicy],
    ["allocator_frag_ratio", fragmentation.ratio.toFixed(2)],
    ["allocator_frag_bytes", fragmentation.bytes],
    ["allocator_rss_ratio", outside.ratio.toFixed(2)],
    ["allocator_rss_bytes", outside.bytes],
    ["rss_overhead_ratio", beyond.ratio.toFixed(2)],
    ["rss_overhead_bytes", beyond.bytes],
    ["mem_fragmentation_ratio", total.ratio.toFixed(2)],
    ["mem_fragmentation_bytes", total.bytes],
    ["mem_not_counted_for_evict", engine.uncomparedBytes],
    ["mem_replication_backlog", 0],
    ["mem_total_replication_buffers", clientMemory.replicaBytes],
    ["mem_clients_slaves", clientMemory.replicaBytes],
    ["mem_clients_normal", clientMemory.normalBytes],
    ["mem_cluster_links", 0],
    ["mem_aof_buffer", engine.logBytes],
    ["mem_allocator", "respite-arena"],
    ["active_defrag_running", keyspace.defragmenter.percent],
    ["lazyfree_pending_objects", keyspace.lazyFree.pending],
    ["lazyfreed_objects", keyspace.stats.lazilyFreed],
  ];
}

/** The part of INFO memory that tells what scripts and functions take. */
function scriptMemory({ scripts, functions }: Engine): Field[] {
  const { luaBytes = 0, scriptBytes = 0, scriptCount = 0 } = scripts?.figures ?? {};
  const functionBytes = functions?.bytes ?? 0;
  const functionVmBytes = functions?.machineBytes ?? 0;
  return [
    ["used_memory_lua", luaBytes],
    ["used_memory_vm_eval", luaBytes],
    ["used_memory_lua_human", humanBytes(luaBytes)],
    ["used_memory_scripts_eval", scriptBytes],
    ["number_of_cached_scripts", scriptCount],
    ["number_of_functions", functions?.count ?? 0],
    ["number_of_libraries", functions?.libraries.size ?? 0],
    ["used_memory_vm_functions", functionVmBytes],
    ["used_memory_vm_total", luaBytes + functionVmBytes],
    ["used_memory_vm_total_human", humanBytes(luaBytes + functionVmBytes)],
    ["used_memory_functions", functionBytes],
    ["used_memory_scripts", scriptBytes + functionBytes],
    ["used_memory_scripts_human", humanBytes(scriptBytes + functionBytes)],
  ];
}

function persistence(engine: Engine): readonly Field[] {
  return engine.persistence?.fields() ?? [];
}

function commandMicroseconds(engine: Engine): number {
  return engine.commands.all().reduce((sum, { stats }) => sum + stats.microseconds, 0);
}

/** Of all cycles: the time of each is not measured. */
function meanCycleUs({ counters }: Engine, commandUs: number): number {
  return Math.round((commandUs + counters.timerUs) / Math.max(counters.cycles, 1));
}

/** INFO debug, which is not a part of INFO all. */
function debug({ counters }: Engine): Field[] {
  return [
    ["eventloop_duration_aof_sum", Math.round(counters.logUs)],
    ["eventloop_duration_cron_sum", Math.round(counters.timerUs)],
    ["eventloop_duration_max", Math.round(counters.longestCycleUs)],
    ["eventloop_cmd_per_cycle_max", counters.mostRequests],
  ];
}

function stats(engine: Engine): Field[] {
  const { counters, keyspace, eviction } = engine;
  const { defragmenter } = keyspace;
  const commandUs = commandMicroseconds(engine);
  const kilobytes = (rate: number): string => (rate / 1024).toFixed(2);
  return [
    ["total_connections_received", counters.connections],
    ["total_commands_processed", counters.commands],
    ["instantaneous_ops_per_sec", Math.round(counters.commandRate.perSecond())],
    ["total_net_input_bytes", counters.inputBytes],
    ["total_net_output_bytes", counters.outputBytes],
    ["total_net_repl_input_bytes", 0],
    ["total_net_repl_output_bytes", 0],
    ["instantaneous_input_kbps", kilobytes(counters.inputRate.perSecond())],
    ["instantaneous_output_kbps", kilobytes(counters.outputRate.perSecond())],
    ["instantaneous_input_repl_kbps", "0.00"],
    ["instantaneous_output_repl_kbps", "0.00"],
    ["rejected_connections", counters.rejectedConnections],
    ["sync_full", 0],
    ["sync_partial_ok", 0],
    ["sync_partial_err", 0],
    ["expired_keys", keyspace.stats.expired],
    ["expired_stale_perc", "0.00"],
    ["expired_time_cap_reached_count", keyspace.stats.expiryTimeouts],
    ["expire_cycle_cpu_milliseconds", 0],
    ["evicted_keys", keyspace.stats.evicted],
    ["evicted_clients", counters.evictedClients],
    ["total_eviction_exceeded_time", Math.floor(eviction.exceededUs / 1000)],
    ["current_eviction_exceeded_time", Math.floor(eviction.exceededNowUs / 1000)],
    ["keyspace_hits", keyspace.stats.hits],
    ["keyspace_misses", keyspace.stats.misses],
    ["pubsub_channels", engine.pubsub.count(Kind.channel)],
    ["pubsub_patterns", engine.pubsub.count(Kind.pattern)],
    ["pubsubshard_channels", engine.pubsub.count(Kind.shard)],
    ["latest_fork_usec", 0],
    ["total_forks", 0],
    ["migrate_cached_sockets", engine.keptLinks.size],
    ["slave_expires_tracked_keys", 0],
    ["active_defrag_hits", defragmenter.hits],
    ["active_defrag_misses", defragmenter.misses],
    ["active_defrag_key_hits", defragmenter.keyHits],
    ["active_defrag_key_misses", defragmenter.keyMisses],
    ["total_active_defrag_time", Math.round(defragmenter.activeUs / 1000)],
    ["current_active_defrag_time", Math.round(defragmenter.activeNowUs / 1000)],
    ["tracking_total_keys", engine.tracking?.keyCount ?? 0],
    ["tracking_total_items", engine.tracking?.itemCount ?? 0],
    ["tracking_total_prefixes", engine.tracking?.prefixCount ?? 0],
    ["unexpected_error_replies", 0],
    ["total_error_replies", counters.errorReplies],
    ["dump_payload_sanitizations", 0],
    ["total_reads_processed", counters.reads],
    ["total_writes_processed", counters.writes],
    ["io_threaded_reads_processed", 0],
    ["io_threaded_writes_processed", 0],
    ["client_query_buffer_limit_disconnections", counters.clientQueryLimitDisconnections],
    ["client_output_buffer_limit_disconnections", counters.clientOutputLimitDisconnections],
    ["reply_buffer_shrinks", engine.replyBuffers.shrinks],
    ["reply_buffer_expands", engine.replyBuffers.expands],
    ["eventloop_cycles", counters.cycles],
    ["eventloop_duration_sum", Math.round(commandUs + counters.timerUs)],
    ["eventloop_duration_cmd_sum", Math.round(commandUs)],
    ["instantaneous_eventloop_cycles_per_sec", Math.round(counters.cycleRate.perSecond())],
    ["instantaneous_eventloop_duration_usec", meanCycleUs(engine, commandUs)],
    ["acl_access_denied_auth", counters.denials.auth],
    ["acl_access_denied_cmd", counters.denials.command],
    ["acl_access_denied_key", counters.denials.key],
    ["acl_access_denied_channel", counters.denials.channel],
  ];
}

function replication(engine: Engine): Field[] {
  return [
    ["role", "master"],
    ["connected_slaves", 0],
    ["master_failover_state", "no-failover"],
    ["master_replid", engine.replicationId],
    ["master_replid2", "0".repeat(40)],
    ["master_repl_offset", 0],
    ["second_repl_offset", -1],
    ["repl_backlog_active", 0],
    ["repl_backlog_size", engine.parameters.values.replBacklogSize],
    ["repl_backlog_first_byte_offset", 0],
    ["repl_backlog_histlen", 0],
  ];
}

function cpu(engine: Engine): Field[] {
  const used = engine.host.cpuSeconds() ?? { user: 0, system: 0 };
  return [
    ["used_cpu_sys", used.system.toFixed(6)],
    ["used_cpu_user", used.user.toFixed(6)],
    ["used_cpu_sys_children", "0.000000"],
    ["used_cpu_user_children", "0.000000"],
    ["used_cpu_sys_main_thread", used.system.toFixed(6)],
    ["used_cpu_user_main_thread", used.user.toFixed(6)],
  ];
}

function commandstats(engine: Engine): Field[] {
  const used = engine.commands.all().filter(({ stats }) =>
    stats.calls > 0 || stats.rejected > 0 || stats.failed > 0
  );
  return used.map(({ fullName, stats }) => {
    const each = stats.calls === 0 ? 0 : stats.microseconds / stats.calls;
    return [
      `cmdstat_${fullName}`,
      `calls=${stats.calls},usec=${Math.round(stats.microseconds)},usec_per_call=${
        each.toFixed(2)
      },` +
      `rejected_calls=${stats.rejected},failed_calls=${stats.failed}`,
    ];
  });
}

function errorstats(engine: Engine): Field[] {
  return [...engine.counters.errors].map(([prefix, count]) => [
    `errorstat_${prefix}`,
    `count=${count}`,
  ]);
}

function latencystats(engine: Engine): Field[] {
  const { latencyTracking, latencyTrackingInfoPercentiles } = engine.parameters.values;
  if (!latencyTracking) return [];
  const percents = latencyTrackingInfoPercentiles.split(" ").filter((text) => text !== "");
  const used = engine.commands.all().filter(({ stats }) => (stats.histogram?.total ?? 0) > 0);
  return used.map(({ fullName, stats }) => [
    `latency_percentiles_usec_${fullName}`,
    percents.map((percent) => {
      const microseconds = stats.histogram?.percentile(Number(percent)) ?? 0;
      return `p${percent}=${microseconds.toFixed(3)}`;
    }).join(","),
  ]);
}

function keyspace(engine: Engine): Field[] {
  const now = engine.clock.nowMs();
  return engine.keyspace.databases.filter((db) => db.size > 0).map((db) => [
    `db${db.index}`,
    `keys=${db.size},expires=${db.deadlines.count},avg_ttl=${db.deadlines.averageTtl(now)}`,
  ]);
}

/** Rows of the table: see engine/command.ts. */
export const infoCommands: readonly CommandSpec[] = [
  {
    name: "info",
    usage: "[{section}*]",
    summary: "Returns figures about the server.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.loading | Flag.stale,
    acl: ["dangerous"],
    tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    history: [["7.0.0", "Several sections."]],
    run: info,
  },
];
