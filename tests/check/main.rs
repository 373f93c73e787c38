//! `wbstore check` through the built program: against real servers where they can be installed, and against
//! doubles of versions that cannot be had and of faults.

mod bounds;
mod host;
mod mysql;
mod mysql_faults;
mod mysql_servers;
mod offline;
mod oidc;
mod oidc_faults;
mod oidc_providers;
mod redis;
mod redis_faults;
mod redis_servers;
mod secrets;
mod storage;
mod support;
