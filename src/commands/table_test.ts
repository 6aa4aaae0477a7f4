/** The table of commands against the facts of Redis 7.2: its figures are what clients rely on. */
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { FLAG_NAMES } from "../engine/command.ts";
import type { KeySpec } from "../engine/key_spec.ts";
import { parseUsage, type UsageNode } from "../protocol/usage.ts";
import { commandTable } from "./table.ts";

/** Name, arity, flags, ACL categories, key specs (index, last from the first, step, access); from COMMAND INFO. */
const FACTS = `
  acl -2 - slow -
  acl|cat -2 loading,noscript,stale slow -
  acl|deluser -3 admin,loading,noscript,stale admin,dangerous,slow -
  acl|dryrun -4 admin,loading,noscript,stale admin,dangerous,slow -
  acl|genpass -2 loading,noscript,stale slow -
  acl|getuser 3 admin,loading,noscript,stale admin,dangerous,slow -
  acl|help 2 loading,stale slow -
  acl|list 2 admin,loading,noscript,stale admin,dangerous,slow -
  acl|load 2 admin,loading,noscript,stale admin,dangerous,slow -
  acl|log -2 admin,loading,noscript,stale admin,dangerous,slow -
  acl|save 2 admin,loading,noscript,stale admin,dangerous,slow -
  acl|setuser -3 admin,loading,noscript,stale admin,dangerous,slow -
  acl|users 2 admin,loading,noscript,stale admin,dangerous,slow -
  acl|whoami 2 loading,noscript,stale slow -
  append 3 denyoom,fast,write fast,string,write i1/r0,1,0/RW
  auth -2 allow_busy,fast,loading,no_auth,noscript,stale connection,fast -
  bf.add 3 denyoom,write slow,write i1/r0,1,0/RW
  bf.card 2 fast,readonly fast,read i1/r0,1,0/RO
  bf.exists 3 readonly read,slow i1/r0,1,0/RO
  bf.info -2 fast,readonly fast,read i1/r0,1,0/RO
  bf.madd -3 denyoom,write slow,write i1/r0,1,0/RW
  bf.mexists -3 readonly read,slow i1/r0,1,0/RO
  bf.reserve -4 denyoom,write slow,write i1/r0,1,0/OW
  bfadd 3 denyoom,write slow,write i1/r0,1,0/RW
  bfexists 3 readonly read,slow i1/r0,1,0/RO
  bgrewriteaof 1 admin,no_async_loading,noscript admin,dangerous,slow -
  bgsave -1 admin,no_async_loading,noscript admin,dangerous,slow -
  bitcount -2 readonly bitmap,read,slow i1/r0,1,0/RO
  bitfield -2 denyoom,write bitmap,slow,write i1/r0,1,0/RW
  bitfield_ro -2 fast,readonly bitmap,fast,read i1/r0,1,0/RO
  bitop -4 denyoom,write bitmap,slow,write i2/r0,1,0/OW i3/r-1,1,0/RO
  bitpos -3 readonly bitmap,read,slow i1/r0,1,0/RO
  blmove 6 blocking,denyoom,write blocking,list,slow,write i1/r0,1,0/RW i2/r0,1,0/RW
  blmpop -5 blocking,write blocking,list,slow,write i2/n/RW
  blpop -3 blocking,write blocking,list,slow,write i1/r-2,1,0/RW
  brpop -3 blocking,write blocking,list,slow,write i1/r-2,1,0/RW
  brpoplpush 4 blocking,denyoom,write blocking,list,slow,write i1/r0,1,0/RW i2/r0,1,0/RW
  bzmpop -5 blocking,write blocking,slow,sortedset,write i2/n/RW
  bzpopmax -3 blocking,fast,write blocking,fast,sortedset,write i1/r-2,1,0/RW
  bzpopmin -3 blocking,fast,write blocking,fast,sortedset,write i1/r-2,1,0/RW
  client -2 - slow -
  client|caching 3 loading,noscript,stale connection,slow -
  client|getname 2 loading,noscript,stale connection,slow -
  client|getredir 2 loading,noscript,stale connection,slow -
  client|help 2 loading,stale connection,slow -
  client|id 2 loading,noscript,stale connection,slow -
  client|info 2 loading,noscript,stale connection,slow -
  client|kill -3 admin,loading,noscript,stale admin,connection,dangerous,slow -
  client|list -2 admin,loading,noscript,stale admin,connection,dangerous,slow -
  client|no-evict 3 admin,loading,noscript,stale admin,connection,dangerous,slow -
  client|no-touch 3 loading,noscript,stale connection,slow -
  client|pause -3 admin,loading,noscript,stale admin,connection,dangerous,slow -
  client|reply 3 loading,noscript,stale connection,slow -
  client|setinfo 4 loading,noscript,stale connection,slow -
  client|setname 3 loading,noscript,stale connection,slow -
  client|tracking -3 loading,noscript,stale connection,slow -
  client|trackinginfo 2 loading,noscript,stale connection,slow -
  client|unblock -3 admin,loading,noscript,stale admin,connection,dangerous,slow -
  client|unpause 2 admin,loading,noscript,stale admin,connection,dangerous,slow -
  command -1 loading,stale connection,slow -
  command|count 2 loading,stale connection,slow -
  command|docs -2 loading,stale connection,slow -
  command|getkeys -3 loading,stale connection,slow -
  command|getkeysandflags -3 loading,stale connection,slow -
  command|help 2 loading,stale connection,slow -
  command|info -2 loading,stale connection,slow -
  command|list -2 loading,stale connection,slow -
  config -2 - slow -
  config|get -3 admin,loading,noscript,stale admin,dangerous,slow -
  config|help 2 loading,stale slow -
  config|resetstat 2 admin,loading,noscript,stale admin,dangerous,slow -
  config|rewrite 2 admin,loading,noscript,stale admin,dangerous,slow -
  config|set -4 admin,loading,noscript,stale admin,dangerous,slow -
  copy -3 denyoom,write keyspace,slow,write i1/r0,1,0/RO i2/r0,1,0/OW
  dbsize 1 fast,readonly fast,keyspace,read -
  debug -2 admin,loading,noscript,stale admin,dangerous,slow -
  decr 2 denyoom,fast,write fast,string,write i1/r0,1,0/RW
  decrby 3 denyoom,fast,write fast,string,write i1/r0,1,0/RW
  del -2 write keyspace,slow,write i1/r-1,1,0/RM
  discard 1 allow_busy,fast,loading,noscript,stale fast,transaction -
  dump 2 readonly keyspace,read,slow i1/r0,1,0/RO
  echo 2 fast,loading,stale connection,fast -
  eval -3 no_mandatory_keys,noscript,skip_monitor,stale scripting,slow i2/n/RW
  eval_ro -3 no_mandatory_keys,noscript,readonly,skip_monitor,stale scripting,slow i2/n/RO
  evalsha -3 no_mandatory_keys,noscript,skip_monitor,stale scripting,slow i2/n/RW
  evalsha_ro -3 no_mandatory_keys,noscript,readonly,skip_monitor,stale scripting,slow i2/n/RO
  exec 1 loading,noscript,skip_slowlog,stale slow,transaction -
  exists -2 fast,readonly fast,keyspace,read i1/r-1,1,0/RO
  exit -1 allow_busy,fast,loading,no_auth,noscript,stale connection,fast -
  expire -3 fast,write fast,keyspace,write i1/r0,1,0/RW
  expireat -3 fast,write fast,keyspace,write i1/r0,1,0/RW
  expiretime 2 fast,readonly fast,keyspace,read i1/r0,1,0/RO
  fcall -3 no_mandatory_keys,noscript,skip_monitor,stale scripting,slow i2/n/RW
  fcall_ro -3 no_mandatory_keys,noscript,readonly,skip_monitor,stale scripting,slow i2/n/RO
  flushall -1 write dangerous,keyspace,slow,write -
  flushdb -1 write dangerous,keyspace,slow,write -
  function -2 - slow -
  function|delete 3 noscript,write scripting,slow,write -
  function|dump 2 noscript scripting,slow -
  function|flush -2 noscript,write scripting,slow,write -
  function|help 2 loading,stale scripting,slow -
  function|kill 2 allow_busy,noscript scripting,slow -
  function|list -2 noscript scripting,slow -
  function|load -3 denyoom,noscript,write scripting,slow,write -
  function|restore -3 denyoom,noscript,write scripting,slow,write -
  function|stats 2 allow_busy,noscript scripting,slow -
  geoadd -5 denyoom,write geo,slow,write i1/r0,1,0/RW
  geodist -4 readonly geo,read,slow i1/r0,1,0/RO
  geohash -2 readonly geo,read,slow i1/r0,1,0/RO
  geopos -2 readonly geo,read,slow i1/r0,1,0/RO
  georadius -6 denyoom,write geo,slow,write i1/r0,1,0/RO kSTORE6/r0,1,0/OW kSTOREDIST6/r0,1,0/OW
  georadius_ro -6 readonly geo,read,slow i1/r0,1,0/RO
  georadiusbymember -5 denyoom,write geo,slow,write i1/r0,1,0/RO kSTORE5/r0,1,0/OW kSTOREDIST5/r0,1,0/OW
  georadiusbymember_ro -5 readonly geo,read,slow i1/r0,1,0/RO
  geosearch -7 readonly geo,read,slow i1/r0,1,0/RO
  geosearchstore -8 denyoom,write geo,slow,write i1/r0,1,0/OW i2/r0,1,0/RO
  get 2 fast,readonly fast,read,string i1/r0,1,0/RO
  getbit 3 fast,readonly bitmap,fast,read i1/r0,1,0/RO
  getdel 2 fast,write fast,string,write i1/r0,1,0/RW
  getex -2 fast,write fast,string,write i1/r0,1,0/RW
  getrange 4 readonly read,slow,string i1/r0,1,0/RO
  getset 3 denyoom,fast,write fast,string,write i1/r0,1,0/RW
  hdel -3 fast,write fast,hash,write i1/r0,1,0/RW
  hello -1 allow_busy,fast,loading,no_auth,noscript,stale connection,fast -
  hexists 3 fast,readonly fast,hash,read i1/r0,1,0/RO
  hget 3 fast,readonly fast,hash,read i1/r0,1,0/RO
  hgetall 2 readonly hash,read,slow i1/r0,1,0/RO
  hincrby 4 denyoom,fast,write fast,hash,write i1/r0,1,0/RW
  hincrbyfloat 4 denyoom,fast,write fast,hash,write i1/r0,1,0/RW
  hkeys 2 readonly hash,read,slow i1/r0,1,0/RO
  hlen 2 fast,readonly fast,hash,read i1/r0,1,0/RO
  hmget -3 fast,readonly fast,hash,read i1/r0,1,0/RO
  hmset -4 denyoom,fast,write fast,hash,write i1/r0,1,0/RW
  hrandfield -2 readonly hash,read,slow i1/r0,1,0/RO
  hscan -3 readonly hash,read,slow i1/r0,1,0/RO
  hset -4 denyoom,fast,write fast,hash,write i1/r0,1,0/RW
  hsetnx 4 denyoom,fast,write fast,hash,write i1/r0,1,0/RW
  hstrlen 3 fast,readonly fast,hash,read i1/r0,1,0/RO
  hvals 2 readonly hash,read,slow i1/r0,1,0/RO
  incr 2 denyoom,fast,write fast,string,write i1/r0,1,0/RW
  incrby 3 denyoom,fast,write fast,string,write i1/r0,1,0/RW
  incrbyfloat 3 denyoom,fast,write fast,string,write i1/r0,1,0/RW
  info -1 loading,stale dangerous,slow -
  keys 2 readonly dangerous,keyspace,read,slow -
  lastsave 1 fast,loading,stale admin,dangerous,fast -
  latency -2 - slow -
  latency|doctor 2 admin,loading,noscript,stale admin,dangerous,slow -
  latency|graph 3 admin,loading,noscript,stale admin,dangerous,slow -
  latency|help 2 loading,stale slow -
  latency|histogram -2 admin,loading,noscript,stale admin,dangerous,slow -
  latency|history 3 admin,loading,noscript,stale admin,dangerous,slow -
  latency|latest 2 admin,loading,noscript,stale admin,dangerous,slow -
  latency|reset -2 admin,loading,noscript,stale admin,dangerous,slow -
  lcs -3 readonly read,slow,string i1/r1,1,0/RO
  lindex 3 readonly list,read,slow i1/r0,1,0/RO
  linsert 5 denyoom,write list,slow,write i1/r0,1,0/RW
  llen 2 fast,readonly fast,list,read i1/r0,1,0/RO
  lmove 5 denyoom,write list,slow,write i1/r0,1,0/RW i2/r0,1,0/RW
  lmpop -4 write list,slow,write i1/n/RW
  lolwut -1 fast,readonly fast,read -
  lpop -2 fast,write fast,list,write i1/r0,1,0/RW
  lpos -3 readonly list,read,slow i1/r0,1,0/RO
  lpush -3 denyoom,fast,write fast,list,write i1/r0,1,0/RW
  lpushx -3 denyoom,fast,write fast,list,write i1/r0,1,0/RW
  lrange 4 readonly list,read,slow i1/r0,1,0/RO
  lrem 4 write list,slow,write i1/r0,1,0/RW
  lset 4 denyoom,write list,slow,write i1/r0,1,0/RW
  ltrim 4 write list,slow,write i1/r0,1,0/RW
  memory -2 - slow -
  memory|doctor 2 - slow -
  memory|help 2 loading,stale slow -
  memory|malloc-stats 2 - slow -
  memory|purge 2 - slow -
  memory|stats 2 - slow -
  memory|usage -3 readonly read,slow i2/r0,1,0/RO
  mget -2 fast,readonly fast,read,string i1/r-1,1,0/RO
  migrate -6 write dangerous,keyspace,slow,write i3/r0,1,0/RW kKEYS-2/r-1,1,0/RW
  module -2 - slow -
  module|help 2 loading,stale slow -
  module|list 2 admin,noscript admin,dangerous,slow -
  module|load -3 admin,no_async_loading,noscript admin,dangerous,slow -
  module|loadex -3 admin,no_async_loading,noscript admin,dangerous,slow -
  module|unload 3 admin,no_async_loading,noscript admin,dangerous,slow -
  monitor 1 admin,loading,noscript,stale admin,dangerous,slow -
  move 3 fast,write fast,keyspace,write i1/r0,1,0/RW
  mset -3 denyoom,write slow,string,write i1/r-1,2,0/OW
  msetnx -3 denyoom,write slow,string,write i1/r-1,2,0/OW
  multi 1 allow_busy,fast,loading,noscript,stale fast,transaction -
  object -2 - slow -
  object|encoding 3 readonly keyspace,read,slow i2/r0,1,0/RO
  object|freq 3 readonly keyspace,read,slow i2/r0,1,0/RO
  object|help 2 loading,stale keyspace,slow -
  object|idletime 3 readonly keyspace,read,slow i2/r0,1,0/RO
  object|refcount 3 readonly keyspace,read,slow i2/r0,1,0/RO
  persist 2 fast,write fast,keyspace,write i1/r0,1,0/RW
  pexpire -3 fast,write fast,keyspace,write i1/r0,1,0/RW
  pexpireat -3 fast,write fast,keyspace,write i1/r0,1,0/RW
  pexpiretime 2 fast,readonly fast,keyspace,read i1/r0,1,0/RO
  pfadd -2 denyoom,fast,write fast,hyperloglog,write i1/r0,1,0/RW
  pfcount -2 readonly hyperloglog,read,slow i1/r-1,1,0/RW
  pfdebug 3 admin,denyoom,write admin,dangerous,hyperloglog,slow,write i2/r0,1,0/RW
  pfmerge -2 denyoom,write hyperloglog,slow,write i1/r0,1,0/RW i2/r-1,1,0/RO
  pfselftest 1 admin admin,dangerous,hyperloglog,slow -
  ping -1 fast connection,fast -
  psetex 4 denyoom,write slow,string,write i1/r0,1,0/OW
  psubscribe -2 loading,noscript,pubsub,stale pubsub,slow -
  pttl 2 fast,readonly fast,keyspace,read i1/r0,1,0/RO
  publish 3 fast,loading,pubsub,stale fast,pubsub -
  pubsub -2 - slow -
  pubsub|channels -2 loading,pubsub,stale pubsub,slow -
  pubsub|help 2 loading,stale slow -
  pubsub|numpat 2 loading,pubsub,stale pubsub,slow -
  pubsub|numsub -2 loading,pubsub,stale pubsub,slow -
  pubsub|shardchannels -2 loading,pubsub,stale pubsub,slow -
  pubsub|shardnumsub -2 loading,pubsub,stale pubsub,slow -
  punsubscribe -1 loading,noscript,pubsub,stale pubsub,slow -
  quit -1 allow_busy,fast,loading,no_auth,noscript,stale connection,fast -
  randomkey 1 readonly keyspace,read,slow -
  rename 3 write keyspace,slow,write i1/r0,1,0/RW i2/r0,1,0/OW
  renamenx 3 fast,write fast,keyspace,write i1/r0,1,0/RW i2/r0,1,0/OW
  replconf -1 admin,allow_busy,loading,noscript,stale admin,dangerous,slow -
  reset 1 allow_busy,fast,loading,no_auth,noscript,stale connection,fast -
  restore -4 denyoom,write dangerous,keyspace,slow,write i1/r0,1,0/OW
  rpop -2 fast,write fast,list,write i1/r0,1,0/RW
  rpoplpush 3 denyoom,write list,slow,write i1/r0,1,0/RW i2/r0,1,0/RW
  rpush -3 denyoom,fast,write fast,list,write i1/r0,1,0/RW
  rpushx -3 denyoom,fast,write fast,list,write i1/r0,1,0/RW
  sadd -3 denyoom,fast,write fast,set,write i1/r0,1,0/RW
  save 1 admin,no_async_loading,no_multi,noscript admin,dangerous,slow -
  scan -2 readonly keyspace,read,slow -
  scard 2 fast,readonly fast,read,set i1/r0,1,0/RO
  script -2 - slow -
  script|debug 3 noscript scripting,slow -
  script|exists -3 noscript scripting,slow -
  script|flush -2 noscript scripting,slow -
  script|help 2 loading,stale scripting,slow -
  script|kill 2 allow_busy,noscript scripting,slow -
  script|load 3 noscript,stale scripting,slow -
  sdiff -2 readonly read,set,slow i1/r-1,1,0/RO
  sdiffstore -3 denyoom,write set,slow,write i1/r0,1,0/OW i2/r-1,1,0/RO
  select 2 fast,loading,stale connection,fast -
  set -3 denyoom,write slow,string,write i1/r0,1,0/RW
  setbit 4 denyoom,write bitmap,slow,write i1/r0,1,0/RW
  setex 4 denyoom,write slow,string,write i1/r0,1,0/OW
  setnx 3 denyoom,fast,write fast,string,write i1/r0,1,0/OW
  setrange 4 denyoom,write slow,string,write i1/r0,1,0/RW
  shutdown -1 admin,allow_busy,loading,no_multi,noscript,stale admin,dangerous,slow -
  sinter -2 readonly read,set,slow i1/r-1,1,0/RO
  sintercard -3 readonly read,set,slow i1/n/RO
  sinterstore -3 denyoom,write set,slow,write i1/r0,1,0/RW i2/r-1,1,0/RO
  sismember 3 fast,readonly fast,read,set i1/r0,1,0/RO
  slowlog -2 - slow -
  slowlog|get -2 admin,loading,stale admin,dangerous,slow -
  slowlog|help 2 loading,stale slow -
  slowlog|len 2 admin,loading,stale admin,dangerous,slow -
  slowlog|reset 2 admin,loading,stale admin,dangerous,slow -
  smembers 2 readonly read,set,slow i1/r0,1,0/RO
  smismember -3 fast,readonly fast,read,set i1/r0,1,0/RO
  smove 4 fast,write fast,set,write i1/r0,1,0/RW i2/r0,1,0/RW
  sort -2 denyoom,write dangerous,list,set,slow,sortedset,write i1/r0,1,0/RO i0/u/RO i0/u/OW
  sort_ro -2 readonly dangerous,list,read,set,slow,sortedset i1/r0,1,0/RO i0/u/RO
  spop -2 fast,write fast,set,write i1/r0,1,0/RW
  spublish 3 fast,loading,pubsub,stale fast,pubsub i1/r0,1,0/no
  srandmember -2 readonly read,set,slow i1/r0,1,0/RO
  srem -3 fast,write fast,set,write i1/r0,1,0/RW
  sscan -3 readonly read,set,slow i1/r0,1,0/RO
  ssubscribe -2 loading,noscript,pubsub,stale pubsub,slow i1/r-1,1,0/no
  strlen 2 fast,readonly fast,read,string i1/r0,1,0/RO
  subscribe -2 loading,noscript,pubsub,stale pubsub,slow -
  substr 4 readonly read,slow,string i1/r0,1,0/RO
  sunion -2 readonly read,set,slow i1/r-1,1,0/RO
  sunionstore -3 denyoom,write set,slow,write i1/r0,1,0/OW i2/r-1,1,0/RO
  sunsubscribe -1 loading,noscript,pubsub,stale pubsub,slow i1/r-1,1,0/no
  swapdb 3 fast,write dangerous,fast,keyspace,write -
  sync 1 admin,no_async_loading,no_multi,noscript admin,dangerous,slow -
  time 1 fast,loading,stale fast -
  touch -2 fast,readonly fast,keyspace,read i1/r-1,1,0/RO
  ttl 2 fast,readonly fast,keyspace,read i1/r0,1,0/RO
  type 2 fast,readonly fast,keyspace,read i1/r0,1,0/RO
  unlink -2 fast,write fast,keyspace,write i1/r-1,1,0/RM
  unsubscribe -1 loading,noscript,pubsub,stale pubsub,slow -
  unwatch 1 allow_busy,fast,loading,noscript,stale fast,transaction -
  watch -2 allow_busy,fast,loading,noscript,stale fast,transaction i1/r-1,1,0/RO
  xack -4 fast,write fast,stream,write i1/r0,1,0/RW
  xadd -5 denyoom,fast,write fast,stream,write i1/r0,1,0/RW
  xautoclaim -6 fast,write fast,stream,write i1/r0,1,0/RW
  xclaim -6 fast,write fast,stream,write i1/r0,1,0/RW
  xdel -3 fast,write fast,stream,write i1/r0,1,0/RW
  xgroup -2 - slow -
  xgroup|create -5 denyoom,write slow,stream,write i2/r0,1,0/RW
  xgroup|createconsumer 5 denyoom,write slow,stream,write i2/r0,1,0/RW
  xgroup|delconsumer 5 write slow,stream,write i2/r0,1,0/RW
  xgroup|destroy 4 write slow,stream,write i2/r0,1,0/RW
  xgroup|help 2 loading,stale slow,stream -
  xgroup|setid -5 write slow,stream,write i2/r0,1,0/RW
  xinfo -2 - slow -
  xinfo|consumers 4 readonly read,slow,stream i2/r0,1,0/RO
  xinfo|groups 3 readonly read,slow,stream i2/r0,1,0/RO
  xinfo|help 2 loading,stale slow,stream -
  xinfo|stream -3 readonly read,slow,stream i2/r0,1,0/RO
  xlen 2 fast,readonly fast,read,stream i1/r0,1,0/RO
  xpending -3 readonly read,slow,stream i1/r0,1,0/RO
  xrange -4 readonly read,slow,stream i1/r0,1,0/RO
  xread -4 blocking,readonly blocking,read,slow,stream kSTREAMS1/r-1,1,2/RO
  xreadgroup -7 blocking,write blocking,slow,stream,write kSTREAMS4/r-1,1,2/RO
  xrevrange -4 readonly read,slow,stream i1/r0,1,0/RO
  xsetid -3 denyoom,fast,write fast,stream,write i1/r0,1,0/RW
  xtrim -4 write slow,stream,write i1/r0,1,0/RW
  zadd -4 denyoom,fast,write fast,sortedset,write i1/r0,1,0/RW
  zcard 2 fast,readonly fast,read,sortedset i1/r0,1,0/RO
  zcount 4 fast,readonly fast,read,sortedset i1/r0,1,0/RO
  zdiff -3 readonly read,slow,sortedset i1/n/RO
  zdiffstore -4 denyoom,write slow,sortedset,write i1/r0,1,0/OW i2/n/RO
  zincrby 4 denyoom,fast,write fast,sortedset,write i1/r0,1,0/RW
  zinter -3 readonly read,slow,sortedset i1/n/RO
  zintercard -3 readonly read,slow,sortedset i1/n/RO
  zinterstore -4 denyoom,write slow,sortedset,write i1/r0,1,0/OW i2/n/RO
  zlexcount 4 fast,readonly fast,read,sortedset i1/r0,1,0/RO
  zmpop -4 write slow,sortedset,write i1/n/RW
  zmscore -3 fast,readonly fast,read,sortedset i1/r0,1,0/RO
  zpopmax -2 fast,write fast,sortedset,write i1/r0,1,0/RW
  zpopmin -2 fast,write fast,sortedset,write i1/r0,1,0/RW
  zquery 6 readonly read,slow,sortedset i1/r0,1,0/RO
  zrandmember -2 readonly read,slow,sortedset i1/r0,1,0/RO
  zrange -4 readonly read,slow,sortedset i1/r0,1,0/RO
  zrangebylex -4 readonly read,slow,sortedset i1/r0,1,0/RO
  zrangebyscore -4 readonly read,slow,sortedset i1/r0,1,0/RO
  zrangestore -5 denyoom,write slow,sortedset,write i1/r0,1,0/OW i2/r0,1,0/RO
  zrank -3 fast,readonly fast,read,sortedset i1/r0,1,0/RO
  zrem -3 fast,write fast,sortedset,write i1/r0,1,0/RW
  zremrangebylex 4 write slow,sortedset,write i1/r0,1,0/RW
  zremrangebyrank 4 write slow,sortedset,write i1/r0,1,0/RW
  zremrangebyscore 4 write slow,sortedset,write i1/r0,1,0/RW
  zrevrange -4 readonly read,slow,sortedset i1/r0,1,0/RO
  zrevrangebylex -4 readonly read,slow,sortedset i1/r0,1,0/RO
  zrevrangebyscore -4 readonly read,slow,sortedset i1/r0,1,0/RO
  zrevrank -3 fast,readonly fast,read,sortedset i1/r0,1,0/RO
  zscan -3 readonly read,slow,sortedset i1/r0,1,0/RO
  zscore 3 fast,readonly fast,read,sortedset i1/r0,1,0/RO
  zunion -3 readonly read,slow,sortedset i1/n/RO
  zunionstore -4 denyoom,write slow,sortedset,write i1/r0,1,0/OW i2/n/RO
`;

const table = commandTable();

Deno.test("Every command has Redis's arity, flags, categories and key specs", () => {
  const facts = new Map(
    FACTS.trim().split("\n").map((line) => {
      const [name, ...rest] = line.trim().split(" ");
      return [name, rest.join(" ")];
    }),
  );
  for (const one of table.all()) {
    const flags = FLAG_NAMES.filter(([bit]) => (one.spec.flags & bit) !== 0).map(([, name]) =>
      name
    );
    const keys = one.keys.map(keyText).join(" ");
    const columns = [one.arity, listed(flags), listed(one.aclCategories), keys === "" ? "-" : keys];
    assertEquals(columns.join(" "), facts.get(one.fullName), one.fullName);
  }
  assertEquals(table.all().length, facts.size);
});

function listed(words: readonly string[]): string {
  return words.length === 0 ? "-" : [...words].sort().join(",");
}

function keyText({ first, keyword, find, last, step, limit, flags }: KeySpec): string {
  const begin = keyword === "" ? `i${first}` : `k${keyword}${first}`;
  const how = find === "range" ? `r${last},${step},${limit}` : find === "keynum" ? "n" : "u";
  return `${begin}/${how}/${flags.slice(0, 2)}`;
}

Deno.test("Every row says what the command does, since when, and what it costs", () => {
  for (const { fullName, spec } of table.all()) {
    assertMatch(spec.summary, /^[A-Z].*\.$/, fullName);
    assertMatch(spec.since, /^\d+\.\d+\.\d+$/, fullName);
    assertNotEquals(spec.complexity, "", fullName);
  }
});

Deno.test("The keys of every usage line have a key spec, and every key spec a key", () => {
  for (const { fullName, spec, keys } of table.all()) {
    const used = new Set<number>();
    const collect = (nodes: readonly UsageNode[]): void => {
      for (const node of nodes) {
        if (node.keySpec !== null) used.add(node.keySpec);
        collect(node.children);
      }
    };
    collect(parseUsage(spec.usage));
    const named = keys.flatMap(({ isNotKey }, index) => isNotKey ? [] : [index]);
    assertEquals([...used].sort(), named, fullName);
  }
});

Deno.test("No two commands share a name", () => {
  const names = table.all().map((one) => one.fullName);
  assertEquals(new Set(names).size, names.length);
});
