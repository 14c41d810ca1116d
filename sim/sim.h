/* Fleet simulator: the logs that a company of phones behind an inspecting gateway would have, and
 * the truth behind them.
 *
 * One seed, one fleet: the same options write the same bytes on every machine. Everything a log
 * says derives from one timeline of TLS connections, whose cause is known; truth.json says what a
 * perfect analysis would find.
 */
#ifndef PINWATCH_SIM_SIM_H
#define PINWATCH_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/sv.h"

enum sim_profile {
	SIM_SQUID_ZEEK, /* raw logs of the proxy, the flow sensor, MDM, leases and EDR */
	SIM_MITMPROXY,	/* the same with another product's log of the proxy, a file a day */
	SIM_CANONICAL,	/* the same fleet as canonical observations */
};

#define SIM_MAX_DEVICES 20000
#define SIM_MAX_DAYS 60
#define SIM_MAX_CONNECTIONS 20000000
/* devices × days: about a gigabyte of timeline with ordinary traffic. */
#define SIM_MAX_DEVICE_DAYS 200000
#define SIM_MAX_SCENARIOS 40
#define SIM_MAX_NOISE 3
#define SIM_MAX_FILES (24 + 2 * SIM_MAX_DAYS)

struct sim_options {
	uint64_t seed;
	uint32_t devices;     /* 1 to SIM_MAX_DEVICES */
	uint32_t days;	      /* 1 to SIM_MAX_DAYS */
	uint64_t connections; /* background connections aimed at; 0: an ordinary day's traffic */
	struct instant start; /* INSTANT_NONE: 2026-11-16T00:00:00Z */
	const char *out;      /* folder, made when missing */
	enum sim_profile profile;
	bool zeek_tsv;
	bool timeless;	/* the proxy's log has no times, where the product may leave them out */
	unsigned noise; /* 0 to SIM_MAX_NOISE: how far from ideal the fleet and its sensors are
			   (noise.h) */
	bool disorder;	/* records up to 25 s out of order within each file */
	bool garbage;	/* damaged lines among the good ones */
	/* Names; n_scenarios 0: all of them. Borrowed. */
	struct sv scenarios[SIM_MAX_SCENARIOS];
	size_t n_scenarios;
};

struct sim_report {
	uint64_t connections, lines;
	size_t n_files;
	struct {
		char name[40];
		uint64_t lines;
	} files[SIM_MAX_FILES];
	/* Scenarios that found no free device in a small fleet. */
	size_t n_skipped;
	const char *skipped[SIM_MAX_SCENARIOS];
};

/* Writes the whole folder. False and *err when an option is out of range or a file cannot be
 * written. */
bool sim_run(const struct sim_options *o, struct sim_report *report, struct error *err);

/* The scenarios' names and what each shows; NULL past the last. */
const char *sim_scenario_name(size_t i);
const char *sim_scenario_summary(size_t i);

#endif
