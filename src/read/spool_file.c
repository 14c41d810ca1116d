#include "read/spool_file.h"

#include <endian.h>
#include <stdio.h>
#include <xxhash.h>

static const char magic[8] = "pwspool1";

void spool_segment_name(uint64_t number, char out[SPOOL_NAME_SIZE])
{
	snprintf(out, SPOOL_NAME_SIZE, "%016llx.spool", (unsigned long long)number);
}

bool spool_segment_number(const char *name, uint64_t *number)
{
	struct sv v = sv_cstr(name);

	return v.n == 22 && sv_ends(v, SV(".spool")) && sv_hex_to_u64(sv_first(v, 16), number);
}

static void put64(unsigned char *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static uint64_t get64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint32_t get32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

void spool_header_write(const struct spool_segment *segment, unsigned char out[SPOOL_HEADER])
{
	memset(out, 0, SPOOL_HEADER);
	memcpy(out, magic, sizeof(magic));
	put64(out + 8, segment->number);
	put64(out + 16, segment->id);
	put64(out + 24, segment->first);
	put64(out + 32, XXH3_64bits(out, 32));
}

bool spool_header_read(const unsigned char *bytes, size_t n, struct spool_segment *out)
{
	if (n < SPOOL_HEADER || memcmp(bytes, magic, sizeof(magic)) != 0 ||
	    get64(bytes + 32) != XXH3_64bits(bytes, 32))
		return false;
	out->number = get64(bytes + 8);
	out->id = get64(bytes + 16);
	out->first = get64(bytes + 24);
	return true;
}

/* Over everything of an entry's header but the two fields that hold hashes. */
static uint64_t header_hash(const unsigned char *h, uint64_t id, uint64_t offset)
{
	unsigned char said[14];

	memcpy(said, h, 6);
	memcpy(said + 6, h + 8, 8);
	return XXH3_64bits_withSeed(said, sizeof(said), id ^ offset);
}

bool spool_entry_write(struct buf *out, uint64_t id, uint64_t offset, enum spool_kind kind,
		       unsigned flags, struct instant arrival, struct sv payload)
{
	static const unsigned char zeros[8];
	unsigned char h[SPOOL_ENTRY];
	uint32_t length = htole32((uint32_t)payload.n);
	size_t size = spool_entry_size(payload.n);
	uint64_t hash;

	if (!buf_reserve(out, size))
		return false;
	memcpy(h, &length, sizeof(length));
	h[4] = (unsigned char)kind;
	h[5] = (unsigned char)flags;
	put64(h + 8, (uint64_t)arrival.ns);
	hash = header_hash(h, id, offset);
	h[6] = (unsigned char)(hash & 0xff);
	h[7] = (unsigned char)(hash >> 8 & 0xff);
	put64(h + 16, XXH3_64bits_withSeed(payload.p, payload.n, hash));
	buf_append(out, h, sizeof(h));
	buf_sv(out, payload);
	return buf_append(out, zeros, size - SPOOL_ENTRY - payload.n);
}

enum spool_check spool_entry_read(const char *bytes, size_t n, uint64_t id, uint64_t offset,
				  struct spool_entry *out)
{
	const unsigned char *h = (const unsigned char *)bytes;
	size_t length;
	uint64_t hash;

	*out = (struct spool_entry){ .size = SPOOL_ENTRY };
	if (n < SPOOL_ENTRY)
		return SPOOL_SHORT;
	if (h[4] == 0)
		return SPOOL_ZERO;
	if (h[4] > SPOOL_KEY || h[5] > SPOOL_MORE)
		return SPOOL_BAD;
	hash = header_hash(h, id, offset);
	if (h[6] != (hash & 0xff) || h[7] != (hash >> 8 & 0xff))
		return SPOOL_BAD;
	length = get32(h);
	out->size = spool_entry_size(length);
	if (out->size > n)
		return SPOOL_SHORT;
	if (get64(h + 16) != XXH3_64bits_withSeed(bytes + SPOOL_ENTRY, length, hash))
		return SPOOL_BAD;
	out->kind = (enum spool_kind)h[4];
	out->flags = h[5];
	out->arrival = (struct instant){ (int64_t)get64(h + 8) };
	out->payload = sv_make(bytes + SPOOL_ENTRY, length);
	return SPOOL_VALID;
}
