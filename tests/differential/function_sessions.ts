/** As sessions.ts: sessions with libraries of functions. */
export const FUNCTION_SESSIONS: Record<string, string> = {
  functions: `
    function flush
    function load "#!lua name=x\\nredis.register_function('f', function(k, a) return {k, a} end)"
    function load "#!lua name=x\\nredis.register_function('f', function(k, a) return {k, a} end)"
    function load "#!lua name=y\\nredis.register_function('F', function(k, a) return {k, a} end)"
    fcall f 2 a b c
    fcall F 0
    fcall f -1
    fcall f x
    fcall f 3 a b
    fcall_ro f 0
    fcall g 0
    function list
    function list withcode
    function list libraryname y
    function list x
    function stats
    function load replace "#!lua name=x\\nredis.register_function{function_name='g', callback=function() return redis.call('get', 'k') end, flags={'no-writes'}, description='d'}"
    fcall f 0
    fcall_ro g 0
    fcall_ro g 1 k
    function list
    function load replace "#!lua name=x\\nlocal function g( return 1"
    function load replace "#!lua name=x\\nreturn 1"
    function load replace "#!lua name=x\\nfoo()"
    function load replace "#!lua name=x\\nfoo = 1"
    function load replace "#!lua name=x\\nredis.call('ping')"
    function load replace "#!lua name=x\\nredis.register_function('f', 1)"
    function load replace "#!lua nam=x\\n"
    function load replace "#!lua name=x-\\n"
    function load replace "#!js name=x\\n"
    function load replace nothing
    function load nothing "#!lua name=x\\n"
    fcall g 0
    function delete y
    function delete x
    function delete x
    function load "#!lua name=x\\nredis.register_function('f', function(k, a) a() end)"
    fcall f 0
    function restore nothing
    function restore nothing flush
    function restore nothing nothing
    function kill
    function nothing
    multi
    function flush
    fcall f 0
    function load "#!lua name=x\\nredis.register_function('f', function(k, a) return redis.call('set', k[1], a[1]) end)"
    fcall f 1 key value
    exec
    get key
    flushall
    fcall f 1 key value
    command getkeys fcall f 2 a b c
    function flush async
    function list
    function flush x
    function flush sync x
  `,
};
