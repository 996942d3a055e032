module sedge/bench/peers/echo

go 1.19
