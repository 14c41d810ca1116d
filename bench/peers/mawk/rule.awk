# The count rule in awk, one pass over the records as they come: a group is printed when its third
# refusal back lies within the window.
#
# As its manual recommends: one process, the record split once at the quotation marks, patterns that
# turn most lines away before any work, and the ring of a group's last times in one array. mktime is
# called once a day, not once a record.
BEGIN { FS = "\""; WINDOW = 600; N = 3 }

/"sensor":"inspection"/ && /"outcome":"client_reject"/ {
	device = app = host = time = ""
	for (i = 2; i < NF; i += 2) {
		if ($i == "time") time = $(i + 2)
		else if ($i == "udid") device = $(i + 2)
		else if ($i == "bundle_id") app = $(i + 2)
		else if ($i == "hostname") host = $(i + 2)
	}
	day = substr(time, 1, 10)
	if (!(day in midnight))
		midnight[day] = mktime(substr(day, 1, 4) " " substr(day, 6, 2) " " \
				       substr(day, 9, 2) " 00 00 00")
	t = midnight[day] + substr(time, 12, 2) * 3600 + substr(time, 15, 2) * 60 + substr(time, 18, 6)
	group = device "\t" app "\t" host
	if (group in found)
		next
	n = ++count[group]
	at[group, n % N] = t
	# A millisecond of slack, for what floating point makes of thousandths.
	if (n >= N && t - at[group, (n + 1) % N] <= WINDOW + 0.0005) {
		found[group] = 1
		print group
		fflush()
	}
}
