# The front door. The build itself is CMake's (CMakePresets.json); this file says what to type.

SECONDS ?= 600
FAULT   ?=
SEED    ?=
TARGET  ?=
SEEDS   ?= 10
PREFIX  ?= /usr/local

.DEFAULT_GOAL := all
.PHONY: all help run install install-arm64 uninstall deb deb-arm64 deb-test arm64 test bench soak fuzz fuzz-planted power-cuts pitfalls own-mutants asan tsan stress coverage lint format clean

# configure,PRESET and build,PRESET,TARGETS: ninja configures again by itself when it has to.
configure = test -f build/$(1)/build.ninja || cmake --preset $(1)
build = $(call configure,$(1)) && cmake --build --preset $(1) $(if $(2),--target $(2))

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9%-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

all: ## the program: build/release/sedge
	@tools/install build
	@$(call build,release,sedge)

run: ## the factory and its simulated plant, until Ctrl-C (FAULT=overheat|drift|jam|silent|stuck, SEED=N)
	@tools/install build run
	@$(call build,release,sedge modbus-server)
	@tools/run-factory $(if $(FAULT),--fault $(FAULT)) $(if $(SEED),--seed $(SEED))

install: ## the program and the library, below PREFIX=/usr/local (DESTDIR is honoured)
	@tools/install build
	@$(call build,release,installed)
	@cmake --install build/release --prefix $(PREFIX)

uninstall: ## takes away what `make install` of this version with the same PREFIX and DESTDIR has put there
	@tools/uninstall build/release $(PREFIX)

install-arm64: ## the same for an ARM board, cross-built: with DESTDIR=FOLDER, to be copied to the board and linked with here
	@tools/install build arm64
	@tools/sysroot build/arm64-root
	@$(call build,arm64,installed)
	@cmake --install build/arm64 --prefix $(PREFIX)

deb: ## the Debian package of the program and its service: build/sedge_VERSION_ARCH.deb
	@tools/install build deb
	@$(call build,release,sedge sedge_said)
	@tools/deb build/release build

deb-arm64: arm64 ## the package for ARM gateways
	@tools/install deb
	@$(call build,arm64,sedge_said)
	@tools/deb build/arm64 build

deb-test: ## the package in a minimal Debian: installed, started, upgraded, removed, purged (needs root)
	@tools/install build deb fresh
	@$(call build,release,sedge sedge_said)
	@tools/deb-test

arm64: ## the program for ARM gateways: build/arm64/sedge, cross-built
	@tools/install build arm64
	@tools/sysroot build/arm64-root
	@$(call build,arm64,sedge)

test: ## every test: unit tests with sanitizers, then all with the released build
	@tools/install build test arm64
	@tools/test

bench: ## every benchmark, ours beside its peers
	@tools/install build bench
	@$(call build,release)
	@tools/bench

bench-%: ## one family: make bench-mqtt
	@tools/install build bench
	@$(call build,release)
	@tools/bench $*

soak: ## the broker under mixed traffic for SECONDS=600, released and sanitized: nothing lost, nothing grows
	@tools/install build test
	@$(call build,release,sedge)
	@$(call build,asan,sedge)
	@tools/soak $(SECONDS) $(if $(SEED),--seed $(SEED))

fuzz: ## every fuzz target for its share of SECONDS=600 (TARGET=name for one)
	@tools/install build check
	@$(call build,fuzz,fuzz_targets)
	@tools/fuzz $(SECONDS) $(TARGET)

fuzz-planted: ## proof that fuzzing finds bugs: plants some in copies and looks for them
	@tools/install build check
	@tools/fuzz-planted

power-cuts: ## the power goes at every call of the disk, in SEEDS=10 different runs of a site (SEED=N for one)
	@tools/install build test
	@$(call configure,release)
	@cmake --build --preset release --target site_test
	@tools/power-cuts $(SEEDS) $(SEED)

pitfalls: ## proof that the tests of the runtime find bugs: takes each guard out in a copy
	@tools/install build test
	@$(call configure,release)
	@tools/pitfalls

own-mutants: ## proof that each check of ownership is needed: takes it out in a copy and runs the cases
	@tools/install build test
	@tools/own-mutants

asan: ## every test with the address and undefined-behaviour sanitizers
	@tools/install build test
	@$(call build,asan)
	@tools/fixed-addresses ctest --preset asan -j2

tsan: ## the unit tests with the thread sanitizer
	@tools/install build test
	@$(call build,tsan,unit_tests)
	@tools/fixed-addresses ctest --preset tsan -j2 -L unit

stress: ## every test that runs programs, with a collector that collects at every allocation
	@tools/install build test
	@$(call build,stress,sedge unit_tests)
	@ctest --preset stress -j2 -L 'unit|corpus|integration'

coverage: ## lines that the corpus and the unit tests run, for each folder
	@tools/install build test
	@$(call build,coverage,unit_tests)
	@tools/coverage build/coverage --atleast codec=95

lint: ## clang-tidy, clang's warnings, and the format
	@tools/install build check
	@$(call configure,clang)
	@tools/lint

format: ## formats every C file
	@tools/install check
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean: ## removes build/
	@rm -rf build
