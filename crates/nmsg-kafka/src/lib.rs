//! Kafka topics as the NMSG suite names and configures them.
//!
//! Records are octets here: this crate knows the addresses, the configuration and when a record
//! counts as read or delivered, but not what is in it. The work is done by librdkafka, compiled in.
//!
//! ```no_run
//! use nmsg_kafka::{Address, Configuration, Consumer, Producer, Sent};
//! use std::sync::Arc;
//!
//! let (settings, listener) = (Configuration::default(), Arc::new(|remark| eprintln!("{remark}")));
//! let producer = Producer::open(&Address::parse("dns@localhost")?, &settings, listener.clone())?;
//! assert_eq!(producer.send(b"record", None, 1)?, Sent::Taken);
//! assert_eq!(producer.close(|_left| false).undelivered, 0);
//!
//! let address = Address::parse("dns%archive@localhost,oldest")?;
//! let consumer = Consumer::open(&address, &settings, listener, &|| false)?;
//! loop {
//!     match consumer.next_record()? {
//!         Some(record) => {
//!             println!("{:?}", record.payload());
//!             consumer.accept(record.position());
//!         }
//!         None => drop(consumer.wait(&[], None)?),
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | type | what it is |
//! |---|---|
//! | [`Address`] | topic, partition or group, broker, offset |
//! | [`Configuration`] | the settings of the client library that a user has made |
//! | [`Consumer`] | records of a topic |
//! | [`Producer`] | sends records to a topic |

mod address;
mod client;
mod configuration;
mod consumer;
mod error;
mod producer;
mod remark;
mod window;

pub use address::{Address, AddressError, Start, TopicPart};
pub use configuration::{Configuration, ConfigurationError};
pub use consumer::{Consumer, Position, Record, Waited};
pub use error::Error;
pub use producer::{Delivery, Producer, Sent};
pub use remark::{Listener, Remark};
