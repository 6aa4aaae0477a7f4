/** The object behind the encoding `hashtable`: a large set, or a large hash. */
import type { MemberTable } from "../structures/member_table.ts";
import type { HeapValue } from "./entry.ts";

export class HashTable implements HeapValue {
  readonly encodingName = "hashtable";
  accountedBytes = 0;

  constructor(readonly members: MemberTable) {}

  get bytes(): number {
    return this.members.bytes;
  }

  get arenaBytes(): number {
    return this.members.arenaBytes;
  }

  get effort(): number {
    return this.members.count;
  }

  get isEmpty(): boolean {
    return this.members.count === 0;
  }

  clone(): HashTable {
    return new HashTable(this.members.clone());
  }

  release(limit: number): boolean {
    return this.members.release(limit);
  }

  relocate(cursor: number, limit: number): number {
    return this.members.relocate(cursor, limit, null);
  }

  dispose(): void {
    this.members.dispose();
  }
}
