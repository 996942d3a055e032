// The peer of bench/runtime: the same programs, of the same sizes, as a Go programmer writes them.
// Called as bench/runtime/bench.h says; GOMAXPROCS is the number of workers.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"time"
)

const runs = 7

type figure struct {
	name string
	runs int
	run  func() float64
}

var figures = []figure{
	{"parked", 1, parked},
	{"spawn_batch", runs, spawnBatch},
	{"spawn_turn", runs, spawnTurn},
	{"ping_pong", runs, pingPong},
	{"yield", runs, yield},
	{"ring", runs, ring},
	{"skynet", runs, skynet},
	{"producers", runs, producers},
	{"select", runs, selectOver8},
	{"timer_set", runs, timerSet},
	{"timer_cancel", runs, timerCancel},
	{"timer_fire", runs, timerFire},
	{"fib", runs, fork},
	{"merge_sort", runs, mergeSort},
}

func perOp(n int, begin time.Time) float64 {
	return float64(time.Since(begin).Nanoseconds()) / float64(n)
}

func check(ok bool) {
	if !ok {
		panic("wrong")
	}
}

func take(f figure) {
	if f.runs > 1 {
		f.run() // to warm up
	}
	all := make([]float64, f.runs)
	for i := range all {
		all[i] = f.run()
	}
	sort.Float64s(all)
	fmt.Printf("%s %.2f\n", f.name, all[f.runs/2])
}

func main() {
	if len(os.Args) > 1 {
		workers, err := strconv.Atoi(os.Args[1])
		check(err == nil)
		runtime.GOMAXPROCS(workers)
	}
	fmt.Println("peer go", runtime.Version()[len("go"):])
	for _, f := range figures {
		if len(os.Args) < 3 || os.Args[2] == f.name {
			take(f)
		}
	}
}
