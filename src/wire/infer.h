/* From what stood on the wire to an outcome: the table "Wire" of the evidence page.
 *
 * TLS 1.3 encrypts what matters, but not how long it is. The ServerHello's suite gives the length
 * of a Finished record; a client's first encrypted record that is shorter is an alert, one as long
 * is its Finished. Pure functions of the facts.
 */
#ifndef PINWATCH_WIRE_INFER_H
#define PINWATCH_WIRE_INFER_H

#include "base/clock.h"
#include "model/observation.h"

/* The client's encrypted records of TLS 1.3 that are looked at one by one, and the server's after
 * them. */
#define INFER_CLIENT 12
#define INFER_SERVER 4

struct infer_side {
	bool seen;  /* packets of it were captured */
	bool holes; /* records of it are missing */
	bool ccs;
	int alert; /* the first fatal one in the clear, or close_notify, or user_canceled; −1 */
	struct instant alert_time, fin, rst;
};

struct infer_facts {
	struct infer_side client, server;
	bool client_hello, server_hello;
	bool usual; /* the client offers a suite that every server speaks */
	bool offers_13;
	bool early_data;
	uint16_t version, suite;  /* the ServerHello's */
	bool resumed;		  /* no certificate is shown */
	bool certificate;	  /* seen in the clear (TLS ≤ 1.2) */
	bool certificate_request; /* likewise */
	bool client_answered;  /* TLS ≤ 1.2: a handshake message of the client after its hello */
	bool client_finished;  /* TLS ≤ 1.2: an encrypted one */
	uint32_t server_data;  /* the server's records of type 23; over TLS 1.3 its flight is among
				  them */
	uint16_t server_first; /* the first one's length */
	uint32_t client_data;  /* records of type 23, all of them */
	/* TLS 1.3: the client's encrypted records after the ServerHello, the server's after the
	 * first of these. */
	uint16_t client_lengths[INFER_CLIENT], server_lengths[INFER_SERVER];
	unsigned n_client, n_server;
	unsigned n_certain; /* so many of the client's came before any of its records was missing */
	struct instant complete; /* the last record of the handshake, of either side */
	struct instant farewell; /* the client's newest encrypted record that can be an alert */
	int64_t server_bytes;	 /* payload, as far as known; −1 */
};

struct inference {
	enum outcome outcome;
	int alert;
	enum side alert_from;
	enum tri established, server_certificate;
	bool weak_late; /* established_no_data as idle preconnects show it */
	bool data;	/* the client sent data */
};

struct inference infer(const struct infer_facts *f);
/* Nothing that may follow changes the outcome. */
bool infer_settled(const struct infer_facts *f);

#endif
