/* Segments of a spool. The input makes entries, then damages the bytes they stand in. Whatever is
 * then read is an entry that was written, where it was written, and entries that were not touched
 * are found. */
#include "fuzz.h"

#include <stdlib.h>

#include "read/spool_file.h"
#include "read/spool_internal.h"

#define MAX_ENTRIES 64

struct written {
	size_t at, size;
	struct sv payload;
	bool hurt;
};

static size_t write_entries(struct sv *data, struct buf *out, uint64_t id, struct written *list)
{
	static const char zeros[SPOOL_HEADER];
	size_t n = fuzz_byte(data) % MAX_ENTRIES;

	buf_append(out, zeros, sizeof(zeros));
	for (size_t i = 0; i < n; i++) {
		size_t length = fuzz_byte(data) * (fuzz_byte(data) % 4);
		struct sv payload = sv_first(*data, length);
		*data = sv_skip(*data, payload.n);
		list[i] = (struct written){ .at = out->n,
					    .size = spool_entry_size(payload.n),
					    .payload = payload };
		spool_entry_write(out, id, out->n, i % 5 == 0 ? SPOOL_KEY : SPOOL_RECORD,
				  i % 3 == 0, (struct instant){ (int64_t)i }, payload);
	}
	return n;
}

static void damage(struct sv *data, struct buf *bytes, struct written *list, size_t n)
{
	for (unsigned holes = fuzz_byte(data) % 8; holes > 0 && bytes->n > 0; holes--) {
		size_t at = (size_t)fuzz_bits(data, 3) % bytes->n;
		size_t length = fuzz_byte(data) % (bytes->n - at < 200 ? bytes->n - at : 200) + 1;
		for (size_t i = at; i < at + length && i < bytes->n; i++)
			bytes->p[i] = (char)fuzz_byte(data);
		for (size_t i = 0; i < n; i++)
			list[i].hurt = list[i].hurt ||
				       (at < list[i].at + list[i].size && list[i].at < at + length);
	}
}

static void read_back(const struct buf *bytes, uint64_t id, const struct written *list, size_t n)
{
	size_t at = SPOOL_HEADER, next = 0;
	struct spool_entry e;

	while (at < bytes->n) {
		if (spool_entry_read(bytes->p + at, bytes->n - at, id, at, &e) != SPOOL_VALID) {
			size_t found = spool_search(bytes->p, bytes->n, at, id, 0);
			fuzz_require(found > at && found <= bytes->n);
			at = found;
			continue;
		}
		while (next < n && list[next].at < at) {
			fuzz_require(list[next].hurt);
			next++;
		}
		fuzz_require(next < n && list[next].at == at && list[next].size == e.size);
		fuzz_require_same(e.payload, list[next].payload);
		fuzz_require(e.arrival.ns == (int64_t)next || list[next].hurt);
		next++;
		at += e.size;
	}
	while (next < n)
		fuzz_require(list[next++].hurt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv rest = { (const char *)data, size };
	uint64_t id = fuzz_bits(&rest, 8);
	struct written list[MAX_ENTRIES];
	struct spool_segment segment;
	struct buf bytes;
	size_t n;

	buf_init(&bytes, (size_t)1 << 24);
	n = write_entries(&rest, &bytes, id, list);
	damage(&rest, &bytes, list, n);
	read_back(&bytes, id, list, n);
	spool_header_read((const unsigned char *)data, size, &segment);
	buf_free(&bytes);
	return 0;
}
