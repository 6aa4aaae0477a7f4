/** What `respite cli` does instead of running commands. */
import { findBigKeys, findHotKeys } from "./big_keys.ts";
import type { Context } from "./context.ts";
import { measureIntrinsicLatency, measureLatency } from "./latency.ts";
import { testLru } from "./lru_simulation.ts";
import { transferPipe } from "./pipe.ts";
import { scanKeys } from "./scan.ts";
import { followPrimary, saveSnapshot } from "./snapshot.ts";
import { showStatistics } from "./stat.ts";

/** Runs the mode that the options name; returns the exit code. */
export async function runMode(context: Context): Promise<number> {
  const { mode, amount } = context.options;
  if (mode === "intrinsic-latency") {
    measureIntrinsicLatency(context, amount);
    return 0;
  }
  await context.client.connect();
  switch (mode) {
    case "scan":
      await scanKeys(context);
      return 0;
    case "big-keys":
    case "mem-keys":
      await findBigKeys(context);
      return 0;
    case "hot-keys":
      await findHotKeys(context);
      return 0;
    case "stat":
      return await showStatistics(context);
    case "latency":
    case "latency-history":
    case "latency-dist":
      return await measureLatency(context, mode);
    case "lru-test":
      return await testLru(context, amount);
    case "replica":
      return await followPrimary(context);
    case "rdb":
    case "functions-rdb":
      await saveSnapshot(context);
      return 0;
    default:
      return await transferPipe(context);
  }
}
