// bench/lang_gc.c's `replace` in Go, for bench/lang_gc.py: the longest operation, CPU time of its thread.
package main

import (
	"fmt"
	"math/rand"
	"runtime"
	"syscall"
	"unsafe"
)

const (
	elements = 800000
	ops      = 4000000
	runs     = 3
)

type leaf struct{ x, y, z int64 }
type element struct {
	leaf    *leaf
	a, b, c int64
}

func cpuNs() int64 {
	const threadCpuTime = 3
	var t syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, threadCpuTime, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

func run() (longest int64, over float64) {
	r := rand.New(rand.NewSource(1))
	list := make([]*element, elements)
	for i := range list {
		list[i] = &element{leaf: &leaf{int64(i), 2, 3}, a: 4}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	live, most := m.HeapAlloc, uint64(0)
	for i := 0; i < ops; i++ {
		begin := cpuNs()
		list[r.Intn(elements)] = &element{leaf: &leaf{int64(i), 2, 3}, a: 4}
		a, b := list[r.Intn(elements)], list[r.Intn(elements)]
		a.leaf, b.leaf = b.leaf, a.leaf
		if took := cpuNs() - begin; took > longest {
			longest = took
		}
		if i%200000 == 0 {
			runtime.ReadMemStats(&m)
			if m.HeapInuse > most {
				most = m.HeapInuse
			}
		}
	}
	return longest, float64(most) / float64(live)
}

func main() {
	runtime.LockOSThread()
	longest, over := int64(1<<62), 0.0
	for i := 0; i < runs; i++ {
		l, o := run()
		if l < longest {
			longest = l
		}
		if o > over {
			over = o
		}
	}
	fmt.Printf("peer Go %s\nlongest_run_us %.1f\nheap_over_live %.2f\n", runtime.Version()[2:], float64(longest)/1e3, over)
}
