//! The rows of the option table.

use super::{Flag, FlagId, Group, Kind, Origin};

/// What a row says when it is silent.
const ROW: Flag = Flag {
    id: FlagId::Help,
    long: "",
    short: None,
    label: "",
    kind: Kind::Switch,
    group: Group::Diagnostics,
    origin: Origin::Classic,
    default: None,
    env: None,
    help: "",
    doc: "",
    also: &[],
    example: "",
    available: false,
};

/// Every option, those of the C tool first and in its order.
pub const FLAGS: &[Flag] = &[
    Flag {
        id: FlagId::Bpf,
        long: "bpf",
        short: Some('b'),
        label: "filter",
        kind: Kind::Single,
        group: Group::Input,
        env: Some("NMSG_BPF"),
        help: "capture only packets that match this expression",
        doc: "Applies a packet filter expression in libpcap syntax to every capture input. Every \
              unfragmented packet and every reassembled datagram must satisfy it. Expressions about \
              link layers are refused, because they mean nothing to a reassembled datagram. The \
              expression replaces the one that DNSQR_RES_ADDRS and DNSQR_AUTH_ADDRS ask for. \
              Compiling it needs libpcap.",
        example: "nmsgtool -p dns.pcap -V base -T dnsqr -b 'udp port 53'",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::ByteRate,
        long: "byterate",
        short: Some('B'),
        label: "byterate",
        kind: Kind::Integer,
        group: Group::Limits,
        default: Some("0 (no limit)"),
        help: "read each -r input at this many bytes per second",
        doc: "Slows every container file input down to an average of this many bytes of container \
              data per second. Zero and negative numbers mean full speed. Other kinds of input \
              are not slowed down, and a warning says so.",
        example: "nmsgtool -r day.nmsg -B 1000000 -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Count,
        long: "count",
        short: Some('c'),
        label: "count",
        kind: Kind::Integer,
        group: Group::Limits,
        default: Some("0 (no limit)"),
        help: "stop after writing this many messages to an output",
        doc: "Stops the run as soon as the output whose turn it is has received this many \
              messages. The count is kept per output, over all inputs together; messages that \
              were filtered out do not count. Zero and negative numbers mean no limit.",
        also: &[(
            FlagId::Kicker,
            "With `-k` the run goes on: file outputs start a new file each time their total \
             reaches a multiple of the count, and other outputs ignore it.",
        )],
        example: "nmsgtool -r day.nmsg -c 10",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::ReadChannel,
        long: "readchan",
        short: Some('C'),
        label: "channel",
        kind: Kind::List,
        group: Group::Input,
        help: "read from every socket of a channel alias",
        doc: "Looks the name up in the channel alias file and listens on every UDP endpoint listed \
              for it. All lines with that name contribute. The file is the one that the variable \
              NMSG_CHALIAS_FILE names, else nmsg.chalias or nmsgtool.chalias in the configuration \
              directory. Its lines are a name and endpoints separated by blanks; what follows a \
              number sign is a note.",
        example: "nmsgtool -C ch202 -c 100 -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Debug,
        long: "debug",
        short: Some('d'),
        kind: Kind::Counter,
        default: Some("1"),
        help: "print more detail on standard error; repeat for more",
        doc: "Raises the level of detail on standard error. A single `-d` is the default level, \
              which reports warnings and errors; `-dd` adds set-up lines and totals; each further \
              letter adds more. With `=` the level is set, so `-d=3` equals `-ddd`.",
        example: "nmsgtool -dd -r day.nmsg -w copy.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Daemon,
        long: "daemon",
        short: Some('D'),
        group: Group::Process,
        help: "detach from the terminal once set up",
        doc: "Continues in the background once every input and output is ready. Start-up errors \
              are still reported on the terminal, and the command returns only when the \
              background process is running.",
        example: "nmsgtool -D -P nmsgtool.pid -l 127.0.0.1/8430 -w feed.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Endline,
        long: "endline",
        short: Some('e'),
        label: "endline",
        kind: Kind::Single,
        group: Group::Output,
        default: Some("\\n"),
        help: "end the lines inside a presentation record with this",
        doc: "Replaces the line ending inside presentation records, so that each record can be \
              kept on one line. Escapes are `\\n`, `\\t`, `\\r`, `\\0`, `\\\\` and `\\xHH`; the \
              text may be empty. The line feed after a record stays, and text that a message type \
              renders itself keeps its own line feeds.",
        example: "nmsgtool -r day.nmsg -o - -e '\\t'",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::ReadPres,
        long: "readpres",
        short: Some('f'),
        label: "file",
        kind: Kind::List,
        group: Group::Input,
        help: "read presentation text from a file; needs -T",
        doc: "Reads messages of the type named by `-T` from presentation text: `name: value` \
              lines, with an empty line after each message. A header line as written by `-o` \
              restores time, source, operator and group. A record that cannot be read is reported \
              with its line number and skipped. A single dash stands for standard input.",
        example: "nmsgtool -f messages.txt -V base -T ipconn -w messages.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Filter,
        long: "filter",
        short: Some('F'),
        label: "name[,param]",
        kind: Kind::List,
        group: Group::Extension,
        help: "pass messages through a filter",
        doc: "Appends a filter to the chain that every selected message goes through; each input has a chain of its own. `sample` is built in: with `count=N` it keeps every Nth message, with `random=P` or `rate=P` each one with the probability P.",
        example: "nmsgtool -r day.nmsg -F sample,count=10 -w tenth.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::GetGroup,
        long: "getgroup",
        label: "grname",
        kind: Kind::List,
        group: Group::Selection,
        help: "keep only messages of this group",
        doc: "Passes only messages whose group is this one, given as an alias or as a number. An \
              alias wins over a number that reads the same. Given several times, it passes messages with \
              any of them. Works on every kind of input.",
        also: &[(FlagId::Where, "`--where 'group != Test'` leaves one out.")],
        example: "nmsgtool -r day.nmsg --getgroup lab -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::GetOperator,
        long: "getoperator",
        label: "opname",
        kind: Kind::List,
        group: Group::Selection,
        help: "keep only messages of this operator",
        doc: "Passes only messages whose operator is this one, given as an alias or as a number. \
              An alias wins over a number that reads the same. Given several times, it passes messages with \
              any of them. Works on every kind of input.",
        also: &[(FlagId::Where, "`--where 'operator != QA'` leaves one out.")],
        example: "nmsgtool -r day.nmsg --getoperator 5 -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::GetSource,
        long: "getsource",
        label: "sonum",
        kind: Kind::List,
        group: Group::Selection,
        help: "keep only messages of this source",
        doc: "Passes only messages whose source is this number: decimal, hexadecimal after 0x, or \
              octal after a leading zero. Given several times, it passes messages with \
              any of them. Works on every kind of input.",
        also: &[(FlagId::Where, "`--where 'source != 1'` leaves one out.")],
        example: "nmsgtool -r day.nmsg --getsource 0xa1ba02cf -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Help,
        long: "help",
        short: Some('h'),
        help: "print this help and exit",
        doc: "Prints a summary of all options on standard output and exits with status 0, whatever \
              else the command line holds.",
        example: "nmsgtool -h",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::ReadInterface,
        long: "readif",
        short: Some('i'),
        label: "if[+][,snap]",
        kind: Kind::List,
        group: Group::Input,
        help: "capture from an interface; needs -T",
        doc: "Captures packets from a network interface and turns them into messages of the type \
              named by `-T`. A plus sign after the name turns promiscuous mode on; a number after \
              a comma sets how many bytes of each frame are captured (1522 by default). Frames that \
              were longer are left out and counted, except from `pkt` messages. Capturing needs \
              libpcap and the right to capture; with `-U` it starts before privileges are dropped.",
        example: "nmsgtool -i lo,100 -V base -T packet -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::ReadJson,
        long: "readjson",
        short: Some('j'),
        label: "file",
        kind: Kind::List,
        group: Group::Input,
        help: "read JSON lines from a file",
        doc: "Reads one message per line in the JSON form that `-J` writes. A line that cannot be \
              used is skipped; the first one is reported with its line number and the number of \
              skipped lines at the end. A single dash stands for standard input.",
        example: "nmsgtool -j messages.json -w messages.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::WriteJson,
        long: "writejson",
        short: Some('J'),
        label: "file",
        kind: Kind::List,
        group: Group::Output,
        help: "write JSON lines to a file",
        doc: "Writes one JSON object per line for each message. A message that cannot be decoded \
              is written with its raw payload in base64, which `-j` reads back unchanged. A \
              single dash stands for standard output.",
        example: "nmsgtool -r day.nmsg -J -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Kicker,
        long: "kicker",
        short: Some('k'),
        label: "cmd",
        kind: Kind::Single,
        group: Group::Limits,
        env: Some("NMSG_KICKER"),
        help: "rotate output files and run a command on each",
        doc: "Makes `-c` and `-t` start a new file instead of ending the run, and runs the command \
              in the background on each finished file, whose name is its last argument. An empty \
              command rotates and names the files only. Each file is hidden while it is written \
              and gets its final name, which holds the time it was opened, when it is complete.",
        example: "nmsgtool -l 127.0.0.1/8430 -w feed -t 3600 -k gzip",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::KafkaKey,
        long: "kafkakey",
        label: "fieldname",
        kind: Kind::Single,
        group: Group::Output,
        env: Some("NMSG_KAFKA_KEY"),
        help: "message field used as key of Kafka records",
        doc: "Uses the text of this message field as the key of the records that a JSON Kafka \
              output writes, so that records with the same text go to the same partition. A field \
              that the type given with `-T` does not have is refused; other messages without the \
              field are sent without a key, which is said once for each type.",
        example: "nmsgtool -r day.nmsg --writekafka json:dns@localhost --kafkakey qname",
        available: cfg!(feature = "kafka"),
        ..ROW
    },
    Flag {
        id: FlagId::ReadKafka,
        long: "readkafka",
        label: "kafka",
        kind: Kind::List,
        group: Group::Input,
        help: "read from a Kafka topic (containers or JSON)",
        doc: "Consumes a Kafka topic, given as \
              PROTO:TOPIC[#PARTITION|%GROUP]@BROKER[:PORT][,OFFSET] where PROTO is nmsg (each \
              record is a container or a fragment of one) or json (each is a JSON document) and \
              OFFSET is oldest, newest or a number. Without PARTITION and GROUP all partitions \
              are read. As a member of a GROUP, what the outputs have taken over is committed, and \
              OFFSET matters only to a group that has not committed anything. A record that cannot \
              be used is left out and counted. The variable NMSG_KAFKA_CONFIG holds properties of \
              the client or names a file of them; docs/kafka.md tells more.",
        example: "nmsgtool --readkafka nmsg:dns@localhost:9092,oldest -o -",
        available: cfg!(feature = "kafka"),
        ..ROW
    },
    Flag {
        id: FlagId::ReadSocket,
        long: "readsock",
        short: Some('l'),
        label: "so",
        kind: Kind::List,
        group: Group::Input,
        help: "listen for containers on UDP ADDR/PORT[..PORT]",
        doc: "Listens on a UDP address and port, or on a range of up to 21 ports. A multicast \
              address is joined; an interface is chosen with a percent sign and its name after \
              the address.",
        example: "nmsgtool -l 127.0.0.1/8430 -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::ReadZmqSocket,
        long: "readzsock",
        short: Some('L'),
        label: "zep",
        kind: Kind::List,
        group: Group::Input,
        help: "read containers from a ZeroMQ endpoint",
        doc: "Reads from a ZeroMQ endpoint, given as \
              transport://address[,accept|,connect][,pubsub|,pushpull]. Without further words it \
              accepts connections and subscribes.",
        example: "nmsgtool -L tcp://127.0.0.1:5555,accept,pushpull -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Mtu,
        long: "mtu",
        short: Some('m'),
        label: "mtu",
        kind: Kind::Integer,
        group: Group::Output,
        default: Some("8192"),
        help: "container size for UDP outputs, in bytes",
        doc: "Sets how large a datagram container may become; larger messages are sent in \
              fragments. Values are clamped to 512 through 1048576, and 0 means the default. File \
              outputs always use containers of up to 1 MiB.",
        example: "nmsgtool -r day.nmsg -s 127.0.0.1/8430 -m 1280",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::StatsModule,
        long: "statsmod",
        short: Some('M'),
        label: "name[,params]",
        kind: Kind::List,
        group: Group::Extension,
        env: Some("NMSG_STATSMOD_CONFIG"),
        help: "report counters at intervals",
        doc: "Reports the counters of the run at intervals and once more at its end. `sample` is built in: \
              `secs=N` sets the interval, one second if not given, and `out=FILE` the file, which is \
              standard error if not given. Each mention is a report of its own.",
        example: "nmsgtool -l 127.0.0.1/8430 -w feed.nmsg -M sample,out=feed.stats,secs=60",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Mirror,
        long: "mirror",
        group: Group::Output,
        help: "write every message to every output",
        doc: "Copies each message to all outputs. Without it the outputs take turns: the first \
              message goes to the first output, the next one to the second, and so on.",
        example: "nmsgtool -r day.nmsg -w copy.nmsg -J copy.json --mirror",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::WritePres,
        long: "writepres",
        short: Some('o'),
        label: "file",
        kind: Kind::List,
        group: Group::Output,
        default: Some("- if there is no other output"),
        help: "write presentation text to a file",
        doc: "Writes each message as a header line, one `name: value` line per field, and an empty \
              line. A single dash stands for standard output, which is also where messages go \
              when no output is given at all.",
        example: "nmsgtool -r day.nmsg -o day.txt",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::ReadPcap,
        long: "readpcap",
        short: Some('p'),
        label: "file",
        kind: Kind::List,
        group: Group::Input,
        help: "read packets from a capture file; needs -T",
        doc: "Reads packets from a capture file, pcap or pcapng, and turns them into messages of the \
              type named by `-T`: `ncap`, `pkt`, `dnsqr` or `packet`, all of vendor `base`. A single \
              dash stands for standard input. Queries that wait for their response when the capture \
              ends are written as unanswered. A capture that is cut short or damaged is read up to \
              the damage. Frames that cannot be used are counted by reason.",
        example: "nmsgtool -p dns.pcap -V base -T dnsqr -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::PidFile,
        long: "pidfile",
        short: Some('P'),
        label: "file",
        kind: Kind::Single,
        group: Group::Process,
        help: "write the process id to a file",
        doc: "Writes the decimal process id to this file and removes the file at the end. A file \
              that cannot be written is an error before anything is processed.",
        example: "nmsgtool -P nmsgtool.pid -l 127.0.0.1/8430 -w feed.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Policy,
        long: "policy",
        label: "ACCEPT|DROP",
        kind: Kind::Single,
        group: Group::Extension,
        default: Some("ACCEPT"),
        help: "what becomes of messages that no filter decided",
        doc: "Says what becomes of a message that every filter of the chain declined to judge. `sample` declines the messages that it keeps, so that DROP leaves none. Without `-F` the option has no effect, and a warning says so.",
        example: "nmsgtool -r day.nmsg -F sample,count=10 --policy ACCEPT -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::ReadNmsg,
        long: "readnmsg",
        short: Some('r'),
        label: "file",
        kind: Kind::List,
        group: Group::Input,
        help: "read containers from a file",
        doc: "Reads messages from a container file or pipe. Damage is reported with its place, \
              reading resumes at the next intact container, and the exit status is 3. A single \
              dash stands for standard input.",
        example: "nmsgtool -r day.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Randomize,
        long: "randomize",
        short: Some('R'),
        group: Group::Limits,
        help: "start -t intervals at a random second",
        doc: "Shifts the start of all `-t` intervals by one random number of whole seconds, chosen \
              at start, so that many machines do not rotate at once.",
        example: "nmsgtool -l 127.0.0.1/8430 -w feed -t 3600 -R -k gzip",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::WriteSocket,
        long: "writesock",
        short: Some('s'),
        label: "so[,r[,f]]",
        kind: Kind::List,
        group: Group::Output,
        help: "send containers to UDP ADDR/PORT[..PORT]",
        doc: "Sends to a UDP address and port, or in turn to a range of up to 21 ports. A number \
              after a comma limits the rate in datagrams per second. The interface for a multicast \
              address is chosen as for `-l`. Datagrams that nobody takes are counted, and the exit \
              status is 5.",
        example: "nmsgtool -r day.nmsg -s 127.0.0.1/8430,1000",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::WriteZmqSocket,
        long: "writezsock",
        short: Some('S'),
        label: "zep",
        kind: Kind::List,
        group: Group::Output,
        help: "write containers to a ZeroMQ endpoint",
        doc: "Writes to a ZeroMQ endpoint, given as \
              transport://address[,accept|,connect][,pubsub|,pushpull]. Without further words it \
              connects and publishes.",
        example: "nmsgtool -r day.nmsg -S tcp://127.0.0.1:5555,connect,pushpull",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::SetGroup,
        long: "setgroup",
        label: "grname",
        kind: Kind::Single,
        group: Group::Selection,
        help: "set the group of every message written",
        doc: "Overwrites the group of every message on its way to the outputs. Give an alias or a \
              number other than zero; an alias wins over a number that reads the same.",
        example: "nmsgtool -r day.nmsg --setgroup lab -w labelled.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::SetOperator,
        long: "setoperator",
        label: "opname",
        kind: Kind::Single,
        group: Group::Selection,
        help: "set the operator of every message written",
        doc: "Overwrites the operator of every message on its way to the outputs. Give an alias or \
              a number other than zero; an alias wins over a number that reads the same.",
        example: "nmsgtool -r day.nmsg --setoperator 5 -w labelled.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::SetSource,
        long: "setsource",
        label: "sonum",
        kind: Kind::Single,
        group: Group::Selection,
        help: "set the source of every message written",
        doc: "Overwrites the source of every message on its way to the outputs. The number is \
              decimal, hexadecimal after 0x, or octal after a leading zero, and not zero.",
        example: "nmsgtool -r day.nmsg --setsource 0xa1ba02cf -w labelled.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Interval,
        long: "interval",
        short: Some('t'),
        label: "secs",
        kind: Kind::Integer,
        group: Group::Limits,
        default: Some("0 (no limit)"),
        help: "stop at the next multiple of this many seconds",
        doc: "Stops the run when the clock reaches a multiple of this many seconds since 1970, so \
              3600 means the full hour in UTC. With `-k` the run goes on with new files.",
        example: "nmsgtool -l 127.0.0.1/8430 -w feed.nmsg -t 60",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::MessageType,
        long: "msgtype",
        short: Some('T'),
        label: "msgtype",
        kind: Kind::Single,
        group: Group::Selection,
        help: "message type to read, or to keep",
        doc: "Names a message type of the vendor given by `-V`, in any letter case. Inputs that do \
              not say what type their messages are, such as `-f`, need it; from all other inputs \
              only messages of this type pass.",
        example: "nmsgtool -r day.nmsg -V base -T dnsqr -J -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::UserName,
        long: "username",
        short: Some('U'),
        label: "user",
        kind: Kind::Single,
        group: Group::Process,
        help: "drop privileges and run as this user",
        doc: "Changes to this user and its groups once captures, sockets and the pid file are \
              open; output files are opened afterwards.",
        example: "nmsgtool -U nobody -l 127.0.0.1/843 -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Unbuffered,
        long: "unbuffered",
        group: Group::Output,
        help: "write each message at once",
        doc: "Gives every message a container of its own and flushes text outputs after every \
              record. Files become larger and writing becomes slower.",
        example: "nmsgtool -r day.nmsg -o - --unbuffered",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Version,
        long: "version",
        short: Some('v'),
        help: "print the version and exit",
        doc: "Prints the version on standard output and exits with status 0. With `-h` as well, \
              the help is printed instead.",
        example: "nmsgtool -v",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Vendor,
        long: "vendor",
        short: Some('V'),
        label: "vendor",
        kind: Kind::Single,
        group: Group::Selection,
        default: Some("base if -T is given"),
        help: "vendor of the message type",
        doc: "Names the vendor of the type given by `-T`, in any letter case; without `-T` it is \
              refused. ISC is another name for base.",
        example: "nmsgtool -r day.nmsg -V SIE -T dnsdedupe -J -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::WriteNmsg,
        long: "writenmsg",
        short: Some('w'),
        label: "file",
        kind: Kind::List,
        group: Group::Output,
        help: "write containers to a file",
        doc: "Writes containers of up to 1 MiB to a file, which is created or emptied first. A \
              single dash stands for standard output. A file that is also an input, or is written \
              by a second output, is refused.",
        example: "nmsgtool -j messages.json -w messages.nmsg",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::WriteKafka,
        long: "writekafka",
        label: "kafka",
        kind: Kind::List,
        group: Group::Output,
        help: "write to a Kafka topic (containers or JSON)",
        doc: "Produces to a Kafka topic, given as PROTO:TOPIC[#PARTITION]@BROKER[:PORT] where \
              PROTO is nmsg (containers of about 8 KiB; a larger one becomes several records with \
              a fragment each) or json (each message is a record). At the end of the run, the \
              broker is waited for until it has confirmed every record or a signal comes; records \
              that are not known to have been delivered are counted, and make the status 5.",
        example: "nmsgtool -r day.nmsg --writekafka json:dns@localhost:9092",
        available: cfg!(feature = "kafka"),
        ..ROW
    },
    Flag {
        id: FlagId::ReadZmqChannel,
        long: "readzchan",
        short: Some('Z'),
        label: "zchannel",
        kind: Kind::List,
        group: Group::Input,
        help: "read from every ZeroMQ endpoint of an alias",
        doc: "Looks the name up in the channel alias file and reads from every ZeroMQ endpoint \
              listed for it.",
        example: "nmsgtool -Z zch202 -c 100 -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::ZlibOut,
        long: "zlibout",
        short: Some('z'),
        group: Group::Output,
        help: "compress the containers written",
        doc: "Compresses each container with zlib. Text outputs are not affected; where there is \
              no container output at all, a warning says so.",
        example: "nmsgtool -r day.nmsg -w smaller.nmsg -z",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Where,
        long: "where",
        label: "expr",
        kind: Kind::Single,
        group: Group::Selection,
        origin: Origin::New,
        help: "keep only messages for which an expression holds",
        doc: "Passes only messages for which the expression over header and message fields is true, such as `rrtype = AAAA and response_ip in 2001:db8::/32`. It is asked about messages that the other options of this kind select, and before any filter. The language is described in docs/where.md.",
        example: "nmsgtool -r day.nmsg --where 'rrtype = AAAA and time >= now-1h' -J -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::FlushInterval,
        long: "flush-interval",
        label: "secs",
        kind: Kind::Integer,
        group: Group::Output,
        origin: Origin::New,
        default: Some("0 (off)"),
        help: "write out waiting messages after this many seconds",
        doc: "Writes out a container that is not full yet when its oldest message has waited this \
              many seconds.",
        example: "nmsgtool -l 127.0.0.1/8430 -w feed.nmsg --flush-interval 5",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::RotateSize,
        long: "rotate-size",
        label: "bytes",
        kind: Kind::Single,
        group: Group::Limits,
        origin: Origin::New,
        default: Some("0 (no limit)"),
        help: "with -k, start a new file at this many bytes",
        doc: "With `-k`, finishes a file as soon as it has this many bytes, counted as they are \
              written: behind the container, record or line with which it reaches them. The number \
              may be followed by k, M or G for multiples of 1024. Works beside `-c` and `-t`: \
              whatever comes first starts a new file.",
        example: "nmsgtool -l 127.0.0.1/8430 -w feed -t 3600 -k gzip --rotate-size 512M",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::SkipEmpty,
        long: "skip-empty",
        group: Group::Limits,
        origin: Origin::New,
        help: "leave out files of intervals without messages",
        doc: "Neither keeps nor announces a rotated file to which nothing was written.",
        example: "nmsgtool -l 127.0.0.1/8430 -w feed -t 60 -k gzip --skip-empty",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Threads,
        long: "threads",
        label: "count",
        kind: Kind::Integer,
        group: Group::Process,
        origin: Origin::New,
        default: Some("one per processor"),
        help: "decode and render with this many threads",
        doc: "Spreads decoding, rendering and compression over this many threads. What is written \
              is the same with any number. With one, or together with --unbuffered or --strict, \
              a single input is read and written without any other thread.",
        example: "nmsgtool -r day.nmsg -J day.json --threads 4",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::KeepGoing,
        long: "keep-going",
        group: Group::Process,
        origin: Origin::New,
        help: "exit with 0 although an input was damaged",
        doc: "Reports damage in inputs as always, but leaves it out of the exit status. For \
              scripts that salvage what can be read.",
        example: "nmsgtool -r damaged.nmsg -w salvaged.nmsg --keep-going",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Strict,
        long: "strict",
        group: Group::Process,
        origin: Origin::New,
        help: "stop at the first damage in an input",
        doc: "Ends the run with status 3 at the first damaged container, unusable line or record, \
              or message that cannot be decoded, instead of skipping it. Base64 text is read \
              strictly.",
        example: "nmsgtool -r day.nmsg -J day.json --strict",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Stats,
        long: "stats",
        origin: Origin::New,
        help: "print what became of every message at the end",
        doc: "Prints a ledger on standard error when the run ends: for each input what was read, \
              skipped and lost, and for each output what was written.",
        example: "nmsgtool -r day.nmsg -w copy.nmsg --stats",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Metrics,
        long: "metrics",
        label: "address",
        kind: Kind::Single,
        origin: Origin::New,
        help: "show live counters to Prometheus at this address",
        doc: "Answers HTTP requests for /metrics with the ledger of the running process in the text \
              format of Prometheus. The address is ADDR:PORT with a numeric address; IPv6 addresses \
              stand in brackets, and port 0 is any free one, told at `-dd`. Whoever reaches the \
              address can read names of inputs and outputs, so use one of this machine or of a \
              network that you trust.",
        example: "nmsgtool -l 127.0.0.1/8430 -w feed -t 60 -k gzip --metrics 127.0.0.1:9153",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::LogFormat,
        long: "log-format",
        label: "format",
        kind: Kind::Single,
        origin: Origin::New,
        default: Some("text"),
        help: "write messages on standard error as text or json",
        doc: "With `json`, every message on standard error is one JSON object in a line: time, level \
              (error, warning, info, debug), program, pid, message, and fields such as input, fault \
              or ledger. `-d` decides as ever how much is said. With `text`, or for mistakes in the \
              grammar of the command line, messages are the usual lines.",
        example: "nmsgtool -l 127.0.0.1/8430 -w feed -t 60 -k gzip --stats --log-format json",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::Ttl,
        long: "ttl",
        label: "hops",
        kind: Kind::Single,
        group: Group::Output,
        origin: Origin::New,
        default: Some("1"),
        help: "networks that datagrams to a multicast group may cross",
        doc: "Sets how many networks the datagrams of `-s` to multicast groups may cross, from 0 \
              (they stay on this machine) to 255.",
        example: "nmsgtool -r day.nmsg -s 239.1.2.3%lo/8430 --ttl 4",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::ClassicCapture,
        long: "classic-capture",
        group: Group::Input,
        origin: Origin::New,
        help: "make of packets only what the C tool makes of them",
        doc: "Cuts the times in capture files to microseconds, and for `dnsqr` joins fragments only \
              when all of them were captured in the same second and leaves out ICMP errors about DNS \
              packets, as the C tool does. For comparing the two.",
        example: "nmsgtool -p dns.pcap -V base -T dnsqr --classic-capture -o -",
        available: true,
        ..ROW
    },
    Flag {
        id: FlagId::WholeRecords,
        long: "whole-records",
        group: Group::Output,
        origin: Origin::New,
        help: "write each container to Kafka as one record of any size",
        doc: "Writes every container to Kafka as one record, also those that hold a message of \
              more than 8 KiB and would otherwise be sent as several records with a fragment each. \
              The C tool can read such records, but not fragments; the client and the broker \
              refuse records of more than about 1 MB unless they are configured otherwise.",
        example: "nmsgtool -r day.nmsg --writekafka nmsg:dns@localhost --whole-records",
        available: cfg!(feature = "kafka"),
        ..ROW
    },
];
