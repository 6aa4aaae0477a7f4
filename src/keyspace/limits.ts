/** Sizes at which collections change their encoding: the parameters of the same names. */
export class Limits {
  hashMaxListpackEntries = 512;
  hashMaxListpackValue = 64;
  /** Positive: elements of a node; -1 to -5: 4 to 64 KiB. */
  listMaxListpackSize = -2;
  listCompressDepth = 0;
  setMaxIntsetEntries = 512;
  setMaxListpackEntries = 128;
  setMaxListpackValue = 64;
  zsetMaxListpackEntries = 128;
  zsetMaxListpackValue = 64;
  /** 0 means no limit, in both. */
  streamNodeMaxBytes = 4096;
  streamNodeMaxEntries = 100;
  hllSparseMaxBytes = 3000;
}
