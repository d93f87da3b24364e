//! One broker of Apache Kafka, which is controller as well.

use crate::tool::Scratch;
use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const VERSION: &str = "4.1.1";
/// What Maven is asked for.
const ARTIFACTS: [(&str, &str, &str); 2] =
    [("org.apache.kafka", "kafka_2.13", VERSION), ("org.slf4j", "slf4j-simple", "1.7.36")];
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
const DOWNLOAD: Duration = Duration::from_secs(300);
const START: Duration = Duration::from_secs(60);
/// Only for making the directory of the broker's data.
const CLUSTER: &str = "4L6g3nShT-eMCtK--X86sw";
/// Small, and soon there.
const JVM: [&str; 5] = [
    "-Xmx320m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];
/// Ends the broker with the signal that it reads, and with SIGKILL when whoever started it is gone.
const KEEPER: &str =
    r#""$@" </dev/null & p=$!; read -r word || word=KILL; kill -s "$word" $p; wait $p"#;

/// Listeners of the broker.
#[derive(Clone, Copy)]
pub(super) enum Listener {
    Plain,
    Sasl,
    Tls,
    Controller,
}

impl Listener {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Plain, "PLAINTEXT"),
        (Self::Sasl, "SASL_PLAINTEXT"),
        (Self::Tls, "SSL"),
        (Self::Controller, "CONTROLLER"),
    ];
}

pub(super) struct Broker {
    scratch: Scratch,
    classes: String,
    ports: [u16; Listener::ALL.len()],
    keeper: Option<Child>,
}

impl Broker {
    /// Starts a broker with data of its own; or says why that is not possible on this machine.
    pub(super) fn start() -> Result<Self, String> {
        let scratch = Scratch::new();
        there_is("java", "-version")?;
        let jars = jars(&scratch)?;
        let free = || {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            (listener.local_addr().expect("bound").port(), listener)
        };
        let held = [(); Listener::ALL.len()].map(|()| free());
        let ports = held.map(|(port, _)| port);
        let classes = format!("{}/*", jars.display());
        let mut broker = Self { scratch, classes, ports, keeper: None };
        broker.make_certificate();
        let settings = broker.settings();
        broker.scratch.write("settings", settings.as_bytes());
        let mut format = broker.java("kafka.tools.StorageTool");
        format.args(["format", "-t", CLUSTER, "-c"]).arg(broker.scratch.path("settings"));
        format.args(["--add-scram", "SCRAM-SHA-256=[name=reader,password=secret]"]);
        bounded(format, &broker.scratch.path("format.log"), START)?;
        broker.go_on();
        Ok(broker)
    }

    pub(super) fn servers(&self, listener: Listener) -> String {
        format!("127.0.0.1:{}", self.ports[listener as usize])
    }

    /// The certificate of the broker, as a file of its own.
    #[cfg_attr(not(feature = "kafka-ssl"), expect(dead_code, reason = "needs the client's TLS"))]
    pub(super) fn certificate(&self) -> String {
        self.scratch.text("broker.pem")
    }

    /// Starts the broker's process, and waits until it listens.
    pub(super) fn go_on(&mut self) {
        let log = File::options().create(true).append(true).open(self.scratch.path("log"));
        let log = log.expect("a file");
        let java = self.java("kafka.Kafka");
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(java.get_program()).args(java.get_args());
        keeper.arg(self.scratch.path("settings")).stdin(Stdio::piped());
        keeper.stdout(log.try_clone().expect("a descriptor")).stderr(log);
        self.keeper = Some(keeper.spawn().expect("a shell"));
        let until = Instant::now() + START;
        while TcpStream::connect(self.servers(Listener::Plain)).is_err() {
            if Instant::now() > until {
                let log = fs::read_to_string(self.scratch.path("log")).unwrap_or_default();
                panic!("the broker does not start:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the broker's process with a signal, and waits until it is gone.
    pub(super) fn end(&mut self, signal: &str) {
        if let Some(mut keeper) = self.keeper.take() {
            let mut stdin = keeper.stdin.take().expect("a pipe");
            // A keeper that is gone has nothing to keep.
            let _ = writeln!(stdin, "{signal}");
            drop(stdin);
            let _ = keeper.wait();
        }
    }

    fn java(&self, class: &str) -> Command {
        let mut java = Command::new("java");
        java.args(JVM).args(["-cp", &self.classes, class]);
        java
    }

    fn settings(&self) -> String {
        let list = |from: &[(Listener, &str)]| -> String {
            let one = |(listener, name): &(Listener, &str)| {
                format!("{name}://{}", self.servers(*listener))
            };
            from.iter().map(one).collect::<Vec<_>>().join(",")
        };
        let (all, advertised) = (list(&Listener::ALL), list(&Listener::ALL[..3]));
        let controller = self.servers(Listener::Controller);
        let data = self.scratch.text("data");
        let store = self.scratch.text("store");
        format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@{controller}\n\
             listeners={all}\nadvertised.listeners={advertised}\n\
             controller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,\
             SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL\n\
             log.dirs={data}\nnum.partitions=4\noffsets.topic.num.partitions=1\n\
             offsets.topic.replication.factor=1\ntransaction.state.log.num.partitions=1\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n\
             sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256\n\
             listener.name.sasl_plaintext.plain.sasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required \
             user_reader=\"secret\";\n\
             listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             listener.name.ssl.ssl.keystore.location={store}\n\
             listener.name.ssl.ssl.keystore.type=PKCS12\n\
             listener.name.ssl.ssl.keystore.password=secret\n"
        )
    }

    /// Makes the key of the broker, and a certificate by itself.
    fn make_certificate(&self) {
        let tool = |arguments: &[&str]| {
            let mut keytool = Command::new("keytool");
            keytool.args(arguments).args(["-alias", "broker", "-storepass", "secret"]);
            keytool.args(["-keystore", &self.scratch.text("store")]);
            bounded(keytool, &self.scratch.path("keytool.log"), START).expect("a certificate");
        };
        let name = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1"];
        let kind = ["-genkeypair", "-keyalg", "EC", "-validity", "2", "-storetype", "PKCS12"];
        tool(&[&kind[..], &name].concat());
        tool(&["-exportcert", "-rfc", "-file", &self.scratch.text("broker.pem")]);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.end("KILL");
    }
}

/// The directory of the broker's classes, which stays for the next run.
fn jars(scratch: &Scratch) -> Result<PathBuf, String> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("apache-kafka-{VERSION}"));
    if cache.is_dir() {
        return Ok(cache);
    }
    there_is("mvn", "-version")?;
    let dependencies: String = ARTIFACTS
        .iter()
        .map(|(group, artifact, version)| {
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
                 <version>{version}</version></dependency>"
            )
        })
        .collect();
    let project = format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>test</groupId><artifactId>test</artifactId><version>1</version>\
         <packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>"
    );
    let new = cache.with_extension(std::process::id().to_string());
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", COPY, "-f", &scratch.write("pom.xml", project.as_bytes())]);
    maven.arg(format!("-DoutputDirectory={}", new.display()));
    bounded(maven, &scratch.path("maven.log"), DOWNLOAD)?;
    if fs::rename(&new, &cache).is_err() {
        // Another test was faster.
        let _ = fs::remove_dir_all(&new);
    }
    Ok(cache)
}

fn there_is(program: &str, argument: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} {argument} ends with {status}")),
        Err(error) => Err(format!("{program} is not installed: {error}")),
    }
}

/// Runs a program for so long at most; when it fails, with the end of what it had to say.
fn bounded(mut command: Command, log: &Path, longest: Duration) -> Result<(), String> {
    let file = File::create(log).expect("a file");
    command.stdin(Stdio::null()).stdout(file.try_clone().expect("a descriptor")).stderr(file);
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|error| format!("{name} does not start: {error}"))?;
    let until = Instant::now() + longest;
    let why = loop {
        match child.try_wait().expect("ours") {
            Some(status) if status.success() => return Ok(()),
            Some(status) => break status.to_string(),
            None if Instant::now() > until => {
                let _ = child.kill();
                let _ = child.wait();
                break format!("stopped after {longest:?}");
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let said = fs::read_to_string(log).unwrap_or_default();
    let start = said.len().saturating_sub(2000);
    let said = said.get(start..).unwrap_or(&said).trim();
    Err(format!("{name}: {why}: {said}"))
}
