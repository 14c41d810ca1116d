#include "identify/lease.h"

#include <stdlib.h>

void leases_init(struct leases *l, struct names *names, uint64_t seed)
{
	*l = (struct leases){ .names = names };
	keymap_init(&l->_by_addr, sizeof(uint32_t), seed);
}

void leases_free(struct leases *l)
{
	free(l->records);
	keymap_free(&l->_by_addr);
}

void leases_add(struct leases *l, const struct observation *o, struct stamp stamp)
{
	uint32_t keys = names_keys(l->names, &o->device);

	if (!addr_known(&o->lease.ip))
		return;
	if (l->n_records == l->_capacity) {
		l->_capacity = l->_capacity == 0 ? 64 : l->_capacity * 2;
		l->records = xrealloc(l->records, l->_capacity, sizeof(*l->records));
	}
	l->records[l->n_records++] = (struct lease_record){
		.stamp = stamp,
		.time = o->time.ns,
		.until = instant_known(o->lease.until) ? o->lease.until.ns : INT64_MAX,
		.addr = names_addr(l->names, &o->lease.ip),
		.keys = keys,
		.holder = o->lease.by == LEASE_DHCP ? 0 : keys,
	};
}

static int by_holder(const void *a, const void *b)
{
	const struct lease_record *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->holder != y->holder)
		return x->holder < y->holder ? -1 : 1;
	return stamp_cmp(&x->stamp, &y->stamp);
}

void leases_drop(struct leases *l, uint16_t source, int64_t from)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n_records; i++)
		if (l->records[i].stamp.ref.source != source || l->records[i].stamp.order < from)
			l->records[kept++] = l->records[i];
	l->n_records = kept;
}

void leases_finish(struct leases *l)
{
	if (l->n_records > 0)
		qsort(l->records, l->n_records, sizeof(*l->records), by_holder);
	keymap_clear(&l->_by_addr);
	for (size_t i = l->n_records; i-- > 0;)
		*keymap_slot(&l->_by_addr, &l->records[i].addr) = (uint32_t)i;
}

static bool same_history(const struct lease_record *x, const struct lease_record *y)
{
	return x->addr == y->addr && x->holder == y->holder;
}

size_t leases_evict(struct leases *l, uint32_t source, int64_t before)
{
	size_t kept = 0, n = l->n_records;

	leases_finish(l);
	for (size_t i = 0; i < n; i++) {
		const struct lease_record *r = &l->records[i];
		bool followed = i + 1 < n && same_history(r, &r[1]) && r[1].time <= before;
		bool over = r->until <= r->time || r->until <= before;
		bool forget =
		    source == UINT32_MAX ? followed || over : r->stamp.ref.source == source;

		if (!forget || r->time >= before)
			l->records[kept++] = *r;
	}
	l->n_records = kept;
	leases_finish(l);
	return n - kept;
}

size_t leases_footprint(const struct leases *l, uint32_t source)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_records; i++)
		n += source == UINT32_MAX || l->records[i].stamp.ref.source == source;
	return n * sizeof(*l->records);
}

/* End of the run of records that share addr and holder with record `i`. */
static size_t run_end(const struct leases *l, size_t i)
{
	size_t step = 1, low = i, high;

	while (low + step < l->n_records && l->records[low + step].addr == l->records[i].addr &&
	       l->records[low + step].holder == l->records[i].holder) {
		low += step;
		step *= 2;
	}
	high = low + step < l->n_records ? low + step : l->n_records;
	while (low + 1 < high) {
		size_t mid = low + (high - low) / 2;
		if (l->records[mid].addr == l->records[i].addr &&
		    l->records[mid].holder == l->records[i].holder)
			low = mid;
		else
			high = mid;
	}
	return low + 1;
}

void leases_at(const struct leases *l, uint32_t addr, int64_t t,
	       void (*claim)(void *arg, uint32_t keys), void *arg)
{
	uint32_t first = addr == 0 ? KEYMAP_NONE : keymap_get(&l->_by_addr, &addr);
	size_t i = first, end;

	if (first == KEYMAP_NONE)
		return;
	for (; i < l->n_records && l->records[i].addr == addr; i = end) {
		size_t low = i, high;
		end = run_end(l, i);
		/* The newest record not after t lies before `high`. */
		for (high = end; low < high;) {
			size_t mid = low + (high - low) / 2;
			if (l->records[mid].time <= t)
				low = mid + 1;
			else
				high = mid;
		}
		if (low == i)
			continue;
		if (l->records[low - 1].until > l->records[low - 1].time &&
		    t < l->records[low - 1].until)
			claim(arg, l->records[low - 1].keys);
	}
}
