#include "base/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/sv.h"

static struct {
	char name[64];
	_Atomic uint64_t left; /* 0: none is set; any thread may come to a point */
} fault;

void fault_setup(const char *spec)
{
	struct sv count, name = sv_cut(sv_cstr(spec), ':', &count);
	uint64_t left;

	if (name.n == 0 || name.n >= sizeof(fault.name) || !sv_to_u64(count, &left))
		return;
	memcpy(fault.name, name.p, name.n);
	fault.name[name.n] = '\0';
	atomic_store(&fault.left, left);
}

void fault_point(const char *name)
{
	if (atomic_load(&fault.left) == 0 || strcmp(name, fault.name) != 0 ||
	    atomic_fetch_sub(&fault.left, 1) > 1)
		return;
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}
