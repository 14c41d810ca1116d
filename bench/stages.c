/* Where the time of a scan goes: `stages CONFIGURATION`.
 *
 * The real scan runs, over the configuration's own sources; the linker leads the calls between its
 * stages (--wrap, see meson.build) through here, where each is timed by the processor's counter.
 * What the counting itself costs is measured and taken off; ticks become processor time by their
 * share of the whole run, so that what others run meanwhile only blurs them.
 * Prints "NAME VALUE" lines: counts, peak memory in bytes, then nanoseconds a stage, in all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench/cpu_time.h"
#include "scan/feed.h"
#include "scan/scan.h"

enum stage { READ, PARSE, QUEUE, MERGE, FACTS, JUDGE, STAGES };

static const char *const stage_names[STAGES] = {
	"read", "parse", "queue", "merge", "facts", "judge"
};

/* Nothing else can reach what the linker calls. */
static struct {
	uint64_t ticks, calls;
} spent[STAGES];
static unsigned passes;

static inline uint64_t ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_ia32_rdtsc();
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

static inline void count(enum stage stage, uint64_t begin)
{
	spent[stage].ticks += ticks() - begin;
	spent[stage].calls++;
}

/* The linker's names: __wrap_F is called for F, __real_F is F. */
enum read_result __real_reader_next(struct reader *r, struct sv *record, struct error *err);
enum read_result __wrap_reader_next(struct reader *r, struct sv *record, struct error *err);
enum read_result __real_reader_take(struct reader *r, struct read_block *b, size_t size,
				    struct error *err);
enum read_result __wrap_reader_take(struct reader *r, struct read_block *b, size_t size,
				    struct error *err);
enum read_result __real_read_block_next(struct read_block *b, struct sv *record);
enum read_result __wrap_read_block_next(struct read_block *b, struct sv *record);
enum parse_result __real_parser_run(struct parser *p, struct sv record,
				    const struct observation **out, size_t *n, struct error *err);
enum parse_result __wrap_parser_run(struct parser *p, struct sv record,
				    const struct observation **out, size_t *n, struct error *err);
bool __real_engine_take(struct engine *e, const struct observation *o, struct stamp stamp,
			enum vantage vantage);
bool __wrap_engine_take(struct engine *e, const struct observation *o, struct stamp stamp,
			enum vantage vantage);
void __real_engine_release(struct engine *e, struct instant watermark);
void __wrap_engine_release(struct engine *e, struct instant watermark);
void __real_facts_build(struct facts *f, const struct context *c);
void __wrap_facts_build(struct facts *f, const struct context *c);
void __real_engine_judge(struct engine *e, const struct engine_view *view, bool all,
			 struct arena *a);
void __wrap_engine_judge(struct engine *e, const struct engine_view *view, bool all,
			 struct arena *a);
enum feed_result __real_feed_pass(struct feed *f, struct error *err);
enum feed_result __wrap_feed_pass(struct feed *f, struct error *err);

enum read_result __wrap_reader_next(struct reader *r, struct sv *record, struct error *err)
{
	uint64_t begin = ticks();
	enum read_result result = __real_reader_next(r, record, err);

	count(READ, begin);
	return result;
}

enum read_result __wrap_reader_take(struct reader *r, struct read_block *b, size_t size,
				    struct error *err)
{
	uint64_t begin = ticks();
	enum read_result result = __real_reader_take(r, b, size, err);

	count(READ, begin);
	return result;
}

enum read_result __wrap_read_block_next(struct read_block *b, struct sv *record)
{
	uint64_t begin = ticks();
	enum read_result result = __real_read_block_next(b, record);

	count(READ, begin);
	return result;
}

enum parse_result __wrap_parser_run(struct parser *p, struct sv record,
				    const struct observation **out, size_t *n, struct error *err)
{
	uint64_t begin = ticks();
	enum parse_result result = __real_parser_run(p, record, out, n, err);

	count(PARSE, begin);
	return result;
}

bool __wrap_engine_take(struct engine *e, const struct observation *o, struct stamp stamp,
			enum vantage vantage)
{
	uint64_t begin = ticks();
	bool in_time = __real_engine_take(e, o, stamp, vantage);

	count(QUEUE, begin);
	return in_time;
}

void __wrap_engine_release(struct engine *e, struct instant watermark)
{
	uint64_t begin = ticks();

	__real_engine_release(e, watermark);
	count(MERGE, begin);
}

void __wrap_facts_build(struct facts *f, const struct context *c)
{
	uint64_t begin = ticks();

	__real_facts_build(f, c);
	count(FACTS, begin);
}

void __wrap_engine_judge(struct engine *e, const struct engine_view *view, bool all,
			 struct arena *a)
{
	uint64_t begin = ticks();

	__real_engine_judge(e, view, all, a);
	count(JUDGE, begin);
	spent[JUDGE].ticks -= spent[FACTS].ticks; /* which is inside it */
}

enum feed_result __wrap_feed_pass(struct feed *f, struct error *err)
{
	passes++;
	return __real_feed_pass(f, err);
}

/* Ticks between the two readings when nothing is between them, and for the whole of a count. */
static void cost_of_counting(double *inside, double *whole)
{
	enum { TIMES = 1000000 };
	uint64_t begin = ticks();

	for (int i = 0; i < TIMES; i++)
		count(READ, ticks());
	*whole = (double)(ticks() - begin) / TIMES;
	*inside = (double)spent[READ].ticks / TIMES;
	spent[READ].ticks = spent[READ].calls = 0;
}

static struct scan *run(const struct conf *conf, const struct format_set *formats,
			struct scan_input *inputs, struct error *err)
{
	struct scan_options options = { .conf = conf, .formats = formats, .inputs = inputs };

	for (size_t s = 0; s < conf->n_sources; s++)
		for (size_t p = 0; p < conf->sources[s].path.n; p++)
			inputs[options.n_inputs++] = (struct scan_input){
				.path = conf->sources[s].path.items[p].p,
				.source = &conf->sources[s],
			};
	return scan_run(&options, err);
}

static void print(const struct scan *scan, int64_t cpu, double total, double inside, double whole)
{
	const struct run_summary *m = scan_summary(scan);
	uint64_t records = 0, bytes = 0, calls = 0;
	struct rusage usage;
	double per_tick, rest;

	for (size_t i = 0; i < m->n_sources; i++) {
		records += m->sources[i].records;
		bytes += m->sources[i].bytes;
	}
	for (int i = 0; i < STAGES; i++)
		calls += spent[i].calls;
	getrusage(RUSAGE_SELF, &usage);
	per_tick = (double)cpu / total;
	rest = total - whole * (double)calls;
	printf("records %" PRIu64 "\nbytes %" PRIu64 "\nattempts %" PRIu64 "\npasses %u\n", records,
	       bytes, m->attempts, passes);
	printf("peak %ld\n", usage.ru_maxrss * 1024);
	for (int i = 0; i < STAGES; i++) {
		double t = (double)spent[i].ticks - inside * (double)spent[i].calls;
		printf("%s %.0f\n", stage_names[i], t * per_tick);
		rest -= t;
	}
	printf("rest %.0f\n", rest * per_tick);
}

int main(int argc, char **argv)
{
	struct format_set *formats = NULL;
	struct scan_input *inputs = NULL;
	struct scan *scan = NULL;
	struct error err;
	struct conf conf;
	double inside, whole;
	uint64_t begin;
	size_t n = 0;
	int64_t cpu;

	if (argc != 2) {
		fputs("usage: stages CONFIGURATION\n", stderr);
		return 2;
	}
	cost_of_counting(&inside, &whole);
	cpu = cpu_time();
	begin = ticks();
	if (!conf_load(&conf, argv[1], &err) || (formats = format_set_builtin(&err)) == NULL)
		goto out;
	conf.threads = 1; /* the counting is for one */
	for (size_t s = 0; s < conf.n_sources; s++)
		n += conf.sources[s].path.n;
	inputs = xcalloc(n, sizeof(*inputs));
	scan = run(&conf, formats, inputs, &err);
	if (scan != NULL)
		print(scan, cpu_time() - cpu, (double)(ticks() - begin), inside, whole);
out:
	if (scan == NULL)
		fprintf(stderr, "stages: %s\n", err.message);
	scan_free(scan);
	free(inputs);
	format_set_free(formats);
	conf_free(&conf);
	return scan != NULL ? 0 : 1;
}
