module sedge/bench/peers/runtime

go 1.19
