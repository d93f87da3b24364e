complete -c nmsgtool -s b -l bpf -d 'capture only packets that match this expression' -r -f
complete -c nmsgtool -s B -l byterate -d 'read each -r input at this many bytes per second' -r -f
complete -c nmsgtool -s c -l count -d 'stop after writing this many messages to an output' -r -f
complete -c nmsgtool -s C -l readchan -d 'read from every socket of a channel alias' -r -f
complete -c nmsgtool -s e -l endline -d 'end the lines inside a presentation record with this' -r -f
complete -c nmsgtool -s f -l readpres -d 'read presentation text from a file; needs -T' -r -F
complete -c nmsgtool -s F -l filter -d 'pass messages through a filter' -r -f
complete -c nmsgtool -l getgroup -d 'keep only messages of this group' -r -f
complete -c nmsgtool -l getoperator -d 'keep only messages of this operator' -r -f
complete -c nmsgtool -l getsource -d 'keep only messages of this source' -r -f
complete -c nmsgtool -s i -l readif -d 'capture from an interface; needs -T' -r -f
complete -c nmsgtool -s j -l readjson -d 'read JSON lines from a file' -r -F
complete -c nmsgtool -s J -l writejson -d 'write JSON lines to a file' -r -F
complete -c nmsgtool -s k -l kicker -d 'rotate output files and run a command on each' -r -f -a "(__fish_complete_command)"
complete -c nmsgtool -l kafkakey -d 'message field used as key of Kafka records' -r -f
complete -c nmsgtool -l readkafka -d 'read from a Kafka topic (containers or JSON)' -r -f
complete -c nmsgtool -s l -l readsock -d 'listen for containers on UDP ADDR/PORT[..PORT]' -r -f
complete -c nmsgtool -s L -l readzsock -d 'read containers from a ZeroMQ endpoint' -r -f
complete -c nmsgtool -s m -l mtu -d 'container size for UDP outputs, in bytes' -r -f
complete -c nmsgtool -s M -l statsmod -d 'report counters at intervals' -r -f
complete -c nmsgtool -s o -l writepres -d 'write presentation text to a file' -r -F
complete -c nmsgtool -s p -l readpcap -d 'read packets from a capture file; needs -T' -r -F
complete -c nmsgtool -s P -l pidfile -d 'write the process id to a file' -r -F
complete -c nmsgtool -l policy -d 'what becomes of messages that no filter decided' -r -f -a "ACCEPT\t''
DROP\t''"
complete -c nmsgtool -s r -l readnmsg -d 'read containers from a file' -r -F
complete -c nmsgtool -s s -l writesock -d 'send containers to UDP ADDR/PORT[..PORT]' -r -f
complete -c nmsgtool -s S -l writezsock -d 'write containers to a ZeroMQ endpoint' -r -f
complete -c nmsgtool -l setgroup -d 'set the group of every message written' -r -f
complete -c nmsgtool -l setoperator -d 'set the operator of every message written' -r -f
complete -c nmsgtool -l setsource -d 'set the source of every message written' -r -f
complete -c nmsgtool -s t -l interval -d 'stop at the next multiple of this many seconds' -r -f
complete -c nmsgtool -s T -l msgtype -d 'message type to read, or to keep' -r -f
complete -c nmsgtool -s U -l username -d 'drop privileges and run as this user' -r -f -a "(__fish_complete_users)"
complete -c nmsgtool -s V -l vendor -d 'vendor of the message type' -r -f
complete -c nmsgtool -s w -l writenmsg -d 'write containers to a file' -r -F
complete -c nmsgtool -l writekafka -d 'write to a Kafka topic (containers or JSON)' -r -f
complete -c nmsgtool -s Z -l readzchan -d 'read from every ZeroMQ endpoint of an alias' -r -f
complete -c nmsgtool -l where -d 'keep only messages for which an expression holds' -r -f
complete -c nmsgtool -l flush-interval -d 'write out waiting messages after this many seconds' -r -f
complete -c nmsgtool -l rotate-size -d 'with -k, start a new file at this many bytes' -r -f
complete -c nmsgtool -l threads -d 'decode and render with this many threads' -r -f
complete -c nmsgtool -l metrics -d 'show live counters to Prometheus at this address' -r -f
complete -c nmsgtool -l log-format -d 'write messages on standard error as text or json' -r -f
complete -c nmsgtool -l ttl -d 'networks that datagrams to a multicast group may cross' -r -f
complete -c nmsgtool -s d -l debug -d 'print more detail on standard error; repeat for more'
complete -c nmsgtool -s D -l daemon -d 'detach from the terminal once set up'
complete -c nmsgtool -s h -l help -d 'print this help and exit'
complete -c nmsgtool -l mirror -d 'write every message to every output'
complete -c nmsgtool -s R -l randomize -d 'start -t intervals at a random second'
complete -c nmsgtool -l unbuffered -d 'write each message at once'
complete -c nmsgtool -s v -l version -d 'print the version and exit'
complete -c nmsgtool -s z -l zlibout -d 'compress the containers written'
complete -c nmsgtool -l skip-empty -d 'leave out files of intervals without messages'
complete -c nmsgtool -l keep-going -d 'exit with 0 although an input was damaged'
complete -c nmsgtool -l strict -d 'stop at the first damage in an input'
complete -c nmsgtool -l stats -d 'print what became of every message at the end'
complete -c nmsgtool -l classic-capture -d 'make of packets only what the C tool makes of them'
complete -c nmsgtool -l whole-records -d 'write each container to Kafka as one record of any size'
