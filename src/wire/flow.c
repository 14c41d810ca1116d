#include "wire/flow.h"

#include <stdlib.h>

#include "base/arena.h"
#include "wire/quic.h"

void flows_init(struct flows *f, uint64_t seed)
{
	*f =
	    (struct flows){ .open = { FLOW_NONE, FLOW_NONE }, .closing = { FLOW_NONE, FLOW_NONE } };
	keymap_init(&f->_slots_by_key, sizeof(struct flow_key), seed);
}

static void connection_free(struct connection *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < SIDES; i++) {
		stream_free(&c->side[i].stream);
		records_free(&c->side[i].records);
		buf_free(&c->side[i].prelude.text);
	}
	quic_free(c->quic);
	free(c->hello);
	free(c->issuer);
	free(c->connect_host);
	free(c);
}

void flows_free(struct flows *f)
{
	for (uint32_t i = 0; i < f->n_slots; i++)
		connection_free(f->slots[i]);
	free(f->slots);
	free(f->_free);
	keymap_free(&f->_slots_by_key);
}

struct flow_key flow_key_of(const struct segment *s, uint8_t *from)
{
	int order = memcmp(&s->src, &s->dst, sizeof(s->src));
	struct flow_key key;

	if (order == 0)
		order = (int)s->src_port - (int)s->dst_port;
	*from = order > 0;
	key.ip[*from] = s->src;
	key.ip[1 - *from] = s->dst;
	key.port[*from] = s->src_port;
	key.port[1 - *from] = s->dst_port;
	key.udp = s->udp;
	return key;
}

uint32_t flow_find(const struct flows *f, const struct flow_key *key)
{
	return keymap_get(&f->_slots_by_key, key);
}

static void unlink_from(struct flows *f, struct flow_list *l, const struct connection *c)
{
	if (c->prev != FLOW_NONE)
		f->slots[c->prev]->next = c->next;
	else
		l->head = c->next;
	if (c->next != FLOW_NONE)
		f->slots[c->next]->prev = c->prev;
	else
		l->tail = c->prev;
}

static void append(struct flows *f, struct flow_list *l, uint32_t slot)
{
	struct connection *c = f->slots[slot];

	c->prev = l->tail;
	c->next = FLOW_NONE;
	if (l->tail != FLOW_NONE)
		f->slots[l->tail]->next = slot;
	else
		l->head = slot;
	l->tail = slot;
}

static struct flow_list *list_of(struct flows *f, const struct connection *c)
{
	return c->closing ? &f->closing : &f->open;
}

static uint32_t new_slot(struct flows *f)
{
	if (f->_n_free > 0)
		return f->_free[--f->_n_free];
	if (f->n_slots == f->_capacity) {
		f->_capacity = f->_capacity == 0 ? 256 : f->_capacity * 2;
		f->slots = xrealloc(f->slots, f->_capacity, sizeof(struct connection *));
		f->_free = xrealloc(f->_free, f->_capacity, sizeof(*f->_free));
	}
	return f->n_slots++;
}

uint32_t flow_add(struct flows *f, const struct flow_key *key, struct instant time)
{
	uint32_t slot = new_slot(f);
	struct connection *c = xcalloc(1, sizeof(*c));

	c->key = *key;
	c->serial = ++f->_serial;
	c->inner = FLOW_NONE;
	c->first = c->last = time;
	c->missed_since = c->hello_time = c->server_hello_time = c->connect_time = INSTANT_NONE;
	c->facts.complete = c->facts.farewell = INSTANT_NONE;
	for (int i = 0; i < SIDES; i++) {
		struct infer_side *side = &c->side[i].facts;

		records_init(&c->side[i].records);
		side->alert = -1;
		side->alert_time = side->fin = side->rst = INSTANT_NONE;
	}
	f->slots[slot] = c;
	f->count++;
	*keymap_slot(&f->_slots_by_key, key) = slot;
	append(f, &f->open, slot);
	return slot;
}

void flow_remove(struct flows *f, uint32_t slot)
{
	struct connection *c = f->slots[slot];

	unlink_from(f, list_of(f, c), c);
	keymap_remove(&f->_slots_by_key, &c->key);
	f->slots[slot] = NULL;
	f->_free[f->_n_free++] = slot;
	f->count--;
	connection_free(c);
}

void flow_touch(struct flows *f, uint32_t slot)
{
	struct connection *c = f->slots[slot];
	struct flow_list *l = list_of(f, c);

	if (l->tail == slot)
		return;
	unlink_from(f, l, c);
	append(f, l, slot);
}

void flow_close(struct flows *f, uint32_t slot)
{
	struct connection *c = f->slots[slot];

	if (c->closing)
		return;
	unlink_from(f, &f->open, c);
	c->closing = true;
	append(f, &f->closing, slot);
}
