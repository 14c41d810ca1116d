/* Prints the API's table of routes: method, path below /api/v1, least role. For
 * tests/api/contract.py.
 *
 *     routes NEW-DATABASE
 */
#include <stdio.h>

#include "api/api.h"

int main(int argc, char **argv)
{
	static const char *const roles[] = { "anyone", "viewer", "analyst", "admin" };
	struct http_route routes[API_MAX_ROUTES];
	struct error err = { 0 };
	struct api *a = argc == 2 ? api_open(argv[1], &err) : NULL;
	size_t n;

	if (a == NULL) {
		fprintf(stderr, "routes: %s\n", err.message);
		return 1;
	}
	n = api_routes(a, routes);
	for (size_t i = 0; i < n; i++)
		printf("%s %s %s\n", routes[i].method, routes[i].pattern + sizeof(API_PREFIX) - 1,
		       roles[routes[i].role]);
	api_close(a);
	return 0;
}
