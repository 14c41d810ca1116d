#include "conf/assign.h"

#include <stdio.h>

#include "conf/conf.h"

_Static_assert(sizeof(struct conf_strings) == sizeof(struct option_list) &&
		   sizeof(struct conf_ports) == sizeof(struct option_list) &&
		   sizeof(struct conf_endpoints) == sizeof(struct option_list) &&
		   sizeof(struct conf_networks) == sizeof(struct option_list),
	       "lists are stored alike");

size_t option_item_size(enum option_type type)
{
	switch (type) {
	case OPTION_PORTS:
		return sizeof(uint16_t);
	case OPTION_ENDPOINTS:
		return sizeof(struct conf_endpoint);
	case OPTION_NETWORKS:
		return sizeof(struct cidr);
	default:
		return sizeof(struct sv);
	}
}

bool option_format_number(const struct option *o, int64_t value, struct buf *out)
{
	char text[INSTANT_ISO_SIZE];
	long long v = (long long)value;

	switch (o->type) {
	case OPTION_DURATION:
		span_format((struct span){ value }, text);
		return buf_str(out, text);
	case OPTION_SIZE:
		if (v % (1 << 30) == 0)
			return buf_printf(out, "%lldGiB", v >> 30);
		if (v % (1 << 20) == 0)
			return buf_printf(out, "%lldMiB", v >> 20);
		return buf_printf(out, "%lldKiB", v >> 10);
	case OPTION_SHARE:
		snprintf(text, sizeof(text), "%lld.%04lld", v / 10000, v % 10000);
		break;
	default:
		return buf_printf(out, "%lld", v);
	}
	for (size_t n = strlen(text); text[n - 1] == '0' || text[n - 1] == '.'; n--) {
		bool point = text[n - 1] == '.';
		text[n - 1] = '\0';
		if (point)
			break;
	}
	buf_str(out, text);
	return buf_str(out, o->type == OPTION_SHARE ? "%" : "");
}

static bool format_item(enum option_type type, const void *item, struct buf *out)
{
	char text[ADDR_TEXT_SIZE];
	const struct conf_endpoint *endpoint = item;
	const struct cidr *network = item;
	bool v4;

	switch (type) {
	case OPTION_PORTS:
		return buf_printf(out, "%u", *(const uint16_t *)item);
	case OPTION_ENDPOINT:
	case OPTION_ENDPOINTS:
		addr_format(&endpoint->ip, text);
		return buf_printf(out, strchr(text, ':') != NULL ? "[%s]:%u" : "%s:%u", text,
				  endpoint->port);
	case OPTION_NETWORKS:
		addr_format(&network->base, text);
		v4 = strchr(text, ':') == NULL;
		buf_str(out, text);
		return network->bits == 128 ||
		       buf_printf(out, "/%u", (unsigned)network->bits - (v4 ? 96 : 0));
	default:
		return buf_sv(out, *(const struct sv *)item);
	}
}

static bool format_list(enum option_type type, const void *field, struct buf *out)
{
	struct option_list list;

	memcpy(&list, field, sizeof(list));
	for (size_t i = 0; i < list.n; i++) {
		if (i > 0)
			buf_str(out, ", ");
		format_item(type, (const char *)list.items + i * option_item_size(type), out);
	}
	return list.n > 0;
}

bool option_format(const struct option *o, const void *record, struct buf *out)
{
	const void *field = (const char *)record + o->offset;
	const struct allow_list *allow = field;
	char text[INSTANT_ISO_SIZE];
	uint32_t count;

	switch (o->type) {
	case OPTION_DURATION:
		return option_format_number(o, ((const struct span *)field)->ns, out);
	case OPTION_COUNT:
	case OPTION_SHARE:
		count = *(const uint32_t *)field;
		return (count > 0 || o->fallback != NULL) && option_format_number(o, count, out);
	case OPTION_SIZE:
		return option_format_number(o, (int64_t) * (const uint64_t *)field, out);
	case OPTION_BOOLEAN:
		return buf_str(out, *(const bool *)field ? "true" : "false");
	case OPTION_NAME:
	case OPTION_PATH:
		return ((const struct sv *)field)->n > 0 && buf_sv(out, *(const struct sv *)field);
	case OPTION_WORD:
		for (const struct option_word *w = o->words; w->word != NULL; w++)
			if (w->value == *(const unsigned *)field)
				return buf_str(out, w->word);
		return false;
	case OPTION_ZONE:
		return buf_sv(out, ((const struct zone *)field)->name);
	case OPTION_DATE:
		if (!instant_known(*(const struct instant *)field))
			return false;
		instant_format_iso(*(const struct instant *)field, text);
		return buf_append(out, text, 10);
	case OPTION_ENDPOINT:
		return format_item(o->type, field, out);
	case OPTION_APPS:
	case OPTION_DESTINATIONS:
		return allow->n > 0 &&
		       buf_printf(out, "%zu %s", allow->n, allow->n == 1 ? "entry" : "entries");
	default:
		return format_list(o->type, field, out);
	}
}
