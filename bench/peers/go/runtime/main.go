// The peer of bench/runtime_coroutine.c: the same programs as a Go programmer writes them. One
// line for each figure: the median of seven runs after one to warm up.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync"
	"time"
)

const runs = 7

func perOp(n int, begin time.Time) float64 {
	return float64(time.Since(begin).Nanoseconds()) / float64(n)
}

func spawnBatch() float64 {
	const n = 1000000
	var wg sync.WaitGroup
	begin := time.Now()
	wg.Add(n)
	for i := 0; i < n; i++ {
		go wg.Done()
	}
	wg.Wait()
	return perOp(n, begin)
}

func spawnTurn() float64 {
	const n = 1000000
	done := make(chan struct{})
	begin := time.Now()
	for i := 0; i < n; i++ {
		go func() { done <- struct{}{} }()
		<-done
	}
	return perOp(n, begin)
}

func pingPong() float64 {
	const n = 1000000
	there, back := make(chan uint64), make(chan uint64)
	go func() {
		for x := range there {
			back <- x
		}
	}()
	begin := time.Now()
	for i := uint64(0); i < n; i++ {
		there <- i
		<-back
	}
	took := perOp(n, begin)
	close(there)
	return took
}

func yield() float64 {
	const n = 2000000
	var wg sync.WaitGroup
	wg.Add(2)
	begin := time.Now()
	for k := 0; k < 2; k++ {
		go func() {
			for i := 0; i < n/2; i++ {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	return perOp(n, begin)
}

func ring() float64 {
	const members, rounds = 1000, 500
	first := make(chan uint64)
	from := first
	for i := 0; i+1 < members; i++ {
		to := make(chan uint64)
		go func(from <-chan uint64, to chan<- uint64) {
			for x := range from {
				to <- x
			}
			close(to)
		}(from, to)
		from = to
	}
	begin := time.Now()
	for i := 0; i < rounds; i++ {
		first <- 0
		<-from
	}
	took := perOp(members*rounds, begin)
	close(first)
	return took
}

func producers() float64 {
	const n, many = 4000000, 4
	c := make(chan uint64, 128)
	for k := 0; k < many; k++ {
		go func() {
			for i := uint64(0); i < n/many; i++ {
				c <- i
			}
		}()
	}
	var sum uint64
	begin := time.Now()
	for i := 0; i < n; i++ {
		sum += <-c
	}
	took := perOp(n, begin)
	if sum != n/many*(n/many-1)/2*many {
		os.Exit(1)
	}
	return took
}

func selectOver8() float64 {
	const n = 1000000
	var c [8]chan uint64
	for i := range c {
		c[i] = make(chan uint64)
	}
	go func() {
		for i := uint64(0); i < n; i++ {
			c[i%8] <- i
		}
	}()
	begin := time.Now()
	for i := uint64(0); i < n; i++ {
		var x uint64
		select {
		case x = <-c[0]:
		case x = <-c[1]:
		case x = <-c[2]:
		case x = <-c[3]:
		case x = <-c[4]:
		case x = <-c[5]:
		case x = <-c[6]:
		case x = <-c[7]:
		}
		if x != i {
			os.Exit(1)
		}
	}
	return perOp(n, begin)
}

// parked is what the runtime took from the system for each waiting goroutine.
func parked() float64 {
	const n = 20000
	var before, after runtime.MemStats
	c := make(chan uint64)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := 0; i < n; i++ {
		go func() { <-c }()
	}
	for i := 0; i < 4; i++ {
		runtime.Gosched()
	}
	runtime.ReadMemStats(&after)
	close(c)
	inUse := func(m *runtime.MemStats) uint64 { return m.StackInuse + m.HeapInuse }
	return float64(inUse(&after)-inUse(&before)) / n
}

func main() {
	fmt.Println("peer", runtime.Version())
	fmt.Printf("parked %.1f\n", parked())
	for _, f := range []struct {
		name string
		run  func() float64
	}{
		{"spawn_batch", spawnBatch}, {"spawn_turn", spawnTurn}, {"ping_pong", pingPong},
		{"yield", yield}, {"ring", ring}, {"producers", producers}, {"select", selectOver8},
	} {
		f.run()
		all := make([]float64, runs)
		for i := range all {
			all[i] = f.run()
		}
		sort.Float64s(all)
		fmt.Printf("%s %.1f\n", f.name, all[runs/2])
	}
}
