#include "wire/prelude.h"

#include "base/arena.h"
#include "wire/record.h"

#define MAX_PRELUDE ((size_t)16 * 1024)
#define REQUEST SV("CONNECT ")
#define ANSWER SV("HTTP/1.")

void prelude_skip(struct prelude *p)
{
	p->state = PRELUDE_DONE;
	buf_free(&p->text);
}

static bool begins(struct sv text, struct sv word)
{
	return sv_starts(text, sv_first(word, text.n));
}

/* `CONNECT host:port HTTP/1.1` */
static bool take_request(struct connection *c, struct sv text)
{
	struct sv rest, target, port;
	struct addr ip;
	uint64_t number;

	sv_cut(text, ' ', &rest);
	target = sv_cut(rest, ' ', &rest);
	if (addr_parse_port(target, &ip, &c->connect_port)) {
		port = SV_NONE;
		target = sv_starts(target, SV("[")) ? target : sv_cut(target, ':', &port);
	} else {
		target = sv_cut(target, ':', &port);
		if (!sv_to_u64(port, &number) || number == 0 || number > UINT16_MAX)
			return false;
		c->connect_port = (uint16_t)number;
	}
	if (sv_empty(target) || target.n > HELLO_SNI_MAX)
		return false;
	if (sv_ends(target, SV(".")))
		target.n--;
	for (size_t i = 0; i < target.n; i++)
		if (target.p[i] <= ' ' || target.p[i] >= 0x7f)
			return false;
	if (c->connect_host != NULL)
		return true; /* asked again, say with a password */
	c->connect_host = xstrndup(target.p, target.n);
	for (char *h = c->connect_host; h != NULL && *h != '\0'; h++)
		if (*h >= 'A' && *h <= 'Z')
			*h = (char)(*h - 'A' + 'a');
	return true;
}

/* A request ended; what follows is TLS, or the next try. */
static bool take_block(struct connection *c, int side, struct sv block)
{
	struct prelude *p = &c->side[side].prelude;

	if (side == CLIENT && !take_request(c, block))
		return false;
	p->state = PRELUDE_FIRST;
	buf_reset(&p->text);
	return true;
}

size_t prelude_take(struct connection *c, int side, const uint8_t *bytes, size_t n)
{
	struct prelude *p = &c->side[side].prelude;
	struct sv word = side == CLIENT ? REQUEST : ANSWER;
	size_t i = 0;

	if (p->text._max == 0)
		buf_init(&p->text, MAX_PRELUDE);
	for (; i < n && p->state != PRELUDE_DONE; i++) {
		if (p->state == PRELUDE_FIRST && bytes[i] >= RECORD_CCS &&
		    bytes[i] <= RECORD_DATA) {
			prelude_skip(p);
			break;
		}
		p->state = PRELUDE_HTTP;
		/* A body behind an answer that was no consent is passed over up to the next
		 * answer. */
		if (!buf_append(&p->text, &bytes[i], 1) ||
		    !begins(sv_first(buf_view(&p->text), word.n), word)) {
			if (side == SERVER && c->connect_host != NULL && !p->text.overflowed) {
				p->state = PRELUDE_FIRST;
				buf_reset(&p->text);
				continue;
			}
			c->state = CONNECTION_OTHER;
			return n;
		}
		if (c->state == CONNECTION_OPENING)
			c->state = CONNECTION_CONNECT;
		if (sv_ends(buf_view(&p->text), SV("\r\n\r\n")) &&
		    !take_block(c, side, buf_view(&p->text))) {
			c->state = CONNECTION_OTHER;
			return n;
		}
	}
	return i;
}
