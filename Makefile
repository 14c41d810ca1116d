# The doorway. `make demo` and `make check` work from a bare clone on Debian 12, as root or with sudo:
# they install what they need once, and need no network after that.
BUILD ?= build
JOBS ?= $(shell nproc)

.PHONY: all deps deps-lab deps-analyze demo check lab soak bench bench-growth bench-serve bench-wire peers fuzz sanitize analyze clean
all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

deps:
	@sh tools/install-deps.sh

# What the lab needs beyond that: proxies and TLS clients. No service of theirs is started.
deps-lab: deps
	@sh tools/install-deps.sh lab

# The analysers, and what sanitizers need to name what they found.
deps-analyze: deps
	@sh tools/install-deps.sh analyze

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD)

demo: all
	@sh tools/demo.sh $(BUILD)/pinwatch

check: all deps-lab
	@python3 -B tests/run.py $(BUILD)

lab: all deps-lab
	@/usr/bin/python3 -B lab/run.py $(BUILD)/pinwatch $(LAB_ARGS)

soak: all
	@python3 -B tests/daemon/kill.py $(BUILD)/pinwatch 200
	@python3 -B tests/daemon/kill_pushed.py $(BUILD)/pinwatch 200

bench-serve: all
	@python3 -B bench/serve.py $(BUILD)/pinwatch $(BENCH_ARGS)

bench: all
	@sh bench/bench.sh $(BUILD) $(BENCH_ARGS)

bench-growth: all
	@/usr/bin/python3 -B bench/growth.py $(BUILD) $(BENCH_ARGS)

bench-wire: all
	@/usr/bin/python3 -B bench/wire/run.py $(BUILD)/pinwatch $(BENCH_ARGS)

peers: all
	@sh bench/peers/peers.sh $(BUILD) $(PEERS_ARGS)

fuzz: deps
	@sh tools/fuzz.sh

sanitize: deps-lab deps-analyze
	@sh tools/sanitize.sh

analyze: deps-analyze
	@sh tools/analyze.sh

clean:
	rm -rf $(BUILD)
