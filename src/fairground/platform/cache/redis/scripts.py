"""What the server does in one step, with nothing of others between."""

from typing import Final

# Keys: lease, entry, tags. Arguments: owner, milliseconds, a new token and its seconds, whether the lease is asked for
# though there is an entry, then the fields. It tells whether the lease is ours, and for how long it is another's. It
# writes first, which a full server and a replica refuse. Who is refused the lease leaves word that somebody waits.
CLAIM: Final = """
local tokens = {}
if ARGV[5] == '0' and redis.call('EXISTS', KEYS[2]) == 1 then
    for i = 3, #KEYS do tokens[i - 2] = redis.call('GET', KEYS[i]) end
    return {0, -1, redis.call('HMGET', KEYS[2], unpack(ARGV, 6)), tokens}
end
local is_ours, others = 1, -1
if redis.call('HSETNX', KEYS[1], 'owner', ARGV[1]) == 1 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
elseif redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
    redis.call('HSET', KEYS[1], 'is_waited_for', 1)
    is_ours, others = 0, redis.call('PTTL', KEYS[1])
end
for i = 3, #KEYS do
    redis.call('SET', KEYS[i], ARGV[3], 'NX', 'EX', ARGV[4])
    tokens[i - 2] = redis.call('GET', KEYS[i])
end
return {is_ours, others, redis.call('HMGET', KEYS[2], unpack(ARGV, 6)), tokens}
"""

# It sets before it deletes, because a full server refuses only what a script writes first.
REPLACE: Final = """
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
local is_new = {}
for i = 2, #ARGV, 2 do is_new[ARGV[i]] = true end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if not is_new[field] then redis.call('HDEL', KEYS[1], field) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""

RENEW_LEASE: Final = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

# Each process hears every message, so nobody is told what nobody waits for.
RELEASE_LEASE: Final = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
local is_waited_for = redis.call('HEXISTS', KEYS[1], 'is_waited_for')
redis.call('DEL', KEYS[1])
if is_waited_for == 1 then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return 1
"""
