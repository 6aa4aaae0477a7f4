/** The names of keys that were seen: what Tab offers. */
import { quoteWord } from "../../config/words.ts";
import type { CommandBook } from "./command_book.ts";
import { matchUsage } from "./grammar.ts";
import { binaryOf, isGroup, itemsOf, type Reply } from "../../protocol/reply.ts";

const NAMES_MAX = 10_000;
const OFFERED_MAX = 100;
const PLAIN_REGEXP = /^[!#-&(-[\]-~]+$/;

export class KeyNames {
  /** In the order in which they were seen last. */
  readonly #names = new Set<string>();

  constructor(readonly book: CommandBook) {}

  /** Notes the keys in a command and in its reply. */
  note(words: readonly string[], reply: Reply | null): void {
    if (reply === null || reply.kind === "error") return;
    const name = words[0].toLowerCase();
    if (name === "keys") this.#addAll(itemsOf(reply));
    else if (name === "scan") this.#addAll(itemsOf(itemsOf(reply)[1]));
    else if (name === "randomkey") this.#addAll([reply]);
    const named = this.book.find(words);
    if (named === null || named.usage === null) return;
    const { roles } = matchUsage(named.usage, words.slice(named.words));
    for (const [i, role] of roles.entries()) if (role === "key") this.#add(words[named.words + i]);
  }

  /** Names as they are typed, the last ones first. */
  beginningWith(typed: string): string[] {
    const found: string[] = [];
    for (const name of [...this.#names].reverse()) {
      const shown = PLAIN_REGEXP.test(name) ? name : quoteWord(name);
      if (shown.startsWith(typed)) found.push(shown);
      if (found.length === OFFERED_MAX) break;
    }
    return found;
  }

  #addAll(replies: readonly Reply[]): void {
    for (const reply of replies) {
      if (!isGroup(reply) && reply.kind === "string") this.#add(binaryOf(reply.bytes));
    }
  }

  /** `name` is binary. */
  #add(name: string): void {
    this.#names.delete(name);
    this.#names.add(name);
    if (this.#names.size <= NAMES_MAX) return;
    for (const oldest of this.#names) {
      this.#names.delete(oldest);
      return;
    }
  }
}
