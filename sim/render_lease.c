/* Who has which address: the flow sensor's dhcp.log, a Kea lease file, RADIUS accounting. */
#include "sim/render.h"

#include <stdio.h>
#include <stdlib.h>

#define RENEW (12 * NS_PER_HOUR)
#define INTERIM (6 * NS_PER_HOUR)

static int by_time(const void *a, const void *b)
{
	const struct sim_lease *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->device != y->device ? (x->device < y->device ? -1 : 1)
				      : (int)x->what - (int)y->what;
}

size_t sim_leases(const struct sim *s, struct sim_lease **out)
{
	size_t n = 0, capacity = 0;

	*out = NULL;
	for (uint32_t d = 0; d < s->n_devices; d++)
		for (uint8_t k = 0; k < s->devices[d].n_stays; k++) {
			const struct sim_stay *stay = &s->devices[d].stays[k];
			enum sim_lease_kind kind = stay->guest
						       ? LEASED_ZEEK_DHCP
						       : (enum sim_lease_kind)s->devices[d].leased;
			int64_t step = kind == LEASED_RADIUS ? INTERIM : RENEW;
			/* On the first morning spread over a minute; later the phone has it at
			 * once. */
			int64_t from =
			    stay->from.ns + (k > 0 ? 0 : (int64_t)(d % 240) * 250 * NS_PER_MS);
			/* A RADIUS session ends with a Stop, a DHCP lease when another takes the
			 * address. */
			int64_t last = kind == LEASED_RADIUS && stay->until.ns < s->end.ns
					   ? stay->until.ns
					   : INT64_MAX;
			for (int64_t t = from; t < stay->until.ns; t += step) {
				if (n + 2 > capacity) {
					capacity = capacity == 0 ? 1024 : capacity * 2;
					*out = xrealloc(*out, capacity, sizeof(**out));
				}
				(*out)[n++] = (struct sim_lease){
					.time = t,
					.session_start = from,
					.device = d,
					.ip = stay->ip,
					.kind = (uint8_t)kind,
					.what = t == from ? LEASE_START : LEASE_RENEWAL,
					.stay = k,
				};
			}
			if (last != INT64_MAX && from < stay->until.ns) {
				(*out)[n] = (*out)[n - 1];
				(*out)[n].time = last;
				(*out)[n++].what = LEASE_STOP;
			}
		}
	if (n > 0)
		qsort(*out, n, sizeof(**out), by_time);
	return n;
}

static void write_zeek(const struct sim *s, struct sink *k, const struct sim_lease *l)
{
	const struct sim_device *d = &s->devices[l->device];
	uint32_t server = (l->ip & UINT32_C(0xffff0000)) | 1;
	bool first = l->what == LEASE_START;

	if (s->o->zeek_tsv) {
		sink_seconds(k, l->time, 6);
		sink_printf(k, "\tCd%08x%08x\t", (unsigned)rng_mix(l->device),
			    (unsigned)rng_mix((uint64_t)l->time));
		sink_ip(k, l->ip);
		sink_char(k, '\t');
		sink_ip(k, server);
		sink_printf(k, "\t%s\tiPhone\t-\t-\t-\t", d->lease_mac);
		sink_ip(k, l->ip);
		sink_printf(k, "\t86400.000000\t-\t-\t%s\t0.011203",
			    first ? "DISCOVER,OFFER,REQUEST,ACK" : "REQUEST,ACK");
		return;
	}
	sink_str(k, "{\"ts\":");
	sink_seconds(k, l->time, 6);
	sink_printf(k, ",\"uids\":[\"Cd%08x%08x\"],\"client_addr\":\"",
		    (unsigned)rng_mix(l->device), (unsigned)rng_mix((uint64_t)l->time));
	sink_ip(k, l->ip);
	sink_str(k, "\",\"server_addr\":\"");
	sink_ip(k, server);
	sink_printf(k, "\",\"mac\":\"%s\",\"host_name\":\"iPhone\",\"assigned_addr\":\"",
		    d->lease_mac);
	sink_ip(k, l->ip);
	sink_printf(k,
		    "\",\"lease_time\":86400.0,\"msg_types\":[%s\"REQUEST\",\"ACK\"],"
		    "\"duration\":0.011203}",
		    first ? "\"DISCOVER\",\"OFFER\"," : "");
}

static void write_kea(const struct sim *s, struct sink *k, const struct sim_lease *l)
{
	sink_ip(k, l->ip);
	sink_printf(k, ",%s,,86400,", s->devices[l->device].lease_mac);
	sink_u64(k, (uint64_t)((l->time + SIM_DHCP_LIFETIME) / NS_PER_S));
	sink_str(k, ",1,0,0,iphone,0,,0");
}

/* `Mon Nov 16 00:00:12 2026`, and the same in the attribute's order. */
static void civil(int64_t time, char heading[40], char attribute[40])
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char iso[INSTANT_ISO_SIZE];
	unsigned month;

	instant_format_iso((struct instant){ time }, iso);
	month = (unsigned)(iso[5] - '0') * 10 + (unsigned)(iso[6] - '0');
	snprintf(heading, 40, "%s %s %c%c %.8s %.4s", days[time / NS_PER_DAY % 7],
		 months[(month - 1) % 12], iso[8] == '0' ? ' ' : iso[8], iso[9], iso + 11, iso);
	snprintf(attribute, 40, "%s %c%c %.4s %.8s UTC", months[(month - 1) % 12],
		 iso[8] == '0' ? ' ' : iso[8], iso[9], iso, iso + 11);
}

static void write_radius(const struct sim *s, struct sim_file *f, const struct sim_lease *l)
{
	static const char *const statuses[] = { "Start", "Interim-Update", "Stop" };
	const struct sim_device *d = &s->devices[l->device];
	struct sink *k = &f->sink;
	char heading[40], attribute[40], station[20];

	civil(l->time, heading, attribute);
	/* Access points write the address in capitals, with hyphens. */
	memcpy(station, d->lease_mac, sizeof(station));
	for (char *c = station; *c != '\0'; c++)
		*c = *c == ':' ? '-' : *c >= 'a' ? (char)(*c - 32) : *c;
	sink_printf(k, "%s\n\tAcct-Session-Id = \"%08X%02X\"\n\tAcct-Status-Type = %s\n", heading,
		    (unsigned)rng_mix(l->device), l->stay, statuses[l->what]);
	sink_printf(k, "\tUser-Name = \"%s\"\n\tNAS-IP-Address = 10.0.0.20\n\tFramed-IP-Address = ",
		    d->radius_name);
	sink_ip(k, l->ip);
	sink_printf(k,
		    "\n\tCalling-Station-Id = \"%s\"\n\tCalled-Station-Id = "
		    "\"00-11-22-33-44-55:AcmeCorp\"\n\tNAS-Port-Type = Wireless-802.11\n",
		    station);
	if (l->what != LEASE_START)
		sink_printf(k, "\tAcct-Session-Time = %lld\n",
			    (long long)((l->time - l->session_start) / NS_PER_S));
	sink_printf(k, "\tEvent-Timestamp = \"%s\"\n\tTimestamp = %lld\n", attribute,
		    (long long)(l->time / NS_PER_S));
	/* The empty line ends the record. */
	sink_line(k);
}

#define DHCP_FIELDS                                                                                \
	"ts\tuids\tclient_addr\tserver_addr\tmac\thost_name\tclient_fqdn\tdomain\t"                \
	"requested_addr\tassigned_addr\tlease_time\tclient_message\tserver_message\tmsg_types\t"   \
	"duration"
#define DHCP_TYPES                                                                                 \
	"time\tset[string]\taddr\taddr\tstring\tstring\tstring\tstring\taddr\taddr\t"              \
	"interval\tstring\tstring\tvector[string]\tinterval"

static bool render_kind(struct sim *s, const struct sim_lease *leases, size_t n,
			enum sim_lease_kind kind, const char *name, struct error *err)
{
	struct sim_log log = { 0 };
	struct sim_file f;

	for (size_t i = 0; i < n; i++)
		if (leases[i].kind == kind)
			sim_log_add(&log, leases[i].time, i, 0);
	if (log.n == 0)
		return true;
	if (!sim_file_open(s, &f, name, err)) {
		sim_log_free(&log);
		return false;
	}
	sim_log_order(s, &log, name);
	if (kind == LEASED_KEA) {
		sink_str(&f.sink,
			 "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,"
			 "fqdn_rev,hostname,state,user_context,pool_id");
		sink_line(&f.sink);
	} else if (kind == LEASED_ZEEK_DHCP && s->o->zeek_tsv) {
		sink_str(&f.sink, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n"
				  "#unset_field\t-\n#path\tdhcp\n#open\t2026-11-16-00-00-00\n");
		sink_str(&f.sink, "#fields\t" DHCP_FIELDS "\n#types\t" DHCP_TYPES "\n");
	}
	for (size_t i = 0; i < log.n; i++) {
		const struct sim_lease *l = &leases[log.lines[i].item];
		if (kind == LEASED_RADIUS) {
			write_radius(s, &f, l);
			continue;
		}
		if (kind == LEASED_KEA)
			write_kea(s, &f.sink, l);
		else
			write_zeek(s, &f.sink, l);
		sim_file_line(&f);
	}
	sim_log_free(&log);
	return sim_file_close(s, &f, err);
}

bool sim_render_leases(struct sim *s, struct error *err)
{
	struct sim_lease *leases;
	size_t n = sim_leases(s, &leases);
	bool ok = render_kind(s, leases, n, LEASED_ZEEK_DHCP, "dhcp.log", err) &&
		  render_kind(s, leases, n, LEASED_KEA, "kea-leases4.csv", err) &&
		  render_kind(s, leases, n, LEASED_RADIUS, "radius-detail.log", err);

	free(leases);
	return ok;
}
