//! The keys: the one place where a key, its default and its description stand.

use super::value::{Addresses, Value};
use super::{Key, Section};
use crate::anchor::Source;
use crate::http::Rate;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Makes a struct for each section, [`Config`] of all of them, and the table [`SECTIONS`].
macro_rules! configuration {
    ($(
        #[doc = $about:literal]
        $section:ident: $struct:ident {$(
            #[doc = $key_about:literal]
            $key:ident: $type:ty = $default:literal, $flag:literal $value_name:literal;
        )*}
    )*) => {
        /// Everything that can be configured.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct Config {$(
            #[doc = $about]
            pub $section: $struct,
        )*}

        $(
            #[doc = $about]
            #[derive(Clone, PartialEq, Eq, Debug)]
            pub struct $struct {$(
                #[doc = $key_about]
                pub $key: $type,
            )*}
        )*

        impl Default for Config {
            fn default() -> Self {
                Self {$(
                    $section: $struct {$(
                        $key: Value::parse($default).expect("a test parses every default"),
                    )*},
                )*}
            }
        }

        /// Every section with its keys.
        pub const SECTIONS: &[Section] = &[$(
            Section {
                name: stringify!($section),
                about: $about.trim_ascii(),
                keys: &[$(
                    Key {
                        name: concat!(stringify!($section), ".", stringify!($key)),
                        about: $key_about.trim_ascii(),
                        default: $default,
                        flag: $flag,
                        value_name: $value_name,
                        set: |config, text| {
                            config.$section.$key = Value::parse(text)?;
                            Ok(())
                        },
                        show: |config| config.$section.$key.show(),
                        toml: |config| config.$section.$key.toml(),
                        resolve: |config, folder| config.$section.$key.resolve(folder),
                    },
                )*],
            },
        )*];
    };
}

configuration! {
    /// What this node keeps
    node: NodeSection {
        /// Data folder; a file names it relative to itself
        data: PathBuf = "touchmark-data", "data" "FOLDER";
    }
    /// The interface for people and programs
    http: HttpSection {
        /// Where to serve HTTP; port 0 takes a free one
        listen: SocketAddr = "127.0.0.1:8080", "listen" "ADDRESS";
    }
    /// What the interface takes of the outside world, at most; a source is an IPv4 address or an IPv6 /64
    limits: LimitsSection {
        /// Statements, evidence and payloads of a source, per second and at once; empty takes any
        source_writes: Option<Rate> = "1000:20000", "source-writes" "RATE:BURST";
        /// Reading requests of a source, per second and at once; empty takes any
        source_reads: Option<Rate> = "500:10000", "source-reads" "RATE:BURST";
        /// Statements stored in the name of an identity, per second and at once; empty takes any
        identity_writes: Option<Rate> = "200:10000", "identity-writes" "RATE:BURST";
        /// Connections
        connections: usize = "4096", "connections" "N";
        /// Connections of a source, and its listeners
        source_connections: usize = "512", "source-connections" "N";
        /// Requests at once, reading and writing each
        requests: usize = "4096", "requests" "N";
        /// Listeners to events
        listeners: usize = "1024", "listeners" "N";
        /// Proxies whose X-Forwarded-For is believed, separated by commas; none believes nobody
        trusted_proxies: Addresses = "", "trusted-proxies" "ADDRESSES";
    }
    /// The order of the log, agreed with other validators
    engine: EngineSection {
        /// Where to accept other validators; otherwise what peers.toml in the data folder says
        listen: Option<SocketAddr> = "", "engine-listen" "ADDRESS";
        /// Time between batches when nothing waits
        idle_interval: Duration = "1s", "engine-idle-interval" "TIME";
        /// Time between batches when something waits
        busy_interval: Duration = "33ms", "engine-busy-interval" "TIME";
    }
    /// Outside witnesses of this node's log, which `touchmark witness add` names
    witnesses: WitnessesSection {
        /// Time between two rounds of having them cosign the newest checkpoint
        interval: Duration = "1min", "witness-interval" "TIME";
    }
    /// Another network in which checkpoints of this log are recorded (`touchmark network anchor`)
    anchor: AnchorSection {
        /// A node of that network, the network's id, and who records them there
        source: Option<Source> = "", "anchor-source" "URL NETWORK:THING";
        /// Time between two looks for a newer one
        interval: Duration = "10min", "anchor-interval" "TIME";
    }
    /// Object storage for old leaves of the log; credentials are AWS's own variables (AWS_ACCESS_KEY_ID, …)
    objects: ObjectsSection {
        /// Where old leaves are kept: s3://BUCKET, s3://BUCKET/PREFIX or file:///FOLDER; otherwise in the data folder
        url: Option<String> = "", "objects-url" "URL";
        /// URL of an S3-compatible service; otherwise AWS's own
        endpoint: Option<String> = "", "objects-endpoint" "URL";
        /// Region of the service
        region: Option<String> = "", "objects-region" "NAME";
        /// Newest leaves that stay in the data folder
        tail: usize = "65536", "objects-tail" "LEAVES";
        /// Time between two looks for leaves to seal
        interval: Duration = "10s", "objects-interval" "TIME";
    }
    /// The network that an empty data folder begins; without meaning later
    network: NetworkSection {
        /// C2SP origin of the log, a name for ever, such as log.example.org/2026
        origin: Option<String> = "", "origin" "NAME";
        /// Name of this validator
        validator: String = "validator-1", "validator" "NAME";
    }
}
