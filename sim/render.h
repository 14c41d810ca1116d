/* From the timeline to files: each log in the order in which its lines would be written. */
#ifndef PINWATCH_SIM_RENDER_H
#define PINWATCH_SIM_RENDER_H

#include "base/buf.h"
#include "model/observation.h"
#include "sim/fleet.h"
#include "sim/sink.h"

/* A line yet to be written. */
struct sim_line {
	int64_t key;   /* when it is written, ns */
	uint32_t item; /* index of what it tells */
	uint8_t part;  /* which of the item's lines */
};
struct sim_log {
	struct sim_line *lines;
	size_t n, _capacity;
};

void sim_log_add(struct sim_log *log, int64_t key, size_t item, unsigned part);
/* Sorts by key; under --disorder each line is first put off by up to 25 s. `tag` names the log. */
void sim_log_order(const struct sim *s, struct sim_log *log, const char *tag);
/* The same, but an item's lines are put off together and so stay in their order. */
void sim_log_order_items(const struct sim *s, struct sim_log *log);
void sim_log_free(struct sim_log *log);

/* A file of the run: opened, counted in the report, and with --garbage salted with damaged
 * lines. */
struct sim_file {
	struct sink sink;
	struct rng _salt;
	bool _garbage;
};
bool sim_file_open(struct sim *s, struct sim_file *f, const char *name, struct error *err);
/* Ends a record's line. */
void sim_file_line(struct sim_file *f);
bool sim_file_close(struct sim *s, struct sim_file *f, struct error *err);

/* When, in ns, the connection is over, and how much later its lines are written if they are
 * late. */
int64_t sim_conn_end(const struct sim_conn *c);
int64_t sim_conn_put_off(const struct sim_conn *c, size_t index);
const char *sim_conn_host(const struct sim *s, const struct sim_conn *c);
uint32_t sim_conn_client(const struct sim *s, const struct sim_conn *c);
void sink_ip(struct sink *k, uint32_t ip);
/* How far the proxy's clock leaps ahead in CONN_FUTURE's lines. */
#define SIM_LEAP(s) ((s)->end.ns - (s)->start.ns + 2 * NS_PER_DAY)
/* What the EDR and MDM call the app's version. */
const char *sim_app_version(const struct sim *s, uint16_t app, bool updated);

/* One lease record: a grant, a renewal, a release. Sorted by time. */
enum sim_lease_what { LEASE_START, LEASE_RENEWAL, LEASE_STOP };
struct sim_lease {
	int64_t time, session_start;
	uint32_t device, ip;
	uint8_t kind; /* enum sim_lease_kind */
	uint8_t what;
	uint8_t stay;
};
#define SIM_DHCP_LIFETIME (24 * NS_PER_HOUR)
/* The caller frees *out. */
size_t sim_leases(const struct sim *s, struct sim_lease **out);

/* When MDM tells something about a device. `what` is a set of the lists then sent. */
enum {
	TELL_CHECKIN = 1,
	TELL_INFO = 2,
	TELL_APPS = 4,
	TELL_MANAGED = 8,
	TELL_PROFILES = 16,
	TELL_SECURITY = 32
};
struct sim_report_time {
	int64_t time;
	uint32_t device;
	uint8_t what;
};
/* The caller frees *out. Sorted by time. */
size_t sim_mdm_times(const struct sim *s, struct sim_report_time **out);
/* Is the app on the device's list at t? System apps never are. */
bool sim_app_listed(const struct sim *s, uint32_t device, uint16_t app, int64_t t);
bool sim_root_listed(const struct sim *s, uint32_t device, int64_t t);

bool sim_render_squid(struct sim *s, struct error *err);
bool sim_render_mitmproxy(struct sim *s, struct error *err);
bool sim_render_zeek(struct sim *s, struct error *err);
bool sim_render_leases(struct sim *s, struct error *err);
bool sim_render_mdm(struct sim *s, struct error *err);
bool sim_render_edr(struct sim *s, struct error *err);
/* Inspection, flow, MDM and lease as canonical observations. */
bool sim_render_canonical(struct sim *s, struct error *err);
/* pinwatch.yaml, apps.yaml, destinations.yaml. */
bool sim_render_config(struct sim *s, struct error *err);
bool sim_render_truth(struct sim *s, struct error *err);

#endif
