#include "wire/record.h"

/* 2^14 bytes and what ciphers and compression may add (RFC 5246, 6.2.3). */
#define MAX_BODY (16384 + 2048)

void records_init(struct records *r)
{
	*r = (struct records){ 0 };
	buf_init(&r->_body, RECORD_MAX_MESSAGE);
}

void records_free(struct records *r) { buf_free(&r->_body); }

static bool plausible(const uint8_t h[5])
{
	uint32_t length = (uint32_t)h[3] << 8 | h[4];

	return h[0] >= RECORD_CCS && h[0] <= RECORD_DATA && h[1] == 3 && h[2] <= 4 && length > 0 &&
	       length <= MAX_BODY;
}

static void drop_message(struct records *r)
{
	r->_n_head = 0;
	r->_need = 0;
	r->_broken = r->_blind = false;
	buf_reset(&r->_body);
}

/* Handshake messages may share a record or span several. */
static void handshake(struct records *r, const uint8_t *p, size_t n, struct instant time,
		      const struct record_sink *sink)
{
	struct bytes body;
	size_t take;

	while (n > 0) {
		if (r->_n_head < sizeof(r->_head)) {
			r->_head[r->_n_head++] = *p++;
			n--;
			if (r->_n_head < sizeof(r->_head))
				continue;
			r->_need =
			    (uint32_t)r->_head[1] << 16 | (uint32_t)r->_head[2] << 8 | r->_head[3];
		}
		take = n < r->_need ? n : r->_need;
		if (!r->_broken)
			r->_broken = !buf_append(&r->_body, p, take);
		p += take;
		n -= take;
		r->_need -= (uint32_t)take;
		if (r->_need > 0)
			continue;
		body = r->_broken
			   ? (struct bytes){ NULL, 0, true }
			   : (struct bytes){ (const uint8_t *)r->_body.p, r->_body.n, false };
		sink->message(sink->arg, r->_head[0], body, time);
		drop_message(r);
		if (r->encrypted)
			return;
	}
}

static void body(struct records *r, const uint8_t *p, size_t n, struct instant time,
		 const struct record_sink *sink)
{
	size_t at = r->_length - r->_left;

	if (r->encrypted)
		return;
	if (r->_type == RECORD_HANDSHAKE && !r->_blind)
		handshake(r, p, n, time, sink);
	if (r->_type != RECORD_ALERT || r->_length != 2)
		return;
	for (size_t i = 0; i < n && at + i < 2; i++)
		r->_alert[at + i] = p[i];
	if (at + n >= 2)
		sink->alert(sink->arg, r->_alert[0], r->_alert[1], time);
}

static bool header(struct records *r, struct instant time, const struct record_sink *sink)
{
	const uint8_t *h = r->_header;

	r->_n_header = 0;
	if (!plausible(h)) {
		r->not_tls = !r->begun;
		r->lost = r->holes = true;
		return false;
	}
	if (r->_blind)
		drop_message(r);
	r->begun = true;
	r->_type = h[0];
	r->_length = (uint16_t)(h[3] << 8 | h[4]);
	r->_left = r->_length;
	sink->record(sink->arg, (enum record_type)r->_type, r->_length, time);
	return true;
}

void records_data(struct records *r, const uint8_t *p, size_t n, struct instant time,
		  const struct record_sink *sink)
{
	size_t take;

	if (r->lost && !r->not_tls && n >= sizeof(r->_header) && plausible(p)) {
		r->lost = false;
		drop_message(r);
	}
	while (n > 0 && !r->lost) {
		if (r->_left > 0) {
			take = n < r->_left ? n : r->_left;
			body(r, p, take, time, sink);
			r->_left -= (uint32_t)take;
			p += take;
			n -= take;
			continue;
		}
		r->_header[r->_n_header++] = *p++;
		n--;
		if (r->_n_header == sizeof(r->_header) && !header(r, time, sink))
			return;
	}
}

void records_gap(struct records *r, uint32_t n)
{
	uint32_t take = n < r->_left ? n : r->_left;

	if (r->lost || n == 0)
		return;
	/* Of what is encrypted nothing was wanted. */
	if (take > 0 && r->_type == RECORD_HANDSHAKE && !r->encrypted) {
		r->_broken = true;
		if (r->_n_head == sizeof(r->_head) && take <= r->_need)
			r->_need -= take;
		else
			r->_blind = true; /* where one message ends and the next begins is gone */
	}
	r->_left -= take;
	if (n > take) {
		r->lost = r->holes = true;
		r->_n_header = 0;
		r->_left = 0;
		drop_message(r);
	}
}
