/* The simulated world: devices, apps, hosts, who has which address, and the timeline of what
 * happened.
 *
 * Built in this order by sim_run: scenarios install their apps, hosts and claims on devices; apps
 * are spread over the fleet; visits are planned and played into connections; scenarios disturb the
 * sorted timeline (an outage turns success into failure); the timeline is finished (ports, sizes,
 * durations) and rendered. Everything belongs to the one `struct sim` and goes with it.
 */
#ifndef PINWATCH_SIM_FLEET_H
#define PINWATCH_SIM_FLEET_H

#include "base/addr.h"
#include "base/arena.h"
#include "sim/rng.h"
#include "sim/sim.h"

#define SIM_MAX_APPS 64 /* a device's installed apps are a 64-bit set */
#define SIM_MAX_HOSTS 128
#define SIM_MAX_PAIRS 192
#define SIM_APP_PAIRS 8
#define SIM_DEVICE_STAYS 4
#define SIM_MAX_SPANS 4
#define SIM_NO_DEVICE UINT32_MAX
#define SIM_PROXY_IP "10.0.0.5"
#define SIM_PROXY_PORT 3128
#define SIM_ROOT_PROFILE "com.acme.inspection-root"
#define SIM_ISSUER "Acme Inspection CA"

/* TLS libraries as the wire shows them. */
enum sim_stack {
	STACK_APPLE, /* URLSession, TLS 1.3: encrypts its alerts */
	STACK_APPLE_TLS12,
	STACK_BUNDLED, /* a BoringSSL that the app brings along */
	STACK_OPENSSL, /* sends its alerts in the clear */
	STACK_ANCIENT, /* TLS 1.0 */
	STACKS
};

struct sim_stack_facts {
	const char *ja3, *ja4, *quic_ja4;
	const char *zeek_version, *cipher; /* as the flow sensor names them */
	const char *squid_version;
	const char *version; /* as the canonical form says it */
	uint16_t hello;	     /* bytes of the ClientHello record */
	uint8_t alert;	     /* sent for a certificate it refuses */
	bool tls13, clear_alerts;
};
extern const struct sim_stack_facts sim_stacks[STACKS];

/* What became of one connection, in truth. */
enum sim_happening {
	HAPPENED_OK,
	HAPPENED_REJECT,  /* alert: the certificate is refused */
	HAPPENED_EXPIRED, /* alert 45 */
	HAPPENED_FIN,	  /* silent close in the handshake */
	HAPPENED_RST,
	HAPPENED_LATE,	     /* handshake complete, gone at once */
	HAPPENED_IDLE,	     /* handshake complete, never used */
	HAPPENED_MTLS_ALERT, /* the origin refuses a client without certificate, alert 40 to the
				proxy */
	HAPPENED_MTLS_LATE,  /* the same over TLS 1.3: noticed after the handshake */
	HAPPENED_BAD_ORIGIN, /* the proxy does not trust the origin */
	HAPPENED_MISMATCH,   /* no common TLS version */
	HAPPENED_GONE,	     /* the client left before the server answered */
};

enum sim_route { ROUTE_BUMP, ROUTE_SPLICE, ROUTE_DIRECT, ROUTE_QUIC };
enum sim_edr { EDR_NONE, EDR_HOST, EDR_EXACT }; /* connects without, with the client's port */
enum sim_lease_kind { LEASED_ZEEK_DHCP, LEASED_KEA, LEASED_RADIUS, LEASED_KINDS };

/* Verdicts that a case may end in, as bits. `observed` includes no finding at all. */
enum {
	MAY_CONFIRM = 1,
	MAY_SUSPECT = 2,
	MAY_EXPLAIN = 4,
	MAY_EXPECT = 8,
	MAY_OBSERVE = 16,
};

/* An address for a while; until is exclusive. */
struct sim_stay {
	struct instant from, until;
	uint32_t ip; /* host byte order */
	bool guest;  /* the guest network */
};

struct sim_device {
	char udid[28], serial[16], mac[20], user[24];
	char radius_name[28]; /* User-Name of its RADIUS sessions */
	char lease_mac[20]; /* what DHCP and RADIUS see: differs where the private address is on */
	uint64_t apps;	    /* set of installed apps */
	struct sim_stay stays[SIM_DEVICE_STAYS];
	uint8_t n_stays;
	uint8_t edr, leased;
	bool claimed;	    /* a scenario's own; other scenarios keep off */
	bool second_sensor; /* its traffic passes two flow sensors */
	/* INSTANT_NONE: never got the inspection root; 0: always had it */
	struct instant root_from;
	const char *label; /* in truth.json, or NULL */
	uint16_t next_port;
};

struct sim_app {
	const char *bundle, *name, *version;
	const char *next_version; /* NULL: never updated */
	struct instant update_at; /* first device's update; others follow over the day */
	enum sim_stack stack;
	bool own_agent; /* its CONNECT names no CFNetwork client */
	bool managed, system, background;
	uint16_t weight; /* share of ordinary visits; 0: a scenario's app */
	uint16_t visits; /* of a scenario's app, a day and device */
	uint16_t share;	 /* of the unclaimed devices that have it, per mille; 0: placed by hand */
	struct instant from; /* not used before */
	uint16_t pairs[SIM_APP_PAIRS];
	uint8_t n_pairs;
	char agent[128];
};

struct sim_host {
	const char *name;
	uint32_t ip;
};

/* One use of an app: a person looking at it, or the app at work behind their back. */
struct sim_visit {
	struct instant start;
	struct span length;
	uint32_t device;
	uint16_t app;
	bool background, locked;
};

struct sim;
/* Plays what an app and a host do together during a visit, beginning at `at`. */
typedef void sim_talk(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		      struct instant at);

struct sim_pair {
	uint16_t app, host;
	sim_talk *talk;
	uint16_t chance; /* per mille of visits that talk to this host */
	bool pinned;
	uint8_t verdicts;
	const char *scenario;
	const char *explained_by; /* or NULL */
	uint32_t only_device;	  /* whose failures these are, or SIM_NO_DEVICE */
};

enum {
	CONN_LATE_LINE = 1,
	CONN_FUTURE = 2,
	CONN_PROXY_ONLY = 4,
	CONN_LOCKED = 8,
	CONN_BACKGROUND = 16,
	CONN_GUEST = 32,
	CONN_CLIENT_CLOSES = 64,
	CONN_RESET = 128,
	CONN_NO_FLOW = 256 /* missed by the flow sensor */
};

struct sim_conn {
	int64_t start; /* ns */
	uint32_t handshake_us, duration_us;
	uint32_t bytes_out, bytes_in;
	uint32_t device;
	uint16_t pair, port;
	uint8_t happening, route, stack, requests;
	uint16_t flags;
	bool updated; /* the app's next version */
};

/* App lifecycle as the EDR tells it. */
struct sim_event {
	int64_t time;
	uint32_t device;
	uint16_t app;
	uint8_t what; /* enum activity_event */
	bool foreground, locked, interaction, updated;
};

struct sim_span {
	const char *label;
	struct instant from, until;
};

struct sim {
	const struct sim_options *o;
	struct instant start, end;
	struct arena arena;
	struct sim_device *devices;
	uint32_t n_devices, n_claimed;
	struct sim_app apps[SIM_MAX_APPS];
	size_t n_apps;
	struct sim_host hosts[SIM_MAX_HOSTS];
	size_t n_hosts;
	struct sim_pair pairs[SIM_MAX_PAIRS];
	size_t n_pairs;
	struct sim_conn *conns;
	size_t n_conns, cap_conns;
	struct sim_event *events;
	size_t n_events, cap_events;
	struct sim_span spans[SIM_MAX_SPANS];
	size_t n_spans;
	bool lists; /* an allow-list was asked for */
	/* How far the proxy's and the agent's clocks are ahead of the flow sensor's, ns. */
	int64_t proxy_ahead, agent_ahead;
	struct sim_report *report;
};

/* Devices with their addresses. */
void sim_build_devices(struct sim *s);
/* The apps that everybody has, all fine under inspection. */
void sim_build_ordinary_apps(struct sim *s);
/* Gives each app with a share to its devices. */
void sim_spread_apps(struct sim *s);

uint16_t sim_add_app(struct sim *s, struct sim_app app);
/* Adds the host when it is new. `p.app` and talk, chance, truth as given. Returns the pair. */
uint16_t sim_add_pair(struct sim *s, const char *host, struct sim_pair p);
/* An unclaimed device that becomes the caller's, or SIM_NO_DEVICE in a fleet too small. */
uint32_t sim_claim_device(struct sim *s, struct rng *r);
void sim_install(struct sim *s, uint16_t app, uint32_t device);
bool sim_has_app(const struct sim_device *d, uint16_t app);
/* Does the device run the app's next version at t? */
bool sim_updated(const struct sim *s, uint16_t app, uint32_t device, struct instant t);
struct instant sim_update_time(const struct sim *s, uint16_t app, uint32_t device);
/* Where the device is at t. */
const struct sim_stay *sim_stay_at(const struct sim_device *d, struct instant t);
struct addr sim_addr(uint32_t ip);
/* Day number `day` of the simulation at hh:mm. */
struct instant sim_day(const struct sim *s, uint32_t day, unsigned hour, unsigned minute);
/* The day of the later half on which things change. */
uint32_t sim_late_day(const struct sim *s);
/* From when newcomers appear: noon of that day, when in a run of five days or more the fleet has
 * three full days of baseline. */
struct instant sim_newcomers(const struct sim *s);

#endif
