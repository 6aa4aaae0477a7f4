/**
 * Every error text a client can see, letter for letter as Redis 7.2 sends it: clients and tests
 * match on them. The fixed ones are encoded once, so that answering them allocates nothing; those
 * that quote the request are functions, for code that runs seldom.
 */
import { cText } from "../lib/c_text.ts";
import { inUpperCase } from "../lib/letter_case.ts";
import type { Args } from "./args.ts";

/** An error reply, ready to be copied to a client: "-", the text, CRLF. */
export type ErrorReply = Uint8Array;

const BLANK = 0x20;
const CR = 0x0d;
const LF = 0x0a;

/**
 * The reply for an error text such as "ERR syntax error". The text has one character for each byte, so that it can quote
 * a request's bytes as they are; CR and LF in it become spaces.
 */
export function errorReply(text: string): ErrorReply {
  const bytes = Uint8Array.from(`-${text}\r\n`, (character) => character.charCodeAt(0));
  for (let i = 0; i < bytes.length - 2; i++) {
    if (bytes[i] === CR || bytes[i] === LF) bytes[i] = BLANK;
  }
  return bytes;
}

/** The text of an error reply. */
export function errorText(reply: ErrorReply): string {
  return String.fromCharCode(...reply).slice(1).trimEnd();
}

/** What Redis shows of a client's bytes: up to the first zero byte, and no more than `max`. */
function shown(text: string, max = Infinity): string {
  return cText(text).slice(0, max);
}

const e = errorReply;

/** A command of a transaction that was allowed when it was queued. */
function rightsChanged(why: string): ErrorReply {
  return errorReply(
    "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC " +
      `call. This command is no longer allowed for the following reason: ${why}`,
  );
}

/** As `shown` where a text ends with the client's bytes: the end has no line break. */
function atEnd(text: string): string {
  return shown(text).replace(/[\r\n]+$/, "");
}

/** The refusal of a command that `directive` allows. */
function notAllowed(name: string, directive: string): ErrorReply {
  return e(
    `ERR ${name} command not allowed. If the ${directive} option is set to "local", you can run it ` +
      "from a local connection, otherwise you need to set this option in the configuration file, " +
      "and then restart the server.",
  );
}

export const Errors = {
  // Arguments
  syntax: e("ERR syntax error"),
  notAnInteger: e("ERR value is not an integer or out of range"),
  notAFloat: e("ERR value is not a valid float"),
  outOfRange: e("ERR value is out of range"),
  notPositive: e("ERR value is out of range, must be positive"),
  invalidCursor: e("ERR invalid cursor"),
  dbIndexOutOfRange: e("ERR DB index is out of range"),

  // Messages
  shardInTransaction: e("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"),

  // Keys and values
  wrongType: e("WRONGTYPE Operation against a key holding the wrong kind of value"),
  noSuchKey: e("ERR no such key"),
  sameObject: e("ERR source and destination objects are the same"),
  hashNotAnInteger: e("ERR hash value is not an integer"),
  hashNotAFloat: e("ERR hash value is not a float"),
  overflow: e("ERR increment or decrement would overflow"),
  decrementOverflow: e("ERR decrement would overflow"),
  nanOrInfinity: e("ERR increment would produce NaN or Infinity"),
  stringTooLong: e("ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
  offsetOutOfRange: e("ERR offset is out of range"),
  bitOffset: e("ERR bit offset is not an integer or out of range"),
  bitValue: e("ERR bit is not an integer or out of range"),

  expireNxConflict: e("ERR NX and XX, GT or LT options at the same time are not compatible"),
  expireGtLtConflict: e("ERR GT and LT options at the same time are not compatible"),

  bitArgument: e("ERR The bit argument must be 1 or 0."),
  bitopNot: e("ERR BITOP NOT must be called with a single source key."),
  bitfieldType: e(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
  ),
  bitfieldRo: e("ERR BITFIELD_RO only supports the GET subcommand"),
  overflowType: e("ERR Invalid OVERFLOW type specified"),
  lcsStrings: e("ERR The specified keys must contain string values"),
  lcsBoth: e("ERR If you want both the length and indexes, please just use IDX."),
  lcsTooLarge: e("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"),

  // Collections
  randomCount: e(
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
  ),
  notZeroOrOne: e("ERR value is out of range, value must between 0 and 1"),
  missingFilter: e("ERR Missing rdb-filter-only values"),
  outOfRangeDatabase: e("ERR Out of range database"),
  notSds: e("ERR Not an sds encoded string."),
  notListpack: e("ERR Not a listpack encoded object."),
  notQuicklist: e("ERR Not a quicklist encoded object."),
  notHashTable: e(
    "ERR The value stored at the specified key is not represented using an hash table",
  ),
  notAnInt32: e("ERR value is out of range, value must between -2147483648 and 2147483647"),
  notASketch: e("WRONGTYPE Key is not a valid HyperLogLog string value."),
  damagedSketch: e("INVALIDOBJ Corrupted HLL object detected"),
  notSparse: e("ERR HLL encoding is not sparse"),
  noSpecifiedKey: e("ERR The specified key does not exist"),

  // Bloom filters, as their module says it
  bloomFull: e("ERR non scaling filter is full"),
  bloomExists: e("ERR item exists"),
  bloomMissing: e("ERR not found"),
  bloomBadRate: e("ERR bad error rate"),
  bloomRateRange: e("ERR (0 < error rate range < 1)"),
  bloomBadCapacity: e("ERR bad capacity"),
  bloomCapacityRange: e("ERR (capacity should be larger than 0)"),
  bloomBadExpansion: e("ERR bad expansion"),
  bloomFixedExpansion: e("ERR Nonscaling filters cannot expand"),
  bloomTooLarge: e("ERR could not create filter"),
  bloomBadFact: e("ERR Invalid information value"),

  // Streams
  invalidStreamId: e("ERR Invalid stream ID specified as stream command argument"),
  invalidRangeStart: e("ERR invalid start ID for the interval"),
  invalidRangeEnd: e("ERR invalid end ID for the interval"),
  trimLengthNegative: e("ERR The MAXLEN argument must be >= 0."),
  trimLimitNegative: e("ERR The LIMIT argument must be >= 0."),
  twoTrims: e(
    "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
  ),
  limitNeedsTrim: e(
    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
  ),
  limitNeedsRough: e("ERR syntax error, LIMIT cannot be used without the special ~ option"),
  noTrim: e("ERR syntax error, XTRIM must be called with a trimming strategy"),
  streamIdZero: e("ERR The ID specified in XADD must be greater than 0-0"),
  streamIdTooSmall: e(
    "ERR The ID specified in XADD is equal or smaller than the target stream top item",
  ),
  streamExhausted: e("ERR The stream has exhausted the last possible ID, unable to add more items"),
  streamEntryTooLarge: e("ERR Elements are too large to be stored"),
  entriesAddedNegative: e("ERR entries_added must be positive"),
  lastIdBelowDeleted: e(
    "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
  ),
  lastIdBelowGivenDeleted: e(
    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
  ),
  lastIdBelowTop: e("ERR The ID specified in XSETID is smaller than the target stream top item"),
  entriesAddedBelowLength: e(
    "ERR The entries_added specified in XSETID is smaller than the target stream length",
  ),
  groupOfXread: e(
    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
  ),
  noackOfXread: e(
    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
  ),
  noGroupOption: e("ERR Missing GROUP option for XREADGROUP"),
  newestOfGroup: e(
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of " +
      "this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would " +
      "just return an empty result set.",
  ),
  undeliveredOfXread: e(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
  ),
  timeoutNotAnInteger: e("ERR timeout is not an integer or out of range"),
  groupNeedsStream: e(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use " +
      "the MKSTREAM option to create an empty stream automatically.",
  ),
  groupExists: e("BUSYGROUP Consumer Group name already exists"),
  entriesReadNegative: e("ERR value for ENTRIESREAD must be positive or -1"),
  claimMinIdle: e("ERR Invalid min-idle-time argument for XCLAIM"),
  claimIdle: e("ERR Invalid IDLE option argument for XCLAIM"),
  claimTime: e("ERR Invalid TIME option argument for XCLAIM"),
  claimRetries: e("ERR Invalid RETRYCOUNT option argument for XCLAIM"),
  autoclaimMinIdle: e("ERR Invalid min-idle-time argument for XAUTOCLAIM"),
  claimCount: e("ERR COUNT must be > 0"),
  claimMemory: e(
    "ERR Insufficient memory, failed allocating transient memory, COUNT too high.",
  ),

  unblocked: e("UNBLOCKED client unblocked via CLIENT UNBLOCK"),
  timeoutNotAFloat: e("ERR timeout is not a float or out of range"),
  timeoutNegative: e("ERR timeout is negative"),
  timeoutOutOfRange: e("ERR timeout is out of range"),
  numkeysNotPositive: e("ERR numkeys should be greater than 0"),
  numkeysTooLarge: e("ERR Number of keys can't be greater than number of args"),
  numkeysNegative: e("ERR Number of keys can't be negative"),
  incrementNotFinite: e("ERR value is NaN or Infinity"),
  zaddNxXx: e("ERR XX and NX options at the same time are not compatible"),
  zaddGtLtNx: e("ERR GT, LT, and/or NX options at the same time are not compatible"),
  zaddIncr: e("ERR INCR option supports a single increment-element pair"),
  scoreNan: e("ERR resulting score is not a number (NaN)"),
  scoreRange: e("ERR min or max is not a float"),
  lexRange: e("ERR min or max not valid string range item"),
  limitNeedsBy: e(
    "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
  ),
  scoresOfLex: e("ERR syntax error, WITHSCORES not supported in combination with BYLEX"),
  weightNotAFloat: e("ERR weight value is not a float"),
  sortScores: e("ERR One or more scores can't be converted into double"),
  geoUnit: e("ERR unsupported unit provided. please use M, KM, FT, MI"),
  geoRadius: e("ERR need numeric radius"),
  geoRadiusNegative: e("ERR radius cannot be negative"),
  geoWidth: e("ERR need numeric width"),
  geoHeight: e("ERR need numeric height"),
  geoBoxNegative: e("ERR height or width cannot be negative"),
  geoCount: e("ERR COUNT must be > 0"),
  geoAny: e("ERR the ANY argument requires COUNT argument"),
  geoMember: e("ERR could not decode requested zset member"),
  indexOutOfRange: e("ERR index out of range"),
  countNotPositive: e("ERR count should be greater than 0"),
  countNegative: e("ERR COUNT can't be negative"),
  maxlenNegative: e("ERR MAXLEN can't be negative"),
  rankZero: e(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
      "or use negative to start from the end of the list",
  ),
  limitNegative: e("ERR LIMIT can't be negative"),

  // Connection and refusals
  noAuth: e("NOAUTH Authentication required."),
  helloNoAuth: e(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto>" +
      " AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol" +
      " version at the same time",
  ),
  commandForbidden: rightsChanged("no permission to execute the command or subcommand"),
  keyForbidden: rightsChanged("no permission to touch the specified keys"),
  channelForbidden: rightsChanged(
    "no permission to access one of the channels used as arguments",
  ),
  sortByDenied: e("ERR BY option of SORT denied due to insufficient ACL permissions."),
  sortGetDenied: e("ERR GET option of SORT denied due to insufficient ACL permissions."),
  defaultUserStays: e("ERR The 'default' user cannot be removed"),
  genpassBits: e(
    "ERR ACL GENPASS argument must be the number of bits for the output password, a positive " +
      "number up to 4096",
  ),
  noAclFile: e(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users " +
      "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis " +
      "configuration file set) in order to store users in the Redis configuration.",
  ),
  aclNotSaved: e(
    "ERR There was an error trying to save the ACLs. Please check the server logs for more " +
      "information",
  ),
  wrongPass: e("WRONGPASS invalid username-password pair or user is disabled."),
  noProto: e("NOPROTO unsupported protocol version"),
  protoNotInteger: e("ERR Protocol version is not an integer or out of range"),
  cannotAllocate: e("OOM the value needs more memory than there is"),
  arenaFull: e(
    "OOM command not allowed: keys and values may take 32 GiB, nearly all of which are in use",
  ),
  outOfMemory: e("OOM command not allowed when used memory > 'maxmemory'."),
  loading: e("LOADING Redis is loading the dataset in memory"),
  misconf: e(
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk." +
      " Commands that may modify the data set are disabled, because this instance is configured to report" +
      " errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check" +
      " the Redis logs for details about the RDB error.",
  ),
  failed: e("ERR"),
  saveInProgress: e("ERR Background save already in progress"),
  saveWhileRewriting: e(
    "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order" +
      " to schedule a BGSAVE whenever possible.",
  ),
  rewriteInProgress: e("ERR Background append only file rewriting already in progress"),
  rewriteFailed: e(
    "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
  ),
  debugReload: e("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."),
  reloadFailed: e("ERR Error trying to load the RDB dump, check server logs."),
  reloadLogFailed: e("ERR Error trying to load the AOF files, check server logs."),
  shutdownFailed: e("ERR Errors trying to SHUTDOWN. Check logs."),
  migrateKeys: e(
    "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
  ),
  migrateInMulti: e("ERR MIGRATE can't wait for another server inside MULTI"),

  // Functions
  noMetadata: e("ERR Missing library metadata"),
  badMetadata: e("ERR Invalid library metadata"),
  secondLibraryName: e("ERR Invalid metadata value, name argument was given multiple times"),
  noLibraryName: e("ERR Library name was not given"),
  badLibraryName: e(
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
  ),
  noFunctions: e("ERR No functions registered"),
  noSuchFunction: e("ERR Function not found"),
  noSuchLibrary: e("ERR Library not found"),
  functionKeyCount: e("ERR Bad number of keys provided"),
  functionFlush: e("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"),
  restorePolicy: e(
    "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
  ),
  libraryPattern: e("ERR library name argument was not given"),
  previewLibrary: e("ERR Pre-GA function format not supported"),
  notALibrary: e("ERR given type is not a function"),
  damagedLibrary: e("ERR Failed loading library payload"),

  noPayload: e("ERR DUMP payload version or checksum are wrong"),
  badPayload: e("ERR Bad data format"),
  busyKey: e("BUSYKEY Target key name already exists."),
  invalidTtl: e("ERR Invalid TTL value, must be >= 0"),
  invalidIdleTime: e("ERR Invalid IDLETIME value, must be >= 0"),
  invalidFrequency: e("ERR Invalid FREQ value, must be >= 0 and <= 255"),
  noReplicas: e("NOREPLICAS Not enough good replicas to write."),
  readOnly: e("READONLY You can't write against a read only replica."),
  maxClients: e("ERR max number of clients reached"),
  scriptArguments: e("ERR the arguments of a script may take 1 GiB together"),
  internal: e("ERR internal error: the command failed and its cause is in the log"),

  authWithoutPassword: e(
    "ERR AUTH <password> called without any password configured for the default user. Are you sure" +
      " your configuration is correct?",
  ),
  clientName: e("ERR Client names cannot contain spaces, newlines or special characters."),
  noSuchClient: e("ERR No such client"),
  clientIdNotPositive: e("ERR client-id should be greater than 0"),
  invalidClientId: e("ERR Invalid client ID"),
  pauseMode: e("ERR CLIENT PAUSE mode must be WRITE or ALL"),
  unblockReason: e("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
  redirectTwice: e("ERR A client can only redirect to a single other client"),
  redirectMissing: e("ERR The client ID you want redirect to does not exist"),
  prefixWithoutBroadcast: e("ERR PREFIX option requires BCAST mode to be enabled"),
  switchBroadcast: e(
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then " +
      "re-enabling it with a different mode.",
  ),
  broadcastWithOpt: e("ERR OPTIN and OPTOUT are not compatible with BCAST"),
  bothOpt: e("ERR You can't specify both OPTIN mode and OPTOUT mode"),
  switchOpt: e(
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then " +
      "re-enabling it with a different mode.",
  ),
  cachingWithoutOpt: e(
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or " +
      "OPTOUT mode enabled",
  ),
  cachingYes: e("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."),
  cachingNo: e("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."),

  // Server
  invalidCommand: e("ERR Invalid command specified"),
  invalidArgumentCount: e("ERR Invalid number of arguments specified for command"),
  invalidArguments: e("ERR Invalid arguments specified for command"),
  noKeyArguments: e("ERR The command has no key arguments"),
  invalidFirstDb: e("ERR invalid first DB index"),
  invalidSecondDb: e("ERR invalid second DB index"),
  noShutdown: e("ERR No shutdown in progress."),
  slowlogCount: e("ERR count should be greater than or equal to -1"),
  idleUnderLfu: e(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching" +
      " between policies at runtime LRU and LFU data will take some time to adjust.",
  ),
  frequencyUnderLru: e(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when" +
      " switching between policies at runtime LRU and LFU data will take some time to adjust.",
  ),
  debugProtocol: e(
    "ERR Wrong protocol type name. Please use one of the following:" +
      " string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
  ),
  noClientEviction: e("ERR maxmemory-clients is disabled."),
  debugNotAllowed: notAllowed("DEBUG", "enable-debug-command"),
  moduleNotAllowed: notAllowed("MODULE", "enable-module-command"),
  modulesUnsupported: e(
    "ERR Modules are not supported: this server loads no native code, whatever the file holds",
  ),

  // Transactions
  nestedMulti: e("ERR MULTI calls can not be nested"),
  execWithoutMulti: e("ERR EXEC without MULTI"),
  discardWithoutMulti: e("ERR DISCARD without MULTI"),
  watchInsideMulti: e("ERR WATCH inside MULTI is not allowed"),
  execAbort: e("EXECABORT Transaction discarded because of previous errors."),
  notInTransaction: e("ERR Command not allowed inside a transaction"),
  monitorDenied: e("ERR MONITOR isn't allowed for DENY BLOCKING client"),

  // Scripts
  noScript: e("NOSCRIPT No matching script. Please use EVAL."),
  luaStack: e("ERR reached lua stack limit"),
  scriptFlush: e("ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
  scriptDebugMode: e("ERR Use SCRIPT DEBUG YES/SYNC/NO"),
  scriptDebug: e("ERR This server has no debugger for scripts"),
  notBusy: e("NOTBUSY No scripts in execution right now."),
  busyScript: e(
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
  ),
  busyFunction: e(
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.",
  ),
  unkillable: e(
    "UNKILLABLE Sorry the script already executed write commands against the dataset. You can " +
      "either wait the script termination or kill the server in a hard way using the SHUTDOWN " +
      "NOSAVE command.",
  ),
  noArguments: e("ERR Please specify at least one argument for this redis lib call"),
  badArguments: e("ERR Lua redis lib command arguments must be strings or integers"),
  scriptUnknown: e("ERR Unknown Redis command called from script"),
  scriptArity: e("ERR Wrong number of args calling Redis command from script"),
  scriptDenied: e("ERR This Redis command is not allowed from script"),
  scriptReadOnly: e("ERR Write commands are not allowed from read-only scripts."),
  scriptStale: e("ERR Can not execute the command on a stale replica"),
  scriptWrites: e("ERR Can not execute a script with write flag using *_ro command."),
  shebang: e("ERR Invalid script shebang"),
  shebangEngine: e("ERR Invalid engine in script shebang"),

  // Protocol: these close the connection
  inlineTooBig: e("ERR Protocol error: too big inline request"),
  multibulkCountTooBig: e("ERR Protocol error: too big mbulk count string"),
  bulkCountTooBig: e("ERR Protocol error: too big bulk count string"),
  multibulkLength: e("ERR Protocol error: invalid multibulk length"),
  multibulkLengthUnauthenticated: e("ERR Protocol error: unauthenticated multibulk length"),
  bulkLength: e("ERR Protocol error: invalid bulk length"),
  bulkTooLarge: e("ERR Protocol error: not enough memory for a bulk of that length"),
  bulkLengthUnauthenticated: e("ERR Protocol error: unauthenticated bulk length"),
  unbalancedQuotes: e("ERR Protocol error: unbalanced quotes in request"),
} as const;

/** "-ERR Protocol error: expected '$', got 'x'". */
export function expectedDollar(byte: number): ErrorReply {
  return e(`ERR Protocol error: expected '$', got '${String.fromCharCode(byte)}'`);
}

/** The command's name with a bar before a subcommand: "config|get". */
export function wrongArity(fullName: string): ErrorReply {
  return e(`ERR wrong number of arguments for '${fullName}' command`);
}

export function unsupportedFilter(option: string): ErrorReply {
  return e(`ERR Unsupported rdb-filter-only option: ${atEnd(option)}`);
}

export function unknownReplconf(option: string): ErrorReply {
  return e(`ERR Unrecognized REPLCONF option: ${atEnd(option)}`);
}

/** Bytes that Redis shows of an unknown command, of its arguments together, and of an unknown subcommand. */
const SHOWN_MAX = 128;

/** Not more of the arguments is read than is shown: they may be long. */
export function unknownCommand(args: Args): ErrorReply {
  let words = "";
  for (let i = 1; i < args.count && words.length < SHOWN_MAX; i++) {
    words += `'${shown(args.binary(i, SHOWN_MAX - words.length))}' `;
  }
  const name = shown(args.binary(0, SHOWN_MAX));
  return e(`ERR unknown command '${name}', with args beginning with: ${words}`);
}

export function unknownSubcommand(args: Args): ErrorReply {
  const subcommand = shown(args.binary(1, SHOWN_MAX));
  return e(`ERR unknown subcommand '${subcommand}'. Try ${containerName(args)} HELP.`);
}

/** What the client called a command that has subcommands, in capital letters: rename-command may have given it any bytes. */
export function containerName(args: Args): string {
  return inUpperCase(shown(args.binary(0)).replaceAll(/[\r\n]/g, " "));
}

/** For options and times such as "ERR invalid expire time in 'set' command". */
export function invalidExpireTime(command: string): ErrorReply {
  return e(`ERR invalid expire time in '${command}' command`);
}

/** EXPIRE and its kin, with an unknown option. */
export function unsupportedOption(option: string): ErrorReply {
  return e(`ERR Unsupported option ${atEnd(option)}`);
}

/** HELLO with an unknown option, or one whose arguments are missing. */
export function helloOption(option: string): ErrorReply {
  return e(`ERR Syntax error in HELLO option '${shown(option)}'`);
}

/** CLIENT KILL and LIST with an unknown type. */
export function unknownClientType(type: string): ErrorReply {
  return e(`ERR Unknown client type '${shown(type)}'`);
}

/** CLIENT TRACKING with a prefix that begins with another one of the same client, or the other way round. */
export function overlappingPrefix(
  prefix: string,
  other: string,
  isOtherExisting: boolean,
): ErrorReply {
  const which = isOtherExisting ? "an existing prefix" : "another provided prefix";
  return e(
    `ERR Prefix '${shown(prefix)}' overlaps with ${which} '${shown(other)}'. ` +
      "Prefixes for a single client must not overlap.",
  );
}

export function noSuchUser(user: string): ErrorReply {
  return e(`ERR No such user '${shown(user)}'`);
}

/** ACL DRYRUN for a user that there is not. */
export function userNotFound(user: string): ErrorReply {
  return e(`ERR User '${shown(user)}' not found`);
}

/** ACL DRYRUN of a command that there is not. */
export function commandNotFound(name: string): ErrorReply {
  return e(`ERR Command '${shown(name)}' not found`);
}

/** ACL CAT of a category that there is not. */
export function unknownCategory(name: string): ErrorReply {
  return e(`ERR Unknown category '${shown(name)}'`);
}

/** CLIENT SETINFO with an unknown attribute. */
export function unrecognizedOption(option: string): ErrorReply {
  return e(`ERR Unrecognized option '${shown(option)}'`);
}

/** CLIENT SETINFO with white space or control characters in the value. */
export function attributeCharacters(attribute: string): ErrorReply {
  return e(`ERR ${shown(attribute)} cannot contain spaces, newlines or special characters.`);
}

/** LATENCY GRAPH of an event without samples. */
export function noLatencySamples(event: string): ErrorReply {
  return e(`ERR No samples available for event '${shown(event)}'`);
}

/** An unknown subcommand, or one with a wrong number of arguments. */
export function unknownOrArity(args: Args): ErrorReply {
  const subcommand = shown(args.binary(1, SHOWN_MAX));
  return e(
    `ERR unknown subcommand or wrong number of arguments for '${subcommand}'. ` +
      `Try ${containerName(args)} HELP.`,
  );
}

/** What a subscriber that speaks RESP2 may not send; `command` is "config|get" for a subcommand. */
export function notWhileSubscribed(command: string): ErrorReply {
  return e(
    `ERR Can't execute '${command}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );
}

/** The first line of a library of functions has a word that means nothing. */
export function invalidMetadata(word: string): ErrorReply {
  return e(`ERR Invalid metadata value given: ${atEnd(word)}`);
}

export function unknownEngine(name: string): ErrorReply {
  return e(`ERR Engine '${shown(name)}' not found`);
}

export function libraryExists(name: string): ErrorReply {
  return e(`ERR Library '${name}' already exists`);
}

/** As `libraryExists`, in the words of FUNCTION RESTORE. */
export function restoredLibraryExists(name: string): ErrorReply {
  return e(`ERR Library ${name} already exists`);
}

export function functionExists(name: string): ErrorReply {
  return e(`ERR Function ${name} already exists`);
}

/** FUNCTION LOAD with an option that it does not know. */
export function unknownLoadOption(option: string): ErrorReply {
  return e(`ERR Unknown option given: ${atEnd(option)}`);
}

/** FUNCTION LIST with an option that it does not know, or has got twice. */
export function unknownListOption(option: string): ErrorReply {
  return e(`ERR Unknown argument ${atEnd(option)}`);
}

/** EXEC itself was refused: quotes the refusal's text, with its code unless that is ERR. */
export function execAbortedBy(error: ErrorReply): ErrorReply {
  const text = errorText(error).replace(/^ERR /, "");
  return e(`EXECABORT Transaction discarded because of: ${text}`);
}

/** A missing consumer group, in the words of XGROUP and XINFO. */
export function noSuchGroup(group: string, key: string): ErrorReply {
  return e(`NOGROUP No such consumer group '${shown(group)}' for key name '${shown(key)}'`);
}

/** A missing key or group, in the words of XPENDING, XCLAIM and XAUTOCLAIM; `suffix` is XREADGROUP's. */
export function noSuchKeyOrGroup(key: string, group: string, suffix = ""): ErrorReply {
  return e(`NOGROUP No such key '${shown(key)}' or consumer group '${shown(group)}'${suffix}`);
}

export function unbalancedStreams(command: string, id: string): ErrorReply {
  return e(
    `ERR Unbalanced '${command}' list of streams: for each stream key an ID or '${id}' must be specified.`,
  );
}

/** XREAD and XREADGROUP with BLOCK, called by a script. */
export function blockInScript(command: string): ErrorReply {
  return e(`ERR ${shown(command)} command is not allowed with BLOCK option from scripts`);
}

export function unrecognizedClaim(option: string): ErrorReply {
  return e(`ERR Unrecognized XCLAIM option '${shown(option)}'`);
}

export function unknownPfdebug(name: string): ErrorReply {
  return e(`ERR Unknown PFDEBUG subcommand '${shown(name)}'`);
}
