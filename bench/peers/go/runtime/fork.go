package main

import (
	"sync"
	"time"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	var one int
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		one = fib(n - 1)
		wg.Done()
	}()
	two := fib(n - 2)
	wg.Wait()
	return one + two
}

// fork is the cost of one fork and its join: fib(30) has 1,346,268 of them.
func fork() float64 {
	const forks = 1346268
	begin := time.Now()
	sum := fib(30)
	took := perOp(forks, begin)
	check(sum == 832040)
	return took
}

const (
	sortLen     = 10000000
	sequential  = 8192 // elements that are not worth a fork
	insertionOf = 32
)

func insertionSort(a []int32) {
	for i := 1; i < len(a); i++ {
		x, at := a[i], i
		for ; at > 0 && x < a[at-1]; at-- {
			a[at] = a[at-1]
		}
		a[at] = x
	}
}

func merge(out, a, b []int32) {
	i, j, k := 0, 0, 0
	for i < len(a) && j < len(b) {
		if b[j] < a[i] {
			out[k] = b[j]
			j++
		} else {
			out[k] = a[i]
			i++
		}
		k++
	}
	k += copy(out[k:], a[i:])
	copy(out[k:], b[j:])
}

// sortInto sorts a; other holds the same elements and is overwritten.
func sortInto(a, other []int32) {
	if len(a) <= insertionOf {
		insertionSort(a)
		return
	}
	half := len(a) / 2
	if len(a) <= sequential {
		sortInto(other[:half], a[:half])
		sortInto(other[half:], a[half:])
	} else {
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			sortInto(other[:half], a[:half])
			wg.Done()
		}()
		sortInto(other[half:], a[half:])
		wg.Wait()
	}
	merge(a, other[:half], other[half:])
}

var sortA, sortOther []int32

func mergeSort() float64 {
	if sortA == nil {
		sortA, sortOther = make([]int32, sortLen), make([]int32, sortLen)
	}
	x := uint32(1)
	for i := range sortA {
		x = x*1664525 + 1013904223
		sortA[i] = int32(x)
	}
	copy(sortOther, sortA)
	begin := time.Now()
	sortInto(sortA, sortOther)
	took := perOp(sortLen, begin)
	for i := 1; i < sortLen; i++ {
		check(sortA[i-1] <= sortA[i])
	}
	return took
}
