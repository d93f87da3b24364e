//! Kafka topics as the NMSG suite names and configures them.
//!
//! Records are octets here: this crate knows the addresses, the configuration and when a record
//! counts as read or delivered, but not what is in it. The work is done by librdkafka, compiled in.
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
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
//! # }
//! ```
//!
//! | type | what it is |
//! |---|---|
//! | [`Address`] | topic, partition or group, broker, offset |
//! | [`Configuration`] | the settings of the client library that a user has made |
//! | [`Consumer`] | records of a topic |
//! | [`Producer`] | sends records to a topic |

mod address;
#[cfg(feature = "client")]
mod client;
mod configuration;
#[cfg(feature = "client")]
mod consumer;
#[cfg(feature = "client")]
mod error;
#[cfg(feature = "client")]
mod producer;
#[cfg(feature = "client")]
mod remark;
#[cfg(feature = "client")]
mod window;

pub use address::{Address, AddressError, Start, TopicPart};
pub use configuration::{Configuration, ConfigurationError};
#[cfg(feature = "client")]
pub use consumer::{Consumer, Position, Record, Waited};
#[cfg(feature = "client")]
pub use error::Error;
#[cfg(feature = "client")]
pub use producer::{Delivery, Producer, Sent};
#[cfg(feature = "client")]
pub use remark::{Listener, Remark};
