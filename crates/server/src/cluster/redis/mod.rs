//! Redis as the bus. Every key begins with the prefix and ends by itself:
//!
//! - `node:ID` is there while the node lives;
//! - `room:KEY` is `OWNER EPOCH`. The owner has the room while `node:OWNER` is there;
//! - `inbox:ID` is a stream of envelopes, each in the field `e`.

mod reach;

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisResult, cmd};
use tokio::sync::Mutex;

use super::bus::{Answer, Bus, Claim, Down, Living, Tenancy};
use super::node::Pulse;
use reach::Trouble;
pub(super) use reach::client;

/// How long a room is remembered that nobody looks after: longer than an owner takes to look again.
const ROOM: Duration = Duration::from_secs(120);
/// How long an inbox is kept that nothing comes into.
const INBOX: Duration = Duration::from_secs(120);
/// About how many envelopes an inbox keeps. What makes way is said again.
const LONGEST: usize = 8192;
/// How long one question for new envelopes waits.
const WAIT: Duration = Duration::from_secs(2);
/// How many envelopes are taken at once.
const AT_ONCE: usize = 64;

/// Gives a room to who asks, unless an owner that lives has it. Epochs are times of Redis, in milliseconds, so that they
/// grow even when it has forgotten the last one; they are whole numbers well below 2^53. A third word says that another had it,
/// who is dead.
const CLAIM: &str = r"
local now = redis.call('GET', KEYS[1])
local me, held, ttl, nodes = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local owner, epoch, inherited = nil, 0, false
if now then
  owner, epoch = string.match(now, '^(%S+) (%d+)$')
  epoch = tonumber(epoch or '0')
end
if owner == me then
  redis.call('PEXPIRE', KEYS[1], ttl)
  return now
end
if held > epoch then
  epoch = held
elseif owner and redis.call('EXISTS', nodes .. owner) == 1 then
  return now
else
  inherited = owner ~= nil
  local time = redis.call('TIME')
  epoch = math.max(epoch + 1, tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
end
now = me .. ' ' .. string.format('%.0f', epoch)
redis.call('SET', KEYS[1], now, 'PX', ttl)
if inherited then return now .. ' inherited' end
return now
";

/// Deletes a key that has this value.
const RELEASE: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
";

/// Redis, for one node.
pub(super) struct Redis {
    client: Client,
    prefix: String,
    node: String,
    pulse: Pulse,
    asking: Mutex<Asking>,
    /// Waiting for envelopes takes a connection of its own.
    reading: Mutex<Reading>,
}

/// How Redis is asked.
#[derive(Default)]
struct Asking {
    connection: Option<MultiplexedConnection>,
    trouble: Trouble,
}

/// Where a node is in its inbox.
struct Reading {
    connection: Option<MultiplexedConnection>,
    /// The last envelope that was read.
    last: String,
    trouble: Trouble,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the client, which knows the password.
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}

impl Redis {
    /// For the node of this id. Connects when it is asked something.
    pub(super) fn new(client: Client, prefix: String, node: String, pulse: Pulse) -> Self {
        let reading = Reading { connection: None, last: "0".to_owned(), trouble: Trouble::default() };
        Self { client, prefix, node, pulse, asking: Mutex::default(), reading: Mutex::new(reading) }
    }

    fn key(&self, kind: &str, id: &str) -> String {
        format!("{}{kind}:{id}", self.prefix)
    }

    async fn connect(&self, response: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.pulse.answer))
            .set_response_timeout(Some(response));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Asks over the connection that is there, or over a new one. After an error there is none.
    async fn ask<T: FromRedisValue>(&self, command: Cmd) -> Result<T, Down> {
        let open = self.asking.lock().await.connection.clone();
        let asked = async {
            let mut connection = match open {
                Some(connection) => connection,
                None => self.connect(self.pulse.answer).await?,
            };
            Ok((command.query_async(&mut connection).await?, connection))
        };
        let answer = asked.await;
        let mut asking = self.asking.lock().await;
        match answer {
            Ok((answer, connection)) => {
                asking.connection.get_or_insert(connection);
                asking.trouble.is_over();
                Ok(answer)
            }
            Err(error) => {
                asking.connection = None;
                asking.trouble.tell(&error, "cannot ask redis");
                Err(Down)
            }
        }
    }

    async fn next(&self) -> Result<Vec<Vec<u8>>, Down> {
        // Anybody who can write there may write anything, also as names of fields.
        type Entries = Vec<(String, HashMap<Vec<u8>, Vec<u8>>)>;
        let mut reading = self.reading.lock().await;
        let Reading { connection, last, trouble } = &mut *reading;
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(AT_ONCE).arg("BLOCK").arg(millis(WAIT));
        read.arg("STREAMS").arg(self.key("inbox", &self.node)).arg(&*last);
        let known = connection.take();
        let asked = async {
            let mut open = match known {
                Some(open) => open,
                None => self.connect(WAIT * 2).await?,
            };
            let answer: Option<Vec<(String, Entries)>> = read.query_async(&mut open).await?;
            Ok((answer, open))
        };
        let answer = match asked.await {
            Ok((answer, open)) => {
                *connection = Some(open);
                trouble.is_over();
                answer
            }
            Err(error) => {
                // It may be one that knows nothing of what was read before, and begins to count anew.
                *last = "0".to_owned();
                trouble.tell(&error, "cannot read the inbox of this node in redis");
                return Err(Down);
            }
        };
        let mut envelopes = Vec::new();
        let mut delete = cmd("XDEL");
        delete.arg(self.key("inbox", &self.node));
        let mut read_any = false;
        for (id, mut fields) in answer.into_iter().flatten().flat_map(|(_, entries)| entries) {
            delete.arg(&id);
            (*last, read_any) = (id, true);
            envelopes.extend(fields.remove(&b"e"[..]));
        }
        if read_any {
            // What stays makes way by and by.
            let _ = self.ask::<()>(delete).await;
        }
        Ok(envelopes)
    }
}

impl Bus for Redis {
    fn beat<'a>(&'a self, others: &'a [String]) -> Answer<'a, Living> {
        Box::pin(async move {
            let mut set = cmd("SET");
            set.arg(self.key("node", &self.node)).arg("1").arg("PX").arg(millis(self.pulse.lease)).arg("GET");
            let known = self.ask::<Option<Vec<u8>>>(set).await?.is_some();
            if others.is_empty() {
                return Ok(Living { known, others: Vec::new() });
            }
            let mut get = cmd("MGET");
            for other in others {
                get.arg(self.key("node", other));
            }
            let alive: Vec<Option<Vec<u8>>> = self.ask(get).await?;
            Ok(Living { known, others: alive.into_iter().map(|alive| alive.is_some()).collect() })
        })
    }

    fn claim<'a>(&'a self, claim: Claim<'a>) -> Answer<'a, Tenancy> {
        Box::pin(async move {
            let mut eval = cmd("EVAL");
            eval.arg(CLAIM).arg(1).arg(self.key("room", claim.room));
            eval.arg(&self.node).arg(claim.held).arg(millis(ROOM)).arg(self.key("node", ""));
            let answer: String = self.ask(eval).await?;
            let mut words = answer.split(' ');
            let (owner, epoch) = words.next().zip(words.next()).ok_or(Down)?;
            let epoch = epoch.parse().map_err(|_| Down)?;
            Ok(Tenancy { owner: owner.to_owned(), epoch, inherited: words.next().is_some() })
        })
    }

    fn release<'a>(&'a self, claim: Claim<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut eval = cmd("EVAL");
            eval.arg(RELEASE).arg(1).arg(self.key("room", claim.room));
            eval.arg(format!("{} {}", self.node, claim.held));
            self.ask(eval).await
        })
    }

    fn post<'a>(&'a self, to: &'a str, envelope: String) -> Answer<'a, ()> {
        Box::pin(async move {
            let inbox = self.key("inbox", to);
            let mut add = cmd("XADD");
            add.arg(&inbox).arg("MAXLEN").arg("~").arg(LONGEST).arg("*").arg("e").arg(envelope);
            self.ask::<()>(add).await?;
            let mut expire = cmd("PEXPIRE");
            expire.arg(inbox).arg(millis(INBOX));
            self.ask(expire).await
        })
    }

    fn receive(&self) -> Answer<'_, Vec<Vec<u8>>> {
        Box::pin(self.next())
    }

    fn farewell(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut delete = cmd("DEL");
            delete.arg(self.key("node", &self.node)).arg(self.key("inbox", &self.node));
            self.ask(delete).await
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
