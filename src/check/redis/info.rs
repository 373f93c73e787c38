//! What a Redis server reports in `INFO`, against what W&B requires.

use std::collections::HashMap;

use crate::text::clean;
use crate::verify::{Verdict, failed, inconclusive, passed, warned};

const GIB: u64 = 1 << 30;
/// The least memory that W&B's guide asks for, and what it suggests, in bytes.
const MEMORY: [u64; 2] = [4 * GIB, 8 * GIB];

/// The fields of all sections.
pub(super) struct Info(HashMap<String, String>);

impl Info {
    pub(super) fn read(text: &str) -> Self {
        let field =
            |line: &str| line.trim_end().split_once(':').map(|(name, value)| (name.to_owned(), clean(value)));
        Self(text.lines().filter_map(field).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// `standalone`, `cluster` or `sentinel`.
    fn kind(&self) -> Option<&str> {
        self.get("redis_mode").or_else(|| self.get("server_mode"))
    }

    pub(super) fn is_sentinel(&self) -> bool {
        self.kind() == Some("sentinel")
    }

    /// The installation guide names Redis 6.x, the page of requirements 7.x (docs.wandb.ai, "Redis requirements").
    pub(super) fn version(&self) -> Verdict {
        let Some(version) = self.get("redis_version") else { return unreported("redis_version") };
        if let Some(valkey) = self.get("valkey_version") {
            return warned(
                format!("Valkey {valkey}, which W&B's documentation does not name"),
                "use Redis 7.x, or ask W&B whether your version of the server supports Valkey",
            );
        }
        if self.get("server_name").is_some_and(|name| !name.eq_ignore_ascii_case("redis")) {
            let name = self.get("server_name").unwrap_or_default();
            return warned(format!("{name}, which W&B's documentation does not name"), "use Redis 7.x");
        }
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match major {
            Some(7) => passed(version),
            Some(6) => warned(
                format!("{version}: W&B's requirements name 7.x, its installation guide 6.x"),
                "upgrade to Redis 7.x",
            ),
            Some(..6) => failed(format!("{version} is older than 6"), "upgrade to Redis 7.x"),
            Some(_) => warned(
                format!("{version}, which W&B's documentation does not name"),
                "use Redis 7.x, or ask W&B whether your version of the server supports it",
            ),
            None => inconclusive(format!("redis_version is `{version}`")),
        }
    }

    pub(super) fn mode(&self, cluster: bool) -> Verdict {
        match (self.kind(), cluster) {
            (Some("standalone"), false) => passed("standalone"),
            (Some("standalone"), true) => {
                failed("standalone, and REDIS has `cluster=true`", "remove `cluster=true` from REDIS")
            }
            (Some("cluster"), true) => passed("cluster"),
            (Some("cluster"), false) => failed(
                "a cluster, and REDIS has no `cluster=true`",
                "add `cluster=true` to REDIS, or use a single node, which is what W&B's requirements name",
            ),
            (Some("sentinel"), _) => failed(
                "a Sentinel, and REDIS has no `master=`",
                "add `master=NAME` to REDIS; `redis-cli -p 26379 SENTINEL MASTERS` lists the names",
            ),
            (Some(other), _) => inconclusive(format!("mode `{other}`")),
            (None, _) => unreported("redis_mode"),
        }
    }

    pub(super) fn role(&self) -> Verdict {
        match self.get("role") {
            Some("master") => passed("master"),
            Some("slave") => failed(
                match self.get("master_host") {
                    Some(master) => format!("a read-only replica of {master}"),
                    None => "a read-only replica".to_owned(),
                },
                "write the address of the master into REDIS",
            ),
            Some(other) => inconclusive(format!("role `{other}`")),
            None => unreported("role"),
        }
    }

    pub(super) fn memory(&self) -> Verdict {
        let Some(limit) = self.number("maxmemory") else { return unreported("maxmemory") };
        let gib = |bytes: u64| {
            let tenths = bytes.saturating_mul(10) / GIB;
            format!("{}.{} GiB", tenths / 10, tenths % 10)
        };
        let [least, suggested] = MEMORY;
        if limit == 0 {
            let Some(system) = self.number("total_system_memory") else {
                return warned("no memory limit", "set `maxmemory 8gb`");
            };
            return warned(
                format!("no memory limit, on a machine with {}", gib(system)),
                "set `maxmemory 8gb`, so that Redis evicts keys before the machine is out of memory",
            );
        }
        match limit {
            _ if limit < least => warned(
                format!("{}; W&B requires 4 GiB and suggests 8", gib(limit)),
                "set `maxmemory 8gb`, or use a larger instance",
            ),
            _ if limit < suggested => passed(format!("{}; W&B suggests 8 GiB", gib(limit))),
            _ => passed(gib(limit)),
        }
    }

    /// Redis holds queues and locks of W&B, not only a cache. A `volatile-*` policy evicts keys with a time to
    /// live alone, which they have with `ttlInSeconds` only (the operator's chart: 604800).
    pub(super) fn eviction(&self, ttl_in_seconds: Option<u64>) -> Verdict {
        let Some(policy) = self.get("maxmemory_policy") else { return unreported("maxmemory_policy") };
        let expires = ttl_in_seconds.is_some_and(|ttl| ttl > 0);
        match policy {
            "noeviction" => passed(policy),
            _ if policy.starts_with("volatile-") && expires => {
                passed(format!("{policy}, with `ttlInSeconds`"))
            }
            _ if policy.starts_with("volatile-") => warned(
                format!(
                    "{policy}, and REDIS has no `ttlInSeconds`: no key can be evicted, and writes fail once memory is full"
                ),
                "add `ttlInSeconds=604800` to REDIS",
            ),
            _ if policy.starts_with("allkeys-") => warned(
                format!("{policy} can evict the queues that W&B has in Redis"),
                "set `maxmemory-policy volatile-lru`, and `ttlInSeconds=604800` in REDIS",
            ),
            _ => inconclusive(format!("policy `{policy}`")),
        }
    }
}

fn unreported(field: &str) -> Verdict {
    inconclusive(format!("INFO has no `{field}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> Info {
        Info::read(&text.replace(' ', "\r\n"))
    }

    /// The word of a verdict.
    fn word(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Passed { .. } => "passed",
            Verdict::Warned { .. } => "warned",
            Verdict::Failed { .. } => "failed",
            Verdict::Inconclusive { .. } => "inconclusive",
        }
    }

    #[test]
    fn versions() {
        for (text, expected) in [
            ("redis_version:7.2.4", "passed"),
            ("redis_version:6.2.14", "warned"),
            ("redis_version:5.0.14", "failed"),
            ("redis_version:8.0.2", "warned"),
            ("redis_version:7.2.4 server_name:valkey valkey_version:8.1.1", "warned"),
            ("redis_version:7.2.4 server_name:keydb", "warned"),
            ("redis_version:unknown", "inconclusive"),
            ("", "inconclusive"),
        ] {
            assert_eq!(word(&info(text).version()), expected, "{text}");
        }
    }

    #[test]
    fn modes_and_roles() {
        for (text, cluster, expected) in [
            ("redis_mode:standalone", false, "passed"),
            ("redis_mode:standalone", true, "failed"),
            ("redis_mode:cluster", false, "failed"),
            ("server_mode:cluster", true, "passed"),
            ("redis_mode:sentinel", false, "failed"),
            ("redis_mode:other", false, "inconclusive"),
            ("", false, "inconclusive"),
        ] {
            assert_eq!(word(&info(text).mode(cluster)), expected, "{text}");
        }
        for (text, expected) in [
            ("role:master", "passed"),
            ("role:slave master_host:10.0.0.1", "failed"),
            ("role:other", "inconclusive"),
            ("", "inconclusive"),
        ] {
            assert_eq!(word(&info(text).role()), expected, "{text}");
        }
    }

    #[test]
    fn memory_and_eviction() {
        for (text, expected) in [
            ("maxmemory:8589934592", "passed"),
            ("maxmemory:4294967296", "passed"),
            ("maxmemory:4294967295", "warned"),
            ("maxmemory:0 total_system_memory:17179869184", "warned"),
            ("maxmemory:18446744073709551615", "passed"),
            ("maxmemory:-1", "inconclusive"),
        ] {
            assert_eq!(word(&info(text).memory()), expected, "{text}");
        }
        for (policy, ttl, expected) in [
            ("noeviction", None, "passed"),
            ("volatile-lru", Some(604_800), "passed"),
            ("volatile-lru", Some(0), "warned"),
            ("volatile-ttl", None, "warned"),
            ("allkeys-lru", Some(604_800), "warned"),
            ("lottery", None, "inconclusive"),
        ] {
            let info = info(&format!("maxmemory_policy:{policy}"));
            assert_eq!(word(&info.eviction(ttl)), expected, "{policy}");
        }
    }
}
