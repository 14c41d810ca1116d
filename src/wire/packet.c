#include "wire/packet.h"

#include "wire/bytes.h"

/* Headers that may lie around a segment: a chain longer than any real one ends the walk. */
#define MAX_LAYERS 24
#define VXLAN_PORT 4789
#define VXLAN_PORT_OLD 8472
#define GENEVE_PORT 6081

enum ether_type {
	ETHER_IPV4 = 0x0800,
	ETHER_TRANSPARENT = 0x6558,
	ETHER_VLAN = 0x8100,
	ETHER_IPV6 = 0x86dd,
	ETHER_MPLS = 0x8847,
	ETHER_MPLS_MULTICAST = 0x8848,
	ETHER_PPPOE = 0x8864,
	ETHER_QINQ = 0x88a8,
	ETHER_ERSPAN = 0x88be,
	ETHER_ERSPAN3 = 0x22eb,
	ETHER_QINQ_OLD = 0x9100,
};

enum ip_protocol {
	IP_HOP_BY_HOP = 0,
	IP_IPV4 = 4,
	IP_TCP = 6,
	IP_UDP = 17,
	IP_IPV6 = 41,
	IP_ROUTING = 43,
	IP_FRAGMENT = 44,
	IP_GRE = 47,
	IP_AUTHENTICATION = 51,
	IP_NOTHING = 59,
	IP_DESTINATION = 60,
	IP_MOBILITY = 135,
};

enum layer { LAYER_ETHERNET, LAYER_TYPED, LAYER_IPV4, LAYER_IPV6, LAYER_IP, LAYER_PROTOCOL };

/* What is left of the frame, and what it is taken for. */
struct walk {
	struct bytes rest;
	enum layer layer;
	unsigned type;	 /* LAYER_TYPED: an EtherType; LAYER_PROTOCOL: an IP protocol */
	uint32_t length; /* bytes from rest on that the innermost IP header promises */
	bool bounded;	 /* length is known */
};

/* Each step takes one header off. PACKET_SEGMENT means: go on, or, where the walk is at its end,
 * done. */
static enum packet_result ethernet(struct walk *w)
{
	if (!bytes_skip(&w->rest, 12))
		return PACKET_CUT;
	w->type = bytes_u16(&w->rest);
	w->layer = LAYER_TYPED;
	w->bounded = false;
	return w->rest.bad ? PACKET_CUT : PACKET_SEGMENT;
}

static enum packet_result typed(struct walk *w)
{
	uint32_t label;

	switch (w->type) {
	case ETHER_VLAN:
	case ETHER_QINQ:
	case ETHER_QINQ_OLD:
		bytes_skip(&w->rest, 2);
		w->type = bytes_u16(&w->rest);
		break;
	case ETHER_IPV4:
		w->layer = LAYER_IPV4;
		break;
	case ETHER_IPV6:
		w->layer = LAYER_IPV6;
		break;
	case ETHER_MPLS:
	case ETHER_MPLS_MULTICAST:
		do
			label = bytes_u32(&w->rest);
		while (!w->rest.bad && (label & 0x100) == 0);
		w->layer = LAYER_IP;
		break;
	case ETHER_PPPOE:
		bytes_skip(&w->rest, 6);
		w->layer = LAYER_TYPED;
		switch (bytes_u16(&w->rest)) {
		case 0x21:
			w->type = ETHER_IPV4;
			break;
		case 0x57:
			w->type = ETHER_IPV6;
			break;
		default:
			return PACKET_OTHER;
		}
		break;
	default:
		return PACKET_OTHER;
	}
	return w->rest.bad ? PACKET_CUT : PACKET_SEGMENT;
}

/* The promise of the header just read: n bytes follow. 0 where segmentation was left to the network
 * card. */
static void bound(struct walk *w, uint32_t n)
{
	w->bounded = n > 0;
	w->length = n;
	if (w->bounded && w->rest.n > n)
		w->rest.n = n; /* padding of short frames */
}

static enum packet_result ipv4(struct walk *w, struct segment *s)
{
	struct bytes at = w->rest;
	unsigned first = bytes_u8(&at), header = (first & 15) * 4u, total, fragment;

	bytes_skip(&at, 1);
	total = bytes_u16(&at);
	bytes_skip(&at, 2);
	fragment = bytes_u16(&at);
	bytes_skip(&at, 1);
	w->type = bytes_u8(&at);
	bytes_skip(&at, 2);
	memset(&s->src, 0, sizeof(s->src));
	s->src.b[10] = s->src.b[11] = 0xff;
	s->dst = s->src;
	bytes_copy(&at, s->src.b + 12, 4);
	bytes_copy(&at, s->dst.b + 12, 4);
	if (at.bad || !bytes_skip(&w->rest, header))
		return PACKET_CUT;
	if (first >> 4 != 4 || header < 20 || (total != 0 && total < header))
		return PACKET_OTHER;
	bound(w, total == 0 ? 0 : total - header);
	w->layer = LAYER_PROTOCOL;
	return (fragment & 0x1fff) != 0 ? PACKET_FRAGMENT : PACKET_SEGMENT;
}

static enum packet_result ipv6(struct walk *w, struct segment *s)
{
	unsigned first = bytes_u8(&w->rest), length;

	bytes_skip(&w->rest, 3);
	length = bytes_u16(&w->rest);
	w->type = bytes_u8(&w->rest);
	bytes_skip(&w->rest, 1);
	bytes_copy(&w->rest, s->src.b, 16);
	bytes_copy(&w->rest, s->dst.b, 16);
	if (w->rest.bad)
		return PACKET_CUT;
	if (first >> 4 != 6)
		return PACKET_OTHER;
	bound(w, length);
	w->layer = LAYER_PROTOCOL;
	return PACKET_SEGMENT;
}

/* Takes n more bytes of headers off what an IP header promised. */
static bool take(struct walk *w, uint32_t n)
{
	if (!bytes_skip(&w->rest, n))
		return false;
	if (w->bounded)
		w->length = w->length > n ? w->length - n : 0;
	return true;
}

static enum packet_result extension(struct walk *w)
{
	struct bytes at = w->rest;
	unsigned next = bytes_u8(&at), length = bytes_u8(&at), offset = bytes_u16(&at);
	uint32_t size = w->type == IP_AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;

	if (at.bad)
		return PACKET_CUT;
	if (w->type == IP_FRAGMENT) {
		size = 8;
		if ((offset & 0xfff8) != 0)
			return PACKET_FRAGMENT;
	}
	w->type = next;
	return take(w, size) ? PACKET_SEGMENT : PACKET_CUT;
}

static enum packet_result gre(struct walk *w)
{
	unsigned flags = bytes_u16(&w->rest), protocol = bytes_u16(&w->rest), erspan;
	bool sequence = (flags & 0x1000) != 0;

	if ((flags & 0x7) != 0)
		return PACKET_OTHER; /* PPTP */
	bytes_skip(&w->rest, (flags & 0x8000) != 0 ? 4 : 0);
	bytes_skip(&w->rest, (flags & 0x2000) != 0 ? 4 : 0);
	bytes_skip(&w->rest, sequence ? 4 : 0);
	w->layer = LAYER_TYPED;
	w->type = protocol;
	switch (protocol) {
	case ETHER_ERSPAN: /* type I has neither sequence number nor header */
		bytes_skip(&w->rest, sequence ? 8 : 0);
		w->layer = LAYER_ETHERNET;
		break;
	case ETHER_ERSPAN3:
		bytes_skip(&w->rest, 10);
		erspan = bytes_u16(&w->rest);
		bytes_skip(&w->rest, (erspan & 1) != 0 ? 8 : 0);
		w->layer = LAYER_ETHERNET;
		break;
	case ETHER_TRANSPARENT:
		w->layer = LAYER_ETHERNET;
		break;
	default:
		break;
	}
	return w->rest.bad ? PACKET_CUT : PACKET_SEGMENT;
}

static enum packet_result geneve(struct walk *w)
{
	unsigned options = bytes_u8(&w->rest) & 0x3f;

	bytes_skip(&w->rest, 1);
	w->type = bytes_u16(&w->rest);
	bytes_skip(&w->rest, 4 + options * 4);
	w->layer = w->type == ETHER_TRANSPARENT ? LAYER_ETHERNET : LAYER_TYPED;
	return w->rest.bad ? PACKET_CUT : PACKET_SEGMENT;
}

static void payload(const struct walk *w, struct segment *s)
{
	s->payload = w->rest.p;
	s->n = (uint32_t)w->rest.n;
	s->length = w->bounded && w->length > s->n ? w->length : s->n;
}

static enum packet_result tcp(struct walk *w, struct segment *s, bool *done)
{
	struct bytes at = w->rest;
	unsigned header;

	s->src_port = bytes_u16(&at);
	s->dst_port = bytes_u16(&at);
	s->seq = bytes_u32(&at);
	s->ack = bytes_u32(&at);
	header = (bytes_u8(&at) >> 4) * 4u;
	s->flags = bytes_u8(&at);
	if (at.bad || header < 20 || !take(w, header))
		return PACKET_CUT;
	payload(w, s);
	*done = true;
	return PACKET_SEGMENT;
}

static enum packet_result udp(struct walk *w, struct segment *s, bool *done)
{
	s->src_port = bytes_u16(&w->rest);
	s->dst_port = bytes_u16(&w->rest);
	bytes_skip(&w->rest, 4);
	if (w->bounded)
		w->length = w->length > 8 ? w->length - 8 : 0;
	if (w->rest.bad)
		return PACKET_CUT;
	if (s->dst_port == VXLAN_PORT || s->dst_port == VXLAN_PORT_OLD) {
		w->layer = LAYER_ETHERNET;
		return bytes_skip(&w->rest, 8) ? PACKET_SEGMENT : PACKET_CUT;
	}
	if (s->dst_port == GENEVE_PORT)
		return geneve(w);
	s->udp = true;
	payload(w, s);
	*done = true;
	return PACKET_SEGMENT;
}

static enum packet_result protocol(struct walk *w, struct segment *s, bool *done)
{
	switch (w->type) {
	case IP_TCP:
		return tcp(w, s, done);
	case IP_UDP:
		return udp(w, s, done);
	case IP_IPV4:
		w->layer = LAYER_IPV4;
		return PACKET_SEGMENT;
	case IP_IPV6:
		w->layer = LAYER_IPV6;
		return PACKET_SEGMENT;
	case IP_GRE:
		return gre(w);
	case IP_HOP_BY_HOP:
	case IP_ROUTING:
	case IP_FRAGMENT:
	case IP_AUTHENTICATION:
	case IP_DESTINATION:
	case IP_MOBILITY:
		return extension(w);
	default:
		return PACKET_OTHER;
	}
}

static bool begin(struct walk *w, int link)
{
	w->layer = LAYER_IP;
	switch (link) {
	case WIRE_LINK_ETHERNET:
		w->layer = LAYER_ETHERNET;
		return true;
	case WIRE_LINK_NULL:
	case WIRE_LINK_LOOP: /* the address family, by the capturing machine: IP says it itself */
		bytes_skip(&w->rest, 4);
		return true;
	case WIRE_LINK_COOKED:
		bytes_skip(&w->rest, 14);
		w->type = bytes_u16(&w->rest);
		w->layer = LAYER_TYPED;
		return true;
	case WIRE_LINK_COOKED2:
		w->type = bytes_u16(&w->rest);
		bytes_skip(&w->rest, 18);
		w->layer = LAYER_TYPED;
		return true;
	case WIRE_LINK_RAW:
	case WIRE_LINK_RAW_BSD:
	case WIRE_LINK_RAW_OPENBSD:
	case WIRE_LINK_IPV4:
	case WIRE_LINK_IPV6:
		return true;
	default:
		return false;
	}
}

bool packet_link_known(int link)
{
	struct walk w = { .rest = { 0 } };

	return begin(&w, link);
}

enum packet_result packet_decode(int link, const uint8_t *frame, size_t n, struct segment *out)
{
	struct walk w = { .rest = { frame, n > UINT32_MAX ? UINT32_MAX : n, false } };
	enum packet_result result = PACKET_SEGMENT;
	bool done = false;

	memset(out, 0, sizeof(*out));
	if (!begin(&w, link))
		return PACKET_LINK;
	for (int i = 0; result == PACKET_SEGMENT && !done; i++) {
		if (w.rest.bad || i == MAX_LAYERS)
			return w.rest.bad ? PACKET_CUT : PACKET_OTHER;
		switch (w.layer) {
		case LAYER_ETHERNET:
			result = ethernet(&w);
			break;
		case LAYER_TYPED:
			result = typed(&w);
			break;
		case LAYER_IP:
			if (w.rest.n == 0)
				return PACKET_CUT;
			w.layer = w.rest.p[0] >> 4 == 6 ? LAYER_IPV6 : LAYER_IPV4;
			break;
		case LAYER_IPV4:
			result = ipv4(&w, out);
			break;
		case LAYER_IPV6:
			result = ipv6(&w, out);
			break;
		case LAYER_PROTOCOL:
			result = protocol(&w, out, &done);
			break;
		}
	}
	return result;
}
