#!/usr/bin/perl
# Forms what a compose file has started; waits for the servers, and may be run again.
#
#   form.pl set NAME HOST...          a replica set whose first member is primary
#   form.pl config NAME HOST...       the same of config servers
#   form.pl shard NAME/HOST MONGOS    a shard of the cluster that the mongos belongs to
#
# In Perl, which all images of Debian, Ubuntu and MongoDB have; a MongoDB shell they may lack.
use strict;
use warnings;
use IO::Socket::INET;

my $DEADLINE = time + 60;
my ($what, $name, @hosts) = @ARGV;
die "usage: form.pl set|config NAME HOST... | form.pl shard NAME/HOST MONGOS\n" unless @hosts;

if ($what eq 'shard') {
    run($hosts[0], [addShard => $name]);
} else {
    my @members = map { [_id => $_, host => $hosts[$_]] } 0 .. $#hosts;
    my @config = (_id => $name, members => list(@members));
    push @config, configsvr => \1 if $what eq 'config';
    run($hosts[0], [replSetInitiate => [@config]]);
    run($hosts[0], [replSetStepUp => 1]);
    wait_for(sub { ask($hosts[0], [isMaster => 1]) =~ /\x08ismaster\0\x01/ });
}
print "$name is formed\n";

# Run a command until it succeeds, as a server takes a while to start.
sub run {
    my ($host, $command) = @_;
    my $said = 'no answer';
    wait_for(
        sub {
            my $reply = ask($host, $command);
            ($said) = $reply =~ /\x02errmsg\0.{4}([^\0]*)/s;
            my ($ok) = $reply =~ /\x01ok\0(.{8})/s;
            return ($ok && unpack('d<', $ok)) || $reply =~ /\0AlreadyInitialized\0/;
        },
        sub { $said // 'no answer' }
    );
}

sub wait_for {
    my ($condition, $why) = @_;
    until ($condition->()) {
        die "$name is not formed: ", $why ? $why->() : 'no primary', "\n" if time > $DEADLINE;
        select undef, undef, undef, 0.1;
    }
}

# The reply to a command as BSON, empty where nobody answers. One OP_MSG, one section.
sub ask {
    my ($host, $command) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $host, Timeout => 5) or return '';
    my $body = pack('V C', 0, 0) . bson(@$command, '$db' => 'admin');
    print {$socket} pack('V4', 16 + length $body, 1, 0, 2013), $body;
    $socket->flush;
    my $reply = '';
    until (length $reply >= 4 && length $reply >= unpack('V', $reply)) {
        sysread $socket, $reply, 65536, length $reply or return '';
    }
    return $reply;
}

# Pairs as a document: a reference to pairs is a document, \1 is true, digits are an int32.
sub bson {
    my $elements = '';
    while (my ($key, $value) = splice @_, 0, 2) {
        my $kind = ref $value;
        $elements .=
            $kind eq 'List'   ? "\x04$key\0" . bson(@$value)
          : $kind eq 'ARRAY'  ? "\x03$key\0" . bson(@$value)
          : $kind eq 'SCALAR' ? "\x08$key\0" . pack('C', $$value)
          : $value =~ /^\d+$/ ? "\x10$key\0" . pack('V', $value)
          :                     "\x02$key\0" . pack('V/a*', "$value\0");
    }
    return pack('V', 5 + length $elements) . "$elements\0";
}

sub list {
    return bless [map { $_ => $_[$_] } 0 .. $#_], 'List';
}
