/**
 * Sessions of several clients, replayed against redis-server and ours: what each client receives is compared byte for byte,
 * pushes included. A line is a client and its inline commands; "$a" is the id of client a, and "CLOSE" its departure.
 */
export const TRACKING_SESSIONS: Record<string, string> = {
  "CLIENT TRACKING's options": `
    a: client tracking
    a: client tracking on bcast foo
    a: client tracking maybe
    a: client tracking maybe redirect 99999
    a: client tracking on redirect
    a: client tracking on redirect abc
    a: client tracking on redirect 0
    a: client tracking on redirect 99999
    a: client tracking on redirect -1
    a: client tracking on redirect 99999999999999999999
    a: client tracking on redirect $a
    a: client trackinginfo
    b: ping
    a: client tracking on redirect $b redirect $a
    a: client tracking on redirect $b redirect 77777
    a: client tracking on prefix x
    a: client tracking on prefix x optin optout
    a: client tracking off prefix x
    a: client tracking off redirect 77777
    a: client tracking on bcast prefix
    a: client tracking on optin optout
    a: client tracking on bcast optin optout
    a: client tracking off optin optout bcast
    a: client trackinginfo
    a: client tracking on optin
    a: client tracking on optout
    a: client tracking on bcast
    a: client tracking on bcast optout
    a: client tracking on
    a: client trackinginfo
    a: client tracking on noloop
    a: client trackinginfo
    a: client tracking on redirect $b
    a: client trackinginfo
    a: client getredir
    a: client tracking on
    a: client getredir
    a: client tracking off
    a: client getredir
    a: client getredir x
    a: client trackinginfo x
    a: hello 3
    a: client trackinginfo
    a: client tracking on bcast prefix zoo prefix bar prefix "a b"
    a: client trackinginfo
    a: reset
    a: client trackinginfo
  `,
  "prefixes that overlap": `
    a: client tracking on bcast prefix a prefix a
    a: client tracking on bcast prefix "" prefix a
    a: client tracking on bcast prefix a prefix ""
    a: client tracking on bcast prefix FOOBAR prefix FOO prefix BAR
    a: client tracking on bcast prefix FOO prefix FOOBAR
    a: client tracking on bcast prefix "a\\x00b" prefix "a\\x00bc"
    a: client tracking on bcast prefix a prefix b
    a: client tracking on bcast prefix a
    a: client tracking on bcast prefix c prefix bc
    a: client tracking on bcast prefix c
    a: client trackinginfo
    a: client tracking on bcast
    a: client tracking on bcast prefix d
    a: client trackinginfo
    a: client tracking on bcast noloop
    a: client tracking on
    a: client tracking off
    a: client trackinginfo
  `,
  "CLIENT CACHING": `
    a: hello 3
    a: client caching yes
    a: client caching maybe
    a: client tracking on
    a: client caching yes
    a: client caching no
    a: client tracking on optin
    a: client caching
    a: client caching maybe
    a: client caching no
    a: get k
    b: set k 1
    a: client caching yes
    a: client trackinginfo
    a: client id
    a: client trackinginfo
    a: get k
    a: get l
    b: mset k 1 l 1
    a: client caching yes
    a: nosuch
    a: get k
    b: set k 1
    a: client caching yes
    a: get
    a: get k
    b: set k 1
    a: client caching yes
    a: client nosuch
    a: get k
    b: set k 1
    a: client caching yes
    a: client
    a: get k
    b: set k 1
    a: client caching yes
    a: multi
    a: get k
    a: get l
    a: exec
    a: get m
    b: mset k 1 l 1 m 1
    a: client caching yes
    a: multi
    a: get k
    a: discard
    a: get m
    b: mset k 1 l 1 m 1
    a: multi
    a: get k
    a: client caching yes
    a: get l
    a: ping
    a: get m
    a: exec
    a: get n
    b: mset k 1 l 1 m 1 n 1
    a: client caching yes
    a: client tracking on optin
    a: client trackinginfo
    a: get k
    b: set k 1
    a: client caching yes
    a: client tracking off
    a: client tracking on optout
    a: client trackinginfo
    a: client caching yes
    a: client caching no
    a: client trackinginfo
    a: get k
    a: get l
    b: mset k 1 l 1
  `,
  "keys that are read": `
    a: hello 3
    a: client tracking on
    a: get k
    b: set k 1
    b: set k 2
    a: mget k x y
    b: multi
    b: set k 1
    b: set x 1
    b: set y 1
    b: set k 2
    b: exec
    a: exists k x
    b: mset k 1 x 1
    a: type k
    b: set k 1
    a: ttl k
    b: expire k 100
    a: strlen k
    b: persist k
    a: object encoding k
    b: set k 1
    a: dump nosuch
    b: set nosuch 1
    a: touch k
    b: set k 2
    a: keys nosuch*
    a: scan 0 match absent
    a: randomkey x
    a: dbsize
    b: mset k 1 x 1
    a: watch k
    b: set k 2
    a: unwatch
    a: sort k
    b: set k 2
    a: sort_ro k
    b: set k 2
    a: sort_ro l by nosort get x*
    b: mset l 2 x1 1
    a: getex k
    a: getdel k
    b: set k 2
    a: pfcount k
    b: set k 2
    a: lcs k l
    b: mset k 3 l 3
    a: zintercard 2 k2 k3
    b: sadd k2 a
    b: sadd k3 a
    a: georadius g 0 0 1 m
    b: set g 1
    a: georadius_ro g 0 0 1 m
    b: set g 2
    a: hget g f
    b: set g 2
    a: xread streams s1 s2 0 0
    b: xadd s1 1-1 f v
    b: xadd s2 1-1 f v
    a: mget m1 m2
    b: rename g m1
    b: copy m1 m2
    a: mget m1 m2
    b: move m1 3
    b: unlink m2
    a: smembers k2
    b: srem k2 nosuch
    b: srem k2 a
    a: get ""
    b: set "" 1
    a: get "a\\x00\\r\\n\\xff"
    b: set "a\\x00\\r\\n\\xff" 1
    a: select 1
    a: get k
    b: set k 1
    a: set k 1
    a: get k
    b: select 1
    b: set k 2
  `,
  "a client's own changes": `
    a: hello 3
    a: client tracking on
    a: set k 1
    a: get k
    a: set k 2
    a: get k ;; set k 3 ;; get k ;; set k 4 ;; ping
    a: multi
    a: get k
    a: set k 1
    a: get k
    a: set k 2
    a: mset x 1 y 2
    a: get x
    a: exec
    b: set x 1
    a: hset h f 1
    a: hget h f
    a: hdel h f
    a: client tracking on noloop
    a: get k
    a: set k 5
    b: set k 6
    a: get k
    b: set k 7
    a: get k
    a: multi
    a: set k 8
    a: flushdb
    a: exec
    a: client reply skip ;; get k
    b: set k 9
    a: client tracking on
    a: get k
    a: client reply skip ;; set k 1
    a: client reply off
    a: get k
    a: set k 1
    a: get k
    b: set k 1
    a: client reply on
    a: get k
    a: client reply skip
    b: set k 2
    a: ping
    a: ping
  `,
  "databases that are emptied": `
    a: hello 3
    a: client tracking on
    c: hello 3
    c: client tracking on bcast prefix k
    a: mget k l
    b: flushdb
    b: flushall
    a: flushall
    a: multi
    a: flushall
    a: flushdb
    a: ping
    a: exec
    a: mget k l
    b: select 3
    b: flushdb async
    b: select 0
    b: set k 1
    a: get k
    b: swapdb 0 3
    b: set k 1
    b: debug reload
    b: set k 2 ;; flushall sync ;; set k2 1
  `,
  "RESP2 and redirection": `
    a: client tracking on
    a: get k
    b: set k 1
    r: ping
    a: client tracking on redirect $r
    a: get k
    b: set k 1
    r: subscribe foo
    a: get k
    b: set k 1
    r: unsubscribe foo
    a: get k
    b: set k 1
    r: psubscribe foo
    a: get k
    b: set k 1
    r: punsubscribe
    r: ssubscribe foo
    a: get k
    b: set k 1
    r: sunsubscribe
    r: subscribe x
    b: flushall
    a: hello 3
    b: flushall
    a: flushall
    a: get k
    a: set k 1
    r: unsubscribe
    r: hello 3
    b: flushall
    a: hello 2
    b: flushall
    a: flushall
    r: flushall
    a: mget k l
    r: set k 1
    a: mget k l
    r: multi
    r: set k 1
    r: mget k l
    r: set l 1
    r: exec
    a: mget k l
    r: del k l
    a: client tracking on redirect $a
    a: hello 3
    a: get k
    a: set k 1
    a: get k
    b: set k 2
    a: hello 2
    a: get k
    b: set k 2
    a: subscribe z
    b: flushall
  `,
  "a redirection whose client has gone": `
    a: hello 3
    q: hello 3
    a: client tracking on redirect $q
    a: mget k l m n
    q: CLOSE
    a: client trackinginfo
    a: set k 2
    a: client trackinginfo
    b: set l 1
    a: hello 2
    b: set m 1
    b: flushall
    a: hello 3
    b: flushall
    a: client getredir
    a: client reply off
    a: get k
    b: set k 1
    a: client reply on
    a: client tracking on
    a: client trackinginfo
    q: client id
    a: client tracking off
    a: client tracking on bcast redirect $q
    b: mset k 1 l 1
    q: hello 3
    b: mset k 1 l 1
    q: CLOSE
    b: mset k 1 l 1
    a: client trackinginfo
  `,
  "tracking that is switched off and on": `
    a: hello 3
    a: client tracking on
    a: get k
    a: client tracking off
    a: client tracking on
    b: set k 1
    a: get k
    a: reset
    a: hello 3
    a: client tracking on
    b: set k 1
    a: get k
    a: client tracking off
    b: set k 1
    a: client tracking on
    b: set k 1
    a: get k
    a: client tracking off
    a: client tracking on bcast
    b: set k 1
    a: client tracking off
    a: client tracking on
    b: set k 1
    a: get k
    a: hello 2
    b: set k 1
    a: hello 3
    b: set k 1
  `,
  "broadcasts": `
    a: hello 3
    r: hello 3
    a: client tracking on bcast
    a: set k 1
    b: set k 1
    b: set k 1 ;; set j 1 ;; set k 2 ;; del k ;; del k ;; ping
    a: set k 1 ;; set j 1 ;; set k 2 ;; del k ;; get k ;; ping
    a: multi
    a: set z 1
    a: set y 1
    a: exec
    b: set k 1 ;; flushall ;; set l 1
    a: set k 1 ;; flushall ;; set l 1
    r: client tracking on bcast prefix z prefix a prefix m noloop
    b: mset z1 1 a1 1 m1 1 z2 1 zz 1 a 1 b 1
    r: mset z1 1 a1 1 m1 1 z2 1 zz 1 a 1 b 1
    r: mset z1 1 a1 1 m1 1 z2 1 zz 1 a 1 b 1 ;; ping
    r: client tracking on bcast prefix b
    b: set b 1
    r: client tracking off
    r: client tracking on bcast prefix abc prefix abd
    b: mset abc 1 ab 1 abd 1 abcd 1 abb 1 abe 1
    r: client tracking off
    a: client tracking off
    a: client tracking on bcast redirect $r
    b: mset k 1 l 1
    r: mset k 1 l 1
    a: mset k 1 l 1
    r: hello 2
    b: mset k 1 l 1
    r: subscribe x
    b: mset k 1 l 1
    a: client tracking on bcast noloop
    a: mset k 1 l 1
    a: set k 1 ;; set k2 1
    b: set k 1
    b: mset "" 1 "\\xff" 1 "\\x00" 1 "\\x00\\x00" 1
    a: client reply off
    b: set k 1
    a: set k 1
  `,
  "scripts": `
    a: hello 3
    a: client tracking on bcast noloop
    a: eval "redis.call('set','k',1) return 1" 0
    a: client tracking off
    a: client tracking on noloop
    a: get k
    a: eval "redis.call('set','k',1) return 1" 0
    a: get k
    b: eval "redis.call('set','k',1) return 1" 0
    a: client tracking on
    a: get k
    a: eval "redis.call('set','k',1) return redis.call('mget','k','l')" 0
    b: mset k 1 l 1
    a: eval "redis.call('set','k',1) return redis.call('mget','k','l')" 1 declared
    b: mset k 1 declared 1
    a: eval_ro "return redis.call('mget','k','l')" 1 declared
    b: mset k 1 declared 1
    a: multi
    a: eval "redis.call('set','l',2) return redis.call('get','k')" 0
    a: get k
    a: exec
    b: mset k 1 l 1
    a: mget k l
    b: eval "redis.call('flushall') redis.call('set','l',1) return redis.call('get','k')" 0
    a: mget k l
    a: eval "redis.call('flushall') redis.call('set','l',1) return redis.call('get','k')" 0
    a: get l
    a: eval "redis.call('set','l',1) return redis.error_reply('ERR no')" 0
    a: client tracking off
    a: client tracking on optin
    a: eval "return redis.call('mget','k','l')" 0
    b: mset k 1 l 1
    a: client caching yes
    a: eval "redis.call('get','m') return redis.call('mget','k','l')" 0
    b: mset k 1 l 1 m 1
    a: client caching yes
    a: multi
    a: eval "return redis.call('get','k')" 0
    a: get l
    a: exec
    b: mset k 1 l 1
    a: client tracking off
    a: eval "return redis.call('client','tracking','on')" 0
    a: eval "return redis.call('get','k')" 0
    b: set k 1
  `,
  "commands that wait": `
    a: hello 3
    a: client tracking on
    a: blpop bl 0
    b: rpush bl 1
    b: rpush bl 2
    a: lrange bl 0 -1
    a: blpop bl 0
    a: lrange bl 0 -1
    a: blpop bl 0
    b: rpush bl 1
    a: xread block 0 streams st $
    b: xadd st 1-1 f v
    b: xadd st 1-2 f v
    a: xread block 0 streams st $
    b: xadd st2 1-1 f v
    b: xadd st 1-3 f v
    b: xadd st 1-4 f v
    a: xread block 0 streams st $ ;; get k
    b: xadd st 1-5 f v
    b: set k 1
    a: lrange l2 0 -1
    a: blmove l1 l2 left left 0
    b: rpush l1 a
    a: lrange l2 0 -1
    a: client tracking on noloop
    a: blmove l1 l2 left left 0
    b: rpush l1 a
    b: hello 3
    b: client tracking on noloop
    b: lrange l2 0 -1
    a: blmove l1 l2 left left 0
    b: rpush l1 a
    a: xread block 0 streams st $
    b: client unblock $a
    b: xadd st 1-6 f v
    b: client unblock $a
  `,
};
