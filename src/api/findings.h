/* Between api_findings.c and api_triage.c. */
#ifndef PINWATCH_API_FINDINGS_H
#define PINWATCH_API_FINDINGS_H

#include "api/api.h"

#define API_UID_SIZE 37

/* The uid in the path. False: 404. */
bool api_uid(const struct http_request *q, char uid[API_UID_SIZE], struct http_response *r);
void api_no_finding(struct http_response *r);
size_t api_triage_routes(struct api *a, struct http_route *out);

#endif
