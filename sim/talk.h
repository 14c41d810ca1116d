/* What an app and a host do together during one visit: the fleet's behaviours. */
#ifndef PINWATCH_SIM_TALK_H
#define PINWATCH_SIM_TALK_H

#include "sim/fleet.h"

sim_talk talk_ok;	      /* one to three connections, all fine */
sim_talk talk_busy;	      /* the same with idle preconnects beside */
sim_talk talk_pinned;	      /* refuses the certificate, tries again twice */
sim_talk talk_pinned_late;    /* accepts the handshake, leaves without a word */
sim_talk talk_pinned_silent;  /* closes inside the handshake */
sim_talk talk_pinned_bundled; /* the app's own stack refuses, the system's is fine */
sim_talk talk_pinned_updated; /* fine in the first version, refuses in the next */
sim_talk talk_bypass;	      /* refuses, then goes around the proxy */
sim_talk talk_direct;	      /* only ever around the proxy */
sim_talk talk_half_direct;    /* through and around the proxy, as it pleases */
sim_talk talk_flaky;	      /* a bad line: some fail, most are fine */
sim_talk talk_expired;	      /* the origin's certificate is out of date */
sim_talk talk_mismatch;
sim_talk talk_bad_origin;
sim_talk talk_mtls_alert;
sim_talk talk_mtls_late;
sim_talk talk_spliced; /* not inspected, by policy */

#endif
