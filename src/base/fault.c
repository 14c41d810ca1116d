#include "base/fault.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/sv.h"

static struct {
	char name[64];
	uint64_t left; /* 0: none is set */
} fault;

void fault_setup(const char *spec)
{
	struct sv count, name = sv_cut(sv_cstr(spec), ':', &count);

	if (name.n == 0 || name.n >= sizeof(fault.name) || !sv_to_u64(count, &fault.left))
		return;
	memcpy(fault.name, name.p, name.n);
	fault.name[name.n] = '\0';
}

void fault_point(const char *name)
{
	if (fault.left == 0 || strcmp(name, fault.name) != 0 || --fault.left > 0)
		return;
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}
