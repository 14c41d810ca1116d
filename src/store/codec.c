#include "store/codec.h"

/* Items of a list in one observation; parse/ gives no more. */
#define MAX_ITEMS (1u << 20)

static void put(struct codec *c, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		buf_byte(c->out, (unsigned char)(n | 0x80));
	buf_byte(c->out, (unsigned char)n);
}

static uint64_t get(struct codec *c)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64 && c->p < c->end; shift += 7) {
		unsigned char byte = *c->p++;

		if (shift == 63 && byte > 1)
			break;
		n |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return n;
	}
	c->bad = true;
	c->p = c->end;
	return 0;
}

void codec_number(struct codec *c, uint64_t *n)
{
	if (c->out != NULL)
		put(c, *n);
	else
		*n = get(c);
}

void codec_signed(struct codec *c, int64_t *n)
{
	if (c->out != NULL) {
		put(c, ((uint64_t)*n << 1) ^ (*n < 0 ? UINT64_MAX : 0));
	} else {
		uint64_t z = get(c);
		*n = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
	}
}

void codec_text(struct codec *c, struct sv *text)
{
	uint64_t n = text->n;

	codec_number(c, &n);
	if (c->out != NULL) {
		if (text->n > 0)
			buf_append(c->out, text->p, text->n);
		return;
	}
	if (n > (uint64_t)(c->end - c->p)) {
		c->bad = true;
		c->p = c->end;
		n = 0;
	}
	*text = sv_make((const char *)c->p, (size_t)n);
	c->p += n;
}

static void raw(struct codec *c, void *bytes, size_t n)
{
	if (c->out != NULL) {
		buf_append(c->out, bytes, n);
	} else if ((size_t)(c->end - c->p) < n) {
		c->bad = true;
		c->p = c->end;
		memset(bytes, 0, n);
	} else {
		memcpy(bytes, c->p, n);
		c->p += n;
	}
}

/* A small number that is below `count`. */
static unsigned word(struct codec *c, unsigned value, unsigned count)
{
	uint64_t n = value;

	codec_number(c, &n);
	if (n >= count) {
		c->bad = true;
		return 0;
	}
	return (unsigned)n;
}

#define WORD(c, field, count) ((field) = word((c), (unsigned)(field), (unsigned)(count)))
#define TRI(c, field) WORD(c, field, TRI_TRUE + 1)

static void flag(struct codec *c, bool *b) { *b = word(c, *b, 2) != 0; }

static void u16(struct codec *c, uint16_t *n) { *n = (uint16_t)word(c, *n, 65536); }

static void u32(struct codec *c, uint32_t *n)
{
	uint64_t wide = *n;

	codec_number(c, &wide);
	c->bad |= wide > UINT32_MAX;
	*n = (uint32_t)wide;
}

/* Relative to a base, SPAN_NONE and INSTANT_NONE as a flag of their own. */
static void time_from(struct codec *c, int64_t *t, int64_t base)
{
	bool known = *t != INT64_MIN;
	int64_t away = known ? (int64_t)((uint64_t)*t - (uint64_t)base) : 0;

	flag(c, &known);
	if (known)
		codec_signed(c, &away);
	*t = known ? (int64_t)((uint64_t)base + (uint64_t)away) : INT64_MIN;
}

static void addr(struct codec *c, struct addr *a)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned how = !addr_known(a) ? 0 : memcmp(a->b, mapped, 12) == 0 ? 1 : 2;

	how = word(c, how, 3);
	if (how == 1) {
		memcpy(a->b, mapped, 12);
		raw(c, a->b + 12, 4);
	} else if (how == 2) {
		raw(c, a->b, 16);
	}
}

static void endpoint(struct codec *c, struct endpoint *e)
{
	codec_text(c, &e->hostname);
	addr(c, &e->ip);
	u16(c, &e->port);
}

static void tls(struct codec *c, struct tls_attempt *t)
{
	int64_t alert = t->alert;

	codec_text(c, &t->sni);
	codec_text(c, &t->version);
	codec_text(c, &t->ja3);
	codec_text(c, &t->ja4);
	codec_text(c, &t->issuer);
	codec_signed(c, &alert);
	c->bad |= alert < INT16_MIN || alert > INT16_MAX;
	t->alert = (int)alert;
	WORD(c, t->alert_from, SIDE_PROXY + 1);
	TRI(c, t->established);
	TRI(c, t->server_certificate);
	WORD(c, t->inspection, UNINSPECTED + 1);
	WORD(c, t->bypass_reason, BYPASS_TECHNICAL + 1);
	WORD(c, t->outcome, OUTCOMES);
	u32(c, &t->count);
	codec_signed(c, &t->bytes_out);
	codec_signed(c, &t->bytes_in);
	WORD(c, t->closed_by, SIDE_PROXY + 1);
	WORD(c, t->close, CLOSE_OTHER + 1);
	TRI(c, t->ended);
	TRI(c, t->udp);
	flag(c, &t->weak_late);
}

static void activity(struct codec *c, struct app_activity *a)
{
	WORD(c, a->event, ACTIVITIES);
	WORD(c, a->app_state, APP_STATE_BACKGROUND + 1);
	TRI(c, a->device_locked);
	TRI(c, a->user_interaction);
}

/* How many items follow; reading makes room for them. */
static size_t items(struct codec *c, size_t n, size_t size, const void **list)
{
	uint64_t count = n;

	codec_number(c, &count);
	if (c->out != NULL)
		return n;
	/* An item takes a byte at least. */
	if (count > MAX_ITEMS || count > (uint64_t)(c->end - c->p)) {
		c->bad = true;
		count = 0;
	}
	*list = count > 0 ? arena_alloc(c->arena, (size_t)count * size) : NULL;
	return (size_t)count;
}

static void apps(struct codec *c, struct posture *p)
{
	const void *list = p->apps;

	p->n_apps = items(c, p->n_apps, sizeof(*p->apps), &list);
	p->apps = list;
	for (size_t i = 0; i < p->n_apps; i++) {
		struct installed_app one = p->apps[i];

		codec_text(c, &one.bundle_id);
		codec_text(c, &one.name);
		codec_text(c, &one.version);
		TRI(c, one.managed);
		TRI(c, one.declares_pinning);
		if (c->out == NULL)
			((struct installed_app *)list)[i] = one;
	}
}

static void profiles(struct codec *c, struct posture *p)
{
	const void *list = p->profiles;

	p->n_profiles = items(c, p->n_profiles, sizeof(*p->profiles), &list);
	p->profiles = list;
	for (size_t i = 0; i < p->n_profiles; i++) {
		struct profile one = p->profiles[i];
		const void *types = one.payload_types;

		codec_text(c, &one.identifier);
		one.n_payload_types =
		    items(c, one.n_payload_types, sizeof(*one.payload_types), &types);
		one.payload_types = types;
		for (size_t k = 0; k < one.n_payload_types; k++) {
			struct sv type = one.payload_types[k];

			codec_text(c, &type);
			if (c->out == NULL)
				((struct sv *)types)[k] = type;
		}
		if (c->out == NULL)
			((struct profile *)list)[i] = one;
	}
}

static void posture(struct codec *c, struct posture *p)
{
	TRI(c, p->supervised);
	TRI(c, p->managed);
	TRI(c, p->compliant);
	TRI(c, p->jailbroken);
	codec_text(c, &p->ownership);
	codec_text(c, &p->os_version);
	codec_text(c, &p->wifi_mac);
	flag(c, &p->snapshot);
	flag(c, &p->managed_complete);
	flag(c, &p->has_apps);
	flag(c, &p->has_profiles);
	apps(c, p);
	profiles(c, p);
}

void codec_observation(struct codec *c, struct kept_observation *o)
{
	struct observation *s = &o->seen;
	enum observation_kind kind = s->kind;
	int64_t away = (int64_t)((uint64_t)o->order - (uint64_t)c->last);

	WORD(c, kind, OBS_KINDS);
	if (c->out == NULL)
		observation_clear(s, kind);
	codec_signed(c, &away);
	o->order = (int64_t)((uint64_t)c->last + (uint64_t)away);
	c->last = o->order;
	raw(c, &o->content, sizeof(o->content));
	u32(c, &o->ref.file);
	u32(c, &o->ref.line);
	u16(c, &o->ref.source);
	WORD(c, o->vantage, VANTAGE_OUTSIDE + 1);
	flag(c, &o->late);
	time_from(c, &s->time.ns, o->order);
	time_from(c, &s->duration.ns, 0);
	WORD(c, s->sensor, SENSORS);
	codec_text(c, &s->device.udid);
	codec_text(c, &s->device.serial);
	codec_text(c, &s->device.mac);
	codec_text(c, &s->device.user);
	codec_text(c, &s->device.mdm_id);
	endpoint(c, &s->src);
	endpoint(c, &s->dst);
	codec_text(c, &s->app.bundle_id);
	codec_text(c, &s->app.version);
	codec_text(c, &s->app.user_agent);
	codec_text(c, &s->flow_id);
	switch (kind) {
	case OBS_TLS_ATTEMPT:
		tls(c, &s->tls);
		break;
	case OBS_APP_ACTIVITY:
		activity(c, &s->activity);
		break;
	case OBS_POSTURE:
		posture(c, &s->posture);
		break;
	case OBS_LEASE:
		addr(c, &s->lease.ip);
		time_from(c, &s->lease.until.ns, o->order);
		WORD(c, s->lease.by, LEASE_STATIC + 1);
		break;
	case OBS_KINDS:
		break;
	}
}
