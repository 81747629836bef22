-- The Towers of Hanoi, solved by recursion on real stacks, so that no illegal move can pass.
local DISCS <const> = 10

local towers = { left = {}, middle = {}, right = {} }
for disc = DISCS, 1, -1 do
  table.insert(towers.left, disc)
end

local moves = 0

local function move(from, to)
  local disc = table.remove(towers[from])
  local below = towers[to][#towers[to]]
  assert(not below or below > disc, "a larger disc on a smaller one")
  table.insert(towers[to], disc)
  moves = moves + 1
  if moves <= 5 then
    print(("move %d: disc %d from %s to %s"):format(moves, disc, from, to))
  end
end

local function solve(count, from, to, spare)
  if count == 0 then return end
  solve(count - 1, from, spare, to)
  move(from, to)
  solve(count - 1, spare, to, from)
end

solve(DISCS, "left", "right", "middle")
assert(#towers.right == DISCS and moves == 2 ^ DISCS - 1)
print(("... %d discs moved in %d moves"):format(DISCS, moves))
