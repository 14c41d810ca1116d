/* Processor time of this process, user and system, in nanoseconds: what others run on the machine
 * meanwhile is not in it. Waiting for a disk is not either; the benchmarks read files that were
 * just written.
 */
#ifndef PINWATCH_BENCH_CPU_TIME_H
#define PINWATCH_BENCH_CPU_TIME_H

#include <stdint.h>
#include <time.h>

/* A measurement repeats until it has taken this long, so that small files give steady numbers. */
#define CPU_TIME_ENOUGH INT64_C(300000000)

static inline int64_t cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

#endif
