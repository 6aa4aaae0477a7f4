/** Sessions about users (ACL), as those of sessions.ts. Texts that 7.0 and 7.2 write differently are in behaviour/acl_test.ts. */
export const USER_SESSIONS: Record<string, string> = {
  users: `
    acl whoami
    acl whoami x
    acl users
    acl setuser ann on >pw ~a* +get +config|get
    acl setuser ann %R~x %W~y %RW~z &c
    acl setuser ann nosuch
    acl setuser ann +nosuch
    acl setuser ann +config|nosuch
    acl setuser ann +config|get|x
    acl setuser ann -select|0
    acl setuser ann +@nosuch
    acl setuser ann <other
    acl setuser ann #short
    acl setuser ann !short
    acl setuser ann ~* ~a
    acl setuser ann &* &a
    acl setuser ann (+get
    acl setuser ann (on)
    acl setuser ann (+set ~b*)
    acl setuser "a b" on
    acl users
    acl dryrun ann get abc
    acl dryrun ann set b v
    acl dryrun ann get
    acl dryrun ann nosuch
    acl dryrun ann config nosuch
    acl dryrun nobody get a
    acl getuser nobody
    acl genpass 0
    acl genpass 4097
    acl genpass x
    acl genpass 1 2
    acl cat nosuch
    acl cat a b
    acl log -1
    acl log x
    acl log reset
    acl log reset x
    acl load
    acl save
    acl nosuch
    acl
    auth ann other
    auth nobody pw
    auth pw
    auth a b c
    auth ann pw
    get abc
    config get save
    reset
    acl whoami
    client kill user nobody
    acl deluser default
    acl deluser nobody
    acl deluser nobody ann
    acl users
    hello 2 auth ann pw
  `,
};
