/** Our own version, and the Redis whose commands, replies and errors we give. */
export const RESPITE_VERSION = "0.1.0";
export const REDIS_VERSION = "7.2.6";
