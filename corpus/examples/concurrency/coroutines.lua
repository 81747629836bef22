-- A round-robin scheduler for coroutines: three tasks take turns on one thread.
local tasks = {}

local function spawn(name, count)
  local thread = coroutine.create(function()
    for i = 1, count do
      coroutine.yield(("%s %d/%d"):format(name, i, count))
    end
    return name .. " finished"
  end)
  table.insert(tasks, thread)
end

spawn("knit", 3)
spawn("read", 1)
spawn("nap", 2)

local turn = 1
while #tasks > 0 do
  turn = (turn - 1) % #tasks + 1
  local ok, message = coroutine.resume(tasks[turn])
  assert(ok, message)
  print(message)
  if coroutine.status(tasks[turn]) == "dead" then
    table.remove(tasks, turn) -- the next task slides into this turn
  else
    turn = turn + 1
  end
end
