#include "judge/uid.h"

#include <stdlib.h>
#include <uuid/uuid.h>

#include "base/buf.h"

#define NAMESPACE_URL "https://attack.mitre.org/detectionstrategies/DET0646#AN1726"
#define MAX_NAME (1u << 20)

static void uid_of(char out[37], struct sv name)
{
	uuid_t space, id;

	uuid_generate_sha1(space, *uuid_get_template("url"), NAMESPACE_URL,
			   sizeof(NAMESPACE_URL) - 1);
	uuid_generate_sha1(id, space, name.p, name.n);
	uuid_unparse_lower(id, out);
}

void uid_pinning(char out[37], struct sv bundle, struct sv host, uint32_t port)
{
	struct buf b;

	buf_init(&b, MAX_NAME);
	buf_printf(&b, "%s|", finding_kind_name(FINDING_PINNING));
	buf_sv(&b, bundle);
	buf_char(&b, '|');
	buf_sv(&b, host);
	buf_printf(&b, "|%u", port);
	uid_of(out, buf_view(&b));
	buf_free(&b);
}

/* KIND|WHAT */
static void uid_what(char out[37], enum finding_kind kind, struct sv what)
{
	struct buf b;

	buf_init(&b, MAX_NAME);
	buf_printf(&b, "%s|", finding_kind_name(kind));
	buf_sv(&b, what);
	uid_of(out, buf_view(&b));
	buf_free(&b);
}

void uid_device(char out[37], struct sv device) { uid_what(out, FINDING_CA_UNTRUSTED, device); }

void uid_fault(char out[37], struct instant first)
{
	char minute[INSTANT_ISO_SIZE];

	instant_format_minute(first, minute);
	uid_what(out, FINDING_GATEWAY_FAULT, sv_cstr(minute));
}

void uid_source(char out[37], struct sv source) { uid_what(out, FINDING_SOURCE_SILENT, source); }
