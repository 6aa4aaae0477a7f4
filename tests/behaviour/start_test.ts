/** Directives of missing features at the start: refused, or warned about. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Child } from "../support/child.ts";
import { freePort } from "../support/live.ts";

const options = { sanitizeOps: false, sanitizeResources: false };

/** Directives that must be refused, and a word of the reason. */
const REFUSED: [directives: string[], reason: string][] = [
  [["--tls-port", "6380"], "plain text"],
  [["--tls-cert-file", "x", "--tls-key-file", "y"], "plain text"],
  [["--aclfile", "users.acl"], "requirepass"],
  [["--user", "ann", "on", "+@all"], "ACL users"],
  [["--replicaof", "127.0.0.1 6379"], "replication"],
  [["--slaveof", "127.0.0.1 6379"], "replication"],
  [["--cluster-enabled", "yes"], "cluster"],
  [["--min-replicas-to-write", "1"], "replication"],
  [["--min-slaves-to-write", "1"], "replication"],
  [["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"], "evicted"],
  [["--maxmemory-clients", "5%"], "client-output-buffer-limit"],
  [["--daemonize", "yes"], "systemd"],
  [["--loadmodule", "x.so"], "modules"],
];

Deno.test({
  name: "directives that would do harm stop the start, with the reason",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const ends = REFUSED.map(([directives]) => Child.spawn(freePort(), dir, ...directives).ended());
    for (const [i, { code, text }] of (await Promise.all(ends)).entries()) {
      const [directives, reason] = REFUSED[i];
      assertEquals(code, 1, `${directives}: ${text}`);
      const name = directives[0].slice(2).replace("slaves", "replicas").replace("slave", "replica");
      assertStringIncludes(text, name, text);
      assertStringIncludes(text, reason, text);
    }
  },
});
Deno.test({
  name: "directives without effect cause one warning at the start, and one a CONFIG SET",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const directives = ["--io-threads", "4", "--supervised", "systemd", "--masterauth", "secret"];
    const child = Child.spawn(freePort(), dir, ...directives, "--maxmemory-policy", "allkeys-lru");
    const wire = await child.ready();
    if (wire === null) throw new Error((await child.ended()).text);
    assertEquals(await wire.roundTrip("config set list-compress-depth 1 timeout 0"), "+OK\r\n");
    assertEquals(await wire.roundTrip("config set timeout 10"), "+OK\r\n");
    const refusal = await wire.roundTrip("config set timeout 20 tls-port 1");
    assertMatch(refusal, /^-ERR CONFIG SET failed .*'tls-port'\) - TLS is not there yet: /);
    assertEquals(await wire.roundTrip("config get timeout"), "*2\r\n$7\r\ntimeout\r\n$2\r\n10\r\n");
    wire.close();
    const text = await child.stop("SIGTERM");
    const lines = text.split("\n").filter((line) => line.includes("without effect"));
    assertEquals(lines.length, 2, text);
    assertMatch(
      lines[0],
      / # .*: io-threads \(.*\), masterauth, maxmemory-policy \(.*\), supervised /,
    );
    assertEquals(lines[0].includes("secret"), false);
    assertMatch(lines[1], / # .*: list-compress-depth$/);
  },
});
