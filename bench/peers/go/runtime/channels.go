package main

import "time"

func passOn(from <-chan uint64, to chan<- uint64) {
	for x := range from {
		to <- x
	}
	close(to)
}

func pingPong() float64 {
	const n = 1000000
	there, back := make(chan uint64), make(chan uint64)
	go passOn(there, back)
	begin := time.Now()
	for i := uint64(0); i < n; i++ {
		there <- i
		<-back
	}
	took := perOp(n, begin)
	close(there)
	return took
}

func ring() float64 {
	const members, rounds = 1000, 500
	first := make(chan uint64)
	from := first
	for i := 0; i+1 < members; i++ {
		to := make(chan uint64)
		go passOn(from, to)
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
	check(sum == n/many*(n/many-1)/2*many)
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
		check(x == i)
	}
	return perOp(n, begin)
}
