export class Parameters {
  values = { databases: 16, requirepass: "", protoMaxBulkLen: 512 * 1024 * 1024, clientQueryBufferLimit: 1024 ** 3, slowlogLogSlowerThan: 10000, slowlogMaxLen: 128, latencyTracking: true, tcpBacklog: 4096, maxclients: 10000, tcpKeepalive: 300, protectedMode: true, timeout: 0 };
  isSensitive(_n: string): boolean { return false; }
}
