/* What real fleets have and the ideal one lacks, in three levels.
 *
 * Each level makes all of it worse at once: fewer phones with an agent, more with a private Wi-Fi
 * address, a flow sensor that misses connections, clocks that disagree, networks that cut
 * connections, browsers that open sockets to spare, pinned hosts that other apps reach too, and
 * pinning apps that try only seldom. The truth stays what it is, so not everything can be found.
 * Level 0 changes nothing.
 */
#ifndef PINWATCH_SIM_NOISE_H
#define PINWATCH_SIM_NOISE_H

#include "sim/fleet.h"

/* After the devices are built, before scenarios claim any. Sets the clocks, too. */
void sim_noise_devices(struct sim *s);
/* After the scenarios are installed, before apps are spread. */
void sim_noise_pairs(struct sim *s);
/* On the sorted timeline, which it leaves sorted, before it is finished. */
void sim_noise_timeline(struct sim *s);

#endif
