/** What `respite cli --help` prints. */
export const HELP = `Usage: respite cli [OPTIONS] [cmd [arg [arg ...]]]
  -h <hostname>      Server hostname (default: 127.0.0.1).
  -p <port>          Server port (default: 6379).
  -s <socket>        Server's Unix socket, instead of hostname and port.
  -u <uri>           redis://[[user:]password@][host][:port][/db], rediss:// with TLS.
  -a <password>      Password. The environment variable REDISCLI_AUTH is safer; --pass is the same.
  --user <username>  User of the access list, together with -a.
  --askpass          Ask for the password.
  --no-auth-warning  Don't warn of a password on the command line.
  -n <db>            Database number.
  -2, -3             Speak RESP2 or RESP3.
  --tls              Connect with TLS.
  --sni <name>       Name that the server must show a certificate for (default: the hostname).
  --cacert <file>    Trust the certificates in this file, besides the system's.
  --cacertdir <dir>  The same for all files in a directory.
  --cert <file>      The client's own certificate, in PEM; --key <file> is its key.

  -r <repeat>        Run the command so many times; -1 is for ever.
  -i <interval>      Wait so many seconds between two runs: -i 0.1. Also between the steps of --scan,
                     --stat, --bigkeys, --memkeys and --hotkeys.
  -x                 Read the last argument from standard input.
  -X <tag>           Read the argument that is <tag> from standard input.
  -e                 End with exit code 1 if the command fails, and print the error on standard error.
  --quoted-input     Arguments in quotes are strings with escapes: '"null-\\x00-separated"'.
  --eval <file>      Run the Lua script in a file: --eval file key1 key2 , arg1 arg2

  --raw              Print replies as they are (default when standard output is no terminal).
  --no-raw           Print replies for people even so.
  -d <delimiter>     What stands between the values of a raw reply (default: a line end).
  -D <delimiter>     What follows each raw reply (default: a line end).
  --csv, --json, --quoted-json
                     Print replies in these formats; JSON of --quoted-json is ASCII.
  --show-pushes <yn> Print what the server sends unasked (default: yes at a terminal).

  --scan             List all keys.
  --bigkeys          Look for keys with many elements.
  --memkeys          Look for keys that take much memory; --memkeys-samples <n> elements each.
  --hotkeys          Look for keys that are often used. Needs a maxmemory-policy with LFU.
  --pattern <pat>    Keys for --scan, --bigkeys, --memkeys and --hotkeys (default: *).
  --quoted-pattern <pat>  The same with escapes.
  --count <count>    COUNT of their SCAN (default: 10).
  --stat             Print the server's figures every second.
  --latency          Measure how long PING takes, for ever; one second if the output is no terminal.
  --latency-history  The same, a line every 15 seconds (or -i).
  --latency-dist     The same as a spectrum of colours.
  --intrinsic-latency <sec>  How long the system keeps this process waiting; needs no server.
  --lru-test <keys>  Simulate a cache with an 80-20 distribution.
  --replica          Print the commands that a replica receives.
  --rdb <file>       Save a snapshot of the server's data here; "-" is standard output.
  --functions-rdb <file>  The same, functions alone.
  --pipe             Send commands of the protocol from standard input; --pipe-timeout <seconds>.

  --help             Print this.
  --version          Print the version.

Without a command it reads commands from the terminal: type "help" there. Without a terminal it runs
each line of standard input. "respite cli ping" ends with 0 if the server answers.
`;
