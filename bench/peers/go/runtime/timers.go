package main

import (
	"sync"
	"syscall"
	"time"
)

const manyTimers = 100000

// setAndCancel has timers that are due in 1 … 60 s, so none fires meanwhile.
func setAndCancel() (set, cancel float64) {
	timers := make([]*time.Timer, manyTimers)
	begin := time.Now()
	for i := range timers {
		timers[i] = time.AfterFunc(time.Duration(1000+i*7919%59000)*time.Millisecond, func() { panic("fired") })
	}
	set = perOp(manyTimers, begin)
	begin = time.Now()
	for _, t := range timers {
		t.Stop()
	}
	return set, perOp(manyTimers, begin)
}

func timerSet() float64 {
	set, _ := setAndCancel()
	return set
}

func timerCancel() float64 {
	_, cancel := setAndCancel()
	return cancel
}

func cpuTime() int64 {
	var used syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &used) == nil)
	return used.Utime.Nano() + used.Stime.Nano()
}

// timerFire is the processor's time for each timer of many that fire within 50 ms.
func timerFire() float64 {
	var wg sync.WaitGroup
	wg.Add(manyTimers)
	begin := cpuTime()
	for i := 0; i < manyTimers; i++ {
		time.AfterFunc(time.Duration(1+i*7919%50)*time.Millisecond, wg.Done)
	}
	wg.Wait()
	return float64(cpuTime()-begin) / manyTimers
}
