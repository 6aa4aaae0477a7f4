/** Files that servers start from: ours, redis-server's, and those that were damaged. */
import { assert, assertEquals } from "@std/assert";
import { Child } from "../support/child.ts";
import { binaryText } from "../../src/protocol/args.ts";
import { mixture } from "../support/bytes.ts";
import { freePort, startRedis, Wire } from "../support/live.ts";
import { requestOf } from "../support/requests.ts";
import { randomCommands } from "../differential/commands.ts";

const LEFT_OUT = /^(multi|exec|discard|watch|blpop|brpop|b?lmpop|blmove|bzpop|bzmpop|brpoplpush)/;
const options = { sanitizeOps: false, sanitizeResources: false };
const AOF = ["--appendonly", "yes", "--save", ""];
const RDB = ["--appendonly", "no", "--save", "3600 1"];

/** Runs `work` with a server that has `dir`, and stops it. */
async function withServer(
  dir: string,
  directives: readonly string[],
  work: (wire: Wire) => Promise<void>,
  signal: Deno.Signal = "SIGTERM",
): Promise<void> {
  const child = Child.spawn(freePort(), dir, ...directives);
  const wire = await child.started();
  try {
    await work(wire);
  } finally {
    wire.close();
    await child.stop(signal);
  }
}

/** What a server says that refuses to start. */
async function refusal(dir: string, directives: readonly string[]): Promise<string> {
  const { code, text } = await Child.spawn(freePort(), dir, ...directives).ended();
  assertEquals(code, 1, text);
  return text;
}

/** Random commands, and long strings that can be compressed: to more than a step, and to more than a megabyte. */
async function fill(wire: Wire, seed: number, count: number): Promise<void> {
  const commands = randomCommands(seed);
  for (let left = count; left > 0;) {
    const words = commands.next().value as string[];
    if (LEFT_OUT.test(words[0])) continue;
    left--;
    await wire.call(...words);
  }
  await wire.roundTrip("select 0");
  await wire.call("set", "long:half", binaryText(mixture(2_500_000, 0.5), 0, 2_500_000));
  await wire.call("setrange", "long:zeros", "5000000", "x");
  await wire.call("hset", "long:hash", "f", binaryText(mixture(100_000, 0.7), 0, 100_000));
}

function fileTest(name: string, work: (dir: string) => Promise<void>, ignore = false): void {
  const fn = async (): Promise<void> => {
    const dir = await Deno.makeTempDir();
    await work(dir);
    await Deno.remove(dir, { recursive: true });
  };
  Deno.test({ name, ignore, ...options, fn });
}

for (const [kind, directives] of [["append-only file", AOF], ["snapshot", RDB]] as const) {
  fileTest(`what SIGTERM ends begins again as it was: ${kind}`, async (dir) => {
    let digest = "";
    await withServer(dir, directives, async (wire) => {
      await fill(wire, 3, 2000);
      await wire.roundTrip("set expiring v px 100000");
      digest = await wire.roundTrip("debug digest");
    });
    await withServer(dir, directives, async (wire) => {
      assertEquals(await wire.roundTrip("debug digest"), digest);
      assert((await wire.roundTrip("info persistence")).includes("loading:0"));
    });
  });
}
fileTest(
  "while data are being loaded clients get -LOADING, and INFO shows the progress",
  async (dir) => {
    await withServer(dir, RDB, async (wire) => {
      await wire.roundTrip("debug populate 20000 key 100");
    });
    const port = freePort();
    const child = Child.spawn(port, dir, ...RDB, "--key-load-delay", "50");
    for (let isLoading = false; !isLoading;) {
      const wire = await Wire.connect(port).catch(() => null);
      if (wire === null) continue;
      const reply = await wire.roundTrip("get key:1");
      assertEquals(reply, "-LOADING Redis is loading the dataset in memory\r\n");
      // A log that began now would have only the loaded part of the data as its base.
      for (
        const pair of [
          "appendonly yes",
          "maxmemory 1 appendonly yes",
          "repl-diskless-load disabled",
        ]
      ) {
        assertEquals(await wire.roundTrip(`config set ${pair}`), reply);
      }
      assertEquals((await wire.roundTrip("config get maxmemory")).endsWith("$1\r\n0\r\n"), true);
      const info = await wire.roundTrip("info persistence");
      assert(/loading:1\r\n(.*\r\n)*loading_total_bytes:\d{5,}/.test(info), info);
      isLoading = true;
      wire.close();
    }
    const wire = await child.started();
    assertEquals(await wire.roundTrip("dbsize"), ":20000\r\n");
    assert((await wire.roundTrip("info persistence")).includes("rdb_last_load_keys_loaded:20000"));
    wire.close();
    await child.stop("SIGKILL");
  },
);
fileTest(
  "while data are being loaded nothing may save or log what is there so far",
  async (dir) => {
    await withServer(dir, RDB, async (wire) => {
      await wire.roundTrip("debug populate 20000 key 100");
    });
    const { size } = await Deno.stat(`${dir}/dump.rdb`);
    const elsewhere = await Deno.makeTempDir();
    const port = freePort();
    const own = ["--enable-protected-configs", "yes", "--key-load-delay", "100"];
    const child = Child.spawn(port, dir, ...RDB, ...own);
    let wire: Wire | null = null;
    while (wire === null) wire = await Wire.connect(port).catch(() => null);
    const refused = [
      ...[
        "config set appendonly yes",
        `config set dir ${elsewhere}`,
        "config set appendonly bogus",
      ],
      ...["config set maxmemory 1gb appendonly yes", "config set appendonly no appendonly no"],
      ...["config set repl-diskless-load swapdb", "debug reload", "debug reload nosave"],
      ...["debug loadaof", "save", "bgsave", "bgrewriteaof", "flushall", "sync", "swapdb 0 1"],
    ];
    for (const line of refused) {
      const reply = await wire.roundTrip(line);
      assertEquals(reply, "-LOADING Redis is loading the dataset in memory\r\n", line);
    }
    assertEquals(await wire.roundTrip("multi"), "+OK\r\n");
    assertEquals(await wire.roundTrip("config set appendonly yes"), "+QUEUED\r\n");
    assert((await wire.roundTrip("exec")).includes("-LOADING"), "nor within a transaction");
    for (const name of ["maxmemory", "appendonly"]) {
      assert(/\r\n(0|no)\r\n$/.test(await wire.roundTrip(`config get ${name}`)), name);
    }
    assertEquals(await wire.roundTrip("config set save '1 1'"), "+OK\r\n");
    assert((await wire.roundTrip("info persistence")).includes("loading:1"), "it still loads");
    // A server that ends while it is loading saves nothing.
    await child.stop("SIGTERM");
    wire.close();
    assertEquals((await Deno.stat(`${dir}/dump.rdb`)).size, size);
    await withServer(dir, RDB, async (wire) => {
      assertEquals(await wire.roundTrip("dbsize"), ":20000\r\n");
    });
    await Deno.remove(elsewhere, { recursive: true });
  },
);
fileTest("a second server refuses the directory of another", async (dir) => {
  await withServer(dir, AOF, async (wire) => {
    assert((await refusal(dir, AOF)).includes(`Another server uses ${dir}`), "the second");
    assertEquals(await wire.roundTrip("set k v"), "+OK\r\n");
  });
  await withServer(dir, AOF, async (wire) => {
    assertEquals(await wire.roundTrip("get k"), "$1\r\nv\r\n");
  });
});
fileTest("a log that ends within a command or a transaction is cut off there", async (dir) => {
  await withServer(dir, AOF, async (wire) => {
    await wire.roundTrip("set first 1");
    await wire.roundTrip("set second 2");
  });
  const path = `${dir}/appendonlydir/appendonly.aof.1.incr.aof`;
  const whole = await Deno.readFile(path);
  const transaction = "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nset\r\n$5\r\nthird\r\n$1\r\n3\r\n";
  for (
    const tail of [
      whole.slice(0, whole.length - 5),
      new Uint8Array([...whole, ...new TextEncoder().encode(transaction)]),
    ]
  ) {
    await Deno.writeFile(path, tail);
    const strict = await refusal(dir, [...AOF, "--aof-load-truncated", "no"]);
    assert(strict.includes("Unexpected end of file reading the append only file"), strict);
    await withServer(dir, AOF, async (wire) => {
      assertEquals(await wire.roundTrip("get first"), "$1\r\n1\r\n");
      assertEquals(await wire.roundTrip("exists third"), ":0\r\n");
    });
    assert((await Deno.stat(path)).size <= whole.length, "what was half there is gone");
  }
});
fileTest(
  "a log with flipped bytes in the middle is refused, with file, offset, remedy",
  async (dir) => {
    await withServer(dir, AOF, async (wire) => {
      for (let i = 0; i < 100; i++) await wire.roundTrip(`set key:${i} value`);
    });
    const path = `${dir}/appendonlydir/appendonly.aof.1.incr.aof`;
    const bytes = await Deno.readFile(path);
    const at = new TextDecoder().decode(bytes).indexOf("key:50");
    // The length of the key.
    bytes[at - 3] = 0x58;
    await Deno.writeFile(path, bytes);
    const text = await refusal(dir, AOF);
    assert(
      text.includes(path) && text.includes("at offset") && text.includes("check-aof --fix"),
      text,
    );
  },
);
fileTest("a snapshot with flipped bytes is refused, with file and offset", async (dir) => {
  await withServer(dir, RDB, async (wire) => {
    for (let i = 0; i < 100; i++) await wire.roundTrip(`set key:${i} value:${i}`);
  });
  const path = `${dir}/dump.rdb`;
  const bytes = await Deno.readFile(path);
  bytes[bytes.length - 50] ^= 0xff;
  await Deno.writeFile(path, bytes);
  const text = await refusal(dir, RDB);
  assert(text.includes(path) && text.includes("at offset"), text);
});
fileTest("appending can be switched on and off, and changes in between are kept", async (dir) => {
  let digest = "";
  await withServer(dir, ["--save", ""], async (wire) => {
    await fill(wire, 5, 500);
    assertEquals(await wire.roundTrip("config set appendonly yes"), "+OK\r\n");
    await fill(wire, 6, 500);
    for (;;) {
      const info = await wire.roundTrip("info persistence");
      if (info.includes("aof_rewrite_in_progress:0") && info.includes("aof_rewrites:1")) break;
    }
    digest = await wire.roundTrip("debug digest");
  }, "SIGKILL");
  await withServer(dir, AOF, async (wire) => {
    assertEquals(await wire.roundTrip("debug digest"), digest);
    assertEquals(await wire.roundTrip("config set appendonly no"), "+OK\r\n");
    await wire.roundTrip("set afterwards 1");
  }, "SIGKILL");
  await withServer(dir, AOF, async (wire) => {
    assertEquals(await wire.roundTrip("debug digest"), digest);
  });
});

fileTest("appendfsync may be changed to always while something waits for a sync", async (dir) => {
  await withServer(dir, AOF, async (wire) => {
    for (const policy of ["everysec", "no"]) {
      await wire.roundTrip(`config set appendfsync ${policy}`);
      await wire.roundTrip("set k v");
      await wire.send("config set appendfsync always\r\nget k\r\nping\r\n");
      for (const reply of ["+OK\r\n", "$1\r\nv\r\n", "+PONG\r\n"]) {
        assertEquals(await wire.read(), reply);
      }
    }
  });
});

const redis = await startRedis();
const skips = redis === null ? " (skipped: redis-server is not installed)" : "";
await redis?.stop();

for (const version of ["9", "10"]) {
  fileTest(`redis-server starts from our files, rdb-version ${version}${skips}`, async (dir) => {
    for (const directives of [AOF, RDB]) {
      let digest = "";
      await withServer(dir, [...directives, "--rdb-version", version], async (wire) => {
        await fill(wire, 13, 2000);
        await wire.roundTrip("del bf bloom");
        digest = await digestWithoutBloom(wire);
      });
      const theirs = await startRedis(dir, directives);
      if (theirs === null) throw new Error("it is installed");
      assertEquals(await theirs.digest(), digest);
      await theirs.stop();
    }
  }, redis === null);
}
fileTest(`we start from redis-server's files${skips}`, async (dir) => {
  for (const directives of [AOF, RDB]) {
    const theirs = await startRedis(dir, directives);
    if (theirs === null) throw new Error("it is installed");
    const wire = await theirs.connect();
    await fill(wire, 17, 2000);
    const digest = await theirs.digest();
    wire.close();
    await theirs.stop();
    await withServer(dir, directives, async (wire) => {
      assertEquals(await wire.roundTrip("debug digest"), digest);
    });
  }
}, redis === null);

/** Bloom filters are not in redis-server. */
async function digestWithoutBloom(wire: Wire): Promise<string> {
  const reply = await wire.roundTrip("scan 0 count 100000 type MBbloom--");
  assert(reply.includes("*0"), "no Bloom filter is among the random keys");
  return await wire.roundTrip("debug digest");
}
fileTest("DEBUG LOADAOF is no change: the log holds what it held, and no DEBUG", async (dir) => {
  await withServer(dir, AOF, async (wire) => {
    await wire.roundTrip("set k v ex 100");
    await wire.roundTrip("persist k");
    const sizeOf = async (): Promise<string | undefined> =>
      /aof_current_size:\d+/.exec(await wire.roundTrip("info persistence"))?.[0];
    const size = await sizeOf();
    for (let i = 0; i < 3; i++) assertEquals(await wire.roundTrip("debug loadaof"), "+OK\r\n");
    assertEquals(await wire.roundTrip("ttl k"), ":-1\r\n");
    assertEquals(await sizeOf(), size);
  });
});

const ONE_FILE = "file log.aof seq 1 type i\n";

/** A directory whose append-only file is `manifest` and one file of requests. */
async function writeLog(dir: string, manifest: string, ...requests: string[][]): Promise<void> {
  await Deno.mkdir(`${dir}/appendonlydir`);
  await Deno.writeTextFile(`${dir}/appendonlydir/appendonly.aof.manifest`, manifest);
  await Deno.writeTextFile(`${dir}/appendonlydir/log.aof`, requests.map(requestOf).join(""));
}

function namesIn(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name);
}

fileTest("a manifest that is none is named together with what is wrong in it", async (dir) => {
  await writeLog(dir, "file log.aof seq x\n");
  const text = await refusal(dir, AOF);
  assert(text.includes("appendonlydir/appendonly.aof.manifest: Invalid AOF manifest file"), text);
});

fileTest(
  "commands of administrators in a log are passed over: they save nothing and end nothing",
  async (dir) => {
    const admin = [
      "SAVE",
      "BGSAVE",
      "BGREWRITEAOF",
      "SHUTDOWN",
      "DEBUG RELOAD",
      "CONFIG SET save 1",
    ];
    const requests = admin.map((line) => line.split(" "));
    await writeLog(
      dir,
      ONE_FILE,
      ["SET", "a", "1"],
      ...requests,
      ["MULTI"],
      ["SET", "b", "1"],
      ["SAVE"],
      ["EXEC"],
      ["SET", "c", "1"],
    );
    await withServer(dir, AOF, async (wire) => {
      assertEquals(await wire.roundTrip("EXISTS a b c"), ":3\r\n");
      assertEquals(await wire.roundTrip("CONFIG GET save"), "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
      assert(!namesIn(dir).includes("dump.rdb"), "nothing is saved");
    }, "SIGKILL");
  },
);

fileTest(
  "a server that saves nothing removes unfinished files, too, unless another one is there",
  async (dir) => {
    const unfinished = `${dir}/temp-bgsave-99999-1.rdb`;
    const nothing = ["--appendonly", "no", "--save", ""];
    await Deno.writeTextFile(unfinished, "half");
    await withServer(dir, nothing, async () => {
      assertEquals(namesIn(dir), ["respite.lock"]);
      // It may be another's by now.
      await Deno.writeTextFile(unfinished, "half");
      await withServer(dir, nothing, () => Promise.resolve());
      assertEquals(await Deno.readTextFile(unfinished), "half");
    });
  },
);
