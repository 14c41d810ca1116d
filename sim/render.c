#include "sim/render.h"

#include <stdio.h>
#include <stdlib.h>

#define DISORDER (25 * NS_PER_S)

void sim_log_add(struct sim_log *log, int64_t key, size_t item, unsigned part)
{
	if (log->n == log->_capacity) {
		log->_capacity = log->_capacity == 0 ? 4096 : log->_capacity * 2;
		log->lines = xrealloc(log->lines, log->_capacity, sizeof(*log->lines));
	}
	log->lines[log->n++] = (struct sim_line){ key, (uint32_t)item, (uint8_t)part };
}

static int by_key(const void *a, const void *b)
{
	const struct sim_line *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return (int)x->part - (int)y->part;
}

static void sort(struct sim_log *log)
{
	if (log->n > 0)
		qsort(log->lines, log->n, sizeof(*log->lines), by_key);
}

void sim_log_order(const struct sim *s, struct sim_log *log, const char *tag)
{
	if (s->o->disorder) {
		struct rng r = rng_stream(s->o->seed, tag, 0);
		/* No line overtakes one that is 25 s younger, so max_lag 30 s still holds. */
		for (size_t i = 0; i < log->n; i++)
			log->lines[i].key += rng_range(&r, 0, DISORDER);
	}
	sort(log);
}

void sim_log_order_items(const struct sim *s, struct sim_log *log)
{
	for (size_t i = 0; i < log->n && s->o->disorder; i++)
		log->lines[i].key += (int64_t)(rng_mix(s->o->seed ^ log->lines[i].item) % DISORDER);
	sort(log);
}

void sim_log_free(struct sim_log *log)
{
	free(log->lines);
	*log = (struct sim_log){ 0 };
}

bool sim_file_open(struct sim *s, struct sim_file *f, const char *name, struct error *err)
{
	f->_garbage = s->o->garbage;
	f->_salt = rng_stream(s->o->seed, name, 2);
	return sink_open(&f->sink, s->o->out, name, err);
}

/* What disks, rotation and careless scripts leave in logs. */
static void salt(struct sim_file *f)
{
	static const char *const junk[] = {
		"\x1f\xff\xfe\x80 not a record \x01\x02",
		"{\"ts\":17",
		"-- MARK --",
		"{\"kind\":\"tls_attempt\",\"time\":\"yesterday\",\"source\":null}",
		"1795000000.000 10.8.0.1 NONE",
		"\"\"\"\"\"\"\"\"\"\"\"\"",
		"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		"\xed\xa0\x80\xc0\xaf",
	};
	uint64_t which = rng_below(&f->_salt, sizeof(junk) / sizeof(junk[0]) + 1);

	if (which == sizeof(junk) / sizeof(junk[0]))
		for (int i = 0; i < 3000; i++)
			sink_char(&f->sink, (char)('a' + i % 26));
	else
		sink_str(&f->sink, junk[which]);
	sink_line(&f->sink);
}

void sim_file_line(struct sim_file *f)
{
	sink_line(&f->sink);
	if (f->_garbage && rng_chance(&f->_salt, 2))
		salt(f);
}

bool sim_file_close(struct sim *s, struct sim_file *f, struct error *err)
{
	size_t n = s->report->n_files;

	if (n < sizeof(s->report->files) / sizeof(s->report->files[0])) {
		snprintf(s->report->files[n].name, sizeof(s->report->files[n].name), "%s",
			 f->sink._name);
		s->report->files[n].lines = f->sink.lines;
		s->report->n_files++;
	}
	s->report->lines += f->sink.lines;
	return sink_close(&f->sink, err);
}

int64_t sim_conn_end(const struct sim_conn *c) { return c->start + (int64_t)c->duration_us * 1000; }

int64_t sim_conn_put_off(const struct sim_conn *c, size_t index)
{
	if ((c->flags & CONN_LATE_LINE) == 0)
		return 0;
	return (int64_t)(120 + rng_mix(index) % 240) * NS_PER_S;
}

const char *sim_conn_host(const struct sim *s, const struct sim_conn *c)
{
	return s->hosts[s->pairs[c->pair].host].name;
}

uint32_t sim_conn_client(const struct sim *s, const struct sim_conn *c)
{
	return sim_stay_at(&s->devices[c->device], (struct instant){ c->start })->ip;
}

void sink_ip(struct sink *k, uint32_t ip)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		sink_u64(k, ip >> shift & 0xff);
		if (shift > 0)
			sink_char(k, '.');
	}
}

const char *sim_app_version(const struct sim *s, uint16_t app, bool updated)
{
	return updated ? s->apps[app].next_version : s->apps[app].version;
}
