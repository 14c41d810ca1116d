/* AN1726 as ATT&CK v19.1 publishes it: its names, ids and version, and our own words for the rest.
 *
 * To follow a new version: read what changed, change what the program does, then put the digests
 * of the new texts here. A digest is sha256sum of the text in lower case, on one line, with single
 * blanks and no line break at the end. */
#include "parse/stix_drift.h"

#define DC_PERMISSION                                                                              \
	"DC0114", "Application Permission",                                                        \
	    "x-mitre-data-component--b1e0bb80-23d4-44f2-b919-7e9c54898f43"
#define DC_STATE                                                                                   \
	"DC0123", "Application State",                                                             \
	    "x-mitre-data-component--55c669d9-b42a-4cf6-a38a-07161b228ce9"
#define DC_TRAFFIC                                                                                 \
	"DC0085", "Network Traffic Content",                                                       \
	    "x-mitre-data-component--3772e279-27d6-477a-9fe3-c6beb363594c"

const struct implemented_analytic implemented_analytic = {
	.external_id = "AN1726",
	.name = "Analytic 1726",
	.version = "1.1",
	.platform = "iOS",
	.domain = "mobile-attack",
	.strategy_id = "DET0646",
	.technique_id = "T1521.003",
	.technique_name = "SSL Pinning",
	.description = {
		"Finds iOS apps that refuse the company's TLS inspection. The network tells it in "
		"three ways: handshakes that fail again and again, but only where the gateway "
		"shows its own certificate; a destination that works once nobody inspects it; and "
		"lasting sessions that nobody can read, to a place the app does not usually talk "
		"to. What the MDM and the EDR know of the phone, of the app and of who was using "
		"it makes the answer more certain, or less.",
		"13c94c3af42da89699d715b1d228f5bde13424fe6030ea0cff812bb9b0e4f68a" },
	.sources = {
		{ "iOS:MDMLog",
		  { "Which phones are supervised, which apps are on them and which of those the "
		    "company manages: tells an app that nobody announced from one rolled out on purpose.",
		    "2492bdfb810a892c64948d629bef3edd242f59058c89ff82604454f70ba5e0b7" },
		  DC_PERMISSION, SENSOR_MDM },
		{ "MobileEDR:telemetry",
		  { "Which app ran when, in the background or on a locked phone, and what it "
		    "contacted: gives a connection its app and the circumstances it began in.",
		    "c4c5481e984387b62dd6ace4e41e89d7a3fc01719d0183bfa89ee7191b492c7b" },
		  DC_STATE, SENSOR_EDR },
		{ "NSM:Flow",
		  { "Connections as a sensor beside the gateway sees them: inspected or let "
		    "through, their length and bytes. Shows direct traffic after a refusal, and runs of short sessions.",
		    "155525237633cee16649f3a5b0c39b5fabd88c49596008035bcf490c2abc5522" },
		  DC_TRAFFIC, SENSOR_FLOW },
		{ "NSM:Inspection",
		  { "What the inspecting gateway says of every handshake: tells a client that "
		    "refused the gateway's certificate from a handshake that failed otherwise.",
		    "9b9fc4c5e400c753a0343d933a8da317cd57a82c39a0d2a2bcf016d88051dc56" },
		  DC_TRAFFIC, SENSOR_INSPECTION },
	},
	.elements = {
		{ "TimeWindow",
		  { "How far apart failures, app activity and a person's touch may lie and still belong together.",
		    "2c05e6592bf694d99515a09f824282ad2744d9692767b61a9b6b6a5d93756a0e" },
		  { "TimeWindowSeconds" } },
		{ "AllowedAppList",
		  { "Apps that pin with good reason: their findings are kept, counted and quiet.",
		    "6f0104ebe5a69bdcb1d7026a6e0f428ab3f8dc92ef081e840137709c7e14c6e3" },
		  { "AllowedApps", "AllowedManagedApps", "AppAllowList" } },
		{ "AllowedDestinationList",
		  { "Destinations pinned with good reason: likewise kept, counted and quiet.",
		    "6099783aa9eafff500a56adc8b30b245cb6b4639f212aaacfc1ca9fe2d78c554" },
		  { "AllowedDestinations", "DestinationAllowList", "TrustedDestinationAllowList" } },
		{ "ForegroundStateRequired",
		  { "Whether it counts as evidence that a connection began in the background or on a locked phone.",
		    "4f777823abae411113799f06c7f85eb37db30b3327ea5d615a166f319617840f" },
		  { "ForegroundRequired" } },
		{ "InspectionFailureThreshold",
		  { "So many failures of one app and destination under inspection make it suspected.",
		    "dddad6e170908adc04fa5ea89be2b549b03abb6014a714592b325cc0d9fb15fa" },
		  { NULL } },
	},
};
