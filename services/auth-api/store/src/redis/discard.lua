-- Deletes a value that is good for nothing, unless another stands there by now.
local found = redis.pcall('GETRANGE', KEYS[1], 0, ARGV[2])
if type(found) ~= 'string' or found == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
