#include "read/capture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include <pcap/pcap.h>

#include "base/arena.h"
#include "read/source.h"
#include "read/unpack.h"

#define ALL_BYTES 262144 /* as tcpdump has it */

struct capture {
	pcap_t *pcap;
	char *name;
	bool live;
	int wait_ms;
	int link;
	/* Files only. */
	struct source source;
	struct unpack *unpack;
	struct error damage; /* of the packing, which libpcap only sees as an end */
	bool damaged;
	uint64_t packets;
	struct capture_counts counts;
};

bool capture_recognise(struct sv head)
{
	static const char *const magics[] = {
		"\xa1\xb2\xc3\xd4", "\xd4\xc3\xb2\xa1", /* microseconds */
		"\xa1\xb2\x3c\x4d", "\x4d\x3c\xb2\xa1", /* nanoseconds */
		"\x0a\x0d\x0d\x0a",			/* pcapng */
	};

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (sv_starts(head, sv_make(magics[i], 4)))
			return true;
	return false;
}

/* The packed file as a stream that libpcap can read. */
static ssize_t read_unpacked(void *cookie, char *out, size_t n)
{
	struct capture *c = cookie;
	size_t got = 0;

	if (n == 0 || c->damaged)
		return 0;
	if (!unpack_read(c->unpack, out, n, &got, &c->damage)) {
		c->damaged = true;
		return 0;
	}
	return (ssize_t)got;
}

static bool compile(pcap_t *pcap, const char *filter, struct bpf_program *program,
		    struct error *err)
{
	return pcap_compile(pcap, program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0 ||
	       error_set(err, ERROR_USAGE, 0,
			 "the filter `%.200s`: %s; expected a BPF expression "
			 "(pcap-filter(7)), for example `tcp port 443`",
			 filter, pcap_geterr(pcap));
}

bool capture_filter_compiles(const char *filter, struct error *err)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, ALL_BYTES);
	struct bpf_program program;
	bool ok = compile(pcap, filter, &program, err);

	if (ok)
		pcap_freecode(&program);
	pcap_close(pcap);
	return ok;
}

static bool apply_filter(struct capture *c, const char *filter, struct error *err)
{
	struct bpf_program program;
	bool ok;

	if (filter == NULL || *filter == '\0')
		return true;
	if (!compile(c->pcap, filter, &program, err))
		return false;
	ok = pcap_setfilter(c->pcap, &program) == 0;
	pcap_freecode(&program);
	return ok || error_set(err, ERROR_IO, 0, "%s: the filter cannot be set: %s", c->name,
			       pcap_geterr(c->pcap));
}

static struct capture *capture_new(const char *name)
{
	struct capture *c = xcalloc(1, sizeof(*c));

	c->name = xstrdup(name);
	c->source._fd = -1;
	return c;
}

static struct capture *refuse(struct capture *c)
{
	capture_close(c);
	return NULL;
}

struct capture *capture_open_file(const char *path, const struct capture_options *options,
				  struct error *err)
{
	static const cookie_io_functions_t reads = { .read = read_unpacked };
	struct capture *c = capture_new(strcmp(path, "-") == 0 ? "standard input" : path);
	char why[PCAP_ERRBUF_SIZE] = "";
	FILE *stream;

	if (!source_open(&c->source, path, err))
		return refuse(c);
	c->unpack = unpack_new(&c->source, 0, err);
	if (c->unpack == NULL)
		return refuse(c);
	stream = fopencookie(c, "rb", reads);
	if (stream == NULL) {
		error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", c->name, strerror(errno));
		return refuse(c);
	}
	c->pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, why);
	if (c->pcap == NULL) {
		fclose(stream);
		error_set(err, ERROR_FORMAT, 0, "%s: expected a capture (pcap or pcapng): %s",
			  c->name, c->damaged ? c->damage.message : why);
		return refuse(c);
	}
	c->link = pcap_datalink(c->pcap);
	return apply_filter(c, options->filter, err) ? c : refuse(c);
}

static bool activate(struct capture *c, const struct capture_options *o, struct error *err)
{
	struct span wait = o->timeout.ns > 0 ? o->timeout : (struct span){ CAPTURE_TIMEOUT };
	int status;

	pcap_set_snaplen(c->pcap, o->snaplen > 0 ? (int)o->snaplen : ALL_BYTES);
	pcap_set_promisc(c->pcap, !o->not_promiscuous);
	/* The kernel hands on what it has after so long; waiting for that is up to us, since
	 * libpcap would wait forever on an interface where nothing comes. */
	c->wait_ms = (int)(wait.ns / NS_PER_MS);
	pcap_set_timeout(c->pcap, c->wait_ms);
	pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO);
	if (o->buffer_bytes > 0)
		pcap_set_buffer_size(c->pcap, (int)o->buffer_bytes);
	status = pcap_activate(c->pcap);
	if (status == PCAP_ERROR_PERM_DENIED)
		return error_set(
		    err, ERROR_IO, 0,
		    "%s: no right to capture: it needs CAP_NET_RAW (setcap cap_net_raw+ep, or "
		    "AmbientCapabilities= in the unit)",
		    c->name);
	if (status < 0)
		return error_set(err, ERROR_IO, 0,
				 "%s: cannot be captured: %s (%s); name one that `ip link` lists",
				 c->name, pcap_statustostr(status), pcap_geterr(c->pcap));
	return true;
}

struct capture *capture_open_live(const char *interface, const struct capture_options *options,
				  struct error *err)
{
	struct capture *c = capture_new(interface);
	char why[PCAP_ERRBUF_SIZE] = "";

	c->live = true;
	c->pcap = pcap_create(interface, why);
	if (c->pcap == NULL) {
		error_set(err, ERROR_IO, 0, "%s: cannot be captured: %s", interface, why);
		return refuse(c);
	}
	if (!activate(c, options, err))
		return refuse(c);
	c->link = pcap_datalink(c->pcap);
	if (pcap_setnonblock(c->pcap, 1, why) != 0) {
		error_set(err, ERROR_IO, 0, "%s: cannot be captured: %s", interface, why);
		return refuse(c);
	}
	return apply_filter(c, options->filter, err) ? c : refuse(c);
}

static struct instant time_of(const struct capture *c, const struct pcap_pkthdr *header)
{
	int64_t unit = pcap_get_tstamp_precision(c->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000,
		ns;

	if (__builtin_mul_overflow((int64_t)header->ts.tv_sec, NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)header->ts.tv_usec * unit, &ns) || ns < 0)
		return (struct instant){ 0 };
	return (struct instant){ ns };
}

/* At most the timeout; a signal ends it early. */
static void wait_for_packets(const struct capture *c)
{
	struct pollfd p = { .fd = pcap_get_selectable_fd(c->pcap), .events = POLLIN };

	poll(&p, p.fd >= 0 ? 1 : 0, c->wait_ms);
}

enum capture_result capture_next(struct capture *c, struct capture_packet *packet,
				 struct error *err)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;

	int got = pcap_next_ex(c->pcap, &header, &bytes);

	if (got == 0 && c->live) {
		wait_for_packets(c);
		got = pcap_next_ex(c->pcap, &header, &bytes);
	}
	switch (got) {
	case 1:
		c->packets++;
		*packet = (struct capture_packet){
			.time = time_of(c, header),
			.link = c->link,
			.bytes = bytes,
			.n = header->caplen,
			.length = header->len,
		};
		return CAPTURE_PACKET;
	case 0:
		return CAPTURE_NOTHING_YET;
	case PCAP_ERROR_BREAK:
		if (c->damaged)
			break;
		return CAPTURE_END;
	default:
		break;
	}
	error_set(err, ERROR_IO, (size_t)c->packets,
		  "%s: damaged after packet %llu: %s; what stands before it is taken", c->name,
		  (unsigned long long)c->packets,
		  c->damaged ? c->damage.message : pcap_geterr(c->pcap));
	return CAPTURE_ERROR;
}

int capture_link(const struct capture *c) { return c->link; }
uint64_t capture_bytes(const struct capture *c) { return c->source.taken; }
struct capture_counts capture_counts(struct capture *c)
{
	struct pcap_stat stat;

	/* The kernel's counters have 32 bits and start over: the difference is what came since. */
	if (c->live && pcap_stats(c->pcap, &stat) == 0) {
		c->counts.received += (uint32_t)(stat.ps_recv - (uint32_t)c->counts.received);
		c->counts.dropped += (uint32_t)(stat.ps_drop - (uint32_t)c->counts.dropped);
		c->counts.dropped_by_interface +=
		    (uint32_t)(stat.ps_ifdrop - (uint32_t)c->counts.dropped_by_interface);
	}
	return c->counts;
}

void capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	if (c->pcap != NULL)
		pcap_close(c->pcap); /* and the stream */
	unpack_free(c->unpack);
	source_close(&c->source);
	free(c->name);
	free(c);
}
