/* A spool on disk. One folder holds
 *
 *     lock                    flock'ed by the process that has it open
 *     0000000000000007.spool  segments; the name is the segment's number, hexadecimal
 *     *.damaged               segments whose header could not be read, set aside
 *
 * A segment is allocated in full when it is made, so that a full disk shows before anything is
 * accepted, and is zero behind its last entry. All numbers are little-endian.
 *
 *     header, 64 bytes
 *       0  8  `pwspool1`
 *       8  8  number of the segment, as in its name
 *      16  8  id: random. Seeds all checksums, so that no sender can make up an entry
 *      24  8  number of its first record, counted from 1 over the spool's life
 *      32  8  XXH3 of bytes 0–31
 *      40 24  zero
 *     entry, at a multiple of 8
 *       0  4  length of the payload
 *       4  1  kind: 1 a record, 2 an idempotency key's 128-bit XXH3. Never 0: a zero is the end
 *       5  1  flags: 1 the batch goes on with the next entry
 *       6  2  low bits of the header's hash, see below
 *       8  8  arrival, UTC nanoseconds since 1970
 *      16  8  checksum
 *      24  …  payload, padded with zeros to a multiple of 8
 *
 * hash(header) is XXH3 of bytes 0–5 and 8–15 under the seed id ^ offset of the entry in the file;
 * the checksum is XXH3 of the payload under the seed hash(header).
 *
 * What is trusted: the folder, as far as nobody but us writes to it. What is validated: everything
 * read, before it is believed, because a crash leaves anything behind. An entry that does not check
 * is damage; the next one that does is looked for at every multiple of 8 behind it, for which the
 * 16 bits in the header save hashing what is hardly one. At open the last segment is cut behind its
 * last complete batch: what stands behind it was never acknowledged.
 *
 * A new segment begins with the newest SPOOL_KEYS keys, so that removing old segments forgets none
 * and opening reads one segment only.
 */
#ifndef PINWATCH_READ_SPOOL_FILE_H
#define PINWATCH_READ_SPOOL_FILE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

#define SPOOL_HEADER 64
#define SPOOL_ENTRY 24
#define SPOOL_NAME_SIZE 24

enum spool_kind { SPOOL_RECORD = 1, SPOOL_KEY = 2 };
#define SPOOL_MORE 1u

struct spool_segment {
	uint64_t number;
	uint64_t id;
	uint64_t first;	   /* number of its first record */
	uint64_t capacity; /* bytes of the file */
};

struct spool_entry {
	enum spool_kind kind;
	unsigned flags;
	struct instant arrival;
	struct sv payload;
	size_t size; /* with header and padding */
};

void spool_segment_name(uint64_t number, char out[SPOOL_NAME_SIZE]);
/* False where the name is not a segment's. */
bool spool_segment_number(const char *name, uint64_t *number);
void spool_header_write(const struct spool_segment *segment, unsigned char out[SPOOL_HEADER]);
/* Fills number, id and first; false where the bytes are no header. */
bool spool_header_read(const unsigned char *bytes, size_t n, struct spool_segment *out);

/* Bytes an entry takes. */
static inline size_t spool_entry_size(size_t payload)
{
	return (SPOOL_ENTRY + payload + 7) & ~(size_t)7;
}
/* Appends an entry that will stand at `offset` of its segment. */
bool spool_entry_write(struct buf *out, uint64_t id, uint64_t offset, enum spool_kind kind,
		       unsigned flags, struct instant arrival, struct sv payload);

enum spool_check {
	SPOOL_VALID,
	SPOOL_ZERO,  /* a zero kind: the end, or a page that was never written */
	SPOOL_SHORT, /* begins like one, but more than n bytes long: *size says how many */
	SPOOL_BAD,
};
/* bytes: what stands at `offset` of the segment, n of them. The payload is a view into them. */
enum spool_check spool_entry_read(const char *bytes, size_t n, uint64_t id, uint64_t offset,
				  struct spool_entry *out);

#endif
