-- Writes a value unless what is there was read later, or of a later version: a slow read never writes back what was.
-- Both begin with a schema and four numbers of nineteen digits; what begins otherwise is replaced.
local old, new = redis.pcall('GETRANGE', KEYS[1], 0, 81), ARGV[1]
if type(old) == 'string' and #old == 82 and string.sub(old, 1, 2) == string.sub(new, 1, 2) then
  for first = 3, 63, 20 do
    if string.sub(old, first, first + 18) > string.sub(new, first, first + 18) then
      return 0
    end
  end
end
redis.call('SET', KEYS[1], new, 'PX', ARGV[2])
return 1
