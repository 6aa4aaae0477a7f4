import { assertEquals } from "@std/assert";
import { Hasher } from "../lib/hash.ts";
import { Args, argsOf } from "./args.ts";
import { Pipeline } from "./pipeline.ts";

const HASHER = new Hasher(7, 2);

/** A pipeline of `GET key` for each key; requests end at 10, 20, 30 …. */
function pipelineOf(owner: object, ...keys: string[]): Pipeline {
  const all = argsOf("GET", ...keys);
  const pipeline = new Pipeline();
  pipeline.begin(owner, all.bytesOf(0), all.viewOf(0));
  for (let i = 0; i < keys.length; i++) {
    pipeline.bounds[i].set([all.start(0), all.end(0), all.start(1 + i), all.end(1 + i)]);
    pipeline.push(2, 10 * (i + 1));
  }
  return pipeline;
}

function words(args: Args): string[] {
  return Array.from({ length: args.count }, (_, i) => args.text(i));
}

Deno.test("requests come out in order, for their owner alone", () => {
  const [owner, other] = [{}, {}];
  const pipeline = pipelineOf(owner, "a", "b");
  const args = new Args();
  assertEquals(pipeline.hasNext(other), false);
  assertEquals(pipeline.hasNext(owner), true);
  assertEquals(pipeline.take(args), 10);
  assertEquals(words(args), ["GET", "a"]);
  assertEquals(pipeline.take(args), 20);
  assertEquals(words(args), ["GET", "b"]);
  assertEquals(pipeline.hasNext(owner), false);
});

Deno.test("what is left is forgotten when its bytes move, and when another owner begins", () => {
  const [owner, other] = [{}, {}];
  const pipeline = pipelineOf(owner, "a", "b");
  pipeline.drop(other);
  assertEquals(pipeline.hasNext(owner), true);
  pipeline.drop(owner);
  assertEquals(pipeline.hasNext(owner), false);
  const second = pipelineOf(owner, "a");
  second.begin(other, second.bytes, second.view);
  assertEquals(second.hasNext(owner), false);
});

Deno.test("arguments that are kept outlive the pipeline", () => {
  const pipeline = pipelineOf({}, "a", "b");
  const args = new Args();
  pipeline.take(args);
  args.keep();
  pipeline.bounds[0].fill(0);
  assertEquals(words(args), ["GET", "a"]);
  args.keep();
  assertEquals(words(args), ["GET", "a"]);
});

Deno.test("a hash that the listener computed is used for its request and for no other", () => {
  const pipeline = pipelineOf({}, "a", "b");
  const args = new Args();
  const hashOf = (index: number) =>
    HASHER.hashOnce(args.viewOf(0), args.start(index), args.end(index));
  pipeline.hashes.set([1111, 2222]);
  pipeline.areHashed(1, HASHER);
  pipeline.take(args);
  assertEquals(hashOf(1), 1111);
  assertEquals(hashOf(0), HASHER.hash(args.viewOf(0), args.start(0), args.end(0)));
  pipeline.take(args);
  assertEquals(hashOf(1), 2222);
  pipeline.begin({}, args.bytesOf(0), args.viewOf(0));
  assertEquals(hashOf(1), HASHER.hash(args.viewOf(0), args.start(1), args.end(1)));
});

Deno.test("borrowed arguments are given back, own ones stay", () => {
  const pipeline = pipelineOf({}, "a");
  const args = new Args();
  pipeline.take(args);
  args.giveBack();
  assertEquals(args.count, 0);
  args.push(0, 3);
  args.giveBack();
  assertEquals(words(args), ["GET"]);
});
