/* A captured frame down to the TCP or UDP segment in it.
 *
 * Link layers: Ethernet, Linux cooked (v1, v2), raw IP, BSD loopback. On the way down: VLAN tags
 * (802.1Q, 802.1ad), MPLS, PPPoE, IPv4, IPv6 with extension headers, IP in IP, and what mirrors
 * wrap frames in: GRE (RFC 2784, 2890), ERSPAN type I–III, VXLAN (RFC 7348), Geneve (RFC 8926).
 * Nothing is copied; views borrow from the frame. No state, any thread.
 */
#ifndef PINWATCH_WIRE_PACKET_H
#define PINWATCH_WIRE_PACKET_H

#include "base/addr.h"

/* Link types as captures number them (https://www.tcpdump.org/linktypes.html). */
enum wire_link {
	WIRE_LINK_NULL = 0,
	WIRE_LINK_ETHERNET = 1,
	WIRE_LINK_RAW_BSD = 12,
	WIRE_LINK_RAW_OPENBSD = 14,
	WIRE_LINK_RAW = 101,
	WIRE_LINK_LOOP = 108,
	WIRE_LINK_COOKED = 113,
	WIRE_LINK_IPV4 = 228,
	WIRE_LINK_IPV6 = 229,
	WIRE_LINK_COOKED2 = 276,
};

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct segment {
	struct addr src, dst;
	uint16_t src_port, dst_port;
	bool udp;
	uint8_t flags; /* TCP only, as seq and ack */
	uint32_t seq, ack;
	const uint8_t *payload;
	uint32_t n;	 /* captured bytes of the payload */
	uint32_t length; /* bytes it had on the wire, ≥ n */
};

enum packet_result {
	PACKET_SEGMENT,
	PACKET_OTHER,	 /* neither TCP nor UDP */
	PACKET_FRAGMENT, /* a later fragment of an IP packet: its ports are not in it */
	PACKET_CUT,	 /* captured too short to hold its own headers */
	PACKET_LINK,	 /* a link layer that is not known here */
};

enum packet_result packet_decode(int link, const uint8_t *frame, size_t n, struct segment *out);
/* Whether packet_decode knows the link layer. */
bool packet_link_known(int link);

#endif
