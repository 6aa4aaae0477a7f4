/** What applications do with BullMQ. All of it runs in scripts, and much over streams and sorted sets. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { FlowProducer, type Job, Queue, QueueEvents, Worker } from "bullmq";
import { createClient } from "redis5";
import { Wire } from "../support/live.ts";
import { until } from "../support/waiting.ts";
import { serverTest } from "./with_server.ts";

/** How long results are awaited: they come at once unless the machine has other work. */
const WAIT_MS = 60_000;

/** What a test makes, to be closed in reverse order; all of it works on one queue. */
class Shop {
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly connection: { host: string; port: number };
  readonly queue: Queue;

  constructor(port: number) {
    this.connection = { host: "127.0.0.1", port };
    this.queue = this.#kept(new Queue("jobs", { connection: this.connection }));
  }

  worker(work: (job: Job) => Promise<unknown>, options = {}): Worker {
    const worker = new Worker("jobs", work, { connection: this.connection, ...options });
    return this.#kept(worker);
  }

  async events(): Promise<QueueEvents> {
    const events = this.#kept(new QueueEvents("jobs", { connection: this.connection }));
    await events.waitUntilReady();
    return events;
  }

  flows(): FlowProducer {
    return this.#kept(new FlowProducer({ connection: this.connection }));
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
  }

  #kept<T extends { close(): Promise<unknown> }>(part: T): T {
    this.#closers.push(() => part.close());
    return part;
  }
}

function shopTest(name: string, work: (shop: Shop) => Promise<void>): void {
  serverTest(name, async (port) => {
    const shop = new Shop(port);
    try {
      await work(shop);
    } finally {
      await shop.close();
    }
  });
}

shopTest("BullMQ's worker processes what a queue holds, each job once", async (shop) => {
  const done: number[] = [];
  await shop.queue.addBulk(
    Array.from({ length: 200 }, (_, n) => ({ name: "square", data: { n } })),
  );
  assertEquals(await shop.queue.getJobCountByTypes("wait"), 200);
  const worker = shop.worker((job) => Promise.resolve(job.data.n ** 2), { concurrency: 20 });
  worker.on("completed", (job, result) => {
    assertEquals(result, job.data.n ** 2);
    done.push(job.data.n);
  });
  await until(() => done.length >= 200);
  assertEquals(done.sort((a, b) => a - b), Array.from({ length: 200 }, (_, n) => n));
  assertEquals(await shop.queue.getJobCounts("wait", "active", "completed", "failed"), {
    wait: 0,
    active: 0,
    completed: 200,
    failed: 0,
  });
});
shopTest("BullMQ tells who added a job of its progress and result", async (shop) => {
  const events = await shop.events();
  const progress: unknown[] = [];
  events.on("progress", ({ data }) => progress.push(data));
  shop.worker(async (job) => {
    await job.updateProgress(50);
    await job.log("half way");
    await job.updateData({ ...job.data, seen: true });
    return { sum: job.data.a + job.data.b };
  });
  const job = await shop.queue.add("add", { a: 1, b: 2 });
  assertEquals(await job.waitUntilFinished(events, WAIT_MS), { sum: 3 });
  await until(() => progress.length > 0);
  assertEquals(progress, [50]);
  const found = await shop.queue.getJob(job.id ?? "");
  assertEquals(found?.data, { a: 1, b: 2, seen: true });
  assertEquals((await shop.queue.getJobLogs(job.id ?? "")).logs, ["half way"]);
  assertEquals(await found?.getState(), "completed");
});
shopTest(
  "BullMQ tries a job that failed again, and keeps the one that always fails",
  async (shop) => {
    const events = await shop.events();
    const tries: string[] = [];
    shop.worker((job) => {
      tries.push(job.name);
      if (job.name === "hopeless" || job.attemptsMade < 2) {
        throw new Error(`no ${job.attemptsMade}`);
      }
      return Promise.resolve("at last");
    });
    const options = { attempts: 3, backoff: { type: "fixed", delay: 20 } };
    const stubborn = await shop.queue.add("stubborn", {}, options);
    assertEquals(await stubborn.waitUntilFinished(events, WAIT_MS), "at last");
    const hopeless = await shop.queue.add("hopeless", {}, options);
    await assertRejects(() => hopeless.waitUntilFinished(events, WAIT_MS), Error, "no 2");
    assertEquals(tries.filter((name) => name === "hopeless").length, 3);
    const [failed] = await shop.queue.getFailed();
    assertEquals([failed.id, failed.failedReason], [hopeless.id, "no 2"]);
    await failed.retry();
    await until(async () => tries.length > 6 && await failed.getState() === "failed");
  },
);
shopTest("BullMQ holds a delayed job back until it is due", async (shop) => {
  const events = await shop.events();
  const order: string[] = [];
  shop.worker((job) => Promise.resolve(order.push(job.name)));
  const never = await shop.queue.add("never", {}, { delay: 3_600_000 });
  const late = await shop.queue.add("late", {}, { delay: 100 });
  await late.waitUntilFinished(events, WAIT_MS);
  const { timestamp, processedOn } = await shop.queue.getJob(late.id ?? "") ?? late;
  assert((processedOn ?? 0) >= timestamp + 100);
  assertEquals([await never.getState(), order], ["delayed", ["late"]]);
  await never.promote();
  await never.waitUntilFinished(events, WAIT_MS);
  assertEquals(order, ["late", "never"]);
});
shopTest("BullMQ's job scheduler repeats a job until it is removed", async (shop) => {
  const seen: unknown[] = [];
  shop.worker((job) => Promise.resolve(seen.push(job.data)));
  const template = { name: "tick", data: { at: "any" } };
  await shop.queue.upsertJobScheduler("ticks", { every: 50 }, template);
  await until(() => seen.length >= 3);
  assertEquals(seen[0], { at: "any" });
  assertEquals(await shop.queue.getJobSchedulersCount(), 1);
  assertEquals(await shop.queue.removeJobScheduler("ticks"), true);
  await until(async () => await shop.queue.getActiveCount() === 0);
  assertEquals(await shop.queue.getJobCountByTypes("delayed", "wait"), 0);
  await shop.queue.upsertJobScheduler("daily", { pattern: "0 15 3 * * *", tz: "UTC" }, template);
  const [scheduler] = await shop.queue.getJobSchedulers();
  assertEquals([scheduler.key, scheduler.pattern], ["daily", "0 15 3 * * *"]);
  assertEquals(new Date(scheduler.next ?? 0).toISOString().slice(11), "03:15:00.000Z");
});
shopTest("BullMQ's jobs with a lower number of priority come first", async (shop) => {
  const order: string[] = [];
  for (const [name, priority] of [["c", 300], ["b", 2], ["a", 1], ["b2", 2]] as const) {
    await shop.queue.add(name, {}, { priority });
  }
  await shop.queue.add("none", {});
  assertEquals(await shop.queue.getCountsPerPriority([0, 1, 2, 300]), { 0: 1, 1: 1, 2: 2, 300: 1 });
  const last = await shop.queue.add("last", {}, { priority: 400 });
  await last.changePriority({ priority: 1 });
  shop.worker((job) => Promise.resolve(order.push(job.name)), { concurrency: 1 });
  await until(() => order.length === 6);
  assertEquals(order, ["none", "a", "last", "b", "b2", "c"]);
});
shopTest("BullMQ's flow runs the parent when its children are done", async (shop) => {
  const events = await shop.events();
  shop.worker(async (job) => {
    if (job.name === "child") return job.data.n * 10;
    const values = Object.values(await job.getChildrenValues());
    return values.reduce((sum, n) => sum + n, 0);
  }, { concurrency: 3 });
  const children = [1, 2, 3].map((n) => ({ name: "child", queueName: "jobs", data: { n } }));
  const middle = { name: "sum", queueName: "jobs", data: {}, children };
  const more = { name: "child", queueName: "jobs", data: { n: 4 } };
  const { job } = await shop.flows().add({
    name: "sum",
    queueName: "jobs",
    data: {},
    children: [middle, more],
  });
  assertEquals(await job.waitUntilFinished(events, WAIT_MS), 100);
  const { processed, unprocessed } = await job.getDependencies();
  assertEquals(Object.values(processed ?? {}).sort(), [40, 60]);
  assertEquals(unprocessed ?? [], []);
});
shopTest(
  "BullMQ's flow fails the parent of a child that fails, if it is asked to",
  async (shop) => {
    const events = await shop.events();
    shop.worker((job) => {
      if (job.name === "child") throw new Error("broken");
      return Promise.resolve("never");
    });
    const opts = { failParentOnFailure: true };
    const { job } = await shop.flows().add({
      name: "parent",
      queueName: "jobs",
      children: [{ name: "child", queueName: "jobs", opts }],
    });
    await assertRejects(() => job.waitUntilFinished(events, WAIT_MS), Error, "child");
    assertEquals(await job.getState(), "failed");
  },
);
shopTest("BullMQ's rate limit lets no more jobs start than allowed", async (shop) => {
  const { queue } = shop;
  const started: string[] = [];
  const limits = { limiter: { max: 3, duration: 600_000 }, maximumRateLimitDelay: 20 };
  await queue.addBulk(Array.from({ length: 7 }, () => ({ name: "limited", data: {} })));
  shop.worker((job) => Promise.resolve(started.push(job.name)), { ...limits, concurrency: 10 });
  for (const allowed of [3, 6, 7]) {
    await until(async () => await queue.getCompletedCount() === allowed);
    assert(await queue.getRateLimitTtl() > 0);
    assertEquals([started.length, await queue.getWaitingCount()], [allowed, 7 - allowed]);
    await queue.removeRateLimitKey();
  }
});
shopTest(
  "BullMQ adds no second job under an id, nor while one of its kind is deduplicated",
  async (shop) => {
    const first = await shop.queue.add("a", { n: 1 }, { jobId: "one" });
    const second = await shop.queue.add("a", { n: 2 }, { jobId: "one" });
    assertEquals([first.id, second.id], ["one", "one"]);
    const same = { deduplication: { id: "kind", ttl: 60_000 } };
    const third = await shop.queue.add("b", {}, same);
    const fourth = await shop.queue.add("b", {}, same);
    assertEquals(fourth.id, third.id);
    assertEquals(await shop.queue.getWaitingCount(), 2);
    assertEquals((await shop.queue.getJob("one"))?.data, { n: 1 });
  },
);
shopTest("BullMQ pauses, resumes, cleans, drains and obliterates a queue", async (shop) => {
  const done: string[] = [];
  const worker = shop.worker((job) => Promise.resolve(done.push(job.name)));
  await worker.waitUntilReady();
  await shop.queue.pause();
  await shop.queue.add("first", {});
  assertEquals(await shop.queue.isPaused(), true);
  assertEquals(done, []);
  await shop.queue.resume();
  await until(async () => await shop.queue.getCompletedCount() === 1);
  assertEquals((await shop.queue.clean(0, 10, "completed")).length, 1);
  await worker.close();
  await shop.queue.addBulk(["x", "y"].map((name) => ({ name, data: {}, opts: { delay: 1e6 } })));
  await shop.queue.add("z", {});
  await shop.queue.drain(true);
  assertEquals(await shop.queue.count(), 0);
  await shop.queue.add("w", {});
  await shop.queue.obliterate();
  assertEquals(await shop.queue.getJobCountByTypes("wait"), 0);
  const wire = await Wire.connect(shop.connection.port);
  assertEquals(await wire.roundTrip("keys bull:jobs:*"), "*0\r\n");
  wire.close();
});
shopTest("BullMQ gives a job whose worker went silent to another one", async (shop) => {
  const events = await shop.events();
  const stalled: string[] = [];
  events.on("stalled", ({ jobId }) => stalled.push(jobId));
  let release = (): void => {};
  const stuck = new Promise<void>((resolve) => (release = resolve));
  const options = { lockDuration: 100, skipLockRenewal: true, skipStalledCheck: true };
  const silent = shop.worker(() => stuck, options);
  silent.on("error", () => {}); // It has lost its lock when it ends.
  const job = await shop.queue.add("job", {});
  await until(async () => await job.isActive());
  const other = shop.worker(() => Promise.resolve("saved"), { stalledInterval: 100 });
  assertEquals(await job.waitUntilFinished(events, WAIT_MS), "saved");
  assertEquals(stalled, [job.id]);
  release();
  await other.close();
});
serverTest("BullMQ works with a client of node-redis, too", async (port) => {
  const connection = await createClient({ socket: { host: "127.0.0.1", port } }).connect();
  const queue = new Queue("jobs", { connection });
  const events = new QueueEvents("jobs", { connection });
  const worker = new Worker("jobs", (job) => Promise.resolve(job.data.n + 1), { connection });
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
  const later = await queue.add("job", { n: 41 }, { delay: 50 });
  const job = await queue.add("job", { n: 1 });
  assertEquals(await job.waitUntilFinished(events, WAIT_MS), 2);
  assertEquals(await later.waitUntilFinished(events, WAIT_MS), 42);
  for (const part of [worker, events, queue]) await part.close();
  await connection.close();
});
