package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

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

func resident() int {
	statm, err := os.ReadFile("/proc/self/statm")
	check(err == nil)
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	check(err == nil)
	return pages * os.Getpagesize()
}

// parked is what becomes resident for each goroutine that waits in a channel.
func parked() float64 {
	const n = 100000
	c := make(chan uint64)
	runtime.GC()
	before := resident()
	for i := 0; i < n; i++ {
		go func() { <-c }()
	}
	for i := 0; i < 4; i++ {
		runtime.Gosched()
	}
	after := resident()
	close(c)
	return float64(after-before) / n
}

// skynetNode sends the sum of the numbers of the leaves below it.
func skynetNode(result chan<- int, num, size int) {
	if size == 1 {
		result <- num
		return
	}
	children := make(chan int, 10)
	for i := 0; i < 10; i++ {
		go skynetNode(children, num+i*size/10, size/10)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-children
	}
	result <- sum
}

func skynet() float64 {
	const leaves, nodes = 1000000, 1111111
	result := make(chan int)
	begin := time.Now()
	go skynetNode(result, 0, leaves)
	sum := <-result
	took := perOp(nodes, begin)
	check(sum == leaves*(leaves-1)/2)
	return took
}
