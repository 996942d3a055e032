-- bench/lang_gc.c's `replace` in Lua, for bench/lang_gc.py: the longest operation, CPU time.
local ELEMENTS, OPS, RUNS = 800000, 1500000, 3
local clock, random = os.clock, math.random

local function element()
    return {leaf = {1, 2, 3}, 4, 5, 6}
end

local longest, over = {}, 0
for run = 1, RUNS do
    math.randomseed(1)
    local list = {}
    for i = 1, ELEMENTS do list[i] = element() end
    collectgarbage()
    collectgarbage()
    local live, most = collectgarbage("count"), 0
    longest[run] = 0
    for i = 1, OPS do
        local begin = clock()
        list[random(ELEMENTS)] = element()
        local a, b = list[random(ELEMENTS)], list[random(ELEMENTS)]
        a.leaf, b.leaf = b.leaf, a.leaf
        local took = clock() - begin
        if took > longest[run] then longest[run] = took end
        if i % 1000 == 0 then most = math.max(most, collectgarbage("count")) end
    end
    over = math.max(over, most / live)
end
print("peer " .. _VERSION)
print(string.format("longest_run_us %.1f", math.min(table.unpack(longest)) * 1e6))
print(string.format("heap_over_live %.2f", over))
