/** TLS: ports, certificates and their change, what is asked of clients, and clients that misbehave before and after. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { isNodeTlsSound } from "../../src/net/tls.ts";
import { certificateFiles, type Identity, makeCertificate } from "../support/certificates.ts";
import { Child } from "../support/child.ts";
import { freePort, startRespite, Wire } from "../support/live.ts";

/** Deno 2.7 can't ask clients for certificates: there the server refuses to. */
const ignore = !isNodeTlsSound();
const options = { sanitizeOps: false, sanitizeResources: false };

const authority = await makeCertificate("authority", { isAuthority: true });
const stranger = await makeCertificate("authority", { isAuthority: true });
const files = certificateFiles(authority);
const server = files.write("server", await makeCertificate("server", { issuer: authority }));
const other = files.write("other", await makeCertificate("other", { issuer: stranger }));
addEventListener("unload", () => Deno.removeSync(files.directory, { recursive: true }));

type Live = ReturnType<typeof startRespite> & { readonly tlsPort: number };

/** Runs `work` against a server with TLS; `directives` may change all of it. */
async function withTls(
  directives: Record<string, string>,
  work: (live: Live) => Promise<void>,
): Promise<void> {
  const tlsPort = freePort();
  const live = startRespite({
    "tls-port": `${tlsPort}`,
    "tls-cert-file": server.certificate,
    "tls-key-file": server.key,
    "tls-auth-clients": "no",
    ...directives,
  });
  try {
    await work({ ...live, tlsPort });
  } finally {
    await live.stop();
  }
}

/** Waits until somebody listens: node:tls begins to a moment after it was told, and Deno's listener is replaced by a new one. */
async function reachable(port: number): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
    if (conn !== null) return conn.close();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A connection of TLS; `by` is the authority that the client trusts, `as` what it shows of itself. */
async function connect(port: number, by = authority, as?: Identity): Promise<Wire> {
  await reachable(port);
  const conn = await Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts: [by.certificate],
    ...as === undefined ? {} : { cert: as.certificate, key: as.key },
  });
  try {
    await conn.handshake();
  } catch (error) {
    conn.close();
    throw error;
  }
  return new Wire(conn);
}

/** What PING is answered by; "" if the connection is refused. */
async function ping(port: number, by = authority, as?: Identity): Promise<string> {
  try {
    const wire = await connect(port, by, as);
    const reply = await wire.roundTrip("ping").catch(() => "");
    wire.close();
    return reply;
  } catch {
    return "";
  }
}

async function eventually(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    assert(tries < 500, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("both ports and a Unix socket are served at once, and INFO shows them", async () => {
  await withTls({}, async ({ port, tlsPort }) => {
    const plain = await Wire.connect(port);
    const wire = await connect(tlsPort);
    assertEquals(await wire.roundTrip("set k v"), "+OK\r\n");
    assertEquals(await plain.roundTrip("get k"), "$1\r\nv\r\n");
    const info = await wire.roundTrip("info server");
    assertStringIncludes(info, `tcp_port:${port}\r\n`);
    assertStringIncludes(info, `listener0:name=tcp,bind=127.0.0.1,port=${port}\r\n`);
    assertStringIncludes(info, `listener1:name=tls,bind=127.0.0.1,port=${tlsPort}\r\n`);
    assertMatch(await wire.roundTrip("client info"), / addr=127\.0\.0\.1:\d+ laddr=127\.0\.0\.1:/);
    wire.close();
    plain.close();
  });
});

Deno.test("with port 0 nobody is served without TLS", async () => {
  await withTls({ port: "0" }, async ({ tlsPort, server: { listening } }) => {
    assertEquals(listening.listeners.length, 1);
    const wire = await connect(tlsPort);
    const info = await wire.roundTrip("info server");
    assertStringIncludes(info, `tcp_port:${tlsPort}\r\nserver_time`);
    assertStringIncludes(info, `listener0:name=tls,bind=127.0.0.1,port=${tlsPort}\r\n`);
    wire.close();
  });
});

Deno.test("large values and long pipelines pass TLS unchanged", async () => {
  for (const protocols of ignore ? [""] : ["", "TLSv1.3"]) {
    await withTls({ "tls-protocols": protocols }, async ({ tlsPort }) => {
      const wire = await connect(tlsPort);
      const value = "0123456789".repeat(20_000);
      assertEquals(await wire.call("SET", "k", value), "+OK\r\n");
      assertEquals(await wire.call("GET", "k"), `$200000\r\n${value}\r\n`);
      const pipeline = wire.send("INCR n\r\n".repeat(1000));
      for (let i = 1; i <= 1000; i++) assertEquals(await wire.read(), `:${i}\r\n`);
      await pipeline;
      assertEquals(await wire.roundTrip("quit"), "+OK\r\n");
      assertEquals(await wire.read(), "");
      wire.close();
    });
  }
});

Deno.test("CONFIG SET takes other certificates over at once, and keeps the old ones if they are no good", async () => {
  await withTls({}, async ({ port, tlsPort, logged }) => {
    const plain = await Wire.connect(port);
    const before = await connect(tlsPort);
    const set = (...pairs: string[]): Promise<string> => plain.call("CONFIG", "SET", ...pairs);
    const refusal =
      "-ERR CONFIG SET failed (possibly related to argument 'tls-cert-file') - Unable to update TLS " +
      "configuration. Check server logs.\r\n";
    // A key that does not fit, no file, no certificate, none at all; none of these is half of a change.
    assertEquals(await set("tls-cert-file", other.certificate), refusal);
    assertEquals(await set("tls-cert-file", `${files.directory}/none`), refusal);
    assertEquals(await set("tls-cert-file", other.key, "tls-key-file", other.key), refusal);
    assertEquals(await set("tls-cert-file", ""), refusal);
    const get = await plain.roundTrip("config get tls-cert-file");
    assertStringIncludes(get, server.certificate);
    assertEquals(await ping(tlsPort), "+PONG\r\n");
    const log = logged.join("");
    assertStringIncludes(log, `Failed to load private key: ${server.key}: `);
    assertStringIncludes(log, `Failed to load certificate: ${files.directory}/none: No such file`);
    assertStringIncludes(log, "No tls-cert-file configured!");
    assertEquals(log.includes("PRIVATE KEY"), false);

    const change = ["tls-cert-file", other.certificate, "tls-key-file", other.key];
    assertEquals(await set(...change), "+OK\r\n");
    assertEquals(await ping(tlsPort, stranger), "+PONG\r\n");
    await assertRejects(() => connect(tlsPort));
    // Who is connected stays so.
    assertEquals(await before.roundTrip("ping"), "+PONG\r\n");
    before.close();
    plain.close();
  });
});

Deno.test("CONFIG SET of the same path reads the files again", async () => {
  const renewed = files.write("renewed", await makeCertificate("server", { issuer: authority }));
  const directives = { "tls-cert-file": renewed.certificate, "tls-key-file": renewed.key };
  await withTls(directives, async ({ port, tlsPort }) => {
    assertEquals([await ping(tlsPort), await ping(tlsPort, stranger)], ["+PONG\r\n", ""]);
    await Deno.copyFile(other.certificate, renewed.certificate);
    await Deno.copyFile(other.key, renewed.key);
    const admin = await Wire.connect(port);
    const set = await admin.call("CONFIG", "SET", "tls-cert-file", renewed.certificate);
    assertEquals(set, "+OK\r\n");
    assertEquals([await ping(tlsPort), await ping(tlsPort, stranger)], ["", "+PONG\r\n"]);
    await Deno.writeTextFile(renewed.key, "nonsense");
    assertStringIncludes(
      await admin.call("CONFIG", "SET", "tls-key-file", renewed.key),
      "Unable to update TLS configuration. Check server logs.",
    );
    assertEquals(await ping(tlsPort, stranger), "+PONG\r\n");
    admin.close();
  });
});

Deno.test("TLS moves to another port, is switched off and on, and changes places with plain text", async () => {
  await withTls({}, async ({ port, tlsPort }) => {
    const plain = await Wire.connect(port);
    const moved = freePort();
    assertEquals(await plain.roundTrip(`config set tls-port ${moved}`), "+OK\r\n");
    assertEquals([await ping(moved), await ping(tlsPort)], ["+PONG\r\n", ""]);
    assertStringIncludes(
      await plain.roundTrip(`config set tls-port ${port}`),
      "'tls-port') - Unable to listen on this port. Check server logs.",
    );
    assertEquals(await ping(moved), "+PONG\r\n");
    assertEquals(await plain.roundTrip("config set tls-port 0"), "+OK\r\n");
    assertEquals(await ping(moved), "");
    // As Redis's own tests do it: each port becomes the other one.
    for (let i = 0; i < 5; i++) {
      assertEquals(await plain.roundTrip(`config set port ${moved}`), "+OK\r\n");
      const second = await Wire.connect(moved);
      assertEquals(await second.roundTrip("config set port 0"), "+OK\r\n");
      assertEquals(await second.roundTrip(`config set tls-port ${moved}`), "+OK\r\n");
      second.close();
      const wire = await connect(moved);
      assertEquals(await wire.roundTrip("config set tls-port 0"), "+OK\r\n");
      wire.close();
    }
    plain.close();
  });
});

Deno.test({
  name:
    "tls-auth-clients lets in who it should: with a certificate, with none, with one that is wrong",
  ignore,
  fn: async () => {
    const issuer = authority;
    const good = await makeCertificate("client", { issuer, usage: "client" });
    const plain = await makeCertificate("client", { issuer });
    const wrong = [
      await makeCertificate("client", { issuer, usage: "client", isOver: true }),
      await makeCertificate("client", { issuer, usage: "server" }),
      await makeCertificate("client", { issuer: stranger, usage: "client" }),
      await makeCertificate("client", { usage: "client" }),
    ];
    await withTls(
      { "tls-auth-clients": "yes", "tls-ca-cert-file": files.authority },
      async (live) => {
        const { tlsPort, port, logged } = live;
        const admin = await Wire.connect(port);
        for (const demand of ["yes", "optional", "yes", "no"]) {
          assertEquals(await admin.roundTrip(`config set tls-auth-clients ${demand}`), "+OK\r\n");
          const replies = async (identities: (Identity | undefined)[]): Promise<string[]> => {
            const found: string[] = [];
            for (const identity of identities) found.push(await ping(tlsPort, authority, identity));
            return found;
          };
          // Between two listeners there is none for an instant.
          for (let i = 0; i < 50 && await ping(tlsPort, authority, good) === ""; i++);
          const pong = "+PONG\r\n";
          assertEquals(await replies([good, plain]), [pong, pong], demand);
          assertEquals(await replies([undefined]), [demand === "yes" ? "" : pong], demand);
          const refused = demand === "no" ? pong : "";
          assertEquals(await replies(wrong), wrong.map(() => refused), demand);
        }
        admin.close();
        assertStringIncludes(logged.join(""), "Error accepting a client connection: ");
      },
    );
  },
});

Deno.test({
  name: "CONFIG SET of TLS is answered when the next client will find what it has set",
  ...options,
  fn: async () => {
    const shown = await makeCertificate("client", { issuer: authority });
    const ports = [freePort(), freePort()];
    // A process of its own: within this one, nobody connects before the server has gone on.
    const directives = {
      "--tls-port": `${ports[0]}`,
      "--tls-cert-file": server.certificate,
      "--tls-key-file": server.key,
      "--tls-ca-cert-file": files.authority,
      "--tls-auth-clients": "no",
    };
    const child = Child.spawn(freePort(), files.directory, ...Object.entries(directives).flat());
    const admin = await child.started();
    // Without a second try: connections are refused while nobody listens.
    const isServed = async (port: number): Promise<boolean> => {
      const caCerts = [authority.certificate];
      const own = { cert: shown.certificate, key: shown.key };
      const wire = new Wire(
        await Deno.connectTls({ hostname: "127.0.0.1", port, caCerts, ...own }),
      );
      const reply = await wire.roundTrip("ping");
      wire.close();
      return reply === "+PONG\r\n";
    };
    const demands = ignore ? ["no"] : ["yes", "no", "optional"];
    for (let i = 0; i < 24; i++) {
      const demand = demands[i % demands.length];
      assertEquals(await admin.roundTrip(`config set tls-auth-clients ${demand}`), "+OK\r\n");
      assert(await isServed(ports[i % 2]), demand);
      const port = ports[(i + 1) % 2];
      assertEquals(await admin.roundTrip(`config set tls-port ${port}`), "+OK\r\n");
      assert(await isServed(port), `${port}`);
    }
    admin.close();
    await child.stop("SIGTERM");
  },
});

Deno.test("tls-auth-clients needs somebody who has signed the certificates", async () => {
  const text = "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when ";
  await withTls({}, async ({ port, tlsPort, logged }) => {
    const admin = await Wire.connect(port);
    for (const demand of ["yes", "optional"]) {
      const reply = await admin.roundTrip(`config set tls-auth-clients ${demand}`);
      assertStringIncludes(reply, "Unable to update TLS configuration. Check server logs.");
    }
    const empty = await Deno.makeTempDir();
    const reply = await admin.call("CONFIG", "SET", "tls-ca-cert-dir", empty);
    assertStringIncludes(reply, "Unable to update TLS configuration. Check server logs.");
    await Deno.remove(empty);
    admin.close();
    assertStringIncludes(logged.join(""), text);
    assertStringIncludes(logged.join(""), `${empty}: its files hold no certificate`);
    assertEquals(await ping(tlsPort), "+PONG\r\n");
  });
});

Deno.test({
  name: "tls-ca-cert-dir and one version of TLS alone work",
  ignore,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    await Deno.copyFile(files.authority, `${directory}/any-name.pem`);
    const directives = { "tls-auth-clients": "yes", "tls-ca-cert-dir": directory };
    await withTls({ ...directives, "tls-protocols": "TLSv1.2" }, async ({ tlsPort, port }) => {
      const client = await makeCertificate("client", { issuer: authority });
      assertEquals(await ping(tlsPort, authority, client), "+PONG\r\n");
      assertEquals(await ping(tlsPort), "");
      const admin = await Wire.connect(port);
      const refusal = await admin.roundTrip("config set tls-protocols TLSv1.1");
      assertStringIncludes(refusal, "TLSv1 and TLSv1.1 are not supported");
      admin.close();
    });
    await Deno.remove(directory, { recursive: true });
  },
});

Deno.test({
  name: "an encrypted key needs its password, which no log shows",
  // Deno 2.7 reads such keys, but does not write them.
  ignore,
  fn: async () => {
    const { createPrivateKey } = await import("node:crypto");
    const text = await Deno.readTextFile(server.key);
    const passphrase = "open sesame";
    const encrypted = createPrivateKey(text)
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase });
    const path = `${files.directory}/encrypted.key`;
    await Deno.writeTextFile(path, encrypted.toString());
    await withTls({}, async ({ port, tlsPort, logged }) => {
      const admin = await Wire.connect(port);
      const set = (...pairs: string[]): Promise<string> => admin.call("CONFIG", "SET", ...pairs);
      const refusal = "Unable to update TLS configuration. Check server logs.";
      assertStringIncludes(await set("tls-key-file", path), refusal);
      assertStringIncludes(await set("tls-key-file", path, "tls-key-file-pass", "no"), refusal);
      assertEquals(await set("tls-key-file", path, "tls-key-file-pass", passphrase), "+OK\r\n");
      assertEquals(await ping(tlsPort), "+PONG\r\n");
      admin.close();
      assertEquals(logged.join("").includes(passphrase), false);
    });
  },
});

/** Directives that are refused at the start and by CONFIG SET, and a word of the reason. */
const REFUSED: [name: string, value: string, reason: string][] = [
  ["tls-ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", "ciphers"],
  ["tls-ciphersuites", "TLS_AES_128_GCM_SHA256", "ciphers"],
  ["tls-prefer-server-ciphers", "yes", "ciphers"],
  ["tls-dh-params-file", "redis.dh", "elliptic curves"],
  ["tls-session-caching", "no", "sessions"],
  ["tls-session-cache-size", "100", "sessions"],
  ["tls-session-cache-timeout", "60", "sessions"],
  ["tls-cluster", "yes", "opens itself"],
  ["tls-replication", "yes", "opens itself"],
  ["tls-client-cert-file", "client.crt", "opens itself"],
  ["tls-client-key-file", "client.key", "opens itself"],
  ["tls-client-key-file-pass", "secret", "opens itself"],
];

Deno.test("what the runtime's TLS can't do is refused by CONFIG SET, with the reason", async () => {
  await withTls({}, async ({ port }) => {
    const admin = await Wire.connect(port);
    for (const [name, value, reason] of REFUSED) {
      const reply = await admin.call("CONFIG", "SET", name, value);
      assert(reply.startsWith("-ERR CONFIG SET failed"), reply);
      assertStringIncludes(reply, reason);
      assertEquals(await admin.call("CONFIG", "SET", "tls-ciphers", "DEFAULT"), "+OK\r\n");
    }
    admin.close();
  });
});

Deno.test({
  name: "a start without what TLS needs is refused, with the reason",
  ...options,
  fn: async () => {
    const good = ["--tls-cert-file", server.certificate, "--tls-key-file", server.key];
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const no = ["--tls-auth-clients", "no"];
    const cases: [directives: string[], text: string][] = [
      [[], "No tls-cert-file configured!"],
      [good.slice(0, 2), "No tls-key-file configured!"],
      [good, "Either tls-ca-cert-file or tls-ca-cert-dir must be specified"],
      [[...good, ...no, "--tls-key-file", other.key], `Failed to load private key: ${other.key}: `],
      [[...good, ...no, "--tls-cert-file", "/none"], "Failed to load certificate: /none: No such"],
      [[...good, ...no, "--tls-protocols", "SSLv3"], "Invalid tls-protocols specified."],
      ...REFUSED.map(([name, value, reason]): [string[], string] => [
        [...good, ...no, `--${name}`, value],
        reason,
      ]),
    ];
    const ends = cases.map(async ([directives]) => {
      const dir = await Deno.makeTempDir();
      return await Child.spawn(freePort(), dir, "--tls-port", `${freePort()}`, ...directives)
        .ended();
    });
    for (const [i, { code, text }] of (await Promise.all(ends)).entries()) {
      assertEquals(code, 1, `${cases[i][0]}: ${text}`);
      assertStringIncludes(text, cases[i][1], text);
      if (i < 6) assertStringIncludes(text, "Failed to configure TLS. Check logs for more info.");
    }
    const tlsPort = (taken.addr as Deno.NetAddr).port;
    const busy = ["--tls-port", `${tlsPort}`, "--bind", "127.0.0.1"];
    const { code, text } = await Child.spawn(freePort(), "/tmp", ...busy, ...good, ...no).ended();
    taken.close();
    assertEquals(code, 1, text);
    assertStringIncludes(text, `Failed listening on port ${tlsPort} (tls), aborting.`);
  },
});

Deno.test("bytes that are no TLS end that connection alone, and are logged once a second", async () => {
  for (const protocols of ignore ? [""] : ["", "TLSv1.3"]) {
    await withTls({ "tls-protocols": protocols }, async ({ tlsPort, server: { hub }, logged }) => {
      const good = await connect(tlsPort);
      for (let i = 0; i < 30; i++) {
        await reachable(tlsPort);
        const bad = await Wire.connect(tlsPort);
        const noise = i % 2 === 0 ? "PING\r\n" : "\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00";
        await bad.send(noise).catch(() => {});
        await bad.read();
        bad.close();
        if (i % 10 === 0) assertEquals(await good.roundTrip("ping"), "+PONG\r\n");
      }
      await eventually("no handshake is left", () => hub.handshakes === 0);
      const lines = logged.filter((line) => line.includes("Error accepting a client connection"));
      assert(lines.length >= 1 && lines.length < 15, `${lines.length}`);
      assertMatch(lines[0], / \(addr=127\.0\.0\.1:\d+ laddr=127\.0\.0\.1:\d+\)/);
      assertEquals(await good.roundTrip("ping"), "+PONG\r\n");
      good.close();
    });
  }
});

Deno.test("clients that say nothing count to maxclients, and leave when they go", async () => {
  for (const protocols of ignore ? [""] : ["", "TLSv1.3"]) {
    const directives = { "tls-protocols": protocols, maxclients: "3" };
    await withTls(directives, async ({ port, tlsPort, server: { hub } }) => {
      await reachable(tlsPort);
      const silent = [await Wire.connect(tlsPort), await Wire.connect(tlsPort)];
      await silent[1].send("\x16\x03\x01");
      await eventually("both are counted", () => hub.handshakes === 2);
      const last = await Wire.connect(port);
      assertEquals(await last.roundTrip("ping"), "+PONG\r\n");
      const refused = await Wire.connect(port);
      assertEquals(await refused.read(), "-ERR max number of clients reached\r\n");
      refused.close();
      const refusedToo = await connect(tlsPort);
      assertEquals(await refusedToo.read(), "-ERR max number of clients reached\r\n");
      refusedToo.close();
      for (const wire of silent) wire.close();
      await eventually("both have left", () => hub.handshakes === 0);
      assertEquals(await ping(tlsPort), "+PONG\r\n");
      last.close();
    });
  }
});

/** Passes bytes on in both directions until it is cut off, without a word of TLS. */
class Relay {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  #ends: Deno.TcpConn[] = [];

  constructor(readonly target: number) {
    void this.#run();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  cut(): void {
    this.#listener.close();
    for (const end of this.#ends) end.close();
  }

  async #run(): Promise<void> {
    const near = await this.#listener.accept();
    const far = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
    this.#ends = [near, far];
    const pass = async (from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> => {
      const buffer = new Uint8Array(65536);
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) return;
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    };
    await Promise.allSettled([pass(near, far), pass(far, near)]);
  }
}

Deno.test("a client that goes without close_notify is gone, and nothing is logged", async () => {
  for (const protocols of ignore ? [""] : ["", "TLSv1.3"]) {
    await withTls(
      { "tls-protocols": protocols },
      async ({ tlsPort, server: { engine }, logged }) => {
        await reachable(tlsPort);
        const relay = new Relay(tlsPort);
        const wire = new Wire(
          await Deno.connectTls({
            hostname: "127.0.0.1",
            port: relay.port,
            caCerts: [authority.certificate],
          }),
        );
        assertEquals(await wire.roundTrip("ping"), "+PONG\r\n");
        assertEquals(engine.clients.size, 1);
        const before = logged.length;
        relay.cut();
        await eventually("the client is gone", () => engine.clients.size === 0);
        assertEquals(logged.slice(before), []);
        wire.close();
      },
    );
  }
});

Deno.test("a client that is killed while it does not read is counted until its connection has ended", async () => {
  for (const protocols of ignore ? [""] : ["", "TLSv1.3"]) {
    await withTls(
      { "tls-protocols": protocols },
      async ({ port, tlsPort, server: { hub, engine } }) => {
        const admin = await Wire.connect(port);
        await admin.call("SETRANGE", "big", "30000000", "x");
        const slow = await connect(tlsPort);
        await slow.send("CLIENT ID\r\nGET big\r\nGET big\r\n");
        const id = (await slow.read()).slice(1, -2);
        const isSending = (): boolean =>
          [...engine.clients.values()].some(({ transport }) => transport.inFlightBytes > 0);
        await eventually("something is being sent", isSending);
        // So long that the system's buffers are full, and the write waits.
        await new Promise((resolve) => setTimeout(resolve, 200));
        assertEquals(await admin.roundTrip(`client kill id ${id}`), ":1\r\n");
        assertEquals(engine.clients.size, 1);
        assertEquals(hub.lingering, protocols === "" ? 1 : 0);
        slow.close();
        await eventually("nothing is left", () => hub.lingering === 0);
        assertEquals(await admin.roundTrip("ping"), "+PONG\r\n");
        admin.close();
      },
    );
  }
});

Deno.test("clients without a certificate are not let in by a runtime that would not ask for it", () => {
  assertEquals(
    ["2.7.11", "2.8.0", "2.9.0", "2.9.6", "2.10.1", "3.0.0", "1.46.3"].map(isNodeTlsSound),
    [
      ...[false, false, true, true, true, true, false],
    ],
  );
});
