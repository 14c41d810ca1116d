/* What the daemon alone knows, published for the API's handlers. The daemon's thread. */
#ifndef PINWATCH_API_PAGES_H
#define PINWATCH_API_PAGES_H

#include "api/api.h"
#include "serve/daemon.h"

/* Status, sources, analytic: once a second. */
void api_pages_look(struct api *a, const struct daemon *d);
/* Settings: at the start and after a reload. */
void api_pages_settings(struct api *a, const struct daemon *d);

#endif
