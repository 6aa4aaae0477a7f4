/**
 * Sessions that are replayed against redis-server and ours, replies compared byte for byte. One line is
 * one inline command. They must not depend on time, chance or the order of keys.
 */
export const SESSIONS: Record<string, string> = {
  strings: `
    set k v
    get k
    set k v2 nx
    get k
    set k v2 xx
    set k v3 xx get
    get k
    set k2 v nx get
    get k2
    set k v nx xx
    set k v ex 10 px 10
    set k v ex 0
    set k v ex -1
    set k v ex abc
    set k v ex
    set k v ex 9223372036854775807
    set k v px 9223372036854775807
    set k v foo
    set k v keepttl ex 10
    set k v ex 100
    set k w keepttl
    ttl k
    set k v
    ttl k
    setnx k x
    setnx knew x
    setex k 100 v
    ttl k
    setex k 0 v
    setex k abc v
    psetex k 100000 v
    psetex k -1 v
    getset k new
    getset missing1 a
    getdel k
    getdel k
    getex missing
    set k v
    getex k ex 100
    ttl k
    getex k persist
    ttl k
    getex k ex 0
    getex k foo
    getex k ex 10 persist
    getex k exat 1
    exists k
    mset a 1 b 2 c 3
    mget a b missing c
    mset a 1 b
    msetnx a 9 z 9
    exists z
    msetnx y 1 z 2
    msetnx y
    strlen a
    strlen missing
    append ap hello
    append ap ""
    append ap world
    get ap
    object encoding ap
    setrange ap 5 -----
    get ap
    setrange ap 20 x
    get ap
    setrange missing2 0 ""
    exists missing2
    setrange ap -1 x
    setrange ap 600000000 x
    setrange ap abc x
    getrange ap 0 -1
    getrange ap -5 -1
    getrange ap 5 2
    getrange ap -1 -5
    getrange ap 0 100000
    getrange ap abc 1
    getrange missing 0 1
    substr ap 0 3
    get
    get a b
    set k
    mget
  `,
  numbers: `
    incr n
    incr n
    decr n
    incrby n 41
    decrby n 2
    get n
    object encoding n
    set n 9223372036854775806
    incr n
    incr n
    get n
    set n -9223372036854775807
    decr n
    decr n
    decrby n -9223372036854775808
    incrby n 9223372036854775807
    incrby n 9223372036854775808
    incrby n abc
    incrby n 1.5
    set s hello
    incr s
    incrby s 1
    set sp "  11"
    incr sp
    set lead 007
    incr lead
    set plus +1
    incr plus
    set neg -0
    incr neg
    append n 5
    set ten 10
    append ten 0
    incr ten
    object encoding ten
    incrbyfloat f 1.1
    incrbyfloat f 2.2
    incrbyfloat f -3.3
    incrbyfloat f 1e3
    incrbyfloat f abc
    incrbyfloat f inf
    incrbyfloat f 1e5000
    incrbyfloat f nan
    incrbyfloat s 1
    set big 17179869184
    incrbyfloat big 1.5
    set dec 3.0e3
    incrbyfloat dec 200
    set d1 1.5
    incrbyfloat d1 -1.5
    incrbyfloat n 0.5
  `,
  "numbers beyond 2^53": `
    xadd s 1-1 f v
    xadd s 1-2 f v
    xgroup create s g 0
    xgroup setid s g 1-1 entriesread 9223372036854775807
    xinfo groups s
    xreadgroup group g c count 1 streams s >
    xinfo groups s
    xgroup setid s g 1-1 entriesread 1000000000000000001
    xinfo groups s
    xgroup setid s g 1-1 entriesread -1
    xgroup setid s g 1-1 entriesread -2
    xgroup create s h 1-1 entriesread 9007199254740993
    xsetid s 1-2 entriesadded 9223372036854775807
    xinfo groups s
    xinfo stream s
    xadd s 1-4 f v
    xinfo groups s
    xinfo stream s
    xsetid s 1-4 entriesadded 9007199254740993
    xadd s 1-5 f v
    copy s t
    xinfo groups t
    debug reload
    xinfo groups t
    xinfo stream t
    xsetid s 1-5 entriesadded 9223372036854775808
    xclaim s g c 0 1-2 retrycount 9223372036854775808
    xtrim s maxlen 9223372036854775807
    xrange s - + count 9223372036854775807
    xread count 9223372036854775807 streams s 0
    set k v
    expire k 9223372036854775807
    pexpire k 9223372036854775807
    expireat k 9223372036854776
    expireat k 9223372036854775
    pexpireat k 9223372036854775807
    pexpireat k 9007199254740994
    pexpiretime k
    set k v px 9223372036854775807
    set k v exat 9223372036854776
    set k v pxat 9223372036854775807
    pexpireat k -9223372036854775808
    exists k
    rpush l a b c
    lpos l a rank -9223372036854775807
    lpos l a count 9223372036854775807 maxlen 9223372036854775807
    lrange l -9223372036854775808 9223372036854775807
    lpop l 9223372036854775807
    sadd u a
    sintercard 1 u limit 9223372036854775807
    spop u 9223372036854775807
    spop u 9223372036854775808
    zadd z 1 a
    zrandmember z 9223372036854775807
    zpopmin z 9223372036854775807
    scan 0 count 9223372036854775807 match none
    lcs l u idx minmatchlen 9223372036854775807
    setrange k 9223372036854775807 x
    select 9223372036854775807
    swapdb 0 9223372036854775807
    client kill id 9223372036854775807
    client unblock 9223372036854775807
    zadd h 3479099956230698.5 x
    geosearch h fromlonlat 13.361389 38.115556 byradius 10 km withhash
  `,
  bits: `
    setbit b 7 1
    setbit b 0 1
    get b
    setbit b 7 0
    setbit b 100 1
    strlen b
    setbit b -1 1
    setbit b 4294967296 1
    setbit b 1 2
    setbit b abc 1
    getbit b 0
    getbit b 100
    getbit b 1000
    getbit b -1
    getbit missing 0
    set s foobar
    bitcount s
    bitcount s 0 0
    bitcount s 1 1
    bitcount s 1 -2
    bitcount s -2 -1
    bitcount s 5 30 bit
    bitcount s -10 -1 bit
    bitcount s 0
    bitcount s 0 1 foo
    bitcount s a b
    bitcount s 3 1
    bitcount missing
    bitpos s 1
    bitpos s 0
    bitpos s 1 2
    bitpos s 1 2 -1
    bitpos s 0 -40 -80
    bitpos s 0 -40 -80 bit
    bitcount s -40 -80
    bitpos s 0 0 -1 bit
    bitpos s 1 3 20 bit
    bitpos s 2
    bitpos s abc
    bitpos s 1 0 -1 foo
    set ff "\\xff\\xff\\xff"
    bitpos ff 0
    bitpos ff 0 0
    bitpos ff 0 0 -1
    bitpos ff 0 1 2 byte
    bitpos missing 0
    bitpos missing 1
    set x "abc"
    set y "abcdef"
    bitop and d x y
    get d
    bitop or d x y
    get d
    bitop xor d x y
    get d
    bitop not d x
    get d
    bitop not d x y
    bitop foo d x
    bitop and d missing
    exists d
    bitop or d missing x
    get d
    set number 123
    bitop or d number
    object encoding d
    setex d 100 v
    bitop xor d number x
    ttl d
    bitfield bf set u8 0 255
    bitfield bf get u8 0
    bitfield bf get i8 0
    bitfield bf incrby u8 0 10
    bitfield bf overflow sat incrby u8 0 255
    bitfield bf overflow fail incrby u8 0 1
    bitfield bf overflow wrap incrby u8 0 1
    bitfield bf set i5 100 -1
    bitfield bf get i5 100 get u5 100 get u1 100
    bitfield bf set u4 #1 15 get u4 #0 get u4 #1
    bitfield bf set i64 0 -9223372036854775808
    bitfield bf incrby i64 0 -1
    bitfield bf overflow sat incrby i64 0 -1
    bitfield bf get u64 0
    bitfield bf get i65 0
    bitfield bf get u8 -1
    bitfield bf get u8 abc
    bitfield bf foo
    bitfield bf overflow foo
    bitfield bf set u8 0 foo
    bitfield bf set u8 0
    bitfield bf
    bitfield missing get u8 0
    exists missing
    bitfield_ro bf get u8 0
    bitfield_ro bf set u8 0 1
    get bf
  `,
  keys: `
    set a 1
    set b hello
    exists a b a missing
    type a
    type missing
    del a missing
    unlink b
    del
    set a 1
    rename a b
    get b
    rename missing x
    rename b b
    set c 3
    renamenx b c
    renamenx b d
    renamenx d d
    renamenx missing x
    copy d e
    get e
    copy d e
    copy d e replace
    copy missing f
    copy d d
    copy d d db 1
    copy d d db 1
    copy d d db 1 replace
    copy d x db 99
    copy d x db abc
    copy d x foo
    select 1
    get d
    select 0
    move d 2
    exists d
    move d 2
    move missing 2
    move c 0
    move c 99
    move c abc
    touch c missing
    dbsize
    object encoding c
    object encoding missing
    object refcount c
    object refcount missing
    object freq c
    object foo c
    set emb aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    object encoding emb
    set raw aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    object encoding raw
    select 16
    select abc
    select -1
    swapdb 0 1
    dbsize
    swapdb 0 1
    swapdb 0 99
    swapdb a 1
    swapdb 1 a
    set key1 1
    keys key?
    keys nomatch*
    keys
    randomkey x
    scan abc
    scan 0 count 0
    scan 0 count abc
    scan 0 count
    scan 0 match key1 count 1000
    scan 0 foo 1
    flushdb foo
    flushdb
    dbsize
    flushall async
    flushall sync
    randomkey
  `,
  expiry: `
    set k v
    ttl k
    pttl k
    ttl missing
    pttl missing
    expire k 100
    ttl k
    persist k
    persist k
    ttl k
    persist missing
    expire missing 10
    expireat k 33177117420
    expiretime k
    pexpiretime k
    ttl k nope
    pexpireat k 33177117420123
    pexpiretime k
    expiretime missing
    pexpiretime missing
    set p v
    expiretime p
    expire k abc
    expire k 9223372036854775807
    expire k -9223372036854775808
    pexpire k 9223372036854775807
    expire k 10 foo
    expire k 10 nx xx
    expire k 10 gt lt
    expire k 10 nx gt
    expireat k 33177117421 gt
    expiretime k
    expireat k 33177117420 gt
    expireat k 33177117420 lt
    expiretime k
    expireat p 33177117420 gt
    expireat p 33177117420 xx
    expireat p 33177117420 lt
    expiretime p
    expireat p 33177117421 nx
    expireat p 33177117421 xx
    expire k -1
    exists k
    set k v
    expire k 0
    exists k
    set k v
    expireat k 1
    exists k
  `,
  transactions: `
    multi
    set a 1
    incr a
    get a
    exec
    exec
    discard
    multi
    multi
    exec
    multi
    set b 1
    discard
    get b
    multi
    set x
    set y 1
    exec
    exists y
    multi
    nosuchcommand
    exec
    multi
    incr s
    set s hello
    incr s
    exec
    watch a
    set a 5
    multi
    get a
    exec
    watch a
    multi
    get a
    exec
    watch a
    set a 6
    unwatch
    multi
    get a
    exec
    multi
    watch a
    unwatch
    exec
    watch
    multi x
    exec x
    watch nokey
    del nokey
    multi
    ping
    exec
    watch fl
    flushall
    multi
    ping
    exec
    set fl 1
    watch fl
    flushdb
    multi
    ping
    exec
    set sw 1
    watch sw
    swapdb 0 1
    multi
    ping
    exec
    swapdb 0 1
    multi
    select 3
    set in3 1
    select 0
    exec
    exists in3
  `,
  connection: `
    ping
    ping hello
    ping a b
    echo hi
    echo
    client getname
    client setname me
    client getname
    client setname "a b"
    client setname ""
    client getname
    client foo
    client
    client id x
    client kill
    client kill 1.1.1.1:1
    client kill id abc
    client kill id 0
    client kill type foo
    client kill user nobody
    client kill skipme maybe
    client kill foo bar
    client kill id 1 extra
    client kill id 99999
    client kill addr 1.1.1.1:1
    client list type foo
    client list id abc
    client list foo
    client list id 99999
    client pause abc
    client pause -1
    client pause 1 foo
    client unpause
    client reply foo
    client no-evict on
    client no-evict off
    client no-evict foo
    client unblock abc
    client unblock 5
    client unblock 5 foo
    hello 5
    hello abc
    hello 2 foo
    hello 2 auth a
    hello 2 auth a b
    hello 2 setname "x y"
    auth x
    auth a b
    auth a b c
    select 5
    reset
    nosuchcommand
    nosuchcommand with some args
    config nosuch
    config
    get
    object
    config get
    config set
    config set a
    config set nosuchparameter 1
    config set maxclients abc
    config set timeout -5
    config set appendfsync foo
    config set appendonly maybe
    config set maxmemory 10xb
    config set port 1 daemonize yes
    config set timeout 10 timeout 20
    config set daemonize yes nosuch 1
    config set timeout 10 timeout 20 nosuch 1
    config set timeout 10 timeout 20 daemonize yes
    config set daemonize yes timeout 10 timeout 20
    config set dir / nosuch 1
    config set dbfilename x timeout nonsense
    config set timeout nonsense dir /
    config set slave-priority 10 replica-priority 20
    config get replica-priority
    config set replica-priority 100 hz 10 timeout nonsense
    config set port 99999 timeout 10
    config set timeout 10 port 1 nosuch 1
    config set * 1
    config set timeout 10
    config get timeout
    config set timeout 0 appendfsync nosuch
    config get timeout
    config set timeout 0
    config get nosuch
    config set notify-keyspace-events KEA
    config get notify-keyspace-events
    config set notify-keyspace-events KEx
    config get notify-keyspace-events
    config set notify-keyspace-events foo
    config set notify-keyspace-events ""
    config set save foo
    config set client-output-buffer-limit "normal 1 2"
    config set client-output-buffer-limit "foo 1 2 3"
    config get hash-max-ziplist-entries
    slowlog get abc
    slowlog get -2
    slowlog foo
    slowlog len x
    slowlog reset
    latency latest
    latency history foo
    latency graph foo
    latency reset
    latency reset foo
    latency foo
    memory usage missing
    memory usage
    memory usage k samples
    memory usage k samples abc
    memory foo
    command count x
    command info nosuch
    command getkeys get k
    command getkeys mset a 1 b 2
    command getkeys ping
    command getkeys nosuch
    command getkeys get
    command getkeysandflags set k v
    command getkeysandflags mset a 1 b 2
    command getkeysandflags copy a b
    command list filterby foo bar
    command list filterby module nosuch
    command list filterby pattern lolwu*
    command docs nosuch
    debug nosuch
    debug object missing
    debug sleep 0
    debug set-active-expire 1
    debug protocol integer
    debug protocol nosuch
    lolwut version abc
    shutdown foo
    shutdown nosave save
    shutdown abort
    time x
    lastsave x
    swapdb 1
    flushall foo bar
    dbsize x
    monitor x
  `,
  digests: `
    set a 1
    set b hello
    set c 12.5
    expire b 1000
    append a 2
    debug digest
    debug digest-value a b c missing
    select 3
    set x y
    debug digest
    lcs a b
    set l1 ohmytext
    set l2 mynewtext
    lcs l1 l2
    lcs l1 l2 len
    lcs l1 l2 idx
    lcs l1 l2 idx minmatchlen 4
    lcs l1 l2 idx minmatchlen 4 withmatchlen
    lcs l1 l2 idx len
    lcs l1 l2 idx minmatchlen abc
    lcs l1 l2 foo
    lcs l1 missing
    lcs l1
  `,
  "numbers as C reads them": `
    zadd z -inf a 1 b 2 c inf d
    zrangebyscore z "" 1
    zrangebyscore z " 1" ( withscores
    zrangebyscore z 1 1e400
    zrangebyscore z -1e400 "(\\x001"
    zrangebyscore z "1 " 2
    zrangebyscore z nan 2
    zcount z (1e-400 "1\\x00x"
    zcount z ((1 2
    zcount z 0x1 (0x2
    zadd z " 1" x
    zadd z 1e400 x
    zadd lex 0 a 0 b
    zlexcount lex "-\\x00" "+\\x00x"
    zlexcount lex "" +
    zrange lex - + bylex bylex
    zrange lex - + bylex rev rev
    zrange z 0 1 byscore bylex
    zrange z 0 1 withscores withscores
    zrangestore z2 z 0 1 rev rev
    zrangestore z2 z "" 1e400 byscore
    sadd t 1
    sscan t ""
    sscan t -1
    sscan t "0\\x00x"
    sscan t 9007199254740993
    sscan t 18446744073709551615
    sscan t 18446744073709551616
    sscan t -18446744073709551616
    sscan t " 1"
    sscan t +0
    sscan t 1x
    sscan t x count 0
    sscan t 99 count 0
    sscan missing 99 count 0
    hscan t 99 count 0
    scan "" count 0
    xadd x " 1-1" a b
    xadd x "2- 1" a b
    xadd x 3--2 a b
    xadd x 3--02 a b
    xadd x "4\\x00-9" a b
    xadd x "5-*\\x00" a b
    xrange x "-\\x00" "+\\x00"
    xrange x "( 1" +
    multi
    blpop missing -1e400
    blpop missing 1e-400
    blpop missing -0.0001
    blpop missing 1e5000
    blpop missing " 1"
    exec
    xgroup create x g 0
    xreadgroup group g ann streams x >
    xreadgroup group g ann streams x 18446744073709551615-18446744073709551615
    bitfield k set "u8\\x00x" 0 1
    geoadd g inf 1 a
    geoadd g 1 -inf a
    geoadd g -180 -180 a
    geoadd g 1 x b
    geoadd g 200.0078125 -0 a
    geoadd g 1e22 1 a
    geosearch g fromlonlat inf 1 byradius 1 km
  `,
  "deadlines of 64 bits": `
    set k v
    pexpireat k 9223372036854775807
    pexpiretime k
    expiretime k
    pexpireat k 9223372036854775806 gt
    pexpireat k 9223372036854775806 lt
    pexpiretime k
    rename k k2
    copy k2 k3
    pexpiretime k3
    move k3 1
    select 1
    pexpiretime k3
    select 0
    set k v pxat 9007199254740993
    pexpiretime k
    expiretime k
    getex k pxat 9223372036854775807
    pexpiretime k
    expireat k 9223372036854775
    pexpiretime k
    expireat k 9223372036854776
    expireat k -9223372036854776
    pexpire k 9223372036854775807
    expire k 9223372036854775807
    pexpire k -9223372036854775808 xx
    exists k
    set k v
    pexpireat k -9223372036854775808
    exists k
    set k v px 9223372036854775807
    set k v px -9223372036854775808
    set k v exat 9223372036854775
    expiretime k
    psetex k 9223372036854775807 v
    setex k 9223372036854775 v
  `,
};
