#include "wire/connection.h"

static int64_t acknowledged(const struct direction *by)
{
	return by->acks ? (int64_t)(uint32_t)(by->last_ack - by->first_ack) : -1;
}

struct infer_facts connection_facts(const struct connection *c)
{
	struct infer_facts f = c->facts;

	f.client = c->side[CLIENT].facts;
	f.server = c->side[SERVER].facts;
	f.client.holes = c->side[CLIENT].records.holes;
	f.server.holes = c->side[SERVER].records.holes;
	f.server_bytes =
	    f.server.seen ? (int64_t)c->side[SERVER].stream.bytes : acknowledged(&c->side[CLIENT]);
	return f;
}
