# The doorway. `make demo` and `make check` work from a bare clone on Debian 12, as root or with sudo:
# they install what they need once, and need no network after that.
BUILD ?= build
JOBS ?= $(shell nproc)

.PHONY: all deps demo check soak bench bench-serve bench-wire peers fuzz sanitize analyze clean
all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

deps:
	@sh tools/install-deps.sh

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD)

demo: all
	@sh tools/demo.sh $(BUILD)/pinwatch

check: all
	@python3 -B tests/run.py $(BUILD)

soak: all
	@python3 -B tests/daemon/kill.py $(BUILD)/pinwatch 200

bench-serve: all
	@python3 -B bench/serve.py $(BUILD)/pinwatch $(BENCH_ARGS)

bench: all
	@sh bench/bench.sh $(BUILD) $(BENCH_ARGS)

bench-wire: all
	@/usr/bin/python3 -B bench/wire/run.py $(BUILD)/pinwatch $(BENCH_ARGS)

peers: all
	@sh bench/peers/peers.sh $(BUILD) $(PEERS_ARGS)

fuzz: deps
	@sh tools/fuzz.sh

sanitize: deps
	@sh tools/sanitize.sh

analyze: deps
	@sh tools/analyze.sh

clean:
	rm -rf $(BUILD)
