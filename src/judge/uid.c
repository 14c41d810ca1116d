#include "judge/uid.h"

#include <stdlib.h>
#include <uuid/uuid.h>

#include "base/buf.h"

#define NAMESPACE_URL "https://attack.mitre.org/detectionstrategies/DET0646#AN1726"
#define MAX_NAME (1u << 20)

static void uid_of(char out[37], struct sv name)
{
	uuid_t space, id;

	uuid_generate_sha1(space, *uuid_get_template("url"), NAMESPACE_URL, sizeof(NAMESPACE_URL) - 1);
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

void uid_device(char out[37], struct sv device)
{
	struct buf b;

	buf_init(&b, MAX_NAME);
	buf_printf(&b, "%s|", finding_kind_name(FINDING_CA_UNTRUSTED));
	buf_sv(&b, device);
	uid_of(out, buf_view(&b));
	buf_free(&b);
}

void uid_fault(char out[37], struct instant first)
{
	struct buf b;
	char minute[INSTANT_ISO_SIZE];

	buf_init(&b, MAX_NAME);
	instant_format_minute(first, minute);
	buf_printf(&b, "%s|%s", finding_kind_name(FINDING_GATEWAY_FAULT), minute);
	uid_of(out, buf_view(&b));
	buf_free(&b);
}

void uid_source(char out[37], struct sv source)
{
	struct buf b;

	buf_init(&b, MAX_NAME);
	buf_printf(&b, "%s|", finding_kind_name(FINDING_SOURCE_SILENT));
	buf_sv(&b, source);
	uid_of(out, buf_view(&b));
	buf_free(&b);
}
