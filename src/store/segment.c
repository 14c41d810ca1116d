#include "store/segment.h"

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <string.h>

#include "base/sv.h"

static const char segment_magic[8] = { 'P', 'W', 'S', 'E', 'G', 'M', '0', '1' };
static const char block_magic[4] = { 'P', 'W', 'B', 'K' };

static void put_u32(unsigned char *p, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(n >> 8 * i);
}

static void put_u64(unsigned char *p, uint64_t n)
{
	put_u32(p, (uint32_t)n);
	put_u32(p + 4, (uint32_t)(n >> 32));
}

static uint32_t get_u32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get_u64(const unsigned char *p)
{
	return get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

void segment_path(struct buf *out, const char *dir, uint64_t number)
{
	buf_printf(out, "%s/%08llu.seg", dir, (unsigned long long)number);
	buf_char(out, '\0');
}

void segment_head(unsigned char out[SEGMENT_HEAD], uint64_t number, int64_t opened)
{
	memcpy(out, segment_magic, sizeof(segment_magic));
	put_u64(out + 8, number);
	put_u64(out + 16, (uint64_t)opened);
	put_u64(out + 24, XXH3_64bits(out, 24));
}

bool segment_head_holds(const unsigned char head[SEGMENT_HEAD], uint64_t number)
{
	return memcmp(head, segment_magic, sizeof(segment_magic)) == 0 &&
	       get_u64(head + 8) == number && get_u64(head + 24) == XXH3_64bits(head, 24);
}

static uint64_t check_of(const unsigned char *head, const void *packed, uint32_t n)
{
	return XXH3_64bits_withSeed(packed, n, XXH3_64bits(head, 16));
}

void block_head(unsigned char out[BLOCK_HEAD], uint32_t frames, uint32_t raw, const void *packed,
		uint32_t n)
{
	memcpy(out, block_magic, sizeof(block_magic));
	put_u32(out + 4, frames);
	put_u32(out + 8, raw);
	put_u32(out + 12, n);
	put_u64(out + 16, check_of(out, packed, n));
}

bool block_read_head(const unsigned char head[BLOCK_HEAD], struct block *out)
{
	if (memcmp(head, block_magic, sizeof(block_magic)) != 0)
		return false;
	*out = (struct block){ get_u32(head + 4), get_u32(head + 8), get_u32(head + 12),
			       get_u64(head + 16) };
	return out->raw <= BLOCK_MAX && out->packed <= BLOCK_MAX && out->packed > 0;
}

bool block_holds(const unsigned char head[BLOCK_HEAD], const struct block *b, const void *packed)
{
	return b->check == check_of(head, packed, b->packed);
}
