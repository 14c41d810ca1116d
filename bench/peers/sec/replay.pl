# Runs SEC as it would have run while the records arrived: time() tells when the line at hand came
# in, taken line by line from the file named in PEERS_ARRIVAL. Only for the correctness figures; the
# speed is that of SEC as it is.
use strict;
use warnings;

our $now;
my $arrivals;

BEGIN {
	open($arrivals, '<', $ENV{PEERS_ARRIVAL}) or die "$ENV{PEERS_ARRIVAL}: $!";
	$now = 0 + <$arrivals>;
	seek($arrivals, 0, 0);
	*CORE::GLOBAL::time = sub () { $main::now };
}

sub tick {
	my $next = <$arrivals>;
	$now = 0 + $next if defined $next;
	return 0;
}

my $sec = shift @ARGV;
do $sec;
die $@ if $@;
